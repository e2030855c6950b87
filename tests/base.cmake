bl_test(test_base SOURCES test_base.c ROOMS base)
bl_test(test_team SOURCES test_team.c ROOMS base)
