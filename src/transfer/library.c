#include "library.h"

#include <string.h>

int bl__library_open(bl__library *l, const bl_train_job *job, const char *stem, bl_err *err) {
    *l = (bl__library){.job = bl_train_job_default(), .t = {.state = {.lock = -1}}};
    l->job.target = job->target;
    l->job.track = job->track;
    l->job.consent = job->consent;
    l->job.holdout = job->holdout;
    l->job.hands = job->hands;
    l->job.face = job->face;
    l->job.models_dir = job->models_dir;
    l->job.pose_model = job->pose_model;
    l->job.threads = job->threads;
    l->job.device = job->device;
    l->job.hw = job->hw;
    l->job.output = stem;
    l->job.refine = "none";
    int rc = bl__train_check(&l->job, err);
    if (rc < 0) return rc;
    l->t.job = &l->job;
    l->t.preset = bl__preset_of(l->job.preset, l->job.scene);
    rc = bl__job_open(&l->t.state, &l->job, err);
    if (rc == 0) rc = bl__stage_pose(&l->t, err);
    if (rc == 0) rc = bl__stage_measure(&l->t, err);
    if (rc == 0) rc = bl__stage_samples(&l->t, err);
    if (rc < 0) bl__library_close(l);
    return rc;
}

int bl__library_model(bl_model **out, const bl__library *l, bl_err *err) {
    bl_model *m = bl_alloc(sizeof *m);
    if (!m) return bl_fail(err, BL_E_NOMEM, "not enough memory for the target's scene");
    m->plate = bl_frame_ref(l->t.plate);
    m->info.stats = l->t.stats;
    m->info.consent = l->job.consent;
    *out = m;
    return 0;
}

void bl__library_close(bl__library *l) {
    if (l->t.job) bl__training_release(&l->t);
    *l = (bl__library){.t = {.state = {.lock = -1}}};
}
