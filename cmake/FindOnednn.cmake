# oneDNN's C API without its own CMake config (Debian 12's config asks for OpenCL). Defines Onednn::onednn.
find_path(ONEDNN_INCLUDE_DIR NAMES dnnl.h oneapi/dnnl/dnnl.h)
find_library(ONEDNN_LIBRARY NAMES dnnl)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Onednn REQUIRED_VARS ONEDNN_LIBRARY ONEDNN_INCLUDE_DIR)
if(Onednn_FOUND AND NOT TARGET Onednn::onednn)
  add_library(Onednn::onednn UNKNOWN IMPORTED)
  set_target_properties(Onednn::onednn PROPERTIES IMPORTED_LOCATION ${ONEDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${ONEDNN_INCLUDE_DIR})
endif()
