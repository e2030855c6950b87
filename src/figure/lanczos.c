#include "lanczos.h"

#include <math.h>

#include "ballerino/base.h"

#define LOBES 3.0
#define POINT_BITS 22

/* For each output position: the first input position, how many, and their weights (`taps` apart). */
typedef struct kernel {
    int taps, *first, *count;
    int32_t *weight;
} kernel;

static double sinc(double x) {
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

static double window(double x) {
    return x >= -LOBES && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

static void release(kernel *k) {
    bl_free(k->first);
    bl_free(k->weight);
    *k = (kernel){0};
}

static void weigh(kernel *k, int at, double centre, double ratio, int in) {
    double reach = LOBES * ratio, sum = 0;
    int from = BL_MAX((int)(centre - reach + 0.5), 0), to = BL_MIN((int)(centre + reach + 0.5), in);
    int32_t *w = k->weight + (size_t)at * (size_t)k->taps;
    for (int x = from; x < to; x++) sum += window((x - centre + 0.5) / ratio);
    for (int x = from; x < to; x++) {
        double part = window((x - centre + 0.5) / ratio) / sum * (1 << POINT_BITS);
        w[x - from] = (int32_t)(part < 0 ? part - 0.5 : part + 0.5);
    }
    k->first[at] = from;
    k->count[at] = to - from;
}

static int make(kernel *k, int in, int out, bl_err *err) {
    double scale = (double)in / out, ratio = BL_MAX(scale, 1);
    *k = (kernel){.taps = (int)ceil(LOBES * ratio) * 2 + 1};
    k->first = bl_alloc_array((size_t)out * 2, sizeof *k->first);
    k->weight = bl_alloc_array((size_t)out * (size_t)k->taps, sizeof *k->weight);
    if (!k->first || !k->weight) {
        release(k);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to resize a picture");
    }
    k->count = k->first + out;
    for (int at = 0; at < out; at++) weigh(k, at, (at + 0.5) * scale, ratio, in);
    return 0;
}

/* One output value: input values lie `step` bytes apart. */
static uint8_t apply(const kernel *k, int at, const uint8_t *in, ptrdiff_t step) {
    const int32_t *w = k->weight + (size_t)at * (size_t)k->taps;
    int64_t sum = 1 << (POINT_BITS - 1);
    in += k->first[at] * step;
    for (int x = 0; x < k->count[at]; x++) sum += (int64_t)w[x] * in[x * step];
    return (uint8_t)(sum < 0 ? 0 : BL_MIN(sum >> POINT_BITS, 255));
}

int bl__lanczos(uint8_t *out, ptrdiff_t out_stride, int out_width, int out_height, const uint8_t *in,
                int in_width, int in_height, bl_err *err) {
    kernel across = {0}, down = {0};
    ptrdiff_t in_row = (ptrdiff_t)in_width * 3, middle_row = (ptrdiff_t)out_width * 3;
    uint8_t *middle = bl_alloc_array((size_t)middle_row, (size_t)in_height);
    int rc = middle ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to resize a picture");
    if (rc == 0) rc = make(&across, in_width, out_width, err);
    if (rc == 0) rc = make(&down, in_height, out_height, err);
    for (int y = 0; rc == 0 && y < in_height; y++)
        for (int x = 0; x < out_width; x++)
            for (int c = 0; c < 3; c++)
                middle[y * middle_row + x * 3 + c] = apply(&across, x, in + y * in_row + c, 3);
    for (int y = 0; rc == 0 && y < out_height; y++)
        for (int x = 0; x < middle_row; x++)
            out[y * out_stride + x] = apply(&down, y, middle + x, middle_row);
    release(&across);
    release(&down);
    bl_free(middle);
    return rc;
}
