/* Flesh and clothes: a posed skeleton as a list of soft shapes (tapered capsules and ellipsoids), grouped by
 * what they are made of. Shapes of one group melt into each other. */
#ifndef BL_DEMO_FLESH_H
#define BL_DEMO_FLESH_H

#include "body.h"

typedef enum bl__group {
    G_HEAD,
    G_HAIR,
    G_SHIRT,
    G_ARM_L,
    G_ARM_R,
    G_LEGS_L, /* trousers or shorts */
    G_LEGS_R,
    G_SHIN_L, /* bare legs, socks */
    G_SHIN_R,
    G_SHOE_L,
    G_SHOE_R,
    BL__GROUPS
} bl__group;

typedef struct bl__shape3 {
    vec3 a, d;     /* from a to a + d; an ellipsoid's centre and radii */
    float ra, dr;  /* radius at a, and how much it grows towards the other end */
    float inverse; /* 1 / |d|^2 */
    float k;       /* how softly it melts into its group, metres */
    int ellipsoid;
    mat3 axes; /* of an ellipsoid */
    int cut;   /* 1: only where n.p < c */
    vec3 n;
    float c;
    bl__group group;
    bl__joint joint; /* the bone it hangs on */
    vec3 mid;        /* bounding sphere */
    float reach;
} bl__shape3;

#define BL__SHAPES3_MAX 128

typedef struct bl__figure3 {
    bl__shape3 shapes[BL__SHAPES3_MAX]; /* ordered by group */
    int count;
    float head; /* the build's */
    bl__skeleton pose, rest;
} bl__figure3;

typedef enum bl__dress { BL__DRESS_SOURCE, BL__DRESS_TARGET } bl__dress;

void bl__flesh(bl__figure3 *f, const bl__build *b, const bl__angles *a, bl__dress dress);

#endif
