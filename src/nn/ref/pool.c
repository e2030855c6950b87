/* Pooling and means. */
#include <float.h>
#include <string.h>

#include "ref.h"

typedef struct span {
    int y0, y1, x0, x1;
} span; /* of the input, inside it */

static span window(const bl__step *s, int y, int x) {
    const bl__node *n = s->node;
    int top = y * n->sh - s->pad.top, left = x * n->sw - s->pad.left;
    return (span){BL_MAX(top, 0), BL_MIN(top + n->kh, s->xs[0].h), BL_MAX(left, 0),
                  BL_MIN(left + n->kw, s->xs[0].w)};
}

static void max_pool_forward(bl__step *s) {
    for (int n = 0; n < s->ys.n; n++)
        for (int y = 0; y < s->ys.h; y++)
            for (int x = 0; x < s->ys.w; x++) {
                span w = window(s, y, x);
                float *o = s->y + at(s->ys, n, y, x, 0);
                for (int c = 0; c < s->ys.c; c++) o[c] = -FLT_MAX;
                for (int i = w.y0; i < w.y1; i++)
                    for (int j = w.x0; j < w.x1; j++) {
                        const float *p = s->x[0] + at(s->xs[0], n, i, j, 0);
                        for (int c = 0; c < s->ys.c; c++) o[c] = p[c] > o[c] ? p[c] : o[c];
                    }
            }
}

/* The first largest of a window gets the gradient. */
static void max_pool_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
    for (int n = 0; n < s->ys.n; n++)
        for (int y = 0; y < s->ys.h; y++)
            for (int x = 0; x < s->ys.w; x++)
                for (int c = 0; c < s->ys.c; c++) {
                    span w = window(s, y, x);
                    int64_t o = at(s->ys, n, y, x, c);
                    int done = 0;
                    for (int i = w.y0; i < w.y1 && !done; i++)
                        for (int j = w.x0; j < w.x1 && !done; j++) {
                            int64_t p = at(s->xs[0], n, i, j, c);
                            if (s->x[0][p] == s->y[o]) b->dx[0][p] += b->dy[o], done = 1;
                        }
                }
}

const bl__kernel bl__ref_max_pool = {.forward = max_pool_forward, .backward = max_pool_backward};

static void avg_pool_forward(bl__step *s) {
    for (int n = 0; n < s->ys.n; n++)
        for (int y = 0; y < s->ys.h; y++)
            for (int x = 0; x < s->ys.w; x++) {
                span w = window(s, y, x);
                float *o = s->y + at(s->ys, n, y, x, 0), scale = 1 / (float)((w.y1 - w.y0) * (w.x1 - w.x0));
                memset(o, 0, sizeof(float) * (size_t)s->ys.c);
                for (int i = w.y0; i < w.y1; i++)
                    for (int j = w.x0; j < w.x1; j++)
                        for (int c = 0; c < s->ys.c; c++) o[c] += s->x[0][at(s->xs[0], n, i, j, c)];
                for (int c = 0; c < s->ys.c; c++) o[c] *= scale;
            }
}

static void avg_pool_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
    for (int n = 0; n < s->ys.n; n++)
        for (int y = 0; y < s->ys.h; y++)
            for (int x = 0; x < s->ys.w; x++) {
                span w = window(s, y, x);
                const float *d = b->dy + at(s->ys, n, y, x, 0);
                float scale = 1 / (float)((w.y1 - w.y0) * (w.x1 - w.x0));
                for (int i = w.y0; i < w.y1; i++)
                    for (int j = w.x0; j < w.x1; j++)
                        for (int c = 0; c < s->ys.c; c++) b->dx[0][at(s->xs[0], n, i, j, c)] += d[c] * scale;
            }
}

const bl__kernel bl__ref_avg_pool = {.forward = avg_pool_forward, .backward = avg_pool_backward};

static void mean_forward(bl__step *s) {
    int64_t plane = bl__plane(s->xs[0]);
    int c = s->ys.c;
    for (int n = 0; n < s->ys.n; n++)
        for (int k = 0; k < c; k++) {
            double sum = 0;
            for (int64_t i = 0; i < plane; i++) sum += s->x[0][(n * plane + i) * c + k];
            s->y[n * c + k] = (float)(sum / (double)plane);
        }
}

static void mean_backward(const bl__back *b) {
    int64_t plane = bl__plane(b->s->xs[0]);
    int c = b->s->ys.c;
    for (int n = 0; n < b->s->ys.n; n++)
        for (int64_t i = 0; i < plane; i++)
            for (int k = 0; k < c; k++)
                put(b->dx[0] + (n * plane + i) * c + k, b->dy[n * c + k] / (float)plane, b->add & 1);
}

const bl__kernel bl__ref_mean = {.forward = mean_forward, .backward = mean_backward};
