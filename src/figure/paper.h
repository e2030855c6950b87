/*
 * Paper: the paper's drawing before it is reduced, for tests that look at single pixels.
 */
#ifndef BL_FIGURE_PAPER_H
#define BL_FIGURE_PAPER_H

#include "ballerino/figure.h"
#include "raster.h"

/* Draws onto BL__RASTER_WIDTH x BL__RASTER_HEIGHT RGB, white at first. BL_E_USAGE for an unknown format. */
int bl__paper_draw(uint8_t *canvas, const bl_paper_pose *p, bl_err *err);

#endif
