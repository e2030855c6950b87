/*
 * Report: the pages that training and transfer leave for people (report.html). What the training's page says
 * is read from the training folder alone, so that it can be made again, and be part of a transfer's page:
 * job.json, log.jsonl, the pictures, and report.json, in which the training notes down what is nowhere else.
 * A page that cannot be made is a warning and never costs the result.
 */
#ifndef BALLERINO_TRANSFER_REPORT_H
#define BALLERINO_TRANSFER_REPORT_H

#include "ballerino/report.h"
#include "job.h"

/* Where the time went, seconds; one after another. */
typedef enum bl__lap {
    BL__LAP_POSE,
    BL__LAP_SAMPLES,
    BL__LAP_TRAIN,
    BL__LAP_EVALUATE,
    BL__LAP_PATCHES,
    BL__LAPS
} bl__lap;
typedef struct bl__laps {
    double last; /* when the last one ended, or all began */
    double seconds[BL__LAPS];
} bl__laps;
void bl__laps_begin(bl__laps *l);
void bl__lap_end(bl__laps *l, bl__lap which); /* what passed since the last end counts for `which` */

/* ---- training ---- */
struct bl__training;
/* Notes down the verdict, the window and the laps in report.json: once before the long part, once at the end.
 * Laps are added to those of earlier runs, and are begun anew. */
void bl__report_note(struct bl__training *t);
/* report.html of a finished training, from its folder. `anew` 0: only where there is none. */
void bl__report_train(const bl__job *state, const bl_train_job *job, int anew);
/* The same as part of another page. `folder`: OUTPUT.train; nothing where it is not there. */
void bl__report_sections(bl_report *r, const char *folder);
/* Charts from a stage's log.jsonl. Nothing where it is not there. */
void bl__report_curves(bl_report *r, const char *log_path);

/* ---- what both pages say alike ---- */
void bl__report_verdict(bl_report *r, const bl_verdict *v, bl_purpose purpose);
void bl__report_duration(char out[32], double seconds); /* "1 h 02 min", "3 min 05 s", "4.2 s" */
const char *bl__report_name(const char *path);          /* what follows the last slash */
void bl__report_date(char out[32]);

#endif
