bl_test(test_track SOURCES test_track.c ROOMS pose)
