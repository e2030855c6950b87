/*
 * Patch: a square box of the frame, resampled to a fixed number of pixels, and what is added back to the
 * frame. Patch pixel (i, j) of n x n shows the frame around cx + ((i + 0.5) / n - 0.5) * side, likewise in y.
 * Resampling is Catmull-Rom, stretched where the result has fewer pixels; beyond the frame its border
 * repeats.
 */
#ifndef BALLERINO_TRANSFER_PATCH_H
#define BALLERINO_TRANSFER_PATCH_H

#include "ballerino/media.h"
#include "parts.h"

/* The patch of a box, and of `border` more patch pixels on every side: (n + 2 * border)^2 * 3 bytes. */
int bl__patch_cut(uint8_t *out, int n, int border, const bl_frame *f, const bl__part_box *b, bl_err *err);

/* Adds `change` (n * n * 3, in bytes' units) to the frame inside the box, weighted by bl__patch_weight and
 * the box's `seen`. */
int bl__patch_add(bl_frame *f, const bl__part_box *b, const float *change, int n, bl_err *err);

/* 1 in the middle, falling to 0 at the patch's edge; u, v in 0..1 across the patch. */
float bl__patch_weight(float u, float v);

/* ---- the same for who resamples elsewhere (retouch.h) ---- */
#define BL__PATCH_FADE 0.14f /* width of the fade, in patch sides */
/* Along one axis: output i of n reads the input around a * i + b, in pixel indices. */
typedef struct bl__patch_axis {
    int n;
    double a, b;
} bl__patch_axis;
/* Of input first[i] + k each of count gets weight[i * count + k]. */
int bl__patch_taps_count(const bl__patch_axis *a);
void bl__patch_taps(const bl__patch_axis *a, int *first, float *weight);
/* How bl__patch_cut reads the frame. */
void bl__patch_cut_axes(const bl__part_box *b, int n, int border, bl__patch_axis *x, bl__patch_axis *y);
/* Which part of the frame bl__patch_add changes, and how it reads the patch for it; 0: nothing is changed. */
typedef struct bl__patch_place {
    bl__patch_axis x, y; /* as many pixels of the frame, from (x0, y0) on */
    int x0, y0;
    double left, top; /* of the box */
} bl__patch_place;
int bl__patch_lay(bl__patch_place *p, const bl__part_box *b, int n, int frame_w, int frame_h);

#endif
