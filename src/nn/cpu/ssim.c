/* SSIM with separable Gaussian filters (the reference has the formula): five filtered maps forward, and
 * backward three derivative maps filtered by the adjoint. Rows of w*c values; a horizontal tap is c values
 * away. */
#include <math.h>
#include <string.h>

#include "cpu.h"

#define TAPS 11

typedef struct geometry {
    int h, w, c, vh, vw; /* picture; valid area */
    int64_t row, vrow;   /* values a row of each */
    int64_t wide, valid; /* values in h x vrow, in vh x vrow */
} geometry;

static geometry of(const bl__step *s) {
    bl_shape x = s->xs[0];
    geometry g = {.h = x.h, .w = x.w, .c = x.c, .vh = x.h - TAPS + 1, .vw = x.w - TAPS + 1};
    g.row = (int64_t)g.w * g.c;
    g.vrow = (int64_t)g.vw * g.c;
    g.wide = g.h * g.vrow;
    g.valid = g.vh * g.vrow;
    return g;
}

static void gaussian(float f[TAPS]) {
    double sum = 0;
    for (int i = 0; i < TAPS; i++) sum += exp(-(i - 5.0) * (i - 5.0) / 4.5);
    for (int i = 0; i < TAPS; i++) f[i] = (float)(exp(-(i - 5.0) * (i - 5.0) / 4.5) / sum);
}

/* saved: three derivative maps a sample. scratch: a product, its rows filtered, five moments. */
static int plan(bl__step *s, bl_err *err) {
    (void)err;
    geometry g = of(s);
    s->saved_floats = 3 * g.valid * s->xs[0].n;
    s->scratch_floats = g.h * g.row + g.wide + 5 * g.valid;
    return 0;
}

/* A filter, or its adjoint: the picture it reads, rows filtered one way, and both ways. */
typedef struct pass {
    geometry g;
    int threads;
    float f[TAPS];
    const float *in;
    float *wide, *out;
} pass;

static void filter_along(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        float *o = p->wide + y * g->vrow;
        memset(o, 0, sizeof *o * (size_t)g->vrow);
        for (int k = 0; k < TAPS; k++) {
            const float *in = p->in + y * g->row + (int64_t)k * g->c;
            for (int64_t i = 0; i < g->vrow; i++) o[i] += p->f[k] * in[i];
        }
    }
}

static void filter_down(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        float *o = p->out + y * g->vrow;
        memset(o, 0, sizeof *o * (size_t)g->vrow);
        for (int k = 0; k < TAPS; k++)
            for (int64_t i = 0; i < g->vrow; i++) o[i] += p->f[k] * p->wide[(y + k) * g->vrow + i];
    }
}

/* out[vh][vrow] = filter(in[h][row]) over the valid area. */
static void filter(const pass *p) {
    bl_team_split(p->threads, p->g.h, filter_along, p);
    bl_team_split(p->threads, p->g.vh, filter_down, p);
}

static void adjoint_down(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        float *o = p->wide + y * g->vrow;
        memset(o, 0, sizeof *o * (size_t)g->vrow);
        for (int k = BL_MAX(0, (int)y - g->vh + 1); k < TAPS && k <= y; k++)
            for (int64_t i = 0; i < g->vrow; i++) o[i] += p->f[k] * p->in[(y - k) * g->vrow + i];
    }
}

static void adjoint_along(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        float *o = p->out + y * g->row;
        memset(o, 0, sizeof *o * (size_t)g->row);
        for (int k = 0; k < TAPS; k++)
            for (int64_t i = 0; i < g->vrow; i++)
                o[i + (int64_t)k * g->c] += p->f[k] * p->wide[y * g->vrow + i];
    }
}

/* out[h][row] = the adjoint of filter, of in[vh][vrow]. */
static void adjoint(const pass *p) {
    bl_team_split(p->threads, p->g.h, adjoint_down, p);
    bl_team_split(p->threads, p->g.h, adjoint_along, p);
}

static float centre_weight(const bl__step *s, const geometry *g, int n, int y, int x) {
    return s->n_in == 3 ? s->x[2][((int64_t)n * g->h + y + TAPS / 2) * g->w + x + TAPS / 2] : 1;
}

