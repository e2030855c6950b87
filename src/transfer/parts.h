/*
 * Parts: where the face and the hands are along a track, as square boxes of the frame that the refiners look
 * at. A box has the size of a real head or hand: lengths in metres, times the pixels a metre of the body,
 * which come from comparing the joints in the picture with the world landmarks. Boxes are smoothed along
 * time, and fade in and out where a part comes into sight or is lost, so that a refined patch never jumps or
 * pops.
 */
#ifndef BALLERINO_TRANSFER_PARTS_H
#define BALLERINO_TRANSFER_PARTS_H

#include "ballerino/track.h"

typedef struct bl__part_box {
    float cx, cy, side; /* frame pixels */
    float seen;         /* 0: there is nothing to refine; 1: fully */
} bl__part_box;

typedef struct bl__parts {
    int64_t n;
    bl__part_box *box[BL_REGIONS]; /* one a frame of the track; owned */
} bl__parts;

int bl__parts_init(bl__parts *p, const bl_track *t, bl_err *err);
void bl__parts_release(bl__parts *p);

#endif
