# The module for several processes: one shared library that the program loads when an MPI launcher started it.
# BL_MPI=ON fails loudly without MPI; AUTO goes without it.
set(BL_MPI_BUILT OFF)
if(NOT BL_MPI STREQUAL "OFF")
  find_package(MPI QUIET COMPONENTS C)
  if(MPI_C_FOUND)
    set(BL_MPI_BUILT ON)
    add_subdirectory(src/dist/mpi)
  elseif(BL_MPI STREQUAL "ON")
    message(FATAL_ERROR "BL_MPI=ON: MPI is not here (docs/DEPENDENCIES.md)")
  endif()
endif()
message(STATUS "Module for several processes (MPI): ${BL_MPI_BUILT}")
