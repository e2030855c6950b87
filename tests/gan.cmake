bl_test(test_gan SOURCES test_gan.c ROOMS gan TIMEOUT 900)
bl_test(test_networks SOURCES test_networks.c ROOMS gan)
bl_test(test_perceptual SOURCES test_perceptual.c ROOMS gan)
