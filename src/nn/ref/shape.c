/* Operators that only move values: joining, cutting, padding, resizing. Used as they are by the CPU backend
 * too. */
#include <math.h>
#include <string.h>

#include "ref.h"

static void concat_forward(bl__step *s) {
    int64_t pixels = (int64_t)s->ys.n * bl__plane(s->ys);
    int at_c = 0;
    for (int k = 0; k < s->n_in; k++) {
        int c = s->xs[k].c;
        for (int64_t i = 0; i < pixels; i++)
            memcpy(s->y + i * s->ys.c + at_c, s->x[k] + i * c, sizeof(float) * (size_t)c);
        at_c += c;
    }
}

static void concat_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int64_t pixels = (int64_t)s->ys.n * bl__plane(s->ys);
    int at_c = 0;
    for (int k = 0; k < s->n_in; k++) {
        int c = s->xs[k].c;
        for (int64_t i = 0; b->dx[k] && i < pixels; i++) {
            const float *dy = b->dy + i * s->ys.c + at_c;
            float *dx = b->dx[k] + i * c;
            if (b->add >> k & 1)
                for (int j = 0; j < c; j++) dx[j] += dy[j];
            else
                memcpy(dx, dy, sizeof(float) * (size_t)c);
        }
        at_c += c;
    }
}

const bl__kernel bl__ref_concat = {.forward = concat_forward, .backward = concat_backward};

static void concat_rows_forward(bl__step *s) {
    float *y = s->y;
    for (int n = 0; n < s->ys.n; n++)
        for (int k = 0; k < s->n_in; k++) {
            int64_t size = bl__plane(s->xs[k]) * s->xs[k].c;
            memcpy(y, s->x[k] + n * size, sizeof(float) * (size_t)size);
            y += size;
        }
}

static void concat_rows_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const float *dy = b->dy;
    for (int n = 0; n < s->ys.n; n++)
        for (int k = 0; k < s->n_in; k++) {
            int64_t size = bl__plane(s->xs[k]) * s->xs[k].c;
            for (int64_t i = 0; b->dx[k] && i < size; i++)
                put(b->dx[k] + n * size + i, dy[i], b->add >> k & 1);
            dy += size;
        }
}

const bl__kernel bl__ref_concat_rows = {.forward = concat_rows_forward, .backward = concat_rows_backward};

static void slice_forward(bl__step *s) {
    for (int64_t i = 0, n = bl__elements(s->ys) / s->ys.c; i < n; i++)
        memcpy(s->y + i * s->ys.c, s->x[0] + i * s->xs[0].c + s->node->first,
               sizeof(float) * (size_t)s->ys.c);
}

static void slice_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
    for (int64_t i = 0, n = bl__elements(s->ys) / s->ys.c; i < n; i++)
        for (int c = 0; c < s->ys.c; c++)
            b->dx[0][i * s->xs[0].c + s->node->first + c] += b->dy[i * s->ys.c + c];
}

const bl__kernel bl__ref_slice = {.forward = slice_forward, .backward = slice_backward};

static void pad_zero_forward(bl__step *s) {
    bl_shape xs = s->xs[0], ys = s->ys;
    memset(s->y, 0, sizeof(float) * (size_t)bl__elements(ys));
    for (int n = 0; n < xs.n; n++)
        for (int y = 0; y < xs.h; y++)
            for (int x = 0; x < xs.w; x++)
                memcpy(s->y + at(ys, n, y + s->pad.top, x + s->pad.left, 0), s->x[0] + at(xs, n, y, x, 0),
                       sizeof(float) * (size_t)xs.c);
}

static void pad_zero_backward(const bl__back *b) {
    bl_shape xs = b->s->xs[0], ys = b->s->ys;
    for (int n = 0; n < xs.n; n++)
        for (int y = 0; y < xs.h; y++)
            for (int x = 0; x < xs.w; x++)
                for (int c = 0; c < xs.c; c++)
                    put(b->dx[0] + at(xs, n, y, x, c),
                        b->dy[at(ys, n, y + b->s->pad.top, x + b->s->pad.left, c)], b->add & 1);
}

const bl__kernel bl__ref_pad_zero = {.forward = pad_zero_forward, .backward = pad_zero_backward};

static int mirror(int i, int n) {
    return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
}

static void pad_reflect_forward(bl__step *s) {
    bl_shape xs = s->xs[0], ys = s->ys;
    for (int n = 0; n < ys.n; n++)
        for (int y = 0; y < ys.h; y++)
            for (int x = 0; x < ys.w; x++)
                memcpy(s->y + at(ys, n, y, x, 0),
                       s->x[0] + at(xs, n, mirror(y - s->pad.top, xs.h), mirror(x - s->pad.left, xs.w), 0),
                       sizeof(float) * (size_t)xs.c);
}

static void pad_reflect_backward(const bl__back *b) {
    const bl__step *s = b->s;
    bl_shape xs = s->xs[0], ys = s->ys;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(xs));
    for (int n = 0; n < ys.n; n++)
        for (int y = 0; y < ys.h; y++)
            for (int x = 0; x < ys.w; x++) {
                float *dx =
                    b->dx[0] + at(xs, n, mirror(y - s->pad.top, xs.h), mirror(x - s->pad.left, xs.w), 0);
                const float *dy = b->dy + at(ys, n, y, x, 0);
                for (int c = 0; c < xs.c; c++) dx[c] += dy[c];
            }
}

