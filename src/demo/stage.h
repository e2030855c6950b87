/* The room around a dancer, painted once per clip: what the lamp gives and what the room gives, kept apart so
 * that the dancer's shadow can take the first away. */
#ifndef BL_DEMO_STAGE_H
#define BL_DEMO_STAGE_H

#include "ballerino/status.h"
#include "trace.h"

typedef enum bl__place { BL__PLACE_STUDIO, BL__PLACE_HOME } bl__place;

typedef struct bl__stage {
    bl__view3 camera;
    int width, height;
    vec3 lamp;             /* unit, towards the lamp */
    vec3 key, sky, ground; /* light: lamp, from above, from below */
    float *wall;           /* plates: width * height * 3, linear */
    float *direct;         /* the lamp's part of it */
    float *depth;          /* along the pixel's ray, metres */
} bl__stage;

bl__view3 bl__stage_camera(bl__place place, int width, int height);
int bl__stage_create(bl__stage **out, bl__place place, int width, int height, bl_err *err);
void bl__stage_destroy(bl__stage **s);

#endif
