/*
 * Shapes: a person as a list of tapered capsules, and how much of a pixel a capsule covers.
 *
 * Canvas coordinates are continuous, with pixel edges at integers (capsule.h). Both painters (float canvas,
 * RGB24 frame) draw the same list in order.
 */
#ifndef BL_FIGURE_SHAPES_H
#define BL_FIGURE_SHAPES_H

#include <math.h>

#include "ballerino/figure.h"

/* Pixel columns [x0, x1) and rows [y0, y1). */
typedef struct bl__box {
    int x0, y0, x1, y1;
} bl__box;

/* A shape prepared for painting: what does not change from pixel to pixel. */
typedef struct bl__brush {
    float ax, ay, dx, dy, inverse; /* inverse = 1 / squared length, 0 for a disc */
    float ra, dr, reach, length;   /* reach = larger radius + half a pixel */
} bl__brush;

/* A shape and those joined to it, prepared for painting on w x h pixels. */
#define BL__STROKE_MAX 24
typedef struct bl__stroke {
    int n;
    bl__brush brush[BL__STROKE_MAX];
    bl__box box[BL__STROKE_MAX], all; /* what each and the whole can touch */
} bl__stroke;

/* Takes the stroke that begins at s[0], of `left` shapes, and returns how many it has; n is 0 where nothing
 * of it lies on the canvas. */
int bl__stroke_make(bl__stroke *out, const bl_capsule *s, int left, int w, int h);

/* Coverage of the pixels (x0 .. x0 + count - 1, y); returns 0, with nothing written, where it is all zero. */
int bl__stroke_row(const bl__stroke *st, int y, int x0, int count, float *cover);

/* Coverage 0..1 of the unit pixel centred at (x, y): one minus the signed distance to the edge, clamped;
 * lines thinner than a pixel fade instead of breaking up. Continuous in every argument. */
static inline float bl__brush_coverage(const bl__brush *b, float x, float y) {
    float px = x - b->ax, py = y - b->ay;
    float t = (px * b->dx + py * b->dy) * b->inverse;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    float r = b->ra + t * b->dr, ex = px - t * b->dx, ey = py - t * b->dy;
    float c = r + 0.5f - sqrtf(ex * ex + ey * ey);
    float top = r < 0.5f ? 2 * r : 1;
    return c <= 0 ? 0 : c < top ? c : top;
}

#endif
