/* Figure: paints a person's shapes onto a float canvas or over an RGB24 frame. */
#include <string.h>

#include "ballerino/base.h"
#include "shapes.h"

static void paint(float *canvas, int w, int h, const bl__shape *s) {
    bl__box box;
    if (!bl__shape_box(s, w, h, &box)) return;
    bl__brush b = bl__brush_make(s);
    for (int y = box.y0; y < box.y1; y++) {
        int x0 = box.x0, x1 = box.x1;
        bl__brush_span(&b, (float)y + 0.5f, &x0, &x1);
        float *px = canvas + ((ptrdiff_t)y * w + x0) * 3;
        for (int x = x0; x < x1; x++, px += 3) {
            float a = bl__brush_coverage(&b, (float)x + 0.5f, (float)y + 0.5f) * s->alpha;
            if (a <= 0) continue;
            for (int c = 0; c < 3; c++) px[c] += a * (s->rgb[c] - px[c]);
        }
    }
}

void bl_figure_draw(float *canvas, int w, int h, const bl_person *p, int frame_width, int frame_height,
                    bl_view view, const bl_figure_options *o) {
    bl_figure_options options = o ? *o : bl_figure_options_default();
    bl__shape shapes[BL__SHAPES_MAX];
    memset(canvas, 0, (size_t)w * (size_t)h * 3 * sizeof *canvas);
    int n = bl__figure_shapes(shapes, p, frame_width, frame_height, view, &options);
    for (int k = 0; k < n; k++) paint(canvas, w, h, &shapes[k]);
}

static void paint_over(bl_frame *f, const bl__shape *s, float alpha) {
    bl__box box;
    if (!bl__shape_box(s, f->width, f->height, &box)) return;
    bl__brush b = bl__brush_make(s);
    for (int y = box.y0; y < box.y1; y++) {
        int x0 = box.x0, x1 = box.x1;
        bl__brush_span(&b, (float)y + 0.5f, &x0, &x1);
        uint8_t *px = f->data + y * f->stride + (ptrdiff_t)x0 * 3;
        for (int x = x0; x < x1; x++, px += 3) {
            float a = bl__brush_coverage(&b, (float)x + 0.5f, (float)y + 0.5f) * s->alpha * alpha;
            if (a <= 0) continue;
            for (int c = 0; c < 3; c++) {
                float v = (float)px[c] + a * (255 * s->rgb[c] - (float)px[c]);
                px[c] = (uint8_t)(v + 0.5f);
            }
        }
    }
}

void bl_figure_overlay(bl_frame *f, const bl_person *p, float alpha, const bl_figure_options *o) {
    bl_figure_options options = o ? *o : bl_figure_options_default();
    bl__shape shapes[BL__SHAPES_MAX];
    bl_view whole = {0, 0, 1};
    int n = bl__figure_shapes(shapes, p, f->width, f->height, whole, &options);
    alpha = BL_CLAMP(alpha, 0, 1);
    for (int k = 0; k < n; k++) paint_over(f, &shapes[k], alpha);
}
