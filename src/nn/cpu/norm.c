/* Instance norm + residual + activation in two passes forward and two backward, channels side by side. */
#include <math.h>
#include <string.h>

#include "cpu.h"

/* saved: a sample: mean, 1/sigma, scale, offset [c each]; scratch: for each thread two rows of c sums, then
 * three more rows. */
static int plan(bl__step *s, bl_err *err) {
    (void)err;
    s->saved_floats = 4 * (int64_t)s->ys.n * s->ys.c;
    s->scratch_floats = (int64_t)(2 * s->threads + 3) * s->ys.c;
    return 0;
}

/* Adds the threads' partial sums in a fixed order; total[k] for k in 0..c. */
static double total(const float *partial, int threads, int stride, int k) {
    double sum = 0;
    for (int t = 0; t < threads; t++) sum += partial[(int64_t)t * stride + k];
    return sum;
}

static void statistics(bl__step *s, const void *x, float *saved) {
    const bl__typed *v = bl__typed_of(s->half_y);
    int c = s->ys.c, T = s->threads;
    int64_t rows = bl__plane(s->ys);
    float *partial = s->scratch, *shift = s->scratch + 2 * T * c;
    memset(partial, 0, sizeof(float) * (size_t)((2 * T + 1) * c));
    v->bias_sums(shift, x, 1, c); /* the first pixel */
#pragma omp parallel for schedule(static) num_threads(T)
    for (int t = 0; t < T; t++) {
        int64_t a = bl__share(rows, T, t), e = bl__share(rows, T, t + 1);
        v->norm_sums(bl__at_const(x, a * c, s->half_y), shift, e - a, c, partial + 2 * t * c,
                     partial + (2 * t + 1) * c);
    }
    for (int k = 0; k < c; k++) {
        double d = total(partial, T, 2 * c, k) / (double)rows,
               q = total(partial + c, T, 2 * c, k) / (double)rows;
        double variance = BL_MAX(q - d * d, 0);
        saved[k] = (float)(shift[k] + d);
        saved[c + k] = (float)(1 / sqrt(variance + 1e-5));
        saved[2 * c + k] = s->w ? saved[c + k] * s->w[k] : saved[c + k];
        saved[3 * c + k] = s->b ? s->b[k] : 0;
    }
}

static void forward(bl__step *s) {
    const bl__typed *v = bl__typed_of(s->half_y);
    int c = s->ys.c, half = s->half_y;
    int64_t rows = bl__plane(s->ys);
    for (int n = 0; n < s->ys.n; n++) {
        int64_t base = n * rows * c;
        float *saved = s->saved + 4 * (int64_t)n * c;
        statistics(s, bl__at_const(s->x[0], base, half), saved);
#pragma omp parallel for schedule(static) num_threads(s->threads)
        for (int t = 0; t < s->threads; t++) {
            int64_t a = bl__share(rows, s->threads, t), e = bl__share(rows, s->threads, t + 1);
            int64_t at = base + a * c;
            v->norm_apply(bl__at(s->y, at, half), bl__at_const(s->x[0], at, half),
                          s->n_in == 2 ? bl__at_const(s->x[1], at, half) : NULL, saved, saved + 2 * c,
                          saved + 3 * c, e - a, c, s->node->act);
        }
    }
}

static void backward_sample(const bl__back *b, int n) {
    bl__step *s = b->s;
    const bl__typed *v = bl__typed_of(s->half_y);
    int c = s->ys.c, T = s->threads, half = s->half_y;
    int64_t rows = bl__plane(s->ys), base = n * rows * c;
    const float *saved = s->saved + 4 * (int64_t)n * c;
    float *partial = s->scratch, *m1 = s->scratch + 2 * T * c, *m2 = m1 + c;
    memset(partial, 0, sizeof(float) * (size_t)(2 * T * c));
#pragma omp parallel for schedule(static) num_threads(T)
    for (int t = 0; t < T; t++) {
        int64_t a = bl__share(rows, T, t), e = bl__share(rows, T, t + 1), at = base + a * c;
        v->norm_back_sums(bl__at(b->dy, at, half), bl__at_const(s->y, at, half),
                          bl__at_const(s->x[0], at, half), saved, saved + c, e - a, c, s->node->act,
                          partial + 2 * t * c, partial + (2 * t + 1) * c);
    }
    for (int k = 0; k < c; k++) {
        double sum = total(partial, T, 2 * c, k), dot = total(partial + c, T, 2 * c, k);
        m1[k] = (float)(sum / (double)rows);
        m2[k] = (float)(dot / (double)rows);
        if (b->params && s->dw) s->dw[k] += (float)dot, s->db[k] += (float)sum;
    }
#pragma omp parallel for schedule(static) num_threads(T)
    for (int t = 0; t < T; t++) {
        int64_t a = bl__share(rows, T, t), e = bl__share(rows, T, t + 1), at = base + a * c;
        const void *dz = bl__at_const(b->dy, at, half);
        if (b->dx[0])
            v->norm_back_apply(bl__at(b->dx[0], at, half), dz, bl__at_const(s->x[0], at, half), saved,
                               saved + c, saved + 2 * c, m1, m2, e - a, c, (int)(b->add & 1));
        /* after x, which it may be itself: it is added to it then */
        if (b->dx[1] && (b->add & 2))
            v->accumulate(bl__at(b->dx[1], at, half), dz, (e - a) * c);
        else if (b->dx[1])
            memcpy(bl__at(b->dx[1], at, half), dz, bl__size(half) * (size_t)((e - a) * c));
    }
}

static void backward(const bl__back *b) {
    for (int n = 0; n < b->s->ys.n; n++) backward_sample(b, n);
}

const bl__kernel bl__cpu_norm_act = {
    .half = BL__HALF_TIED, .plan = plan, .forward = forward, .backward = backward};
