/* SSIM with separable Gaussian filters (the reference has the formula): five filtered maps forward, and
 * backward three derivative maps filtered by the adjoint. Rows of w*c values; a horizontal tap is c values
 * away. Rows are shared out; their sums are added in their order. */
#include <math.h>
#include <string.h>

#include "cpu.h"

#define TAPS 11
#define MOMENTS 5     /* a, b, a^2, b^2, ab */
#define DERIVATIVES 3 /* by a's mean, by its variance, by the covariance */

typedef struct geometry {
    int h, w, c, vh, vw; /* picture; valid area */
    int64_t row, vrow;   /* values a row of each */
    int64_t margin;      /* values that taps reach beyond a valid row, on both sides together */
    int64_t size, valid; /* values of each */
} geometry;

static geometry of(const bl__step *s) {
    bl_shape x = s->xs[0];
    geometry g = {.h = x.h, .w = x.w, .c = x.c, .vh = x.h - TAPS + 1, .vw = x.w - TAPS + 1};
    g.row = (int64_t)g.w * g.c;
    g.vrow = (int64_t)g.vw * g.c;
    g.margin = g.row - g.vrow;
    g.size = g.h * g.row;
    g.valid = g.vh * g.vrow;
    return g;
}

static void gaussian(float f[TAPS]) {
    double sum = 0;
    for (int i = 0; i < TAPS; i++) sum += exp(-(i - 5.0) * (i - 5.0) / 4.5);
    for (int i = 0; i < TAPS; i++) f[i] = (float)(exp(-(i - 5.0) * (i - 5.0) / 4.5) / sum);
}

/* One sample, seen by whoever does some of its rows. */
typedef struct pass {
    geometry g;
    float f[TAPS];
    const float *a, *b, *weights; /* weights: NULL, or a pixel's */
    float *saved;                 /* [DERIVATIVES][valid] */
    float *wide;                  /* filtered one way: rows of the picture */
    float *rows;                  /* a row's own: what it needs by the way */
    double *sums;                 /* a valid row's weighted SSIM, and its weights */
    float range, scale;
    float *dx;
    int add;
} pass;

/* What lies in scratch: filtered rows (backward with a margin on both sides), a row's own, sums. */
static int64_t wide_row(const geometry *g) {
    return g->row + g->margin;
}
static int64_t own_row(const geometry *g) {
    return (MOMENTS + 2) * g->row;
}

static int plan(bl__step *s, bl_err *err) {
    (void)err;
    geometry g = of(s);
    s->saved_floats = DERIVATIVES * g.valid * s->xs[0].n + 1; /* and one over the weights' sum */
    s->scratch_floats = g.h * (MOMENTS * wide_row(&g) + own_row(&g)) + 4 * (int64_t)g.vh + 2;
    return 0;
}

static pass pass_of(const bl__step *s, int n) {
    pass p = {.g = of(s), .range = s->node->f[0]};
    const geometry *g = &p.g;
    gaussian(p.f);
    p.a = s->x[0] + n * g->size;
    p.b = s->x[1] + n * g->size;
    p.weights = s->n_in == 3 ? s->x[2] + (int64_t)n * g->h * g->w : NULL;
    p.saved = s->saved + DERIVATIVES * n * g->valid;
    p.sums = (double *)(void *)s->scratch;
    p.wide = s->scratch + 4 * (int64_t)g->vh + 2;
    p.rows = p.wide + g->h * MOMENTS * wide_row(g);
    return p;
}

/* ---- forward ---- */
static void moments_along(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        const float *a = p->a + y * g->row, *b = p->b + y * g->row;
        const float *const left[MOMENTS] = {a, b, a, b, a}, *const right[MOMENTS] = {NULL, NULL, a, b, b};
        float *product = p->rows + y * own_row(g);
        for (int k = 0; k < MOMENTS; k++) {
            for (int64_t i = 0; right[k] && i < g->row; i++) product[i] = left[k][i] * right[k][i];
            bl__vector()->filter(p->wide + (k * g->h + y) * g->vrow, right[k] ? product : left[k], g->c, p->f,
                                 TAPS, g->vrow);
        }
    }
}

