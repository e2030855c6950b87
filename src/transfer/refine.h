/*
 * Refine: the face and the hands, painted anew at the video's own resolution (Chan et al. 2019, section 3.3;
 * method 6.4). A refiner sees the figure in a box around the part and what the main generator and the
 * composition made there, and gives a residual that is added, feathered, to the composed frame. Unlike the
 * paper's its box has the size of the head, is smoothed, and where no face is seen nothing happens.
 */
#ifndef BALLERINO_TRANSFER_REFINE_H
#define BALLERINO_TRANSFER_REFINE_H

#include "model.h"
#include "parts.h"
#include "retouch.h"

typedef struct bl__refiner {
    int size; /* of the patch; 0: there is none */
    bl_generator *generator;
    float *label, *made, *painted; /* on the CPU */
    uint8_t *bytes;
} bl__refiner;

typedef struct bl__refine {
    bl__refiner refiner[BL__REFINERS];
    bl__retouch retouch[BL_REGIONS]; /* on a device: what each part sends there */
} bl__refine;

/* Which refiner is for a part: the two hands share one. */
static inline int bl__refiner_of(bl_region part) {
    return part == BL_REGION_FACE ? BL__REFINE_FACE : BL__REFINE_HANDS;
}

/* Builds the refiners that the model has; with none of them everything below does nothing. */
int bl__refine_init(bl__refine *r, const bl_model *m, int threads, bl_err *err);
void bl__refine_release(bl__refine *r);
/* Refines the person's parts in a composed frame. `boxes`: one a part, frame pixels; their `seen` is
 * multiplied by `opacity`. */
int bl__refine_frame(bl__refine *r, bl_frame *f, const bl_person *p, const bl__part_box boxes[BL_REGIONS],
                     float opacity, bl_err *err);
/* The same on a frame that lies on the refiners' device, only queued; what was queued before was waited for.
 */
int bl__refine_queue(bl__refine *r, bl_picture *f, const bl_person *p, const bl__part_box boxes[BL_REGIONS],
                     float opacity, bl_err *err);

#endif
