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

#endif