/* The weight of a window is that of its middle; one for each value of the row. Returns their sum. */
static double weights_of_row(const pass *p, int64_t y, float *weights) {
    const geometry *g = &p->g;
    const float *w = p->weights ? p->weights + (y + TAPS / 2) * g->w + TAPS / 2 : NULL;
    double sum = 0;
    for (int x = 0; x < g->vw; x++)
        for (int c = 0; c < g->c; c++) sum += (double)(*weights++ = w ? w[x] : 1);
    return sum;
}

static void ssim_down(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        float *m = p->rows + y * own_row(g), *value = m + MOMENTS * g->vrow, *weights = value + g->vrow;
        for (int k = 0; k < MOMENTS; k++)
            bl__vector()->filter(m + k * g->vrow, p->wide + (k * g->h + y) * g->vrow, g->vrow, p->f, TAPS,
                                 g->vrow);
        const double total = weights_of_row(p, y, weights);
        bl__vector()->ssim(value, p->saved + y * g->vrow, g->valid, m, weights, g->vrow, p->range);
        double sum = 0;
        for (int64_t i = 0; i < g->vrow; i++) sum += (double)value[i];
        p->sums[2 * y] = sum;
        p->sums[2 * y + 1] = total;
    }
}

static void forward(bl__step *s) {
    double sum = 0, all = 0;
    for (int n = 0; n < s->xs[0].n; n++) {
        const pass p = pass_of(s, n);
        bl_team_split(s->threads, p.g.h, moments_along, &p);
        bl_team_split(s->threads, p.g.vh, ssim_down, &p);
        for (int y = 0; y < p.g.vh; y++) sum += p.sums[2 * y], all += p.sums[2 * y + 1];
    }
    s->y[0] = (float)(all > 0 ? 1 - sum / all : 0);
    s->saved[DERIVATIVES * of(s).valid * s->xs[0].n] = (float)(all > 0 ? 1 / all : 0);
}

/* ---- backward: filtered by the adjoint, which is the filter itself on rows with empty margins ---- */
static void derivatives_down(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        const int first = BL_MAX(0, (int)y - TAPS + 1), last = BL_MIN((int)y, g->vh - 1);
        for (int k = 0; k < DERIVATIVES; k++) {
            float *o = p->wide + (k * g->h + y) * wide_row(g);
            memset(o, 0, sizeof *o * (size_t)g->margin);
            bl__vector()->filter(o + g->margin, p->saved + k * g->valid + first * g->vrow, g->vrow,
                                 p->f + (first + TAPS - 1 - y), last - first + 1, g->vrow);
            memset(o + g->row, 0, sizeof *o * (size_t)g->margin);
        }
    }
}

static void derivatives_along(const void *arg, int64_t from, int64_t to) {
    const pass *p = arg;
    const geometry *g = &p->g;
    for (int64_t y = from; y < to; y++) {
        float *d = p->rows + y * own_row(g), *dx = p->dx + y * g->row;
        const float *a = p->a + y * g->row, *b = p->b + y * g->row, *by_va = d + g->row,
                    *by_cov = by_va + g->row;
        for (int k = 0; k < DERIVATIVES; k++)
            bl__vector()->filter(d + k * g->row, p->wide + (k * g->h + y) * wide_row(g), g->c, p->f, TAPS,
                                 g->row);
        if (!p->add) memset(dx, 0, sizeof *dx * (size_t)g->row);
        for (int64_t i = 0; i < g->row; i++)
            dx[i] += p->scale * (d[i] + 2 * by_va[i] * a[i] + by_cov[i] * b[i]);
    }
}

static void backward(const bl__back *b) {
    bl__step *s = b->s;
    const float inverse = s->saved[DERIVATIVES * of(s).valid * s->xs[0].n];
    for (int n = 0; b->dx[0] && n < s->xs[0].n; n++) {
        pass p = pass_of(s, n);
        p.scale = -b->dy[0] * inverse;
        p.dx = b->dx[0] + n * p.g.size;
        p.add = (int)(b->add & 1);
        bl_team_split(s->threads, p.g.h, derivatives_down, &p);
        bl_team_split(s->threads, p.g.h, derivatives_along, &p);
    }
}

const bl__kernel bl__cpu_loss_ssim = {.plan = plan, .forward = forward, .backward = backward};
