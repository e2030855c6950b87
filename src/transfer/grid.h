/*
 * Grid: the whole frame of the target at the window's scale. Windows lie at whole grid pixels, so a window's
 * view of a still wall is the same pixels in every frame, and a move of the window is a whole number of them.
 *
 *     bl__grid g;
 *     bl__grid_init(&g, frame->width, frame->height, 0.31, &err);
 *     bl__grid_sample(&g, rgb, frame->data, frame->stride, 3, x, y, 144, 192, &err);   // area filtered
 *     bl__grid_release(&g);
 *
 * Grid pixel i covers frame pixels [i / scale, (i + 1) / scale). Beyond the frame its border repeats.
 */
#ifndef BALLERINO_TRANSFER_GRID_H
#define BALLERINO_TRANSFER_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/picture.h"

/* Output pixel i is the sum over k < taps of weight[i * taps + k] * input[index[i * taps + k]]. */
typedef struct bl__axis {
    int n, taps;
    int *index;
    float *weight;
} bl__axis;

typedef struct bl__grid {
    int frame_w, frame_h;
    double scale;            /* grid pixels a frame pixel, in (0, 1] */
    int w, h;                /* ceil(frame * scale) */
    bl__axis to_x, to_y;     /* frame to grid: exact area */
    bl__axis from_x, from_y; /* grid to frame: Catmull-Rom */
} bl__grid;

int bl__grid_init(bl__grid *g, int frame_w, int frame_h, double scale, bl_err *err);
void bl__grid_release(bl__grid *g); /* zeroed is fine, and twice */

/* An axis to the frame, whose four taps lie side by side, in staged memory: 0, and *out is queued up. */
int bl__axis_up(bl_staged *s, bl_taps *out, const bl__axis *cubic, bl_device *device, bl_err *err);

/* Samples the window (x, y, w, h) in grid pixels from a picture of the frame's size: `out` gets w * h *
 * channels bytes. */
int bl__grid_sample(const bl__grid *g, uint8_t *out, const uint8_t *picture, ptrdiff_t stride, int channels,
                    int x, int y, int w, int h, bl_err *err);

/* Catmull-Rom weights (a = -0.5) of the four pixels around a point `t` in [0, 1) after the second. */
void bl__cubic_weights(float t, float w[4]);

#endif
