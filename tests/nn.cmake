bl_test(test_nn_ops SOURCES test_nn_ops.c ROOMS nn)
# As on processors without tile registers, and without bfloat16 or AVX-512.
foreach(isa AVX512_CORE_BF16 AVX2)
  add_test(NAME test_nn_ops_${isa} COMMAND test_nn_ops)
  set_tests_properties(test_nn_ops_${isa} PROPERTIES TIMEOUT 300 LABELS fast SKIP_RETURN_CODE 77
    ENVIRONMENT "ONEDNN_MAX_CPU_ISA=${isa}")
endforeach()
bl_test(test_bands SOURCES test_bands.c ROOMS nn)
target_include_directories(test_bands PRIVATE ${CMAKE_SOURCE_DIR}/src/nn)
bl_test(test_safetensors SOURCES test_safetensors.c ROOMS nn)
bl_test(test_backbones SOURCES test_backbones.c ROOMS nn)
