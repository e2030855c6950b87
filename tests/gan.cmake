bl_test(test_gan SOURCES test_gan.c ROOMS gan)
