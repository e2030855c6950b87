/*
 * Shapes: a person as a list of tapered capsules, and how much of a pixel a capsule covers.
 *
 * Canvas coordinates are continuous, with pixel edges at integers: pixel (i, j) has its centre at
 * (i + 0.5, j + 0.5). Both painters (float canvas, RGB24 frame) draw the same list in order.
 */
#ifndef BL_FIGURE_SHAPES_H
#define BL_FIGURE_SHAPES_H

#include <math.h>

#include "ballerino/figure.h"

/* From (ax, ay) with radius ra to (bx, by) with radius rb; a disc where both ends are equal. */
typedef struct bl__shape {
    float ax, ay, bx, by, ra, rb;
    float z;      /* depth, smaller is nearer; used for ordering only */
    float alpha;  /* opacity 0..1, from visibility */
    float rgb[3]; /* 0..1 */
} bl__shape;

#define BL__SHAPES_MAX 64

/* Fills `out` far to near and returns how many shapes there are. */
int bl__figure_shapes(bl__shape out[BL__SHAPES_MAX], const bl_person *p, int frame_width, int frame_height,
                      bl_view view, const bl_figure_options *o);

/* Pixel columns [x0, x1) and rows [y0, y1) that the shape can touch; returns 0 when none inside w x h. */
typedef struct bl__box {
    int x0, y0, x1, y1;
} bl__box;
int bl__shape_box(const bl__shape *s, int w, int h, bl__box *box);

/* A shape prepared for painting: what does not change from pixel to pixel. */
typedef struct bl__brush {
    float ax, ay, dx, dy, inverse; /* inverse = 1 / squared length, 0 for a disc */
    float ra, dr, reach, length;   /* reach = larger radius + half a pixel */
} bl__brush;
bl__brush bl__brush_make(const bl__shape *s);

/* Narrows [*x0, *x1) to what row y can touch of a long shape. */
void bl__brush_span(const bl__brush *b, float y, int *x0, int *x1);

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
