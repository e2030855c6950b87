bl_test(test_media SOURCES test_media.c ROOMS media)
