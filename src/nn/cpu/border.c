/* Reflection padding and joining along channels: rows are copied, split over threads. */
#include <string.h>

#include "cpu.h"

static int mirror(int i, int n) {
    return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
}

static void pad_reflect_forward(bl__step *s) {
    bl_shape xs = s->xs[0], ys = s->ys;
    int c = xs.c, half = s->half_y, left = s->pad.left;
    size_t pixel = bl__size(half) * (size_t)c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int r = 0; r < ys.n * ys.h; r++) {
        int64_t from = (int64_t)(r / ys.h) * xs.h + mirror(r % ys.h - s->pad.top, xs.h);
        const unsigned char *x = bl__at_const(s->x[0], from * xs.w * c, half);
        unsigned char *y = bl__at(s->y, (int64_t)r * ys.w * c, half);
        memcpy(y + (size_t)left * pixel, x, pixel * (size_t)xs.w);
        for (int i = 0; i < left; i++)
            memcpy(y + (size_t)i * pixel, x + (size_t)mirror(i - left, xs.w) * pixel, pixel);
        for (int i = left + xs.w; i < ys.w; i++)
            memcpy(y + (size_t)i * pixel, x + (size_t)mirror(i - left, xs.w) * pixel, pixel);
    }
}

/* Row `to` of dx gets padded row `from` of dy, the borders folded back in. */
static void fold_row(const bl__back *b, int64_t to, int64_t from, int add) {
    const bl__step *s = b->s;
    const bl__typed *v = bl__typed_of(s->half_y);
    int c = s->xs[0].c, w = s->xs[0].w, pw = s->ys.w, half = s->half_y, left = s->pad.left;
    unsigned char *dx = bl__at(b->dx[0], to * w * c, half);
    const unsigned char *dy = bl__at_const(b->dy, from * pw * c, half);
    size_t pixel = bl__size(half) * (size_t)c;
    if (add)
        v->accumulate(dx, dy + (size_t)left * pixel, (int64_t)w * c);
    else
        memcpy(dx, dy + (size_t)left * pixel, pixel * (size_t)w);
    for (int i = 0; i < left; i++)
        v->accumulate(dx + (size_t)mirror(i - left, w) * pixel, dy + (size_t)i * pixel, c);
    for (int i = left + w; i < pw; i++)
        v->accumulate(dx + (size_t)mirror(i - left, w) * pixel, dy + (size_t)i * pixel, c);
}

static void pad_reflect_backward(const bl__back *b) {
    const bl__step *s = b->s;
    bl_shape xs = s->xs[0], ys = s->ys;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int r = 0; r < xs.n * xs.h; r++) {
        int y = r % xs.h, top = s->pad.top;
        int64_t first = (int64_t)(r / xs.h) * ys.h;
        fold_row(b, r, first + y + top, (int)(b->add & 1));
        for (int p = 0; p < top; p++)
            if (mirror(p - top, xs.h) == y) fold_row(b, r, first + p, 1);
        for (int p = top + xs.h; p < ys.h; p++)
            if (mirror(p - top, xs.h) == y) fold_row(b, r, first + p, 1);
    }
}

const bl__kernel bl__cpu_pad_reflect = {
    .half = BL__HALF_TIED, .forward = pad_reflect_forward, .backward = pad_reflect_backward};

/* Pixels from..to of c channels, between rows of different length. */
static void move(float *restrict y, int y_row, const float *restrict x, int x_row, int c, int64_t from,
                 int64_t to, int add) {
    if (add)
        for (int64_t i = from; i < to; i++)
            for (int j = 0; j < c; j++) y[i * y_row + j] += x[i * x_row + j];
    else if (c == 3) /* pictures and figures */
        for (int64_t i = from; i < to; i++)
            for (int j = 0; j < 3; j++) y[i * y_row + j] = x[i * x_row + j];
    else
        for (int64_t i = from; i < to; i++) memcpy(y + i * y_row, x + i * x_row, sizeof *y * (size_t)c);
}

/* Each input's channels of the joined value: put there, or (b) its gradient taken from there. */
static void join(const bl__step *s, const bl__back *b) {
    const int64_t pixels = (int64_t)s->ys.n * bl__plane(s->ys);
    const int all = s->ys.c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int t = 0; t < s->threads; t++) {
        int64_t from = bl__share(pixels, s->threads, t), to = bl__share(pixels, s->threads, t + 1);
        int at = 0;
        for (int k = 0; k < s->n_in; at += s->xs[k++].c) {
            const int c = s->xs[k].c;
            if (!b)
                move(s->y + at, all, s->x[k], c, c, from, to, 0);
            else if (b->dx[k])
                move(b->dx[k], c, b->dy + at, all, c, from, to, (int)(b->add >> k & 1));
        }
    }
}

static void concat_forward(bl__step *s) {
    join(s, NULL);
}

static void concat_backward(const bl__back *b) {
    join(b->s, b);
}

const bl__kernel bl__cpu_concat = {.forward = concat_forward, .backward = concat_backward};
