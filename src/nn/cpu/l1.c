/* The weighted L1 loss as in ref/loss.c, row by row: a row's sum in float32 lanes, the rows' sums in double
 * and in order, so that the number of threads does not matter. */
#include <math.h>

#include "cpu.h"

static int plan(bl__step *s, bl_err *err) {
    (void)err;
    s->saved_floats = 1;
    s->scratch_floats = 4 * (int64_t)s->xs[0].n * s->xs[0].h; /* two doubles a row */
    return 0;
}

#define LANES 16

static double row_sum(const float *a, const float *b, const float *w, int pixels, int c) {
    float lane[LANES] = {0};
    double sum = 0;
    int64_t n = w ? 0 : (int64_t)pixels * c, k = 0;
    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++) lane[l] += fabsf(a[k + l] - b[k + l]);
    for (; k < n; k++) sum += (double)fabsf(a[k] - b[k]);
    for (int l = 0; l < LANES; l++) sum += (double)lane[l];
    for (int x = 0; w && x < pixels; x++) {
        double d = 0;
        for (int i = x * c; i < x * c + c; i++) d += (double)fabsf(a[i] - b[i]);
        sum += (double)w[x] * d;
    }
    return sum;
}

static void forward(bl__step *s) {
    const int c = s->xs[0].c, pixels = s->xs[0].w, rows = s->xs[0].n * s->xs[0].h;
    double *sums = (double *)(void *)s->scratch, *weights = sums + rows, sum = 0, total = 0;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int r = 0; r < rows; r++) {
        const float *w = s->n_in == 3 ? s->x[2] + (int64_t)r * pixels : NULL;
        const int64_t at = (int64_t)r * pixels * c;
        sums[r] = row_sum(s->x[0] + at, s->x[1] + at, w, pixels, c);
        weights[r] = w ? 0 : pixels;
        for (int x = 0; w && x < pixels; x++) weights[r] += (double)w[x];
    }
    for (int r = 0; r < rows; r++) sum += sums[r], total += weights[r];
    s->saved[0] = total > 0 ? (float)(1 / (total * c)) : 0;
    s->y[0] = (float)(total > 0 ? sum / (total * c) : 0);
}

static inline void put_sign(float *dx, const float *a, const float *b, float scale, int64_t n, int add) {
    for (int64_t i = 0; i < n; i++) {
        float g = a[i] > b[i] ? scale : a[i] < b[i] ? -scale : 0.f;
        dx[i] = add ? dx[i] + g : g;
    }
}

static void backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int c = s->xs[0].c;
    const int64_t pixels = bl__elements(s->xs[0]) / c;
    const float scale = b->dy[0] * s->saved[0];
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int t = 0; t < s->threads; t++) {
        int64_t from = bl__share(pixels, s->threads, t), to = bl__share(pixels, s->threads, t + 1);
        int64_t run = s->n_in == 3 ? 1 : BL_MAX(to - from, 1); /* pixels with one weight */
        for (int64_t p = from; p < to; p += run)
            for (int k = 0; k < 2; k++) {
                float w = (k ? -scale : scale) * (s->n_in == 3 ? s->x[2][p] : 1);
                if (b->dx[k])
                    put_sign(b->dx[k] + p * c, s->x[0] + p * c, s->x[1] + p * c, w, run * c,
                             (int)(b->add >> k & 1));
            }
    }
}

const bl__kernel bl__cpu_loss_l1 = {.plan = plan, .forward = forward, .backward = backward};
