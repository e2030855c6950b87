bl_test(test_eval SOURCES test_eval.c ROOMS eval)
bl_test(test_judge SOURCES test_judge.c ROOMS eval)
bl_test(test_report SOURCES test_report.c ROOMS eval)
