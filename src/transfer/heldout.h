/*
 * Heldout: goes through the part of a clip that was kept from training, with what is needed to make it again.
 *
 *     bl__heldout h;
 *     bl__heldout_open(&h, &job, &err);
 *     bl__heldout_walk(&h, make, make_ctx, fn, fn_ctx, &err);    // make: puts the person over the plate
 *     bl__heldout_close(&h);
 */
#ifndef BALLERINO_TRANSFER_HELDOUT_H
#define BALLERINO_TRANSFER_HELDOUT_H

#include "model.h"

typedef struct bl__heldout {
    const char *target; /* borrowed */
    bl_model *model;    /* owned; NULL: opened by someone else from other data */
    bl_track *track;    /* whole, smoothed; owned */
    bl_track part;      /* the held-out end of it: a view */
    int64_t from;       /* its first frame in the clip */
    float steady;       /* of what a model makes */
    const bl_frame *plate;
    bl_reader_options reading; /* of the clip */
} bl__heldout;
int bl__heldout_open(bl__heldout *h, const bl_heldout_job *job, bl_err *err);
void bl__heldout_close(bl__heldout *h);
/* Sets part and from, of a track and a plate that are there. */
int bl__heldout_split(bl__heldout *h, int64_t from, bl_err *err);

/* Puts entry k of the part over `out`, which holds the plate. NULL: nothing is put. */
typedef int (*bl__heldout_make)(void *ctx, int64_t k, bl_frame *out, bl_err *err);
int bl__heldout_walk(const bl__heldout *h, bl__heldout_make make, void *make_ctx, bl_heldout_fn fn, void *ctx,
                     bl_err *err);
/* The same with the real frames as the made ones. */
int bl__heldout_real(const bl__heldout *h, bl_heldout_fn fn, void *ctx, bl_err *err);

/* bl_heldout_replay on what is open. */
int bl__heldout_replay(const bl__heldout *h, bl_replay what, int threads, bl_heldout_fn fn, void *ctx,
                       bl_err *err);

#endif
