bl_test(test_eval SOURCES test_eval.c ROOMS eval)
