#include "steady.h"

#include <string.h>

#include "ballerino/base.h"

#define STEP BL__STEADY_STEP
#define USUAL 0.5f  /* docs/RESULTS.md */
#define REACH 64.f  /* R */
#define ALPHA 128.f /* what alpha's 0..1 weighs beside colours of 0..255 */

static bl_motion_nodes nodes_of(int w, int h, bl__moment at) {
    return (bl_motion_nodes){at.x, at.y, (w - 1) / STEP + 2, (h - 1) / STEP + 2, STEP};
}

int64_t bl__steady_bytes(int w, int h) {
    const bl_motion_nodes n = nodes_of(w, h, (bl__moment){0});
    return (int64_t)n.w * n.h * 2 * (int64_t)sizeof(float);
}

float bl__steady_share(float share, const bl_gan_net *net) {
    return share >= 0 ? share : net->previous ? 0 : USUAL;
}

int bl__steady_init(bl__steady *s, float share, int w, int h, bl_device *device, bl_err *err) {
    *s = (bl__steady){.share = share, .w = w, .h = h};
    if (share <= 0) return 0;
    if (device) return bl_picture_create(&s->there, device, w, h, 4, sizeof(float), err);
    s->field = bl_alloc((size_t)bl__steady_bytes(w, h));
    s->last = bl_alloc_array((size_t)w * (size_t)h * 4, sizeof *s->last);
    if (s->field && s->last) return 0;
    bl__steady_release(s);
    return bl_fail(err, BL_E_NOMEM, "not enough memory to steady a window of %dx%d", w, h);
}

void bl__steady_release(bl__steady *s) {
    bl_free(s->field);
    bl_free(s->last);
    bl_picture_release(&s->there);
    *s = (bl__steady){0};
}

void bl__steady_restart(bl__steady *s) {
    s->before.person = NULL;
}

static void reckon(const bl__steady *s, const bl__grid *g, float *field, bl__moment now) {
    const bl_motion_nodes nodes = nodes_of(s->w, s->h, now);
    bl_motion_field(field, &nodes, now.person, s->before.person, (float)(g->frame_w * g->scale),
                    (float)(g->frame_h * g->scale));
}

static bl_steadying how_of(const bl__steady *s, bl__moment now) {
    return (bl_steadying){.share = s->share,
                          .reach = REACH,
                          .alpha = ALPHA,
                          .step = STEP,
                          .nodes_w = nodes_of(s->w, s->h, now).w,
                          .dx = now.x - s->before.x,
                          .dy = now.y - s->before.y};
}

/* Between four values that lie `next` and `below` apart. */
static inline float between(const float *v, ptrdiff_t next, ptrdiff_t below, float tx, float ty) {
    const float top = v[0] + (v[next] - v[0]) * tx, low = v[below] + (v[below + next] - v[below]) * tx;
    return top + (low - top) * ty;
}

/* The pixel (i, j) of a layer. */
static void steady_pixel(const bl__steady *s, float *now, const bl_steadying *how, int i, int j) {
    const int w = s->w, h = s->h;
    const float *node = s->field + ((ptrdiff_t)(j / STEP) * how->nodes_w + i / STEP) * 2;
    const float nx = (float)(i % STEP) / STEP, ny = (float)(j % STEP) / STEP;
    const ptrdiff_t below = (ptrdiff_t)how->nodes_w * 2;
    const float x = (float)(i + how->dx) + between(node, 2, below, nx, ny),
                y = (float)(j + how->dy) + between(node + 1, 2, below, nx, ny);
    if (!(x >= 0 && y >= 0 && x <= (float)(w - 1) && y <= (float)(h - 1))) return; /* it was not seen */
    const int x0 = BL_MIN((int)x, w - 2), y0 = BL_MIN((int)y, h - 2);
    const float *was = s->last + ((ptrdiff_t)y0 * w + x0) * 4;
    float change[4], squared = 0;
    for (int c = 0; c < 4; c++) {
        change[c] = between(was + c, 4, (ptrdiff_t)w * 4, x - (float)x0, y - (float)y0) - now[c];
        const float d = c == 3 ? ALPHA * change[c] : change[c];
        squared += d * d;
    }
    const float near = 1 - squared / (REACH * REACH);
    if (near <= 0) return;
    for (int c = 0; c < 4; c++) now[c] += how->share * near * near * change[c];
}

void bl__steady_layer(bl__steady *s, const bl__grid *g, bl__layer *l, bl__moment now) {
    if (s->share <= 0) return;
    if (s->before.person) {
        const bl_steadying how = how_of(s, now);
        reckon(s, g, s->field, now);
        for (int j = 0; j < s->h; j++)
            for (int i = 0; i < s->w; i++)
                steady_pixel(s, l->rgba + ((ptrdiff_t)j * s->w + i) * 4, &how, i, j);
    }
    memcpy(s->last, l->rgba, (size_t)s->w * (size_t)s->h * 4 * sizeof *s->last);
    s->before = now;
}

void bl__steady_queue(bl__steady *s, const bl__grid *g, bl_picture *layer, bl_staged *field, bl__moment now) {
    if (s->share <= 0) return;
    if (s->before.person) {
        const bl_steadying how = how_of(s, now);
        reckon(s, g, field->host, now);
        bl_staged_up(field, field->bytes);
        bl_picture_steady(layer, &s->there, field, &how);
    }
    bl_picture_copy(&s->there, layer);
    s->before = now;
}
