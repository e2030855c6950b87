bl_test(test_track SOURCES test_track.c ROOMS pose)
bl_test(test_models SOURCES test_models.c ROOMS pose LIBS ZLIB::ZLIB)
bl_test(test_tflite SOURCES test_tflite.c ROOMS pose)
