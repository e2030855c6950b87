/*
 * Camera: how far the background moves from one frame to the next, outside the person. A few Gauss-Newton
 * steps on the brightness of a small picture (Lucas and Kanade 1981, one translation for the whole
 * background), good to a tenth of its pixels and up to a few of them.
 */
#ifndef BALLERINO_TRANSFER_CAMERA_H
#define BALLERINO_TRANSFER_CAMERA_H

#include "ballerino/media.h"

typedef struct bl__camera {
    int w, h;
    float *now, *before;
    uint8_t *person; /* in either frame */
    int frames;
} bl__camera;

int bl__camera_init(bl__camera *c, int frame_w, int frame_h, bl_err *err);
void bl__camera_release(bl__camera *c);
/* `mask`: frame-sized, or NULL. Returns the shift since the frame before, in frame pixels (0 for the first).
 */
float bl__camera_add(bl__camera *c, const bl_frame *f, const uint8_t *mask);

#endif
