/*
 * Retrieve: the target's dance put together from its own frames, without any training. Frames are chosen
 * (match.h), cut out (cutout.h), laid over the wanted pose by a similarity transform, and cross-faded over a
 * few frames where the choice jumps. A still of it is composed as the generator's are.
 */
#ifndef BALLERINO_TRANSFER_RETRIEVE_H
#define BALLERINO_TRANSFER_RETRIEVE_H

#include "cutout.h"
#include "still.h"

/* What is shown for an entry: a frame of the target, and another one that is faded in or out. */
typedef struct bl__mix {
    int64_t frame, other; /* -1: none */
    float other_weight;   /* 0..1 */
} bl__mix;

typedef struct bl__retrieve {
    const bl__library *library; /* borrowed, as is the track */
    const bl_track *track;      /* wanted, in the target's frame */
    bl__mix *mix;               /* one an entry */
    bl__cutouts cutouts;
    bl__grid grid; /* of the frame itself: scale 1 */
    int64_t jumps;
} bl__retrieve;
/* Only frames before the library's held-out part are used. */
int bl__retrieve_init(bl__retrieve *r, const bl__library *l, const bl_track *track, bl_err *err);
void bl__retrieve_release(bl__retrieve *r);
int bl__retrieve_still(bl__still **out, const bl__retrieve *r, int64_t k, bl_frame *source, bl_err *err);

#endif
