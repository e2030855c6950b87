if(TARGET bl_demo)
  bl_test(test_demo SOURCES test_demo.c ROOMS demo)
  bl_test(test_retarget SOURCES test_retarget.c ROOMS demo motion)
endif()
