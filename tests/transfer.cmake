bl_test(test_transfer_parts SOURCES test_transfer_parts.c ROOMS transfer)
bl_test(test_train SOURCES test_train.c ROOMS transfer)
set_property(TEST test_train APPEND PROPERTY ENVIRONMENT "OMP_WAIT_POLICY=passive")
bl_test(test_perceptual_choice SOURCES test_perceptual_choice.c ROOMS transfer)
