/*
 * The one-euro filter (Casiez et al. 2012) over a set of points: smooth while they rest, quick when they
 * move. Visibility goes through a plain low-pass.
 *
 *     bl__euro f = {.min_cutoff = 0.05, .beta = 80, .derivate_cutoff = 1};
 *     bl__euro_apply(&f, points, 33, t_us, 1 / side, width, height, width);
 */
#ifndef BL_POSE_FILTER_H
#define BL_POSE_FILTER_H

#include <stdint.h>

#include "ballerino/track.h"

typedef struct bl__low_pass {
    float raw, stored;
} bl__low_pass;

typedef struct bl__euro {
    double min_cutoff, beta, derivate_cutoff; /* Hz, Hz per unit a second, Hz */
    int started;
    int64_t last_us;
    double frequency;
    bl__low_pass value[BL_LANDMARKS][3], slope[BL_LANDMARKS][3], visibility[BL_LANDMARKS];
} bl__euro;

/* Filters n points (at most 33, always the same ones) in place. They are multiplied by sx, sy, sz first and
 * divided after; value_scale makes speeds independent of the body's size. Time that does not go on: nothing
 * is done to x, y, z. */
void bl__euro_apply(bl__euro *f, bl_landmark *p, int n, int64_t t_us, double value_scale, float sx, float sy,
                    float sz);
void bl__euro_reset(bl__euro *f); /* forgets all but its settings */

#endif
