/*
 * Paper: the paper's drawing before it is reduced, for tests that look at single pixels, and what its drawing
 * and its face box share.
 */
#ifndef BL_FIGURE_PAPER_H
#define BL_FIGURE_PAPER_H

#include "ballerino/figure.h"
#include "raster.h"

/* Draws onto BL__RASTER_WIDTH x BL__RASTER_HEIGHT RGB, white at first. BL_E_USAGE for an unknown format. */
int bl__paper_draw(uint8_t *canvas, const bl_paper_pose *p, bl_err *err);

/* A coordinate as the text it came from said it: the shortest decimal that reads as this float, in double
 * precision. The authors' program computes in doubles, and 100.1 + 101.9 must be 202, not a bit less. */
double bl__as_written(float v);

#define BL__PAPER_WIDTH 1024
#define BL__PAPER_HEIGHT 512

#endif
