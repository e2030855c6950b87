/*
 * Cuts a rotated rectangle out of a frame, as the square float picture that a network takes.
 *
 * Texel (i, j) of size x size samples the frame once, bilinearly, at
 *     x = cx + u*w*cos - v*h*sin,  y = cy + u*w*sin + v*h*cos,  u = (i + .5)/size - .5, v = (j + .5)/size -
 * .5 where pixel (0, 0) covers 0..1: the rule of MediaPipe's ImageToTensor on OpenGL. No smoothing, even when
 * the picture shrinks a lot: the networks were trained so.
 */
#ifndef BL_POSE_CROP_H
#define BL_POSE_CROP_H

#include "ballerino/media.h"
#include "ballerino/track.h"

typedef struct bl__crop {
    double cx, cy, w, h, rotation; /* pixels, radians */
    int size;
    float lo, hi;    /* what 0 and 255 become */
    int zero_border; /* 1: samples outside the frame are black (lo); 0: the edge goes on */
    int threads;
} bl__crop;

void bl__crop_sample(float *out, const bl_frame *frame,
                     const bl__crop *c); /* size * size * 3 floats, R G B */
/* The same with the rectangle given as a region; that of `c` is not looked at. */
void bl__crop_roi(float *out, const bl_frame *frame, const bl_roi *roi, const bl__crop *c);

#endif
