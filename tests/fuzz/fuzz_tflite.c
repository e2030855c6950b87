/* Any bytes as a model file: a program that runs, or one sentence. */
#include <stddef.h>
#include <stdint.h>

#include "pose/tflite.h"
#include "pose/tflite_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small enough to be run at once: fuzzing looks for wrong reads, not for large networks. */
static int is_small(const bl__tflite *m) {
    int64_t values = 0;
    for (int k = 0; k < m->n_tensors; k++) values += m->tensors[k].count;
    return values < 1 << 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bl_err err = {0};
    bl__tflite *m = NULL;
    int rc = bl__tflite_open(&m, data, size, "fuzz", &err);
    int small = rc == 0 && is_small(m);
    if (rc < 0 && (m || !err.msg[0])) __builtin_trap();
    bl__tflite_close(&m);
    if (!small) return 0;
    bl__net *net = NULL;
    bl__net_options o = {.outputs = 0xff, .threads = 1, .reference = 1};
    rc = bl__net_open(&net, data, size, "fuzz", &o, &err);
    if (rc == 0) (void)bl__net_run(net, &err);
    bl__net_close(&net);
    return 0;
}
