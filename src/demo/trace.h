/* Sphere tracing of a figure's signed distance field, eight rays at a time, shapes culled by picture tile. */
#ifndef BL_DEMO_TRACE_H
#define BL_DEMO_TRACE_H

#include "flesh.h"

/* A pinhole camera, or (focal 0) parallel rays as a lamp far away casts them. */
typedef struct bl__view3 {
    vec3 eye;    /* parallel: middle of the window */
    mat3 turn;   /* x right, y up, z backwards */
    float focal; /* pixels */
    float scale; /* parallel: metres a pixel */
    float cx, cy;
} bl__view3;

void bl__view_ray(const bl__view3 *v, float px, float py, vec3 *from, vec3 *dir);
/* Pixel position of a point and its depth along the view; parallel views too. */
vec3 bl__view_project(const bl__view3 *v, vec3 p);

#define BL__LANES 8
typedef struct bl__lanes {
    float x[BL__LANES], y[BL__LANES], z[BL__LANES];
} bl__lanes;

/* The shapes that matter near some tile. */
typedef struct bl__crowd {
    const bl__shape3 *of[BL__SHAPES3_MAX];
    int count;
    float near, far; /* depths between which they lie */
} bl__crowd;

/* Shapes within `slack` metres of the pixel box [x0, x1) x [y0, y1). */
void bl__crowd_gather(bl__crowd *c, const bl__figure3 *f, const bl__view3 *v, float x0, float y0, float x1,
                      float y1, float slack);
void bl__field(float out[BL__LANES], const bl__crowd *c, const bl__lanes *p);
/* The same for one point, with the group that is nearest. */
float bl__field_group(const bl__crowd *c, vec3 p, bl__group *group);
/* Distances along the rays, negative where they miss. `eps`: how near counts as hit. */
void bl__trace(float t[BL__LANES], const bl__crowd *c, const bl__lanes *from, const bl__lanes *dir,
               float eps);
void bl__normals(bl__lanes *n, const bl__crowd *c, const bl__lanes *p, float eps);

#endif
