bl_test(test_motion SOURCES test_motion.c ROOMS motion)
bl_test(test_points SOURCES test_points.c ROOMS motion)
bl_test(test_normalise SOURCES test_normalise.c ROOMS motion)
bl_test(test_verdict SOURCES test_verdict.c ROOMS motion)
