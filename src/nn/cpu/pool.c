/* Largest value and mean of a window, row by row over threads. */
#include <float.h>
#include <string.h>

#include "cpu.h"

static int plan(bl__step *s, bl_err *err) {
    (void)err;
    s->scratch_floats = (int64_t)bl_team_parts(s->threads) * s->ys.c;
    return 0;
}

typedef struct span {
    int y0, y1, x0, x1;
} span; /* of the input, inside it */

static span window(const bl__step *s, int y, int x) {
    const bl__node *n = s->node;
    int top = y * n->sh - s->pad.top, left = x * n->sw - s->pad.left;
    return (span){BL_MAX(top, 0), BL_MIN(top + n->kh, s->xs[0].h), BL_MAX(left, 0),
                  BL_MIN(left + n->kw, s->xs[0].w)};
}

/* Row r of all samples' output rows. */
static void forward_row(const bl__step *s, int64_t r) {
    const int c = s->ys.c, n = (int)(r / s->ys.h), y = (int)(r % s->ys.h);
    const float *in = s->x[0] + n * bl__plane(s->xs[0]) * c;
    for (int x = 0; x < s->ys.w; x++) {
        float *restrict o = s->y + (r * s->ys.w + x) * c;
        span w = window(s, y, x);
        for (int k = 0; k < c; k++) o[k] = -FLT_MAX;
        for (int i = w.y0; i < w.y1; i++)
            for (int j = w.x0; j < w.x1; j++) {
                const float *restrict p = in + ((int64_t)i * s->xs[0].w + j) * c;
                for (int k = 0; k < c; k++) o[k] = p[k] > o[k] ? p[k] : o[k];
            }
    }
}

static void forward_rows(const void *s, int64_t from, int64_t to) {
    for (int64_t r = from; r < to; r++) forward_row(s, r);
}

static int64_t output_rows(const bl__step *s) {
    return (int64_t)s->ys.n * s->ys.h;
}

static void forward(bl__step *s) {
    bl_team_split(s->threads, output_rows(s), forward_rows, s);
}

/* The first largest of a window gets the gradient: `left` is what has not been given away yet. */
static void backward_row(const bl__back *b, float *restrict left, int64_t r) {
    const bl__step *s = b->s;
    const int c = s->ys.c, n = (int)(r / s->ys.h), y = (int)(r % s->ys.h);
    const int64_t base = n * bl__plane(s->xs[0]) * c;
    for (int x = 0; x < s->ys.w; x++) {
        const float *restrict o = s->y + (r * s->ys.w + x) * c;
        span w = window(s, y, x);
        memcpy(left, b->dy + (r * s->ys.w + x) * c, sizeof *left * (size_t)c);
        for (int i = w.y0; i < w.y1; i++)
            for (int j = w.x0; j < w.x1; j++) {
                const int64_t at = base + ((int64_t)i * s->xs[0].w + j) * c;
                const float *restrict p = s->x[0] + at;
                float *restrict d = b->dx[0] + at;
                for (int k = 0; k < c; k++) {
                    float give = p[k] == o[k] ? left[k] : 0;
                    d[k] += give;
                    left[k] -= give;
                }
            }
    }
}

/* Windows that share pixels are one part. */
static int backward_parts(const bl__step *s) {
    return s->node->sh >= s->node->kh ? bl_team_parts(s->threads) : 1;
}

static void backward_part(const void *arg, int k) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    const int parts = backward_parts(s);
    const int64_t rows = output_rows(s);
    for (int64_t r = bl__share(rows, parts, k); r < bl__share(rows, parts, k + 1); r++)
        backward_row(b, s->scratch + (int64_t)k * s->ys.c, r);
}

static void backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
    bl_team_run(s->threads, backward_parts(s), backward_part, b);
}

const bl__kernel bl__cpu_max_pool = {.plan = plan, .forward = forward, .backward = backward};

static void mean_row(const bl__step *s, int64_t r) {
    const int c = s->ys.c, n = (int)(r / s->ys.h), y = (int)(r % s->ys.h);
    const float *in = s->x[0] + n * bl__plane(s->xs[0]) * c;
    for (int x = 0; x < s->ys.w; x++) {
        float *restrict o = s->y + (r * s->ys.w + x) * c;
        span w = window(s, y, x);
        const float scale = 1 / (float)((w.y1 - w.y0) * (w.x1 - w.x0));
        for (int k = 0; k < c; k++) o[k] = 0;
        for (int i = w.y0; i < w.y1; i++) {
            const float *restrict p = in + ((int64_t)i * s->xs[0].w + w.x0) * c;
            for (int j = w.x0; j < w.x1; j++, p += c)
                for (int k = 0; k < c; k++) o[k] += p[k];
        }
        for (int k = 0; k < c; k++) o[k] *= scale;
    }
}

static void mean_rows(const void *s, int64_t from, int64_t to) {
    for (int64_t r = from; r < to; r++) mean_row(s, r);
}

static void mean_forward(bl__step *s) {
    bl_team_split(s->threads, output_rows(s), mean_rows, s);
}

/* Gathers: a row of dx adds up the windows that saw it, so that threads never share one. */
static void mean_back_row(const bl__back *b, int64_t r) {
    const bl__step *s = b->s;
    const bl__node *node = s->node;
    const int c = s->ys.c, n = (int)(r / s->xs[0].h), in_y = (int)(r % s->xs[0].h);
    float *row = b->dx[0] + r * s->xs[0].w * c;
    const int from = BL_MAX(0, (in_y + s->pad.top - node->kh + node->sh) / node->sh);
    const int to = BL_MIN(s->ys.h - 1, (in_y + s->pad.top) / node->sh);
    if (!(b->add & 1)) memset(row, 0, sizeof *row * (size_t)s->xs[0].w * (size_t)c);
    for (int y = from; y <= to; y++)
        for (int x = 0; x < s->ys.w; x++) {
            span w = window(s, y, x);
            if (in_y < w.y0 || in_y >= w.y1) continue;
            const float scale = 1 / (float)((w.y1 - w.y0) * (w.x1 - w.x0));
            const float *restrict d = b->dy + (((int64_t)n * s->ys.h + y) * s->ys.w + x) * c;
            for (int j = w.x0; j < w.x1; j++) {
                float *restrict o = row + (int64_t)j * c;
                for (int k = 0; k < c; k++) o[k] += d[k] * scale;
            }
        }
}

static void mean_back_rows(const void *b, int64_t from, int64_t to) {
    for (int64_t r = from; r < to; r++) mean_back_row(b, r);
}

static void mean_backward(const bl__back *b) {
    const bl__step *s = b->s;
    bl_team_split(s->threads, (int64_t)s->xs[0].n * s->xs[0].h, mean_back_rows, b);
}

const bl__kernel bl__cpu_avg_pool = {.forward = mean_forward, .backward = mean_backward};
