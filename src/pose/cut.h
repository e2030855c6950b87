/*
 * Cut: notices where a video jumps to another shot, from thumbnails of brightness. A cut is a change that is
 * large and much larger than those just before; a pan, a flicker of the light or a fast dancer is not one.
 */
#ifndef BALLERINO_POSE_CUT_H
#define BALLERINO_POSE_CUT_H

#include "ballerino/media.h"

#define BL__CUT_W 32
#define BL__CUT_H 18
#define BL__CUT_MEMORY 12 /* changes that are remembered */

typedef struct bl__cut {
    float thumb[BL__CUT_W * BL__CUT_H], before[BL__CUT_MEMORY];
    int64_t seen; /* frames */
} bl__cut;        /* starts zeroed */

/* 1 when this frame, of any size, is the first of another shot than the frame before. */
int bl__cut_add(bl__cut *c, const bl_frame *f);

#endif
