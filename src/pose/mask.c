#include "mask.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "landmarks.h"

enum { SIZE = BL__MASK_SIZE };
#define COMBINE_WITH_PREVIOUS 0.7

/* Texel-centre coordinates in the region's picture of a frame pixel's centre: u = u0 + x*ux + y*uy. */
typedef struct mapping {
    double u0, ux, uy, v0, vx, vy;
} mapping;

static mapping frame_to_region(const bl_roi *roi, int width, int height) {
    double w = (double)roi->w * width, h = (double)roi->h * height;
    double c = cos((double)roi->rotation), s = sin((double)roi->rotation);
    double dx = .5 - (double)roi->cx * width, dy = .5 - (double)roi->cy * height;
    mapping m = {.ux = c / w * SIZE, .uy = s / w * SIZE, .vx = -s / h * SIZE, .vy = c / h * SIZE};
    m.u0 = dx * m.ux + dy * m.uy + .5 * SIZE - .5;
    m.v0 = dx * m.vx + dy * m.vy + .5 * SIZE - .5;
    return m;
}

/* Narrows first..last to the x for which lo <= a + b*x <= hi. */
static void narrow(double a, double b, double lo, double hi, int *first, int *last) {
    if (fabs(b) < 1e-12) {
        if (a < lo || a > hi) *last = *first - 1;
        return;
    }
    double p = (lo - a) / b, q = (hi - a) / b;
    *first = (int)fmax(*first, ceil(fmin(p, q)));
    *last = (int)fmin(*last, floor(fmax(p, q)));
}

static float bilinear(const float *m, float u, float v) {
    u = BL_CLAMP(u, 0.f, SIZE - 1.f);
    v = BL_CLAMP(v, 0.f, SIZE - 1.f);
    int x = BL_MIN((int)u, SIZE - 2), y = BL_MIN((int)v, SIZE - 2);
    const float *p = m + y * SIZE + x, *q = p + SIZE;
    float fx = u - (float)x, fy = v - (float)y;
    float top = p[0] + (p[1] - p[0]) * fx, bottom = q[0] + (q[1] - q[0]) * fx;
    return top + (bottom - top) * fy;
}

static void draw_row(uint8_t *row, int width, int y, const float *m, const mapping *t) {
    double u = t->u0 + t->uy * y, v = t->v0 + t->vy * y;
    int first = 0, last = width - 1;
    narrow(u, t->ux, -.5, SIZE - .5, &first, &last);
    narrow(v, t->vx, -.5, SIZE - .5, &first, &last);
    memset(row, 0, (size_t)width);
    for (int x = first; x <= last; x++)
        row[x] = (uint8_t)(255 * bilinear(m, (float)(u + t->ux * x), (float)(v + t->vx * x)) + .5f);
}

typedef struct drawing {
    uint8_t *mask;
    int width;
    const float *m;
    const mapping *t;
} drawing;

static void draw_rows(const void *arg, int64_t from, int64_t to) {
    const drawing *d = arg;
    for (int64_t y = from; y < to; y++) draw_row(d->mask + y * d->width, d->width, (int)y, d->m, d->t);
}

int bl__mask_draw(uint8_t *mask, int width, int height, const float *logits, const bl_roi *roi, int threads,
                  bl_err *err) {
    float *m = bl_alloc_array(SIZE * SIZE, sizeof *m);
    if (!m) return bl_fail(err, BL_E_NOMEM, "not enough memory for a person mask");
    for (int k = 0; k < SIZE * SIZE; k++) m[k] = 1 / (1 + expf(-logits[k]));
    mapping t = frame_to_region(roi, width, height);
    const drawing d = {mask, width, m, &t};
    bl_team_split(threads, height, draw_rows, &d);
    bl_free(m);
    return 0;
}

/* How unsure a mask value is, times the weight of the past: 0 at 0 and 1, most at one half. */
static float lean(double value) {
    double t = (value - .5) * (value - .5);
    double sure = t * (5.68842 + t * (-0.748699 + t * (-57.8051 + t * (291.309 + t * -624.717))));
    return (float)((1 - fmin(1, sure)) * COMBINE_WITH_PREVIOUS);
}

typedef struct smoothing {
    uint8_t *mask, *before;
    float weight[256]; /* by what the mask is now */
} smoothing;

static void smooth_range(const void *arg, int64_t from, int64_t to) {
    const smoothing *s = arg;
    for (int64_t k = from; k < to; k++) {
        const float now = s->mask[k];
        s->before[k] = s->mask[k] =
            (uint8_t)(now + ((float)s->before[k] - now) * s->weight[s->mask[k]] + .5f);
    }
}

void bl__mask_smooth(uint8_t *mask, uint8_t *before, int width, int height, int threads) {
    smoothing s = {.mask = mask, .before = before};
    for (int k = 0; k < 256; k++) s.weight[k] = lean(k / 255.0);
    bl_team_split(threads, (int64_t)width * height, smooth_range, &s);
}
