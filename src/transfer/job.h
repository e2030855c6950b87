/*
 * Job: what the training folder knows about the training that goes on in it (job.json): the settings, which
 * must be the same when going on; the plan, made once; and, at the end, the result.
 */
#ifndef BALLERINO_TRANSFER_JOB_H
#define BALLERINO_TRANSFER_JOB_H

#include "presets.h"

typedef struct bl__job {
    char dir[4096], path[4096]; /* OUTPUT.train, and job.json in it */
    int lock;                   /* file descriptor: one process at a time; -1 = none */
    char target_sha256[65];
    /* the plan; steps 0 = not made yet for that stage, threads 0 = not at all */
    struct {
        int64_t steps;
        double step_ms;
    } stage[BL__STAGES];
    int precision; /* bl_precision */
    int threads;
    char device[192]; /* where it began; "" = it did not say, the CPU */
    /* so far */
    double seconds; /* of training, all runs together */
    int done;
    bl_train_scores scores;
    void *settings; /* json_t */
} bl__job;

/* Makes the folder, locks it, and reads job.json or writes a first one. BL_E_MISMATCH names the setting that
 * differs. Of several processes the first does so, the others then read what it wrote. */
int bl__job_open(bl__job *j, const bl_train_job *job, bl_err *err);
int bl__job_save(const bl__job *j, bl_err *err); /* the first process's alone */
void bl__job_close(bl__job *j);
/* A file that the first process made; BL_E_NOT_FOUND where this one does not see it. */
int bl__seen(const bl_dist *dist, const char *path, bl_err *err);
/* DIR/NAME into a buffer of 4096 bytes. */
int bl__job_file(const bl__job *j, char *out, const char *name, bl_err *err);

#endif
