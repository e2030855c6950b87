/* The device that a test program runs on: the emulated one, or a real one with `--device cuda:N`. */
#ifndef BALLERINO_TEST_ON_DEVICE_H
#define BALLERINO_TEST_ON_DEVICE_H

#include "ballerino/nn.h"
#include "support.h"

/* Opens it and takes --device and its value out of the arguments. 0, or how the program shall end, and then
 * it has said why. */
static inline int open_test_device(bl_device **out, int *real, int *argc, char **argv) {
    bl_err err = {0};
    *real = *argc >= 3 && !strcmp(argv[1], "--device");
    const char *spec = *real ? argv[2] : "cuda:0";
#ifdef EMULATED_MODULE
    if (!*real) setenv("BALLERINO_CUDA_MODULE", EMULATED_MODULE, 1);
#else
    if (!*real) {
        puts("SKIP: built without a C++ compiler, so without the emulated device");
        return TEST_SKIPPED;
    }
#endif
    if (*real) {
        *argc -= 2;
        memmove(argv + 1, argv + 3, (size_t)*argc * sizeof *argv); /* and the NULL at the end */
    }
    if (bl_device_open(out, spec, &err) == 0) return 0;
    fprintf(stderr, "%s: %s\n", argv[0], err.msg);
    return 1;
}

/* Its number, from its name: "cuda:0 (NVIDIA H100 80GB HBM3)". */
static inline int test_device_index(const bl_device *d) {
    const char *colon = strchr(bl_device_name(d), ':');
    return colon ? (int)strtol(colon + 1, NULL, 10) : 0;
}

/* Fails the test when something is left on the emulated device. */
static inline void expect_nothing_left(int real) {
    bl_err err = {0};
    bl_device_info info;
    if (real) {
        puts("SKIP: others may use a real device");
        skip();
    }
    assert_ok(bl_device_describe(&info, 0, &err));
    assert_int_equal(info.memory, info.memory_free);
}

#endif
