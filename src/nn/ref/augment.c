/* Random changes of pictures whose amounts are inputs (DiffAugment: Zhao et al. 2020). The amounts are kept
 * for backward; they get no gradient themselves. */
#include <math.h>
#include <string.h>

#include "ref.h"

static int plan(bl__step *s, bl_err *err) {
    (void)err;
    s->saved_floats = bl__elements(s->xs[1]);
    return 0;
}

static void keep_amounts(bl__step *s) {
    memcpy(s->saved, s->x[1], sizeof(float) * (size_t)bl__elements(s->xs[1]));
}

/* ---- translate: y(row, column) = x(row - dy, column - dx), zero outside; offsets (dx, dy) ---- */
static int offset(const float *amount, int limit) {
    return !isfinite(*amount) ? 0 : (int)lrintf(BL_CLAMP(*amount, -(float)limit, (float)limit));
}

/* dst(row + dy, column + dx) = or += src(row, column), of one sample. */
static void move_rows(float *dst, const float *src, bl_shape s, int dx, int dy, int add) {
    const int first = BL_MAX(0, -dx), last = BL_MIN(s.w, s.w - dx); /* columns of src */
    const int64_t n = (int64_t)(last - first) * s.c;
    for (int row = BL_MAX(0, -dy); row < BL_MIN(s.h, s.h - dy); row++) {
        const float *from = src + at(s, 0, row, first, 0);
        float *to = dst + at(s, 0, row + dy, first + dx, 0);
        if (n > 0 && !add) memcpy(to, from, sizeof *to * (size_t)n);
        for (int64_t i = 0; add && i < n; i++) to[i] += from[i];
    }
}

static void translate_forward(bl__step *s) {
    const int64_t sample = bl__plane(s->ys) * s->ys.c;
    keep_amounts(s);
    memset(s->y, 0, sizeof(float) * (size_t)bl__elements(s->ys));
    for (int n = 0; n < s->ys.n; n++)
        move_rows(s->y + n * sample, s->x[0] + n * sample, s->ys, offset(s->saved + 2 * n, s->ys.w),
                  offset(s->saved + 2 * n + 1, s->ys.h), 0);
}

static void translate_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int64_t sample = bl__plane(s->ys) * s->ys.c;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
    for (int n = 0; n < s->ys.n; n++)
        move_rows(b->dx[0] + n * sample, b->dy + n * sample, s->ys, -offset(s->saved + 2 * n, s->ys.w),
                  -offset(s->saved + 2 * n + 1, s->ys.h), 1);
}

const bl__kernel bl__ref_translate = {
    .plan = plan, .forward = translate_forward, .backward = translate_backward};

/* ---- colour: u = x + b; v = m + s (u - m), m a pixel's mean over channels; y = M + k (v - M), M the mean of
 * v over the picture, which is that of u. Linear in x, but for b. */
static double mean_of(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i];
    return sum / (double)n;
}

static float pixel_mean(const float *x, int c) {
    float sum = 0;
    for (int k = 0; k < c; k++) sum += x[k];
    return sum / (float)c;
}

static void colour_forward(bl__step *s) {
    const int c = s->ys.c;
    const int64_t pixels = bl__plane(s->ys);
    keep_amounts(s);
    for (int n = 0; n < s->ys.n; n++) {
        const float *x = s->x[0] + n * pixels * c, *amount = s->saved + 3 * n;
        float *y = s->y + n * pixels * c, whole = (float)mean_of(x, pixels * c) + amount[0];
        for (int64_t i = 0; i < pixels * c; i += c) {
            float m = pixel_mean(x + i, c);
            for (int k = 0; k < c; k++) {
                float v = m + amount[1] * (x[i + k] - m) + amount[0];
                y[i + k] = whole + amount[2] * (v - whole);
            }
        }
    }
}

static void colour_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int c = s->ys.c;
    const int64_t pixels = bl__plane(s->ys);
    for (int n = 0; n < s->ys.n; n++) {
        const float *dy = b->dy + n * pixels * c, *amount = s->saved + 3 * n;
        float *dx = b->dx[0] + n * pixels * c, shared = (1 - amount[2]) * (float)mean_of(dy, pixels * c);
        for (int64_t i = 0; i < pixels * c;
             i += c) { /* dv = k dy + (1-k) mean dy; dx = s dv + (1-s) mean_c dv */
            float m = pixel_mean(dy + i, c);
            for (int k = 0; k < c; k++)
                put(dx + i + k, amount[2] * (amount[1] * dy[i + k] + (1 - amount[1]) * m) + shared,
                    (int)(b->add & 1));
        }
    }
}

const bl__kernel bl__ref_colour = {.plan = plan, .forward = colour_forward, .backward = colour_backward};
