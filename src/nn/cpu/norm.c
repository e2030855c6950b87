/* Instance norm + residual + activation in two passes forward and two backward, channels side by side. */
#include <math.h>
#include <string.h>

#include "cpu.h"

/* One sample on its way: what parts of it read. */
typedef struct sample {
    const bl__step *s;
    const bl__back *b; /* NULL: forward */
    int64_t base;      /* its first value */
    const float *saved;
    float *partial; /* for each part two rows of c sums; then three rows of c */
} sample;

/* The pixels of a part: sums are made in as many parts as there are threads, so that they stay the same. */
typedef struct share {
    int64_t at, rows; /* its first value; pixels */
} share;

static share share_of(const sample *x, int part) {
    const bl__step *s = x->s;
    int64_t rows = bl__plane(s->ys), from = bl__share(rows, s->threads, part);
    return (share){x->base + from * s->ys.c, bl__share(rows, s->threads, part + 1) - from};
}

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

static void sums_part(const void *arg, int k) {
    const sample *x = arg;
    const bl__step *s = x->s;
    const int c = s->ys.c;
    const share p = share_of(x, k);
    float *sums = x->partial + 2 * k * c;
    bl__typed_of(s->half_y)->norm_sums(bl__at_const(s->x[0], p.at, s->half_y),
                                       x->partial + 2 * s->threads * c, p.rows, c, sums, sums + c);
}

static void statistics(const sample *x, float *saved) {
    const bl__step *s = x->s;
    int c = s->ys.c, T = s->threads;
    int64_t rows = bl__plane(s->ys);
    float *partial = x->partial, *shift = partial + 2 * T * c;
    memset(partial, 0, sizeof(float) * (size_t)((2 * T + 1) * c));
    bl__typed_of(s->half_y)->bias_sums(shift, bl__at_const(s->x[0], x->base, s->half_y), 1, c); /* a pixel */
    bl_team_run(T, T, sums_part, x);
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

static void apply(const void *arg, int64_t from, int64_t to) {
    const sample *x = arg;
    const bl__step *s = x->s;
    const int c = s->ys.c, half = s->half_y;
    const int64_t at = x->base + from * c;
    bl__typed_of(half)->norm_apply(bl__at(s->y, at, half), bl__at_const(s->x[0], at, half),
                                   s->n_in == 2 ? bl__at_const(s->x[1], at, half) : NULL, x->saved,
                                   x->saved + 2 * c, x->saved + 3 * c, to - from, c, s->node->act);
}

static void forward(bl__step *s) {
    const int64_t rows = bl__plane(s->ys);
    for (int n = 0; n < s->ys.n; n++) {
        float *saved = s->saved + 4 * (int64_t)n * s->ys.c;
        const sample x = {.s = s, .base = n * rows * s->ys.c, .saved = saved, .partial = s->scratch};
        statistics(&x, saved);
        bl_team_split(s->threads, rows, apply, &x);
    }
}

static void back_sums_part(const void *arg, int k) {
    const sample *x = arg;
    const bl__step *s = x->s;
    const int c = s->ys.c, half = s->half_y;
    const share p = share_of(x, k);
    float *sums = x->partial + 2 * k * c;
    bl__typed_of(half)->norm_back_sums(bl__at(x->b->dy, p.at, half), bl__at_const(s->y, p.at, half),
                                       bl__at_const(s->x[0], p.at, half), x->saved, x->saved + c, p.rows, c,
                                       s->node->act, sums, sums + c);
}

static void back_apply(const void *arg, int64_t from, int64_t to) {
    const sample *x = arg;
    const bl__step *s = x->s;
    const bl__back *b = x->b;
    const bl__typed *v = bl__typed_of(s->half_y);
    const int c = s->ys.c, half = s->half_y;
    const int64_t at = x->base + from * c, n = (to - from) * c;
    const float *m1 = x->partial + 2 * s->threads * c, *m2 = m1 + c;
    const void *dz = bl__at_const(b->dy, at, half);
    if (b->dx[0])
        v->norm_back_apply(bl__at(b->dx[0], at, half), dz, bl__at_const(s->x[0], at, half), x->saved,
                           x->saved + c, x->saved + 2 * c, m1, m2, to - from, c, (int)(b->add & 1));
    /* after x, which it may be itself: it is added to it then */
    if (b->dx[1] && (b->add & 2))
        v->accumulate(bl__at(b->dx[1], at, half), dz, n);
    else if (b->dx[1])
        memcpy(bl__at(b->dx[1], at, half), dz, bl__size(half) * (size_t)n);
}

static void backward_sample(const bl__back *b, int n) {
    bl__step *s = b->s;
    int c = s->ys.c, T = s->threads;
    int64_t rows = bl__plane(s->ys);
    float *partial = s->scratch, *m1 = s->scratch + 2 * T * c, *m2 = m1 + c;
    const sample x = {
        .s = s, .b = b, .base = n * rows * c, .saved = s->saved + 4 * (int64_t)n * c, .partial = partial};
    memset(partial, 0, sizeof(float) * (size_t)(2 * T * c));
    bl_team_run(T, T, back_sums_part, &x);
    for (int k = 0; k < c; k++) {
        double sum = total(partial, T, 2 * c, k), dot = total(partial + c, T, 2 * c, k);
        m1[k] = (float)(sum / (double)rows);
        m2[k] = (float)(dot / (double)rows);
        if (b->params && s->dw) s->dw[k] += (float)dot, s->db[k] += (float)sum;
    }
    bl_team_split(T, rows, back_apply, &x);
}

static void backward(const bl__back *b) {
    for (int n = 0; n < b->s->ys.n; n++) backward_sample(b, n);
}

const bl__kernel bl__cpu_norm_act = {
    .half = BL__HALF_TIED, .plan = plan, .forward = forward, .backward = backward};
