/*
 * Parts: a hand and a face as shapes in canvas coordinates, in the order in which they are painted.
 *
 * A part's z says nothing about the body's (a hand's is measured from its wrist, a face's from its own
 * middle), so it orders shapes within the part only, and the shapes' z is left 0 for the caller to set.
 */
#ifndef BL_FIGURE_PARTS_H
#define BL_FIGURE_PARTS_H

#include "shapes.h"

#define BL__HAND_SHAPES 20
#define BL__FACE_SHAPES 126
#define BL__PART_HALF_WIDTH 0.6f /* canvas pixels, the least: a line that a pixel grid still shows evenly */

/* From points normalised to a frame of fw x fh pixels to the canvas; z becomes canvas pixels too. */
typedef struct bl__placing {
    float fw, fh;
    bl_view view;
} bl__placing;

static inline bl_point3 bl__place(const bl__placing *at, const bl_point3 *p) {
    return (bl_point3){(p->x * at->fw - at->view.x0) * at->view.scale,
                       (p->y * at->fh - at->view.y0) * at->view.scale, p->z * at->fw * at->view.scale};
}

static inline int bl__is_finite(const bl_point3 *p) {
    return isfinite(p->x) && isfinite(p->y) && isfinite(p->z);
}

static inline float bl__apart(const bl_point3 *a, const bl_point3 *b) {
    float x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;
    return sqrtf(x * x + y * y + z * z);
}

/* A part's opacity from its score: 0 at 0.25, 1 from 0.5 on, where the models count it as present. A score
 * that is ramped in time at the ends of a detection makes the part fade over most of the ramp. */
float bl__part_opacity(float score);

/* Both return how many shapes there are; 0 where the part is not visible or its size is not a number. */
int bl__hand_shapes(bl_capsule out[BL__HAND_SHAPES], const bl_hand *h, int left, const bl__placing *at);
int bl__face_shapes(bl_capsule out[BL__FACE_SHAPES], const bl_face *f, const bl__placing *at);

#define BL__FACE_CHIN 152 /* lowest point of the mesh's middle line */

#endif
