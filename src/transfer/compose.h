/*
 * Compose: the generator's window over the full-resolution plate.
 *
 * The generator gives c = m * colour + (1 - m) * B, B being the plate in its window. What it adds is
 * p = c - (1 - m) * B, a premultiplied picture with alpha m. Only p and m are enlarged; the result is
 * p + (1 - m) * plate. Where m is 0 that is the plate itself, sharp and still; where m is 1 none of the
 * plate's detail shines through; between, a shadow darkens the sharp plate. Alpha fades to nothing at the
 * window's edges that lie inside the frame, and small alphas (a sigmoid never says 0) are cut.
 */
#ifndef BALLERINO_TRANSFER_COMPOSE_H
#define BALLERINO_TRANSFER_COMPOSE_H

#include "ballerino/media.h"
#include "ballerino/picture.h"
#include "grid.h"

typedef struct bl__layer {
    int w, h;
    float *rgba; /* premultiplied, 0..255 and 0..1; w * h * 4 */
    float *row;  /* one enlarged-in-y row */
} bl__layer;
int bl__layer_init(bl__layer *l, int w, int h, bl_err *err);
void bl__layer_release(bl__layer *l);

/* rgb: h * w * 3 in -1..1; mask: h * w in 0..1; plate: the same window of the plate, -1..1. */
void bl__layer_fill(bl__layer *l, const bl__grid *g, int x, int y, const float *rgb, const float *mask,
                    const float *plate, float opacity);
/* Puts the layer's window at (x, y) over `out`, a frame-sized picture that holds the plate. */
void bl__layer_over(const bl__layer *l, const bl__grid *g, int x, int y, bl_frame *out);

/* The same as a device does it (picture.h): bl__layer_fill, and bl__layer_over but for its taps. */
bl_lift bl__layer_lift(const bl__grid *g, int x, int y, float opacity);
bl_over bl__layer_place(const bl__grid *g, int x, int y, int w, int h);

#endif
