/* What the lamp sees of a figure: a depth map, looked up softly. */
#ifndef BL_DEMO_SHADOW_H
#define BL_DEMO_SHADOW_H

#include "trace.h"

#define BL__SHADOW_SIDE 256
#define BL__SHADOW_CELL 16
#define BL__SHADOW_CELLS (BL__SHADOW_SIDE / BL__SHADOW_CELL)

typedef struct bl__shadow {
    bl__view3 view;
    float depth[BL__SHADOW_SIDE][BL__SHADOW_SIDE];     /* metres from the window; large where nothing is */
    float nearest[BL__SHADOW_CELLS][BL__SHADOW_CELLS]; /* the least depth of each cell of texels */
} bl__shadow;

void bl__shadow_cast(bl__shadow *s, const bl__figure3 *f, vec3 lamp);
/* 1 in full light, 0 in full shadow. `soft` is the lamp's size, metres of blur for each metre of distance;
 * what is nearer than `bias` metres to the point casts nothing on it. */
float bl__shadow_light(const bl__shadow *s, vec3 p, float soft, float bias);

#endif
