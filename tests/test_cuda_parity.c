/*
 * The CUDA module beside the CPU: every operator, what makes pictures, the gradients of whole networks, a
 * hundred training steps. Without a GPU on the emulated device (tests/cuda_emulator), small; on a real one at
 * full size with
 *
 *     test_cuda_parity --device cuda:0 [operators|pictures|networks|steps]...
 *
 * which also prints one table of the largest errors, their limits and what passed.
 */
#include "on_device.h"
#include "parity.h"

static const struct {
    const char *name;
    int (*run)(bl_device *device, int real);
} parts[] = {{"operators", cuda_ops_tests},
             {"pictures", cuda_pictures_tests},
             {"networks", cuda_nets_tests},
             {"steps", cuda_steps_tests}};

static int part_named(const char *name) {
    for (size_t i = 0; i < BL_COUNT(parts); i++)
        if (!strcmp(parts[i].name, name)) return (int)i;
    return -1;
}

static int asked(int part, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (part_named(argv[i]) == part) return 1;
    return argc == 1;
}

int main(int argc, char **argv) {
    bl_device *device = NULL;
    int real, failed = 0;
    const int rc = open_test_device(&device, &real, &argc, argv);
    if (rc) return rc;
    for (int i = 1; i < argc; i++)
        if (part_named(argv[i]) < 0) {
            fprintf(stderr,
                    "usage: test_cuda_parity [--device cuda:N] [operators|pictures|networks|steps]...\n");
            bl_device_close(&device);
            return 2;
        }
    for (int i = 0; i < (int)BL_COUNT(parts); i++)
        if (asked(i, argc, argv)) failed += parts[i].run(device, real);
    if (real || getenv("BALLERINO_PARITY_TABLE")) parity_print(stdout, device);
    bl_device_close(&device);
    return failed ? 1 : 0;
}
