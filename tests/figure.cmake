bl_test(test_figure SOURCES test_figure.c ROOMS figure)
bl_test(test_figure_parts SOURCES test_figure_parts.c ROOMS figure)
bl_test(test_paper SOURCES test_paper.c ROOMS figure)
