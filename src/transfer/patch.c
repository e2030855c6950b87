#include "patch.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"

typedef struct taps {
    int n, count;
    int *first;
    float *weight; /* n * count */
} taps;

static float kernel(float x) {
    x = fabsf(x);
    if (x >= 2) return 0;
    return x < 1 ? (1.5f * x - 2.5f) * x * x + 1 : ((-0.5f * x + 2.5f) * x - 4) * x + 2;
}

static double stretch_of(const bl__patch_axis *a) {
    return fmax(a->a, 1);
}

int bl__patch_taps_count(const bl__patch_axis *a) {
    return (int)ceil(4 * stretch_of(a)) + 1;
}

void bl__patch_taps(const bl__patch_axis *a, int *first, float *weight) {
    const double stretch = stretch_of(a);
    const int count = bl__patch_taps_count(a);
    for (int i = 0; i < a->n; i++) {
        const double at = a->a * i + a->b;
        float *w = weight + (ptrdiff_t)i * count, sum = 0;
        first[i] = (int)floor(at - 2 * stretch) + 1;
        for (int k = 0; k < count; k++) sum += w[k] = kernel((float)((first[i] + k - at) / stretch));
        for (int k = 0; k < count; k++) w[k] /= sum;
    }
}

static int taps_init(taps *t, const bl__patch_axis *a) {
    *t = (taps){.n = a->n, .count = bl__patch_taps_count(a)};
    t->first = bl_alloc_array((size_t)t->n, sizeof *t->first);
    t->weight = bl_alloc_array((size_t)t->n * (size_t)t->count, sizeof *t->weight);
    if (!t->first || !t->weight) return -1;
    bl__patch_taps(a, t->first, t->weight);
    return 0;
}

static void taps_release(taps *t) {
    bl_free(t->first);
    bl_free(t->weight);
    *t = (taps){0};
}

/* One axis at a time: rows of the input that are needed are first resampled along x. */
typedef struct resampler {
    taps x, y;
    float *rows; /* input rows y0..y1, resampled along x */
    int y0, y1;
} resampler;

static int resampler_init(resampler *r, const bl__patch_axis *x, const bl__patch_axis *y, int h) {
    *r = (resampler){0};
    if (taps_init(&r->x, x) < 0 || taps_init(&r->y, y) < 0) return -1;
    r->y0 = BL_CLAMP(r->y.first[0], 0, h - 1);
    r->y1 = BL_CLAMP(r->y.first[y->n - 1] + r->y.count, r->y0 + 1, h);
    r->rows = bl_alloc_array((size_t)(r->y1 - r->y0) * (size_t)x->n * 3, sizeof *r->rows);
    return r->rows ? 0 : -1;
}

static void resampler_release(resampler *r) {
    taps_release(&r->x);
    taps_release(&r->y);
    bl_free(r->rows);
}

#define ALONG_X(r, row, at, w)                                                                               \
    for (int i_ = 0; i_ < (r)->x.n; i_++) {                                                                  \
        float v_[3] = {0};                                                                                   \
        for (int k_ = 0; k_ < (r)->x.count; k_++) {                                                          \
            const int x_ = BL_CLAMP((r)->x.first[i_] + k_, 0, (w)-1);                                        \
            const float t_ = (r)->x.weight[i_ * (r)->x.count + k_];                                          \
            for (int c_ = 0; c_ < 3; c_++) v_[c_] += t_ * (float)(at)[x_ * 3 + c_];                          \
        }                                                                                                    \
        memcpy((row) + (ptrdiff_t)i_ * 3, v_, sizeof v_);                                                    \
    }

static void along_y(const resampler *r, int j, float *out, int h) {
    const ptrdiff_t width = (ptrdiff_t)r->x.n * 3;
    memset(out, 0, (size_t)width * sizeof *out);
    for (int k = 0; k < r->y.count; k++) {
        const int y = BL_CLAMP(r->y.first[j] + k, 0, h - 1);
        const float t = r->y.weight[j * r->y.count + k], *in = r->rows + (y - r->y0) * width;
        for (ptrdiff_t i = 0; i < width; i++) out[i] += t * in[i];
    }
}

