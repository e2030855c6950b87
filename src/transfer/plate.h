/*
 * Plate: the clean background, a per-pixel median over chosen frames outside the widened person mask, holes
 * filled from around them. Samples lie in an unlinked file of the training folder, so memory stays bounded.
 *
 *     bl__plate_choose(chosen, 64, &masks, track, n_train, &err);       // which frames
 *     bl__plate *p = NULL;
 *     bl__plate_create(&p, dir, width, height, count, &err);
 *     bl__plate_add(p, frame, mask, mask_w, mask_h, radius, &err);      // for each of them
 *     bl__plate_finish(p, &picture, &err);
 *     bl__plate_destroy(&p);
 */
#ifndef BALLERINO_TRANSFER_PLATE_H
#define BALLERINO_TRANSFER_PLATE_H

#include "masks.h"

#define BL__PLATE_MAX 64 /* samples */

typedef struct bl__plate bl__plate;

/* Fills `chosen` (ascending, at most `max`) with frames of [0, n): two thirds spread evenly, the rest where
 * the person leaves free what was mostly hidden. Returns how many. */
int bl__plate_choose(int64_t *chosen, int max, const bl__masks *masks, const bl_track *t, int64_t n,
                     bl_err *err);
/* The widening of the mask that suits the clip's person, in mask pixels. */
int bl__plate_radius(const bl__masks *masks, const bl_track *t);

int bl__plate_create(bl__plate **out, const char *dir, int width, int height, int samples, bl_err *err);
int bl__plate_add(bl__plate *p, const bl_frame *f, const uint8_t *mask, int mask_w, int mask_h, int radius,
                  bl_err *err);
/* `holes`: NULL, or gets the share of pixels that no sample shows. */
int bl__plate_finish(bl__plate *p, bl_frame **out, double *holes, bl_err *err);
void bl__plate_destroy(bl__plate **p);

#endif
