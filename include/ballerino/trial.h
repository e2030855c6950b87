/*
 * Trial: the paper's evaluation on one clip. The last part of the clip is kept apart, methods learn from the
 * rest, make the kept part again from its poses, and are judged against what was really filmed (eval.h).
 *
 *     bl_trial_job job = bl_trial_job_default();
 *     job.train.target = "me.mp4", job.train.consent = "...", job.output = "trial", job.ablate = 1;
 *     bl_trial_result r;
 *     bl_trial_run(&job, &r, &err);
 *     bl_eval_tables_text(&text, r.rows, r.n, r.with_lpips, &err);
 *     bl_trial_result_release(&r);
 *
 * In the folder, each written whole or not at all: NAME.row.json (all scores of a method), NAME.ballerino
 * (its model), pictures/, tables.txt, tables.csv, results.json, report.html. What is there already and
 * belongs to the same clip and settings is not done again, so an interrupted trial goes on. With several
 * processes (train.dist) all train, and the first one has the result.
 */
#ifndef BALLERINO_TRIAL_H
#define BALLERINO_TRIAL_H

#include "ballerino/eval.h"
#include "ballerino/transfer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BL_TRIAL_MAX_ROWS 12

typedef struct bl_trial_job {
    bl_train_job train; /* target, consent, and the budget that every trained method gets; its output and
                           ablations are set for each; holdout default 0.15 */
    const char *output; /* folder */
    const char *model;  /* judge this model (and what needs no training) instead of training: its own consent
                           and held-out part count */
    /* Comma-separated: "retrieve" (no training), "frame" (each frame by itself), "temporal" (with the
     * previous output, two frames judged at a time), "full" (as the preset says, face and hands refined).
     * NULL or "": all with `ablate`, else retrieve,full. */
    const char *methods;
    int ablate;
    float steady; /* as bl_transfer_job's, default negative: of `full` and of `model`; the others are judged
                     as the generator made them */
    const char *lpips, *lpips_linear; /* as bl_judge_options */
} bl_trial_job;
bl_trial_job bl_trial_job_default(void);

typedef struct bl_trial_result {
    int n;
    bl_eval_row rows[BL_TRIAL_MAX_ROWS]; /* "real", "plate", then the methods */
    int with_lpips;
    int64_t from, frames; /* the held-out part: its first frame, and how many */
    double seconds;       /* of this call */
} bl_trial_result;
int bl_trial_run(const bl_trial_job *job, bl_trial_result *result, bl_err *err);
void bl_trial_result_release(bl_trial_result *r);

#ifdef __cplusplus
}
#endif
#endif
