#include "half.h"

#include "ballerino/base.h"

int bl__half_init(bl__half *x, const bl_gan_source *full, int w, int h, bl_err *err) {
    const size_t pixels = (size_t)w * (size_t)h;
    *x = (bl__half){.full = *full, .w = w, .h = h};
    x->label = bl_alloc_array(pixels * 3, sizeof(float));
    x->plate = bl_alloc_array(pixels * 3, sizeof(float));
    x->real = bl_alloc_array(pixels * 3, sizeof(float));
    x->weight = bl_alloc_array(pixels, sizeof(float));
    if (x->label && x->plate && x->real && x->weight) return 0;
    bl__half_release(x);
    return bl_fail(err, BL_E_NOMEM, "not enough memory for samples at half the size");
}

void bl__half_release(bl__half *x) {
    bl_free(x->label);
    bl_free(x->plate);
    bl_free(x->real);
    bl_free(x->weight);
    *x = (bl__half){0};
}

static void pool(float *out, const float *in, int w, int h, int channels) {
    for (int y = 0; y < h / 2; y++)
        for (int x = 0; x < w / 2; x++)
            for (int c = 0; c < channels; c++) {
                float sum = 0;
                int n = 0;
                for (int j = BL_MAX(2 * y - 1, 0); j <= BL_MIN(2 * y + 1, h - 1); j++)
                    for (int i = BL_MAX(2 * x - 1, 0); i <= BL_MIN(2 * x + 1, w - 1); i++, n++)
                        sum += in[((ptrdiff_t)j * w + i) * channels + c];
                *out++ = sum / (float)n;
            }
}

static int get(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
               float *weight, bl_err *err) {
    bl__half *x = ctx;
    int rc = x->full.get(x->full.ctx, index, augment, x->label, x->plate, x->real, x->weight, err);
    if (rc < 0) return rc;
    pool(label, x->label, x->w, x->h, 3);
    pool(plate, x->plate, x->w, x->h, 3);
    pool(real, x->real, x->w, x->h, 3);
    pool(weight, x->weight, x->w, x->h, 1);
    return rc;
}

static int64_t run_before(void *ctx, int64_t index) {
    const bl__half *x = ctx;
    return x->full.run_before(x->full.ctx, index);
}

static void window_shift(void *ctx, int64_t index, float *dx, float *dy) {
    const bl__half *x = ctx;
    *dx = *dy = 0;
    if (x->full.window_shift) x->full.window_shift(x->full.ctx, index, dx, dy);
    *dx /= 2;
    *dy /= 2;
}

bl_gan_source bl__half_source(bl__half *x) {
    return (bl_gan_source){
        .ctx = x, .count = x->full.count, .run_before = run_before, .window_shift = window_shift, .get = get};
}
