/* The preview strip: what the model makes of a few poses, so far. */
#include <string.h>

#include "train.h"

#define TRAINED 5 /* columns of samples that are trained on */
#define HELD 3    /* columns of samples that are not */
#define GAP 8     /* white, between the two kinds */
#define LEAD 3    /* frames that the generator goes through before the one shown */

static void put_tile(bl_frame *f, int x, int y, const float *v, int w, int h, float scale, float shift) {
    for (int j = 0; j < h; j++) {
        uint8_t *px = f->data + (y + j) * f->stride + (ptrdiff_t)x * 3;
        for (int i = 0; i < w * 3; i++, v++) px[i] = (uint8_t)(BL_CLAMP(*v * scale + shift, 0, 255) + 0.5f);
    }
}

typedef struct strip {
    const bl_gan_source *src;
    int w, h, coarse; /* coarse: what was to be refined has a row of its own */
    float *buf;       /* 13 floats a pixel */
} strip;

static int column(bl__training *t, const strip *s, bl_frame *f, int x, int64_t index, bl_err *err) {
    const int w = s->w, h = s->h;
    const size_t size = (size_t)w * (size_t)h * 3;
    float *label = s->buf, *plate = label + size, *real = plate + size, *made = real + size,
          *weight = made + size;
    const bl_gan_source *src = s->src;
    const int64_t lead = BL_MIN(src->run_before(src->ctx, index), LEAD);
    int rc = 0, y = 2 * h;
    bl_generator_reset(t->shown);
    for (int64_t i = index - lead; rc == 0 && i <= index; i++) {
        float dx = 0, dy = 0;
        rc = src->get(src->ctx, i, 0, label, plate, real, weight, err);
        if (src->window_shift) src->window_shift(src->ctx, i, &dx, &dy);
        if (rc == 0) rc = bl_generator_run(t->shown, label, plate, dx, dy, made, NULL, err);
    }
    if (rc < 0) return rc;
    put_tile(f, x, 0, label, w, h, 255, 0);
    put_tile(f, x, h, real, w, h, 127.5f, 127.5f);
    if (s->coarse) put_tile(f, x, y, plate, w, h, 127.5f, 127.5f), y += h;
    put_tile(f, x, y, made, w, h, 127.5f, 127.5f);
    return 0;
}

int bl__preview(bl__training *t, bl__stage stage, const bl_gan_source *src, bl_err *err) {
    const bl_gan_net *net = &t->preset.stage[stage].net;
    const int64_t n = src->count, held = stage == BL__STAGE_MAIN ? t->data.n - n : 0;
    strip s = {.src = src, .w = net->width, .h = net->height, .coarse = net->scene == BL_SCENE_RESIDUAL};
    const int left = (int)BL_MIN(n, TRAINED), right = (int)BL_MIN(held, HELD);
    char path[4096];
    bl_frame *f = NULL;
    s.buf = bl_alloc_array((size_t)s.w * (size_t)s.h * 13, sizeof *s.buf);
    int rc = s.buf ? bl__stage_file(t, stage, path, "preview", "png", err)
                   : bl_fail(err, BL_E_NOMEM, "not enough memory for the preview");
    if (rc == 0)
        rc = bl_frame_create(&f, (left + right) * s.w + (right ? GAP : 0), (s.coarse ? 4 : 3) * s.h, err);
    if (rc == 0) memset(f->data, 255, (size_t)f->stride * (size_t)f->height);
    for (int k = 0; rc == 0 && k < left; k++)
        rc = column(t, &s, f, k * s.w, (2 * k + 1) * n / (2 * left), err);
    for (int k = 0; rc == 0 && k < right; k++)
        rc = column(t, &s, f, (left + k) * s.w + GAP, n + (2 * k + 1) * held / (2 * right), err);
    if (rc == 0) rc = bl_png_write(f, path, err);
    bl_frame_unref(&f);
    bl_free(s.buf);
    return rc;
}
