if(TARGET bl_demo)
  bl_test(test_demo SOURCES test_demo.c ROOMS demo)
endif()