/* Values and derivatives of one row of windows; returns the weighted sum of SSIM. */
static double row_ssim(const bl__step *s, const geometry *g, int n, int y, const float *m, float *d) {
    float range = s->node->f[0], c1 = 0.0001f * range * range, c2 = 0.0009f * range * range;
    double sum = 0;
    for (int64_t j = 0; j < g->vrow; j++) {
        int64_t i = y * g->vrow + j, v = g->valid;
        float ma = m[i], mb = m[v + i], va = m[2 * v + i] - ma * ma, vb = m[3 * v + i] - mb * mb,
              cov = m[4 * v + i] - ma * mb;
        float a1 = 2 * ma * mb + c1, a2 = 2 * cov + c2, b1 = ma * ma + mb * mb + c1, b2 = va + vb + c2;
        float inverse = 1 / (b1 * b2), value = a1 * a2 * inverse,
              w = centre_weight(s, g, n, y, (int)(j / g->c));
        float by_va = -value / b2, by_cov = 2 * a1 * inverse,
              by_ma = 2 * mb * a2 * inverse - value * 2 * ma / b1;
        d[i] = w * (by_ma - 2 * ma * by_va - mb * by_cov);
        d[v + i] = w * by_va;
        d[2 * v + i] = w * by_cov;
        sum += w * value;
    }
    return sum;
}

static double weights(const bl__step *s, const geometry *g) {
    double sum = 0;
    for (int n = 0; n < s->xs[0].n; n++)
        for (int y = 0; y < g->vh; y++)
            for (int x = 0; x < g->vw; x++) sum += centre_weight(s, g, n, y, x);
    return sum * g->c;
}

static void forward(bl__step *s) {
    geometry g = of(s);
    float *product = s->scratch, *wide = product + g.h * g.row, *m = wide + g.wide;
    int64_t size = g.h * g.row;
    double sum = 0, all = weights(s, &g);
    pass p = {.g = g, .threads = s->threads, .wide = wide};
    gaussian(p.f);
    for (int n = 0; n < s->xs[0].n; n++) {
        const float *a = s->x[0] + n * size, *b = s->x[1] + n * size;
        const float *left[5] = {a, b, a, b, a}, *right[5] = {NULL, NULL, a, b, b};
        for (int k = 0; k < 5; k++) {
            for (int64_t i = 0; right[k] && i < size; i++) product[i] = left[k][i] * right[k][i];
            p.in = right[k] ? product : left[k];
            p.out = m + k * g.valid;
            filter(&p);
        }
        for (int y = 0; y < g.vh; y++) sum += row_ssim(s, &g, n, y, m, s->saved + 3 * n * g.valid);
    }
    s->y[0] = (float)(all > 0 ? 1 - sum / all : 0);
}

static void backward(const bl__back *b) {
    bl__step *s = b->s;
    geometry g = of(s);
    float *back = s->scratch;
    int64_t size = g.h * g.row;
    double all = weights(s, &g);
    float scale = (float)(all > 0 ? -b->dy[0] / all : 0);
    pass p = {.g = g, .threads = s->threads, .wide = back + size, .out = back};
    gaussian(p.f);
    for (int n = 0; b->dx[0] && n < s->xs[0].n; n++) {
        const float *x = s->x[0] + n * size, *y = s->x[1] + n * size;
        float *dx = b->dx[0] + n * size;
        if (!(b->add & 1)) memset(dx, 0, sizeof *dx * (size_t)size);
        for (int k = 0; k < 3; k++) {
            p.in = s->saved + (3 * n + k) * g.valid;
            adjoint(&p);
            if (k == 0)
                for (int64_t i = 0; i < size; i++) dx[i] += scale * back[i];
            else if (k == 1)
                for (int64_t i = 0; i < size; i++) dx[i] += scale * 2 * back[i] * x[i];
            else
                for (int64_t i = 0; i < size; i++) dx[i] += scale * back[i] * y[i];
        }
    }
}

const bl__kernel bl__cpu_loss_ssim = {.plan = plan, .forward = forward, .backward = backward};
