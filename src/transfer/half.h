/*
 * Half: a source of samples at half the width and height of another, for the first stage of coarse to fine.
 * Pictures are pooled exactly as the local enhancer pools what it hands to the generator inside it (3x3,
 * stride 2, padding excluded), so that this generator meets the same pictures in both stages.
 */
#ifndef BALLERINO_TRANSFER_HALF_H
#define BALLERINO_TRANSFER_HALF_H

#include "ballerino/gan.h"

typedef struct bl__half {
    bl_gan_source full; /* of w x h, both even */
    int w, h;
    float *label, *plate, *real, *weight; /* of one full-size sample; owned */
} bl__half;

int bl__half_init(bl__half *x, const bl_gan_source *full, int w, int h, bl_err *err);
void bl__half_release(bl__half *x);
bl_gan_source bl__half_source(bl__half *x);

#endif
