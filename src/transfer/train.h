/* Inside of bl_train_run: what its stages hand to each other. */
#ifndef BALLERINO_TRANSFER_TRAIN_H
#define BALLERINO_TRANSFER_TRAIN_H

#include "dataset.h"
#include "job.h"
#include "masks.h"
#include "presets.h"
#include "window.h"

#define BL__TRACK_SMOOTH 5 /* window of bl_motion_smooth for the target's track */

typedef struct bl__training {
    const bl_train_job *job;
    bl__job state;
    bl__preset preset; /* with the window's size and the plan filled in */
    /* of the clip, after bl__stage_pose and bl__stage_measure */
    bl_track *track;
    bl__masks masks;
    bl_verdict verdict;
    int64_t n_train; /* frames before the held-out part */
    bl_pose_stats stats;
    bl__follow follow;
    bl__grid grid;
    /* after bl__stage_samples */
    bl_frame *plate;
    bl__dataset data;
    /* while training */
    bl_trainer *trainer;
    bl_generator *shown; /* the running average, for pictures and scores */
} bl__training;

/* Finds the person in every frame: track.json, masks.bin. Skipped where both are there. */
int bl__stage_pose(bl__training *t, bl_err *err);
/* Verdict, split, statistics, window. */
int bl__stage_measure(bl__training *t, bl_err *err);
/* Goes through the clip once more: plate.png, samples.bin. */
int bl__stage_samples(bl__training *t, bl_err *err);

/* Scores of the running average on the held-out samples. */
int bl__evaluate(bl__training *t, bl_train_scores *s, bl_err *err);
/* preview.png: columns of figure, photo, generated; held-out ones after a white gap. */
int bl__preview(bl__training *t, bl_err *err);

/* log.jsonl, one object a line, flushed as written. */
typedef struct bl__train_log {
    FILE *f;
    bl_gan_losses sum;
    int count;
    double since;
} bl__train_log;
/* Opens for appending, after dropping what lies beyond `step`. */
int bl__train_log_open(bl__train_log *l, const char *path, int64_t step, bl_err *err);
/* Adds a step's losses; every tenth step writes their mean. */
void bl__train_log_add(bl__train_log *l, int64_t step, const bl_gan_losses *losses, double seconds);
void bl__train_log_close(bl__train_log *l);

#endif
