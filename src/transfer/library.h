/*
 * Library: a target clip without any training: its poses, masks, plate and what normalisation must know. The
 * stages of training make it and leave it in STEM.train/, so that it is there the next time.
 */
#ifndef BALLERINO_TRANSFER_LIBRARY_H
#define BALLERINO_TRANSFER_LIBRARY_H

#include "train.h"

typedef struct bl__library {
    bl_train_job job; /* its texts are borrowed */
    bl__training t;   /* track (smoothed), masks, n_train, stats and plate are of use here */
} bl__library;
/* Of `job` only what concerns the clip counts: target, track, consent, holdout, hands, face, the pose model.
 */
int bl__library_open(bl__library *l, const bl_train_job *job, const char *stem, bl_err *err);
/* A model without networks: what normalisation, composition and output ask one for. Borrows the consent. */
int bl__library_model(bl_model **out, const bl__library *l, bl_err *err);
void bl__library_close(bl__library *l); /* zeroed is fine, and twice */

#endif
