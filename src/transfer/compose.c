#include "compose.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"

#define FEATHER 8       /* window pixels */
#define CUT_BELOW 0.03f /* alpha that counts as nothing */
#define CUT_ABOVE 0.12f /* alpha that is taken as it is */
#define LEAST_ALPHA 0.002f

int bl__layer_init(bl__layer *l, int w, int h, bl_err *err) {
    *l = (bl__layer){.w = w, .h = h};
    l->rgba = bl_alloc_array((size_t)w * (size_t)h * 4, sizeof *l->rgba);
    l->row = bl_alloc_array((size_t)w * 4, sizeof *l->row);
    if (l->rgba && l->row) return 0;
    bl__layer_release(l);
    return bl_fail(err, BL_E_NOMEM, "not enough memory to compose a window of %dx%d", w, h);
}

void bl__layer_release(bl__layer *l) {
    bl_free(l->rgba);
    bl_free(l->row);
    *l = (bl__layer){0};
}

/* 1 inside, 0 at a window edge, unless that edge is at or beyond the frame's. */
static float feather(int at, int n, int place, int grid) {
    float f = 1;
    if (place > 0) f *= bl_smoothstep(((float)at + 0.5f) / FEATHER);
    if (place + n < grid) f *= bl_smoothstep(((float)(n - at) - 0.5f) / FEATHER);
    return f;
}

void bl__layer_fill(bl__layer *l, const bl__grid *g, int x, int y, const float *rgb, const float *mask,
                    const float *plate, float opacity) {
    float *out = l->rgba;
    for (int j = 0; j < l->h; j++) {
        const float fy = opacity * feather(j, l->h, y, g->h);
        for (int i = 0; i < l->w; i++, rgb += 3, plate += 3, mask++, out += 4) {
            const float m = BL_CLAMP(*mask, 0, 1);
            const float keep =
                bl_smoothstep((m - CUT_BELOW) / (CUT_ABOVE - CUT_BELOW)) * fy * feather(i, l->w, x, g->w);
            for (int c = 0; c < 3; c++) /* (c + 1) / 2 * 255, premultiplied: the constant scales with m too */
                out[c] = keep * 127.5f * ((rgb[c] + 1) - (1 - m) * (plate[c] + 1));
            out[3] = keep * m;
        }
    }
}

/* The four rows around a frame row, weighted. [*first, *end): the columns that hold something. */
static void mix_rows(const bl__layer *l, const bl__axis *a, int frame_y, int y, int *first, int *end) {
    memset(l->row, 0, (size_t)l->w * 4 * sizeof *l->row);
    for (int k = 0; k < 4; k++) {
        const int row = BL_CLAMP(a->index[frame_y * 4 + k] - y, 0, l->h - 1);
        const float weight = a->weight[frame_y * 4 + k], *in = l->rgba + (ptrdiff_t)row * l->w * 4;
        for (int i = 0; i < l->w * 4; i++) l->row[i] += weight * in[i];
    }
    int i = 0, j = l->w;
    while (i < j && !(fabsf(l->row[i * 4 + 3]) > 0)) i++;
    while (j > i && !(fabsf(l->row[j * 4 - 1]) > 0)) j--;
    *first = i;
    *end = j;
}

/* 0: nothing is there, and only v[3] was mixed. Most of a window is empty, so alpha comes first. */
static int mix_columns(const bl__layer *l, const bl__axis *a, int frame_x, int x, float v[4]) {
    const int *index = a->index + (ptrdiff_t)frame_x * 4;
    const float *weight = a->weight + (ptrdiff_t)frame_x * 4, *in[4];
    v[0] = v[1] = v[2] = v[3] = 0;
    for (int k = 0; k < 4; k++) {
        in[k] = l->row + (ptrdiff_t)BL_CLAMP(index[k] - x, 0, l->w - 1) * 4;
        v[3] += weight[k] * in[k][3];
    }
    if (v[3] <= LEAST_ALPHA) return 0;
    for (int k = 0; k < 4; k++)
        for (int c = 0; c < 3; c++) v[c] += weight[k] * in[k][c];
    return 1;
}

bl_lift bl__layer_lift(const bl__grid *g, int x, int y, float opacity) {
    return (bl_lift){.opacity = opacity,
                     .x = x,
                     .y = y,
                     .grid_w = g->w,
                     .grid_h = g->h,
                     .fade = FEATHER,
                     .below = CUT_BELOW,
                     .above = CUT_ABOVE};
}

bl_over bl__layer_place(const bl__grid *g, int x, int y, int w, int h) {
    return (bl_over){.x = x,
                     .y = y,
                     .x0 = BL_MAX(0, (int)floor(x / g->scale)),
                     .y0 = BL_MAX(0, (int)floor(y / g->scale)),
                     .x1 = BL_MIN(g->frame_w, (int)ceil((x + w) / g->scale)),
                     .y1 = BL_MIN(g->frame_h, (int)ceil((y + h) / g->scale)),
                     .least = LEAST_ALPHA};
}

void bl__layer_over(const bl__layer *l, const bl__grid *g, int x, int y, bl_frame *out) {
    const bl_over at = bl__layer_place(g, x, y, l->w, l->h);
    for (int fy = at.y0; fy < at.y1; fy++) {
        int first, end;
        mix_rows(l, &g->from_y, fy, y, &first, &end);
        if (first == end) continue; /* else two columns each way, for the four that a pixel is mixed of */
        const int from = BL_MAX(at.x0, (int)floor((x + first - 2) / g->scale)),
                  to = BL_MIN(at.x1, (int)ceil((x + end + 2) / g->scale));
        uint8_t *px = out->data + fy * out->stride + (ptrdiff_t)from * 3;
        for (int fx = from; fx < to; fx++, px += 3) {
            float v[4];
            if (!mix_columns(l, &g->from_x, fx, x, v)) continue;
            const float rest = 1 - fminf(v[3], 1);
            for (int c = 0; c < 3; c++)
                px[c] = (uint8_t)(BL_CLAMP(v[c] + rest * (float)px[c], 0, 255) + 0.5f);
        }
    }
}
