/* Figure: paints a person's shapes onto a float canvas or over an RGB24 frame. */
#include <string.h>

#include "ballerino/base.h"
#include "shapes.h"

#define CHUNK 256 /* columns at a time, so that the coverage of a row needs no memory of its own */

static void paint(float *canvas, int w, const bl__stroke *st, const bl_capsule *s) {
    float cover[CHUNK];
    for (int y = st->all.y0; y < st->all.y1; y++)
        for (int x0 = st->all.x0; x0 < st->all.x1; x0 += CHUNK) {
            int count = BL_MIN(CHUNK, st->all.x1 - x0);
            if (!bl__stroke_row(st, y, x0, count, cover)) continue;
            float *px = canvas + ((ptrdiff_t)y * w + x0) * 3;
            for (int k = 0; k < count; k++, px += 3) {
                float a = cover[k] * s->alpha;
                if (a <= 0) continue;
                for (int c = 0; c < 3; c++) px[c] += a * (s->rgb[c] - px[c]);
            }
        }
}

void bl_figure_draw(float *canvas, int w, int h, const bl_person *p, int frame_width, int frame_height,
                    bl_view view, const bl_figure_options *o) {
    bl_capsule shapes[BL_FIGURE_CAPSULES];
    bl__stroke st;
    memset(canvas, 0, (size_t)w * (size_t)h * 3 * sizeof *canvas);
    int n = bl_figure_capsules(shapes, p, frame_width, frame_height, view, o);
    for (int k = 0, used; k < n; k += used) {
        used = bl__stroke_make(&st, &shapes[k], n - k, w, h);
        if (st.n) paint(canvas, w, &st, &shapes[k]);
    }
}

static void paint_over(bl_frame *f, const bl__stroke *st, const bl_capsule *s, float alpha) {
    float cover[CHUNK];
    for (int y = st->all.y0; y < st->all.y1; y++)
        for (int x0 = st->all.x0; x0 < st->all.x1; x0 += CHUNK) {
            int count = BL_MIN(CHUNK, st->all.x1 - x0);
            if (!bl__stroke_row(st, y, x0, count, cover)) continue;
            uint8_t *px = f->data + y * f->stride + (ptrdiff_t)x0 * 3;
            for (int k = 0; k < count; k++, px += 3) {
                float a = cover[k] * s->alpha * alpha;
                if (a <= 0) continue;
                for (int c = 0; c < 3; c++) {
                    float v = (float)px[c] + a * (255 * s->rgb[c] - (float)px[c]);
                    px[c] = (uint8_t)(v + 0.5f);
                }
            }
        }
}

void bl_figure_overlay(bl_frame *f, const bl_person *p, float alpha, const bl_figure_options *o) {
    bl_capsule shapes[BL_FIGURE_CAPSULES];
    bl__stroke st;
    bl_view whole = {0, 0, 1};
    int n = bl_figure_capsules(shapes, p, f->width, f->height, whole, o);
    alpha = BL_CLAMP(alpha, 0, 1);
    for (int k = 0, used; k < n; k += used) {
        used = bl__stroke_make(&st, &shapes[k], n - k, f->width, f->height);
        if (st.n) paint_over(f, &st, &shapes[k], alpha);
    }
}
