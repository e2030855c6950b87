#include "crop.h"

#include <math.h>

#include "ballerino/base.h"

typedef struct sampler {
    const uint8_t *data;
    ptrdiff_t stride;
    int width, height, zero_border;
    float scale, shift; /* out = scale * byte + shift */
} sampler;

static inline void blend(float *out, const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d,
                         float fx, float fy, const sampler *s) {
    float w11 = fx * fy, w01 = fx - w11, w10 = fy - w11, w00 = 1 - fx - w10;
    for (int k = 0; k < 3; k++)
        out[k] = s->scale * (w00 * (float)a[k] + w01 * (float)b[k] + w10 * (float)c[k] + w11 * (float)d[k]) +
                 s->shift;
}

/* A sample whose four pixels may lie outside. x, y: continuous position minus half a pixel. */
static void sample_edge(float *out, double x, double y, const sampler *s) {
    if (s->zero_border && (x < -.5 || y < -.5 || x > s->width - .5 || y > s->height - .5)) {
        out[0] = out[1] = out[2] = s->shift;
        return;
    }
    x = BL_CLAMP(x, -1.0, (double)s->width);
    y = BL_CLAMP(y, -1.0, (double)s->height);
    int x0 = (int)floor(x), y0 = (int)floor(y);
    int xa = BL_CLAMP(x0, 0, s->width - 1), xb = BL_CLAMP(x0 + 1, 0, s->width - 1);
    const uint8_t *top = s->data + BL_CLAMP(y0, 0, s->height - 1) * s->stride;
    const uint8_t *bottom = s->data + BL_CLAMP(y0 + 1, 0, s->height - 1) * s->stride;
    blend(out, top + 3 * xa, top + 3 * xb, bottom + 3 * xa, bottom + 3 * xb, (float)(x - x0), (float)(y - y0),
          s);
}

static void sample_row(float *out, int n, double x, double y, double dx, double dy, const sampler *s) {
    for (int i = 0; i < n; i++, out += 3) {
        double px = x + dx * i, py = y + dy * i;
        int x0 = (int)px, y0 = (int)py;
        if (!(px >= 0 && py >= 0 && x0 < s->width - 1 && y0 < s->height - 1)) {
            sample_edge(out, px, py, s);
            continue;
        }
        const uint8_t *p = s->data + y0 * s->stride + 3 * x0, *q = p + s->stride;
        blend(out, p, p + 3, q, q + 3, (float)(px - x0), (float)(py - y0), s);
    }
}

/* The rows of one crop. */
typedef struct rows {
    const sampler *s;
    float *out;
    int size;
    double cx, cy, ux, uy, vx, vy,
        first; /* middle; steps along a row and to the next; first pixel, in steps */
} rows;

static void sample_rows(const void *arg, int64_t from, int64_t to) {
    const rows *r = arg;
    for (int64_t j = from; j < to; j++)
        sample_row(r->out + j * r->size * 3, r->size,
                   r->cx + r->first * r->ux + (r->first + (double)j) * r->vx - .5,
                   r->cy + r->first * r->uy + (r->first + (double)j) * r->vy - .5, r->ux, r->uy, r->s);
}

void bl__crop_sample(float *out, const bl_frame *frame, const bl__crop *c) {
    sampler s = {.data = frame->data,
                 .stride = frame->stride,
                 .width = frame->width,
                 .height = frame->height,
                 .zero_border = c->zero_border,
                 .scale = (c->hi - c->lo) / 255,
                 .shift = c->lo};
    int n = c->size;
    double ux = c->w * cos(c->rotation) / n, uy = c->w * sin(c->rotation) / n;
    const rows r = {.s = &s,
                    .out = out,
                    .size = n,
                    .cx = c->cx,
                    .cy = c->cy,
                    .ux = ux,
                    .uy = uy,
                    .vx = -c->h * sin(c->rotation) / n,
                    .vy = c->h * cos(c->rotation) / n,
                    .first = .5 - .5 * n};
    bl_team_split(c->threads, n, sample_rows, &r);
}

void bl__crop_roi(float *out, const bl_frame *frame, const bl_roi *roi, const bl__crop *c) {
    bl__crop whole = *c;
    whole.cx = (double)roi->cx * frame->width;
    whole.cy = (double)roi->cy * frame->height;
    whole.w = (double)roi->w * frame->width;
    whole.h = (double)roi->h * frame->height;
    whole.rotation = (double)roi->rotation;
    bl__crop_sample(out, frame, &whole);
}
