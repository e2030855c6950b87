/*
 * Cutouts: the person of chosen frames of a clip, cut out at full size, in one file that is mapped, so that
 * memory does not grow with the clip.
 *
 * The alpha is the small mask, trimmed along its border by what differs from the plate: the mask says where
 * the person is, the difference where exactly the edge runs. Inside the border nothing is trimmed: clothes
 * may have the wall's colour, and the plate is a guess where the person always stood.
 */
#ifndef BALLERINO_TRANSFER_CUTOUT_H
#define BALLERINO_TRANSFER_CUTOUT_H

#include "library.h"

typedef struct bl__cutout {
    int x, y, w, h; /* frame pixels; w 0: this frame was not chosen, or shows nobody */
    size_t at;      /* in the file: h * w * 4 bytes, R G B alpha */
} bl__cutout;

typedef struct bl__cutouts {
    int64_t n; /* frames of the clip */
    bl__cutout *of;
    bl_map map;
} bl__cutouts;

/* Goes through the clip once; used[i] = 1: frame i is wanted. The file is removed when it is closed. */
int bl__cutouts_make(bl__cutouts *c, const bl__library *l, const uint8_t *used, bl_err *err);
void bl__cutouts_close(bl__cutouts *c);

#endif
