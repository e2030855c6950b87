bl_test(test_figure SOURCES test_figure.c ROOMS figure)
bl_test(test_figure_parts SOURCES test_figure_parts.c ROOMS figure)
bl_test(test_paper SOURCES test_paper.c ROOMS figure)

# The paper's drawing beside OpenCV and Pillow, where Debian's python3 has them.
add_executable(paper_dump paper_dump.c)
target_include_directories(paper_dump PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(paper_dump PRIVATE bl_figure)
bl_flags(paper_dump)
add_test(NAME paper_peer COMMAND /usr/bin/env PATH=/usr/bin:/bin python3 ${CMAKE_CURRENT_SOURCE_DIR}/paper_peer.py $<TARGET_FILE:paper_dump>)
set_tests_properties(paper_peer PROPERTIES TIMEOUT 300 LABELS fast SKIP_RETURN_CODE 77)
