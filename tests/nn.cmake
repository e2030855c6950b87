bl_test(test_nn_ops SOURCES test_nn_ops.c ROOMS nn)
bl_test(test_safetensors SOURCES test_safetensors.c ROOMS nn)
bl_test(test_backbones SOURCES test_backbones.c ROOMS nn)
