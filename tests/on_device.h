/* The device that a test program runs on: the emulated one, or a real one with `--device cuda:N`. */
#ifndef BALLERINO_TEST_ON_DEVICE_H
#define BALLERINO_TEST_ON_DEVICE_H

#include <dlfcn.h>

#include "ballerino/nn.h"
#include "cuda_emulator/emulated.h"
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

/* What the emulated device counts; NULL on a real one. Behind open_test_device. */
static inline struct bl__emulated *emulated(void) {
#ifdef EMULATED_MODULE
    void *module = dlopen(EMULATED_MODULE, RTLD_NOW | RTLD_NOLOAD);
    struct bl__emulated *e = module ? dlsym(module, "bl__emulated") : NULL;
    if (module) (void)dlclose(module); /* it stays loaded */
    return e;
#else
    return NULL;
#endif
}

/* Calls `attempt` with the emulated device's first, second... allocation failing, until there is none left to
 * fail: each time that must be said, and nothing be left behind. Returns how many there were. */
static inline int64_t every_allocation_fails(int (*attempt)(bl_err *err)) {
    struct bl__emulated *e = emulated();
    const struct bl__emulated before = *e;
    int64_t n = 0;
    for (int rc = -1; rc < 0; n++) {
        bl_err err = {0};
        e->allocations = 0;
        e->fail_at = n + 1;
        rc = attempt(&err);
        const int failed = e->allocations >= e->fail_at;
        e->fail_at = 0;
        if (failed && (rc != BL_E_NOMEM || !strstr(err.msg, "not enough memory")))
            fail_msg("without allocation %lld: %s, %s", (long long)n + 1, bl_status_name(rc), err.msg);
        if (!failed) assert_int_equal(rc, 0);
        assert_int_equal(e->used, before.used);
        assert_int_equal(e->pinned, before.pinned);
        assert_int_equal(e->things, before.things);
    }
    return n - 1;
}

/* Within the bound that a training's estimate has on the CPU. */
static inline void expect_reckoned(const char *what, int64_t reckoned, int64_t taken) {
    const double off = (double)reckoned / (double)taken - 1;
    printf("%s: %lld bytes reckoned, %lld taken\n", what, (long long)reckoned, (long long)taken);
    if (!(off <= 0.15 && off >= -0.15)) fail_msg("%s: off by %.1f %%", what, 100 * off);
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
