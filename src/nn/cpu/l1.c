/* The weighted L1 loss as in ref/loss.c, row by row: a row's sum in float32 lanes, the rows' sums in double
 * and in order, so that the number of threads does not matter. */
#include "cpu.h"

static int plan(bl__step *s, bl_err *err) {
    (void)err;
    s->saved_floats = 1;
    s->scratch_floats = 4 * (int64_t)s->xs[0].n * s->xs[0].h; /* two doubles a row */
    return 0;
}

static double row_sum(const bl__step *s, int64_t row) {
    const int c = s->xs[0].c, pixels = s->xs[0].w, half = bl__half_x(s, 0);
    const bl__typed *v = bl__typed_of(half);
    const int64_t at = row * pixels * c;
    const void *a = bl__at_const(s->x[0], at, half), *b = bl__at_const(s->x[1], at, half);
    return s->n_in == 2 ? v->distance(a, b, (int64_t)pixels * c)
                        : v->weighted_distance(a, b, s->x[2] + row * pixels, pixels, c);
}

static void sum_rows(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    const int pixels = s->xs[0].w, rows = s->xs[0].n * s->xs[0].h;
    double *sums = (double *)(void *)s->scratch, *weights = sums + rows;
    for (int64_t r = from; r < to; r++) {
        const float *w = s->n_in == 3 ? s->x[2] + r * pixels : NULL;
        sums[r] = row_sum(s, r);
        weights[r] = w ? 0 : pixels;
        for (int x = 0; w && x < pixels; x++) weights[r] += (double)w[x];
    }
}

static void forward(bl__step *s) {
    const int c = s->xs[0].c, rows = s->xs[0].n * s->xs[0].h;
    const double *sums = (double *)(void *)s->scratch, *weights = sums + rows;
    double sum = 0, total = 0;
    bl_team_split(s->threads, rows, sum_rows, s);
    for (int r = 0; r < rows; r++) sum += sums[r], total += weights[r];
    s->saved[0] = total > 0 ? (float)(1 / (total * c)) : 0;
    s->y[0] = (float)(total > 0 ? sum / (total * c) : 0);
}

static void put_signs(const void *arg, int64_t from, int64_t to) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    const int c = s->xs[0].c, half = bl__half_x(s, 0);
    const bl__typed *v = bl__typed_of(half);
    const float scale = b->dy[0] * s->saved[0];
    const int64_t run = s->n_in == 3 ? 1 : to - from; /* pixels with one weight */
    for (int64_t p = from; p < to; p += run)
        for (int k = 0; k < 2; k++) {
            float w = (k ? -scale : scale) * (s->n_in == 3 ? s->x[2][p] : 1);
            if (b->dx[k])
                v->put_sign(bl__at(b->dx[k], p * c, half), bl__at_const(s->x[0], p * c, half),
                            bl__at_const(s->x[1], p * c, half), w, run * c, (int)(b->add >> k & 1));
        }
}

static void backward(const bl__back *b) {
    bl_team_split(b->s->threads, bl__elements(b->s->xs[0]) / b->s->xs[0].c, put_signs, b);
}

const bl__kernel bl__cpu_loss_l1 = {
    .half = BL__HALF_TIED, .plan = plan, .forward = forward, .backward = backward};
