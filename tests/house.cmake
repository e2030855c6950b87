# The laws of the house.
add_test(NAME layers COMMAND ${CMAKE_SOURCE_DIR}/tools/check_layers.sh)
add_test(NAME symbols COMMAND ${CMAKE_SOURCE_DIR}/tools/check_symbols.sh ${CMAKE_BINARY_DIR})
add_test(NAME format COMMAND ${CMAKE_SOURCE_DIR}/tools/check_format.sh)
set_tests_properties(layers symbols format PROPERTIES LABELS fast SKIP_RETURN_CODE 77)
