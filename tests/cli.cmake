bl_test(test_cli_options SOURCES test_cli_options.c ROOMS cli)
