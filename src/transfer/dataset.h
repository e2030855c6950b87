/*
 * Dataset: the target clip as training samples. One file of the training folder holds, for each usable frame,
 * the window with a border around it and its loss weights; it is mapped, and a record's memory is let go
 * once it was read, so memory does not grow with the clip. Samples are in the order of the clip: first those
 * to train on, then those held out.
 *
 * File: "BLSAMP01", int32 width, height, border, 0, int64 samples, int64 to train on; then records of equal
 * size (a multiple of 64): bl__sample, RGB bytes, weight bytes. Native byte order: a cache.
 */
#ifndef BALLERINO_TRANSFER_DATASET_H
#define BALLERINO_TRANSFER_DATASET_H

#include "ballerino/base.h"
#include "ballerino/gan.h"
#include "ballerino/media.h"
#include "label.h"
#include "masks.h"

#define BL__BORDER 16       /* pixels kept around a window for augmentation */
#define BL__WEIGHT_PERSON 5 /* loss weight on the person; 1 elsewhere */

typedef struct bl__sample {
    int64_t frame; /* index in the track */
    int32_t x, y;  /* the window's place, grid pixels */
    int32_t run;   /* samples directly before this one that are of directly preceding frames, same part */
    int32_t unused;
} bl__sample;

typedef struct bl__dataset {
    int w, h; /* of the window */
    int64_t n, n_train;
    const bl__grid *grid; /* borrowed, as is the track */
    const bl_track *track;
    uint8_t *plate; /* of the whole grid, g->w * g->h * 3; owned */
    bl_map map;
    size_t record;
    bl__sample *samples; /* what leads the records, n; owned */
    float *scratch;      /* for augmentation */
    int threads;         /* that make a sample; 1 until somebody says more */
} bl__dataset;

/* `plate`: frame-sized picture. */
int bl__dataset_open(bl__dataset *d, const char *path, const bl__grid *g, const bl_track *t,
                     const bl_frame *plate, bl_err *err);
void bl__dataset_close(bl__dataset *d);
const bl__sample *bl__dataset_sample(const bl__dataset *d, int64_t index);
/* The unmoved window of a sample: real -1..1, h * w * 3. */
void bl__dataset_real(const bl__dataset *d, int64_t index, float *real);
/* The plate in the window at (x, y), -1..1, h * w * 3; beyond the grid its border repeats. */
void bl__plate_window(float *out, const uint8_t *plate, const bl__grid *g, int x, int y, int w, int h);
/* Samples 0..n_train-1 as the trainer wants them (see gan.h). `get` takes any index below n. */
bl_gan_source bl__dataset_source(bl__dataset *d);

typedef struct bl__dataset_writer {
    bl_file_writer file;
    int w, h;
    int64_t n, n_train;
    int64_t last_frame; /* put last; -2: the next one follows nothing */
    int32_t run;
    int radius; /* of the person's weight, mask pixels */
    uint8_t *record, *wide;
    size_t record_size;
    const bl__grid *grid;
} bl__dataset_writer;
int bl__dataset_begin(bl__dataset_writer *w, const char *path, const bl__grid *g, int width, int height,
                      bl_err *err);
/* frame indices must grow; once `held_out` is 1 it stays 1. mask: small mask as in masks.h. */
int bl__dataset_put(bl__dataset_writer *w, const bl_frame *f, const uint8_t *mask, int mask_w, int mask_h,
                    int64_t frame, int x, int y, int held_out, bl_err *err);
int bl__dataset_commit(bl__dataset_writer *w, bl_err *err);
void bl__dataset_abort(bl__dataset_writer *w);
/* Bytes one sample takes in the file. */
size_t bl__dataset_record(int w, int h);

#endif
