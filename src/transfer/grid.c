#include "grid.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"

static int axis_init(bl__axis *a, int n, int taps, bl_err *err) {
    a->n = n;
    a->taps = taps;
    a->index = bl_alloc_array((size_t)n * (size_t)taps, sizeof *a->index);
    a->weight = bl_alloc_array((size_t)n * (size_t)taps, sizeof *a->weight);
    if (a->index && a->weight) return 0;
    return bl_fail(err, BL_E_NOMEM, "not enough memory for the window's resampling tables");
}

static void axis_release(bl__axis *a) {
    bl_free(a->index);
    bl_free(a->weight);
    *a = (bl__axis){0};
}

/* Each output pixel is the mean of the input that it covers. */
static int axis_area(bl__axis *a, int n_out, int n_in, double scale, bl_err *err) {
    int rc = axis_init(a, n_out, (int)ceil(1 / scale) + 1, err);
    if (rc < 0) return rc;
    for (int i = 0; i < n_out; i++) {
        double from = BL_MIN(i / scale, n_in - 1e-6), to = BL_MIN((i + 1) / scale, (double)n_in);
        int first = (int)from;
        for (int k = 0; k < a->taps; k++) {
            double covered = BL_MIN(to, first + k + 1) - BL_MAX(from, first + k);
            a->index[i * a->taps + k] = BL_MIN(first + k, n_in - 1);
            a->weight[i * a->taps + k] = (float)(BL_MAX(covered, 0) / (to - from));
        }
    }
    return 0;
}

void bl__cubic_weights(float t, float w[4]) {
    float t2 = t * t, t3 = t2 * t;
    w[0] = -0.5f * t3 + t2 - 0.5f * t;
    w[1] = 1.5f * t3 - 2.5f * t2 + 1;
    w[2] = -1.5f * t3 + 2 * t2 + 0.5f * t;
    w[3] = 0.5f * t3 - 0.5f * t2;
}

/* Indices may lie outside the grid here: the window's own border is where they are clamped. */
static int axis_cubic(bl__axis *a, int n_out, double scale, bl_err *err) {
    int rc = axis_init(a, n_out, 4, err);
    if (rc < 0) return rc;
    for (int i = 0; i < n_out; i++) {
        double at = (i + 0.5) * scale - 0.5;
        int first = (int)floor(at);
        for (int k = 0; k < 4; k++) a->index[i * 4 + k] = first - 1 + k;
        bl__cubic_weights((float)(at - first), &a->weight[i * 4]);
    }
    return 0;
}

int bl__grid_init(bl__grid *g, int frame_w, int frame_h, double scale, bl_err *err) {
    *g = (bl__grid){.frame_w = frame_w, .frame_h = frame_h, .scale = scale};
    if (frame_w < 1 || frame_h < 1 || !(scale > 1e-3 && scale <= 1))
        return bl_fail(err, BL_E_INTERNAL, "a window scale of %g for %dx%d is impossible", scale, frame_w,
                       frame_h);
    g->w = (int)ceil(frame_w * scale - 1e-9);
    g->h = (int)ceil(frame_h * scale - 1e-9);
    int rc = axis_area(&g->to_x, g->w, frame_w, scale, err);
    if (rc == 0) rc = axis_area(&g->to_y, g->h, frame_h, scale, err);
    if (rc == 0) rc = axis_cubic(&g->from_x, frame_w, scale, err);
    if (rc == 0) rc = axis_cubic(&g->from_y, frame_h, scale, err);
    if (rc < 0) bl__grid_release(g);
    return rc;
}

void bl__grid_release(bl__grid *g) {
    axis_release(&g->to_x);
    axis_release(&g->to_y);
    axis_release(&g->from_x);
    axis_release(&g->from_y);
}

int bl__axis_up(bl_staged *s, bl_taps *out, const bl__axis *cubic, bl_device *device, bl_err *err) {
    const int n = cubic->n, count = cubic->taps;
    int *first;
    float *weight;
    int rc = bl_staged_create(s, device, bl_taps_bytes(n, count), err);
    if (rc < 0) return rc;
    *out = bl_taps_in(s, n, count, &first, &weight);
    for (int i = 0; i < n; i++) first[i] = cubic->index[i * count];
    memcpy(weight, cubic->weight, (size_t)n * (size_t)count * sizeof *weight);
    bl_staged_up(s, s->bytes);
    return 0;
}

/* One grid row before the horizontal pass: the weighted sum of frame rows, columns from..to. */
static void sum_rows(const bl__axis *a, int row, float *sum, const uint8_t *picture, ptrdiff_t stride,
                     int from, int to) {
    memset(sum + from, 0, (size_t)(to - from) * sizeof *sum);
    for (int k = 0; k < a->taps; k++) {
        const float weight = a->weight[row * a->taps + k];
        if (weight <= 0) continue;
        const uint8_t *in = picture + a->index[row * a->taps + k] * stride;
        for (int i = from; i < to; i++) sum[i] += weight * (float)in[i];
    }
}

int bl__grid_sample(const bl__grid *g, uint8_t *out, const uint8_t *picture, ptrdiff_t stride, int channels,
                    int x, int y, int w, int h, bl_err *err) {
    float *sum = bl_alloc_array((size_t)g->frame_w * (size_t)channels, sizeof *sum);
    if (!sum) return bl_fail(err, BL_E_NOMEM, "not enough memory to cut a window out of a frame");
    const bl__axis *ax = &g->to_x;
    const int first = BL_CLAMP(x, 0, g->w - 1), last = BL_CLAMP(x + w - 1, 0, g->w - 1);
    const int from = ax->index[first * ax->taps], to = ax->index[(last + 1) * ax->taps - 1] + 1;
    for (int j = 0; j < h; j++) {
        const int row = BL_CLAMP(y + j, 0, g->h - 1);
        uint8_t *to_row = out + (ptrdiff_t)j * w * channels;
        if (j > 0 && row == BL_CLAMP(y + j - 1, 0, g->h - 1)) {
            memcpy(to_row, to_row - (ptrdiff_t)w * channels, (size_t)w * (size_t)channels);
            continue;
        }
        sum_rows(&g->to_y, row, sum, picture, stride, from * channels, to * channels);
        for (int i = 0; i < w; i++) {
            const int column = BL_CLAMP(x + i, 0, g->w - 1);
            for (int c = 0; c < channels; c++) {
                float v = 0;
                for (int k = 0; k < ax->taps; k++)
                    v += ax->weight[column * ax->taps + k] *
                         sum[ax->index[column * ax->taps + k] * channels + c];
                to_row[i * channels + c] = (uint8_t)(v + 0.5f);
            }
        }
    }
    bl_free(sum);
    return 0;
}
