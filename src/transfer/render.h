/*
 * Render: a model and a normalised track become layers, one for each frame of the source: what is to be put
 * over the plate, and where. Frames without a person are bridged: the nearest pose is held and fades away.
 */
#ifndef BALLERINO_TRANSFER_RENDER_H
#define BALLERINO_TRANSFER_RENDER_H

#include "compose.h"
#include "model.h"
#include "parts.h"
#include "screen.h"
#include "steady.h"

typedef struct bl__render {
    const bl_model *model; /* borrowed */
    const bl_track *track; /* borrowed; in the target's frame */
    bl__grid grid;
    bl__follow follow;
    bl__parts parts; /* where face and hands are, for refinement */
    int w, h;        /* of the window: the model's, or larger where the dance needs it */
    uint8_t *plate;
    bl_generator *generator;
    float *label, *plate_window, *rgb, *mask;
    bl__screen screen; /* on a device, instead of the buffers above */
    bl__steady steady;
    int64_t last; /* track entry rendered last, -1 = none: the generator starts afresh */
} bl__render;

/* `steady`: the share of the frame before in what is made, 0 to 0.9; negative: as is usual for the model. */
int bl__render_init(bl__render *r, const bl_model *m, const bl_track *track, float steady, int threads,
                    bl_err *err);
/* The same for a window of w x h, without anybody to be rendered: for reckoning. */
int bl__render_plan(bl__render *r, const bl_model *m, int w, int h, int threads, bl_err *err);
void bl__render_release(bl__render *r);
/* The largest window that a dance may ask of a net. */
void bl__render_widest(const bl_gan_net *net, int *w, int *h);

/* Which entry's pose stands for entry k, and how solid it is (0: nobody, the plate alone). */
int64_t bl__render_pose(const bl__render *r, int64_t k, float *opacity);
/* A layer for it, of w x h; on a device *slide, else *layer. */
int bl__render_new_layer(bl__render *r, bl__layer *layer, bl__slide **slide, bl_err *err);
/* Renders entry k (ascending calls) into one of them; a slide's is only queued. 0: nobody is to be seen, the
 * layer is left alone; 1: it is filled, and belongs at (*x, *y). */
int bl__render_layer(bl__render *r, int64_t k, bl__layer *layer, bl__slide *slide, int *x, int *y,
                     bl_err *err);

#endif
