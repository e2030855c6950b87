/*
 * Label: what a generator sees of a pose: the figure, drawn into a window of the grid or into a patch of the
 * frame. The one place where training and transfer turn landmarks into window pixels.
 */
#ifndef BALLERINO_TRANSFER_LABEL_H
#define BALLERINO_TRANSFER_LABEL_H

#include "ballerino/figure.h"
#include "ballerino/picture.h"
#include "grid.h"

/* Window coordinates from unmoved window coordinates: u = m * (s - c - t) + c, about the window's middle c.
 * Identity: {1, 0, 0, 0}. */
typedef struct bl__warp {
    float cosine, sine; /* of the rotation, times the zoom */
    float tx, ty;       /* the window is moved by this over the scene, window pixels */
} bl__warp;
#define BL__WARP_NONE ((bl__warp){1, 0, 0, 0})

/* Draws `p` (normalised to frame_w x frame_h) into label: h * w * 3 floats, 0..1; `view` maps frame pixels to
 * unmoved window pixels. */
void bl__label_draw_view(float *label, int w, int h, const bl_person *p, int frame_w, int frame_h,
                         bl_view view, const bl__warp *warp, const bl_figure_options *o);
/* The same for the window at (x, y) of a grid, p normalised to the grid's frame. */
void bl__label_draw(float *label, const bl__grid *g, int x, int y, int w, int h, const bl_person *p,
                    const bl__warp *warp, const bl_figure_options *o);

/* Both on a device, as transfer uses them: the figure is listed here, in staged memory of BL__LABEL_BYTES,
 * and painted there. */
#define BL__LABEL_BYTES (BL_FIGURE_CAPSULES * (int64_t)sizeof(bl_capsule))
void bl__label_queue_view(bl_picture *label, bl_staged *list, const bl_person *p, int frame_w, int frame_h,
                          bl_view view);
void bl__label_queue(bl_picture *label, bl_staged *list, const bl__grid *g, int x, int y, const bl_person *p);

#endif
