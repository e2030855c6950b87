/* Enlarging: rows are split over threads; channels are contiguous. */
#include <math.h>
#include <string.h>

#include "cpu.h"

static void upsample2_rows(const void *arg, int64_t first, int64_t last) {
    const bl__step *s = arg;
    const int c = s->ys.c, w = s->ys.w, half = s->half_y;
    const size_t pixel = bl__size(half) * (size_t)c;
    for (int64_t r = first; r < last; r++) {
        int64_t from = (r / s->ys.h * s->xs[0].h + r % s->ys.h / 2) * s->xs[0].w * c;
        const unsigned char *x = bl__at_const(s->x[0], from, half);
        unsigned char *y = bl__at(s->y, r * w * c, half);
        for (int i = 0; i < w; i++) memcpy(y + (size_t)i * pixel, x + (size_t)(i / 2) * pixel, pixel);
    }
}

static void upsample2_forward(bl__step *s) {
    bl_team_split(s->threads, (int64_t)s->ys.n * s->ys.h, upsample2_rows, s);
}

static void upsample2_back_rows(const void *arg, int64_t first, int64_t last) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    const bl__typed *v = bl__typed_of(s->half_y);
    const int c = s->xs[0].c, w = s->xs[0].w, half = s->half_y;
    for (int64_t r = first; r < last; r++)
        for (int i = 0; i < w; i++) {
            int64_t d = (2 * r * s->ys.w + 2 * i) * c, e = d + (int64_t)s->ys.w * c;
            v->sum4(bl__at(b->dx[0], (r * w + i) * c, half), bl__at_const(b->dy, d, half),
                    bl__at_const(b->dy, d + c, half), bl__at_const(b->dy, e, half),
                    bl__at_const(b->dy, e + c, half), c, (int)(b->add & 1));
        }
}

static void upsample2_backward(const bl__back *b) {
    bl_team_split(b->s->threads, (int64_t)b->s->xs[0].n * b->s->xs[0].h, upsample2_back_rows, b);
}

const bl__kernel bl__cpu_upsample2 = {
    .half = BL__HALF_TIED, .forward = upsample2_forward, .backward = upsample2_backward};

static void resize_rows(const void *arg, int64_t first, int64_t last) {
    const bl__step *s = arg;
    const bl_shape xs = s->xs[0], ys = s->ys;
    const int c = ys.c;
    const float fy = (float)xs.h / (float)ys.h, fx = (float)xs.w / (float)ys.w;
    for (int64_t r = first; r < last; r++) {
        float py = ((float)(r % ys.h) + 0.5f) * fy - 0.5f, ly = floorf(py), ty = py - ly;
        int y0 = BL_CLAMP((int)ly, 0, xs.h - 1), y1 = BL_CLAMP((int)ly + 1, 0, xs.h - 1);
        const float *a = s->x[0] + (r / ys.h * xs.h + y0) * xs.w * c,
                    *b = s->x[0] + (r / ys.h * xs.h + y1) * xs.w * c;
        float *o = s->y + r * ys.w * c;
        for (int i = 0; i < ys.w; i++, o += c) {
            float px = ((float)i + 0.5f) * fx - 0.5f, lx = floorf(px), tx = px - lx;
            int64_t x0 = (int64_t)BL_CLAMP((int)lx, 0, xs.w - 1) * c,
                    x1 = (int64_t)BL_CLAMP((int)lx + 1, 0, xs.w - 1) * c;
            for (int k = 0; k < c; k++)
                o[k] = (a[x0 + k] * (1 - tx) + a[x1 + k] * tx) * (1 - ty) +
                       (b[x0 + k] * (1 - tx) + b[x1 + k] * tx) * ty;
        }
    }
}

static void resize_forward(bl__step *s) {
    bl_team_split(s->threads, (int64_t)s->ys.n * s->ys.h, resize_rows, s);
}

static void resize_backward(const bl__back *b) {
    bl__ref_kernel(BL__OP_resize_bilinear)->backward(b);
}

const bl__kernel bl__cpu_resize_bilinear = {.forward = resize_forward, .backward = resize_backward};
