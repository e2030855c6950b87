/*
 * Still: one frame of the result. Made where the generator runs (bl__still_make), painted where there is time
 * for it (bl__painter_paint): plate, the generator's layer over it, then face and hands refined.
 *
 *     bl__still *s = NULL;
 *     bl__still_make(&s, &render, entry, source_frame, &err);
 *     bl__painter_paint(&painter, s, frame, &err);         // in any one thread
 *     bl__still_free(&s);
 */
#ifndef BALLERINO_TRANSFER_STILL_H
#define BALLERINO_TRANSFER_STILL_H

#include "press.h"
#include "refine.h"
#include "render.h"

typedef struct bl__still {
    bl_frame *source; /* gives the timestamp, and the left picture of side-by-side; NULL: none */
    bl__layer layer;
    bl__slide *slide; /* on a device: the layer in the former's place */
    bl__print *print; /* and the finished picture, once it was asked for */
    int filled, x, y; /* 0: the plate alone */
    float opacity;    /* of the person */
    bl_person person; /* normalised */
    bl__part_box box[BL_REGIONS];
} bl__still;

/* Renders entry k (ascending calls); takes a reference of `source`. */
int bl__still_make(bl__still **out, bl__render *r, int64_t k, bl_frame *source, bl_err *err);
void bl__still_free(bl__still **s);

typedef struct bl__painter {
    const bl_frame *plate; /* borrowed, as is the grid */
    const bl__grid *grid;
    bl__refine refine;
    bl__press press; /* on a device */
} bl__painter;
int bl__painter_init(bl__painter *p, const bl_model *m, const bl__grid *g, int threads, bl_err *err);
void bl__painter_release(bl__painter *p);
/* `f`: of the plate's size, overwritten. */
int bl__painter_paint(bl__painter *p, const bl__still *s, bl_frame *f, bl_err *err);
/* On a device, as it is encoded, into s->print; and into `f` as well where that is not NULL. */
int bl__painter_print(bl__painter *p, bl__still *s, bl_frame *f, bl_err *err);

#endif
