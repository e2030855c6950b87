bl_test(test_transfer_parts SOURCES test_transfer_parts.c ROOMS transfer)
bl_test(test_train SOURCES test_train.c ROOMS transfer)
bl_test(test_perceptual_choice SOURCES test_perceptual_choice.c ROOMS transfer)
bl_test(test_patch SOURCES test_patch.c ROOMS transfer)