const bl__kernel bl__ref_pad_reflect = {.forward = pad_reflect_forward, .backward = pad_reflect_backward};

static void upsample2_forward(bl__step *s) {
    bl_shape xs = s->xs[0], ys = s->ys;
    for (int n = 0; n < ys.n; n++)
        for (int y = 0; y < ys.h; y++)
            for (int x = 0; x < ys.w; x++)
                memcpy(s->y + at(ys, n, y, x, 0), s->x[0] + at(xs, n, y / 2, x / 2, 0),
                       sizeof(float) * (size_t)xs.c);
}

static void upsample2_backward(const bl__back *b) {
    bl_shape xs = b->s->xs[0], ys = b->s->ys;
    for (int n = 0; n < xs.n; n++)
        for (int y = 0; y < xs.h; y++)
            for (int x = 0; x < xs.w; x++) {
                const float *d = b->dy + at(ys, n, 2 * y, 2 * x, 0), *e = d + (int64_t)ys.w * ys.c;
                float *dx = b->dx[0] + at(xs, n, y, x, 0);
                for (int c = 0; c < xs.c; c++)
                    put(dx + c, d[c] + d[c + xs.c] + e[c] + e[c + xs.c], b->add & 1);
            }
}

const bl__kernel bl__ref_upsample2 = {.forward = upsample2_forward, .backward = upsample2_backward};

/* Half-pixel centres: source = (i + 0.5) * in / out - 0.5, clamped. */
static void tap(int i, int in, int out, int *a, int *b, float *t) {
    float f = ((float)i + 0.5f) * ((float)in / (float)out) - 0.5f;
    float low = floorf(f);
    *t = f - low;
    *a = BL_CLAMP((int)low, 0, in - 1);
    *b = BL_CLAMP((int)low + 1, 0, in - 1);
}

static void resize_forward(bl__step *s) {
    bl_shape xs = s->xs[0], ys = s->ys;
    for (int n = 0; n < ys.n; n++)
        for (int y = 0; y < ys.h; y++)
            for (int x = 0; x < ys.w; x++) {
                int y0, y1, x0, x1;
                float ty, tx;
                tap(y, xs.h, ys.h, &y0, &y1, &ty);
                tap(x, xs.w, ys.w, &x0, &x1, &tx);
                const float *a = s->x[0] + at(xs, n, y0, x0, 0), *b = s->x[0] + at(xs, n, y0, x1, 0);
                const float *c = s->x[0] + at(xs, n, y1, x0, 0), *d = s->x[0] + at(xs, n, y1, x1, 0);
                float *o = s->y + at(ys, n, y, x, 0);
                for (int k = 0; k < xs.c; k++)
                    o[k] = (a[k] * (1 - tx) + b[k] * tx) * (1 - ty) + (c[k] * (1 - tx) + d[k] * tx) * ty;
            }
}

static void resize_backward(const bl__back *bk) {
    bl_shape xs = bk->s->xs[0], ys = bk->s->ys;
    if (!(bk->add & 1)) memset(bk->dx[0], 0, sizeof(float) * (size_t)bl__elements(xs));
    for (int n = 0; n < ys.n; n++)
        for (int y = 0; y < ys.h; y++)
            for (int x = 0; x < ys.w; x++) {
                int y0, y1, x0, x1;
                float ty, tx;
                tap(y, xs.h, ys.h, &y0, &y1, &ty);
                tap(x, xs.w, ys.w, &x0, &x1, &tx);
                const float *d = bk->dy + at(ys, n, y, x, 0);
                for (int k = 0; k < xs.c; k++) {
                    bk->dx[0][at(xs, n, y0, x0, k)] += d[k] * (1 - tx) * (1 - ty);
                    bk->dx[0][at(xs, n, y0, x1, k)] += d[k] * tx * (1 - ty);
                    bk->dx[0][at(xs, n, y1, x0, k)] += d[k] * (1 - tx) * ty;
                    bk->dx[0][at(xs, n, y1, x1, k)] += d[k] * tx * ty;
                }
            }
}

const bl__kernel bl__ref_resize_bilinear = {.forward = resize_forward, .backward = resize_backward};

/* out[b*h+i][b*w+j][c] = in[h][w][(i*b+j)*C + c] */
static int64_t space_at(const bl__step *s, int n, int y, int x) {
    int k = s->node->block;
    return at(s->xs[0], n, y / k, x / k, ((y % k) * k + x % k) * s->ys.c);
}

static void depth_to_space_forward(bl__step *s) {
    for (int n = 0; n < s->ys.n; n++)
        for (int y = 0; y < s->ys.h; y++)
            for (int x = 0; x < s->ys.w; x++)
                memcpy(s->y + at(s->ys, n, y, x, 0), s->x[0] + space_at(s, n, y, x),
                       sizeof(float) * (size_t)s->ys.c);
}

static void depth_to_space_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int n = 0; n < s->ys.n; n++)
        for (int y = 0; y < s->ys.h; y++)
            for (int x = 0; x < s->ys.w; x++)
                for (int c = 0; c < s->ys.c; c++)
                    put(b->dx[0] + space_at(s, n, y, x) + c, b->dy[at(s->ys, n, y, x, c)], b->add & 1);
}

const bl__kernel bl__ref_depth_to_space = {.forward = depth_to_space_forward,
                                           .backward = depth_to_space_backward};
