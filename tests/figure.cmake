bl_test(test_figure SOURCES test_figure.c ROOMS figure)
