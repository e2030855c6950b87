/*
 * Augmentation of training samples: how a unit's window is moved over the scene (figure, photo and plate
 * alike) and how its figure is disturbed. Everything follows from one seed, so that all frames of a training
 * unit are moved alike.
 */
#ifndef BALLERINO_TRANSFER_AUGMENT_H
#define BALLERINO_TRANSFER_AUGMENT_H

#include "label.h"

/* The usual amounts: shift is in sample pixels either way, the others as they say. */
typedef struct bl__augment {
    int shift;        /* pixels, whole */
    float warp_share; /* of units that are zoomed and turned as well */
    float zoom, turn; /* either way; turn in radians */
    float drop_share; /* of limbs (and of hands and faces) left out */
    float jitter;     /* standard deviation of a joint, in window heights */
} bl__augment;

typedef struct bl__moves {
    bl__warp warp;
    int whole; /* only shifted, by whole pixels */
    uint32_t drop, drop_parts;
} bl__moves;
bl__moves bl__moves_draw(const bl__augment *a, uint64_t seed);

/* Moves each joint by a random vector with the given standard deviation (frame pixels); hands and face go
 * with their wrist and nose. */
void bl__jitter(bl_person *p, uint64_t seed, double sd, int frame_w, int frame_h);

/* Both for sample `index` of a training unit: moves from the unit's seed `augment` (0: none, and p stays as
 * it is), joints of p jittered, each sample's on its own. height: of the window, in frame pixels. */
bl__moves bl__disturb(bl_person *p, const bl__augment *a, uint64_t augment, int64_t index, double height,
                      int frame_w, int frame_h);

/* Where a picture that is moved by `m` looks into the picture before: u and v are pixel coordinates. */
void bl__moves_back(const bl__moves *m, int w, int h, int i, int j, float *u, float *v);

/* `channels` values at (u, v) of a w x h picture, Catmull-Rom, edges repeated; channels at most 16. */
void bl__sample_cubic(const float *picture, int w, int h, int channels, float u, float v, float *out);

#endif