void bl__patch_cut_axes(const bl__part_box *b, int n, int border, bl__patch_axis *x, bl__patch_axis *y) {
    const int full = n + 2 * border;
    const double a = (double)b->side / n, half = 0.5 * a * full;
    *x = (bl__patch_axis){.n = full, .a = a, .b = (double)b->cx - half + 0.5 * a - 0.5};
    *y = (bl__patch_axis){.n = full, .a = a, .b = (double)b->cy - half + 0.5 * a - 0.5};
}

int bl__patch_cut(uint8_t *out, int n, int border, const bl_frame *f, const bl__part_box *b, bl_err *err) {
    const int full = n + 2 * border;
    bl__patch_axis across, down;
    resampler r = {0};
    float *line = bl_alloc_array((size_t)full * 3, sizeof *line);
    bl__patch_cut_axes(b, n, border, &across, &down);
    int rc = line && resampler_init(&r, &across, &down, f->height) == 0
                 ? 0
                 : bl_fail(err, BL_E_NOMEM, "not enough memory for a patch of a frame");
    for (int y = r.y0; rc == 0 && y < r.y1; y++) {
        const uint8_t *in = f->data + y * f->stride;
        ALONG_X(&r, r.rows + (ptrdiff_t)(y - r.y0) * full * 3, in, f->width)
    }
    for (int j = 0; rc == 0 && j < full; j++) {
        along_y(&r, j, line, f->height);
        for (int i = 0; i < full * 3; i++) *out++ = (uint8_t)(BL_CLAMP(line[i], 0, 255) + 0.5f);
    }
    resampler_release(&r);
    bl_free(line);
    return rc;
}

static float fade(float at) {
    return bl_smoothstep(fminf(at, 1 - at) / BL__PATCH_FADE);
}

float bl__patch_weight(float u, float v) {
    return fade(u) * fade(v);
}

int bl__patch_lay(bl__patch_place *p, const bl__part_box *b, int n, int frame_w, int frame_h) {
    const double a = n / (double)b->side, left = (double)b->cx - 0.5 * (double)b->side,
                 top = (double)b->cy - 0.5 * (double)b->side;
    const int x0 = BL_MAX((int)floor(left), 0), y0 = BL_MAX((int)floor(top), 0),
              x1 = BL_MIN((int)ceil(left + (double)b->side), frame_w),
              y1 = BL_MIN((int)ceil(top + (double)b->side), frame_h);
    *p = (bl__patch_place){.x = {.n = x1 - x0, .a = a, .b = (x0 + 0.5 - left) * a - 0.5},
                           .y = {.n = y1 - y0, .a = a, .b = (y0 + 0.5 - top) * a - 0.5},
                           .x0 = x0,
                           .y0 = y0,
                           .left = left,
                           .top = top};
    return x0 < x1 && y0 < y1 && b->seen > 0;
}

int bl__patch_add(bl_frame *f, const bl__part_box *b, const float *change, int n, bl_err *err) {
    bl__patch_place p;
    if (!bl__patch_lay(&p, b, n, f->width, f->height)) return 0;
    const int x0 = p.x0, y0 = p.y0, x1 = x0 + p.x.n, y1 = y0 + p.y.n;
    resampler r = {0};
    float *line = bl_alloc_array((size_t)(x1 - x0) * 3, sizeof *line);
    int rc = line && resampler_init(&r, &p.x, &p.y, n) == 0
                 ? 0
                 : bl_fail(err, BL_E_NOMEM, "not enough memory for a patch of a frame");
    for (int y = r.y0; rc == 0 && y < r.y1; y++) {
        const float *in = change + (ptrdiff_t)y * n * 3;
        ALONG_X(&r, r.rows + (ptrdiff_t)(y - r.y0) * (x1 - x0) * 3, in, n)
    }
    for (int y = y0; rc == 0 && y < y1; y++) {
        along_y(&r, y - y0, line, n);
        uint8_t *px = f->data + y * f->stride + (ptrdiff_t)x0 * 3;
        const float v = (float)((y + 0.5 - p.top) / (double)b->side);
        for (int x = x0; x < x1; x++)
            for (int c = 0; c < 3; c++, px++) {
                const float u = (float)((x + 0.5 - p.left) / (double)b->side),
                            now = (float)*px + b->seen * bl__patch_weight(u, v) * line[(x - x0) * 3 + c];
                *px = (uint8_t)(BL_CLAMP(now, 0, 255) + 0.5f);
            }
    }
    resampler_release(&r);
    bl_free(line);
    return rc;
}
