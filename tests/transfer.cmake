bl_test(test_transfer_parts SOURCES test_transfer_parts.c ROOMS transfer)
