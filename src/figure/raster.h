/*
 * Raster: the drawing rules of the paper's pictures, 8 bits, no anti-aliasing, whole pixel coordinates.
 *
 * Every rule says which pixels belong to a shape; bl__raster_blend then mixes a colour into them, each pixel
 * once. What lies outside the canvas is left out.
 */
#ifndef BL_FIGURE_RASTER_H
#define BL_FIGURE_RASTER_H

#include <stdint.h>

#define BL__RASTER_WIDTH 1920
#define BL__RASTER_HEIGHT 1080
#define BL__RASTER_REACH 20000 /* coordinates beyond +-this are not drawn */

/* One interval of columns for each row; lo > hi: nothing in that row. */
typedef struct bl__mask {
    int y0, y1; /* rows that hold anything, y0 <= y <= y1 */
    int lo[BL__RASTER_HEIGHT], hi[BL__RASTER_HEIGHT];
} bl__mask;

typedef struct bl__vertex {
    int x, y;
} bl__vertex;

/* All pixels with dx^2 + dy^2 <= radius^2. */
void bl__mask_disc(bl__mask *m, int x, int y, int radius);

/* The polygon of an ellipse sampled every degree: semi-axes a and b, a turned by `degrees` (clockwise on
 * screen); vertices are rounded (half to even), repeats dropped. */
#define BL__ELLIPSE_VERTICES 361
int bl__ellipse_polygon(bl__vertex out[BL__ELLIPSE_VERTICES], int x, int y, int a, int b, int degrees);

/* A convex polygon: its inside, where an edge's x on a row is rounded half up, and its outline in 8-connected
 * lines drawn from their left end, which keep that end's side where two pixels are equally near. */
void bl__mask_convex(bl__mask *m, const bl__vertex *v, int n);

/* new = round(keep * old + (1 - keep) * colour) for the mask's pixels of an RGB canvas without row padding;
 * keep in tenths. */
void bl__raster_blend(uint8_t *canvas, const bl__mask *m, const uint8_t rgb[3], int keep_tenths);

#endif
