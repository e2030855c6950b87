bl_test(test_base SOURCES test_base.c ROOMS base)
