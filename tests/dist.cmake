bl_test(test_dist SOURCES test_dist.c ROOMS dist)

# As several processes, where MPI is: NAME_RANKS. bl_mpi_test(NAME RANKS PROGRAM)
set(module $<$<TARGET_EXISTS:bl_mpi>:$<TARGET_FILE:bl_mpi>>)
function(bl_mpi_test name ranks program)
  add_test(NAME ${name}_${ranks} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/mpi.sh ${ranks} "${module}" $<TARGET_FILE:${program}>)
  set_tests_properties(${name}_${ranks} PROPERTIES TIMEOUT 120 LABELS fast SKIP_RETURN_CODE 77 PROCESSORS 2)
endfunction()
bl_mpi_test(test_dist 2 test_dist)
bl_mpi_test(test_dist 3 test_dist)

bl_test(test_gan_dist SOURCES test_gan_dist.c ROOMS gan)
bl_mpi_test(test_gan_dist 2 test_gan_dist)
bl_mpi_test(test_gan_dist 3 test_gan_dist)
if(TARGET bl_cuda_emulated) # gradients come home from a device, and go back
  add_test(NAME test_gan_dist_emulated COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/mpi.sh 2 "${module}" $<TARGET_FILE:test_gan_dist>)
  set_tests_properties(test_gan_dist_emulated PROPERTIES TIMEOUT 300 LABELS fast SKIP_RETURN_CODE 77 PROCESSORS 2
    ENVIRONMENT "BALLERINO_CUDA_MODULE=$<TARGET_FILE:bl_cuda_emulated>;TEST_DEVICE=cuda:0")
endif()

if(TARGET ballerino)
  add_executable(scene_files scene_files.c)
  target_include_directories(scene_files PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(scene_files PRIVATE bl_transfer cmocka m)
  bl_flags(scene_files)
  add_test(NAME cli_together COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/together.sh $<TARGET_FILE:ballerino> "${module}" $<TARGET_FILE:scene_files>)
  # processes that are killed are no matter for sanitizers
  set_tests_properties(cli_together PROPERTIES TIMEOUT 600 LABELS ${BL_FAST_UNSANITIZED} SKIP_RETURN_CODE 77 PROCESSORS 2)
endif()
