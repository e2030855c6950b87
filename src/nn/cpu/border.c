/* Reflection padding and joining along channels: rows are copied, split over threads. */
#include <string.h>

#include "cpu.h"

static int mirror(int i, int n) {
    return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
}

/* Row r of all samples' padded rows. */
static void pad_row(const bl__step *s, int64_t r) {
    bl_shape xs = s->xs[0], ys = s->ys;
    int c = xs.c, half = s->half_y, left = s->pad.left;
    size_t pixel = bl__size(half) * (size_t)c;
    int64_t from = r / ys.h * xs.h + mirror((int)(r % ys.h) - s->pad.top, xs.h);
    const unsigned char *x = bl__at_const(s->x[0], from * xs.w * c, half);
    unsigned char *y = bl__at(s->y, r * ys.w * c, half);
    memcpy(y + (size_t)left * pixel, x, pixel * (size_t)xs.w);
    for (int i = 0; i < left; i++)
        memcpy(y + (size_t)i * pixel, x + (size_t)mirror(i - left, xs.w) * pixel, pixel);
    for (int i = left + xs.w; i < ys.w; i++)
        memcpy(y + (size_t)i * pixel, x + (size_t)mirror(i - left, xs.w) * pixel, pixel);
}

static void pad_rows(const void *s, int64_t from, int64_t to) {
    for (int64_t r = from; r < to; r++) pad_row(s, r);
}

static void pad_reflect_forward(bl__step *s) {
    bl_team_split(s->threads, (int64_t)s->ys.n * s->ys.h, pad_rows, s);
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

static void fold_rows(const void *arg, int64_t from, int64_t to) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    bl_shape xs = s->xs[0], ys = s->ys;
    for (int64_t r = from; r < to; r++) {
        int y = (int)(r % xs.h), top = s->pad.top;
        int64_t first = r / xs.h * ys.h;
        fold_row(b, r, first + y + top, (int)(b->add & 1));
        for (int p = 0; p < top; p++)
            if (mirror(p - top, xs.h) == y) fold_row(b, r, first + p, 1);
        for (int p = top + xs.h; p < ys.h; p++)
            if (mirror(p - top, xs.h) == y) fold_row(b, r, first + p, 1);
    }
}

static void pad_reflect_backward(const bl__back *b) {
    bl_team_split(b->s->threads, (int64_t)b->s->xs[0].n * b->s->xs[0].h, fold_rows, b);
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

/* Each input's channels are put into the joined value, or their gradients taken from there. */
static void join(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    for (int k = 0, at = 0; k < s->n_in; at += s->xs[k++].c)
        move(s->y + at, s->ys.c, s->x[k], s->xs[k].c, s->xs[k].c, from, to, 0);
}

static void part(const void *arg, int64_t from, int64_t to) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    for (int k = 0, at = 0; k < s->n_in; at += s->xs[k++].c)
        if (b->dx[k])
            move(b->dx[k], s->xs[k].c, b->dy + at, s->ys.c, s->xs[k].c, from, to, (int)(b->add >> k & 1));
}

static int64_t pixels(const bl__step *s) {
    return (int64_t)s->ys.n * bl__plane(s->ys);
}

static void concat_forward(bl__step *s) {
    bl_team_split(s->threads, pixels(s), join, s);
}

static void concat_backward(const bl__back *b) {
    bl_team_split(b->s->threads, pixels(b->s), part, b);
}

const bl__kernel bl__cpu_concat = {.forward = concat_forward, .backward = concat_backward};
