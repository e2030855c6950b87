/* The preview strip: what the model makes of a few poses, so far. */
#include <string.h>

#include "train.h"

#define TRAINED 5 /* columns of samples that are trained on */
#define HELD 3    /* columns of samples that are not */
#define ROWS 3    /* figure, photo, generated */
#define GAP 8     /* white, between the two kinds */
#define LEAD 3    /* frames that the generator goes through before the one shown */

static void put_tile(bl_frame *f, int x, int y, const float *v, int w, int h, float scale, float shift) {
    for (int j = 0; j < h; j++) {
        uint8_t *px = f->data + (y + j) * f->stride + (ptrdiff_t)x * 3;
        for (int i = 0; i < w * 3; i++, v++) px[i] = (uint8_t)(BL_CLAMP(*v * scale + shift, 0, 255) + 0.5f);
    }
}

static int column(bl__training *t, bl_frame *f, int x, int64_t index, float *buf, bl_err *err) {
    const int w = t->data.w, h = t->data.h;
    const size_t size = (size_t)w * (size_t)h * 3;
    float *label = buf, *plate = buf + size, *real = plate + size, *made = real + size, *weight = made + size;
    bl_gan_source src = bl__dataset_source(&t->data);
    const int64_t lead = BL_MIN(src.run_before(src.ctx, index), LEAD);
    int rc = 0;
    bl_generator_reset(t->shown);
    for (int64_t i = index - lead; rc == 0 && i <= index; i++) {
        float dx, dy;
        rc = src.get(src.ctx, i, 0, label, plate, real, weight, err);
        src.window_shift(src.ctx, i, &dx, &dy);
        if (rc == 0) rc = bl_generator_run(t->shown, label, plate, dx, dy, made, NULL, err);
    }
    if (rc < 0) return rc;
    put_tile(f, x, 0, label, w, h, 255, 0);
    put_tile(f, x, h, real, w, h, 127.5f, 127.5f);
    put_tile(f, x, 2 * h, made, w, h, 127.5f, 127.5f);
    return 0;
}

int bl__preview(bl__training *t, bl_err *err) {
    const int64_t n = t->data.n_train, held = t->data.n - n;
    const int left = (int)BL_MIN(n, TRAINED), right = (int)BL_MIN(held, HELD), w = t->data.w, h = t->data.h;
    char path[4096];
    bl_frame *f = NULL;
    float *buf = bl_alloc_array((size_t)w * (size_t)h * 13, sizeof *buf);
    int rc = buf ? bl__job_file(&t->state, path, "preview.png", err)
                 : bl_fail(err, BL_E_NOMEM, "not enough memory for the preview");
    if (rc == 0) rc = bl_frame_create(&f, (left + right) * w + (right ? GAP : 0), ROWS * h, err);
    if (rc == 0) memset(f->data, 255, (size_t)f->stride * (size_t)f->height);
    for (int k = 0; rc == 0 && k < left; k++)
        rc = column(t, f, k * w, (2 * k + 1) * n / (2 * left), buf, err);
    for (int k = 0; rc == 0 && k < right; k++)
        rc = column(t, f, (left + k) * w + GAP, n + (2 * k + 1) * held / (2 * right), buf, err);
    if (rc == 0) rc = bl_png_write(f, path, err);
    bl_frame_unref(&f);
    bl_free(buf);
    return rc;
}
