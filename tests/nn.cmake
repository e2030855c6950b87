bl_test(test_nn_ops SOURCES test_nn_ops.c ROOMS nn)
