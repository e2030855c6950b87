bl_test(test_media SOURCES test_media.c ROOMS media)
bl_test(test_media_hw SOURCES test_media_hw.c ROOMS media LIBS PkgConfig::LIBAV)
bl_test(test_planes SOURCES test_planes.c ROOMS media LIBS PkgConfig::LIBAV)
