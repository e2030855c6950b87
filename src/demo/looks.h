/* Colours of skin, hair and clothes as functions of where a point lies on the body at rest, so that they move
 * along. */
#ifndef BL_DEMO_LOOKS_H
#define BL_DEMO_LOOKS_H

#include "trace.h"

typedef struct bl__look {
    vec3 albedo; /* linear light */
    vec3 normal; /* with folds */
    float gloss; /* strength of the highlight */
    float soft;  /* 0 matt; 1 light goes round the edge, as in skin */
} bl__look;

float bl__noise(vec3 p);     /* smooth, -1..1, features about 1 apart */
vec3 bl__rgb(unsigned srgb); /* 0xRRGGBB to linear */
bl__look bl__look_at(const bl__figure3 *f, const bl__crowd *c, bl__dress dress, float h, vec3 p, vec3 normal);

#endif
