/* Inside of bl_trial_run: what its parts hand to each other. */
#ifndef BALLERINO_TRANSFER_TRIAL_H
#define BALLERINO_TRANSFER_TRIAL_H

#include "ballerino/trial.h"
#include "heldout.h"
#include "library.h"

#define BL__TRIAL_PICTURES 6 /* frames shown in the report */

typedef struct bl__trial {
    const bl_trial_job *job;
    bl_trial_result *result;
    char pictures[4096]; /* folder */
    char target_sha256[65], lpips_sha256[65];
    bl__library library;               /* the clip before the end, for retrieval */
    bl__heldout held;                  /* the clip's end; its model is the one judged last */
    int64_t shown[BL__TRIAL_PICTURES]; /* entries of the held-out part */
    bl_box body[BL__TRIAL_PICTURES], face[BL__TRIAL_PICTURES]; /* there; w 0: none */
    int n_shown;
} bl__trial;

/* FOLDER/NAME + SUFFIX into a buffer of 4096 bytes. */
int bl__trial_file(const bl__trial *t, char *out, const char *name, const char *suffix, bl_err *err);
/* pictures/NAME_FRAME.png of the k-th shown entry. */
int bl__trial_picture(const bl__trial *t, char *out, const char *name, int k, bl_err *err);

/* Judges what `walk` shows, unless NAME.row.json holds that already for `key`; appends the row. */
typedef int (*bl__trial_walk)(void *ctx, bl_heldout_fn fn, void *fn_ctx, bl_err *err);
int bl__trial_row(bl__trial *t, const char *name, const char *key, bl__trial_walk walk, void *ctx,
                  bl_err *err);

/* tables.txt, tables.csv, results.json. */
int bl__trial_write(const bl__trial *t, bl_err *err);
/* report.html: tables, picture strips, curves, settings. */
int bl__trial_report(const bl__trial *t, bl_err *err);

#endif
