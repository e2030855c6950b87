/* Inside of bl_train_run: what its stages hand to each other. */
#ifndef BALLERINO_TRANSFER_TRAIN_H
#define BALLERINO_TRANSFER_TRAIN_H

#include "dataset.h"
#include "job.h"
#include "masks.h"
#include "model.h"
#include "patches.h"
#include "perceptual.h"
#include "presets.h"
#include "report.h"
#include "window.h"

#define BL__LEAST_PATCHES 60 /* of a face or of hands, to refine it */
#define BL__TRACK_SMOOTH 5   /* window of bl_motion_smooth for the target's track */

typedef struct bl__training {
    const bl_train_job *job;
    bl__job state;
    bl__preset preset;         /* with the window's size and the plan filled in */
    bl__perceptual perceptual; /* what the stages' training settings point to */
    /* of the clip, after bl__stage_pose and bl__stage_measure */
    bl_track *track;
    bl__masks masks;
    bl_verdict verdict;
    int64_t n_train; /* frames before the held-out part */
    bl_pose_stats stats;
    bl__follow follow;
    bl__grid grid;
    bl__parts parts;
    /* after bl__stage_samples */
    bl_frame *plate;
    bl__dataset data;
    /* after the main stage */
    bl_model *coarse; /* the model as far as it is: without refiners */
    bl__patches patches[BL__REFINERS];
    /* while a stage is trained */
    bl_trainer *trainer;
    bl_generator *shown; /* the running average, for pictures and scores */
    bl__laps laps;       /* for the report */
} bl__training;

/* Of several processes: this is the one that prepares, writes and shows. */
static inline int bl__leads(const bl__training *t) {
    return bl_dist_rank(t->job->dist) == 0;
}
/* What the first process has found, for all. */
static inline int bl__decide(const bl__training *t, int *what, bl_err *err) {
    return bl_dist_broadcast(t->job->dist, what, sizeof *what, err);
}
static inline bl_gan_net *bl__main_net(bl__training *t) {
    return &t->preset.stage[BL__STAGE_MAIN].net;
}
static inline bl__stage bl__stage_of_refiner(int refiner) {
    return refiner == BL__REFINE_FACE ? BL__STAGE_FACE : BL__STAGE_HANDS;
}
/* OUTPUT.train/STEM.SUFFIX of the main stage, OUTPUT.train/STEM-STAGE.SUFFIX of another; 4096 bytes. */
int bl__stage_file(const bl__training *t, bl__stage s, char *out, const char *stem, const char *suffix,
                   bl_err *err);

/* The job's own sanity; BL_E_CONSENT without a statement. */
int bl__train_check(const bl_train_job *j, bl_err *err);
void bl__training_release(bl__training *t);

/* Finds the person in every frame: track.json, masks.bin. Skipped where both are there. */
int bl__stage_pose(bl__training *t, bl_err *err);
/* Verdict, split, statistics, window. */
int bl__stage_measure(bl__training *t, bl_err *err);
/* Goes through the clip once more: plate.png, samples.bin. */
int bl__stage_samples(bl__training *t, bl_err *err);

/* Of a clip that is too long to be used whole: does frame i lie in one of the evenly spread runs of
 * consecutive frames that make up about `share` of it? 1 or more: always. */
int bl__in_kept_run(int64_t i, double share);
/* Decodes the clip's first `until` frames for a stage, with progress; a negative return of `fn` stops. */
typedef int (*bl__frame_fn)(void *ctx, bl_frame *f, bl_err *err);
int bl__each_frame(const bl__training *t, const char *stage, int64_t until, bl__frame_fn fn, void *ctx,
                   bl_err *err);
/* Makes the patches that the refiners learn from, with the coarse model; one pass over the clip. Skipped
 * where they are there. */
int bl__stage_patches(bl__training *t, bl_err *err);

/* Trains a stage, or goes on with it, to the end of its plan, which is made first where there is none. Leaves
 * t->trainer and (where it leads) t->shown to the caller, who ends with bl__learned. */
int bl__learn(bl__training *t, bl__stage s, const bl_gan_source *src, bl_err *err);
void bl__learned(bl__training *t);

/* Scores of the running average on the held-out samples. */
int bl__evaluate(bl__training *t, bl_train_scores *s, bl_err *err);
/* preview.png: columns of figure, photo, generated; held-out ones after a white gap. Of a refiner
 * (preview-face.png): figure, photo, what the main generator made, refined. */
int bl__preview(bl__training *t, bl__stage s, const bl_gan_source *src, bl_err *err);

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
