/* One row of a trial: judged once, then kept in a file. */
#include <string.h>

#include "ballerino/base.h"
#include "trial.h"

int bl__trial_file(const bl__trial *t, char *out, const char *name, const char *suffix, bl_err *err) {
    int n = snprintf(out, 4096, "%s/%s%s", t->job->output, name, suffix);
    return n > 0 && n < 4096 ? 0 : bl_fail(err, BL_E_USAGE, "the path %s is too long", t->job->output);
}

int bl__trial_picture(const bl__trial *t, char *out, const char *name, int k, bl_err *err) {
    int n = snprintf(out, 4096, "%s/%s_%06lld.png", t->pictures, name,
                     (long long)(t->result->from + t->shown[k]));
    return n > 0 && n < 4096 ? 0 : bl_fail(err, BL_E_USAGE, "the path %s is too long", t->pictures);
}

typedef struct judging {
    const bl__trial *t;
    const char *name;
    bl_judge *judge;
} judging;

static int on_frame(void *ctx, bl_frame *made, bl_frame *real, const bl_track_frame *pose, bl_err *err) {
    judging *j = ctx;
    int rc = bl_judge_frame(j->judge, made, real, pose, err);
    for (int k = 0; rc == 0 && k < j->t->n_shown; k++) {
        char path[4096];
        if (j->t->held.from + j->t->shown[k] != pose->i) continue;
        rc = bl__trial_picture(j->t, path, j->name, k, err);
        if (rc == 0) rc = bl_png_write(made, path, err);
    }
    return rc;
}

static int judge(bl__trial *t, const char *name, bl__trial_walk walk, void *ctx, bl_eval_row *row,
                 bl_err *err) {
    const bl_train_job *train = &t->job->train;
    judging j = {.t = t, .name = name};
    const bl_judge_options o = {.width = t->held.track->width,
                                .height = t->held.track->height,
                                .fps = t->held.track->fps,
                                .threads = train->threads,
                                .device = train->device,
                                .models_dir = train->models_dir,
                                .pose_model = train->pose_model,
                                .lpips = t->job->lpips,
                                .lpips_linear = t->job->lpips_linear};
    int rc = bl_judge_open(&j.judge, &o, err);
    if (rc == 0) rc = walk(ctx, on_frame, &j, err);
    if (rc == 0) rc = bl_judge_take(j.judge, row, err);
    bl_judge_close(&j.judge);
    snprintf(row->name, sizeof row->name, "%s", name);
    return rc;
}

int bl__trial_row(bl__trial *t, const char *name, const char *key, bl__trial_walk walk, void *ctx,
                  bl_err *err) {
    char path[4096];
    bl_trial_result *r = t->result;
    bl_eval_row row = {0};
    if (r->n == BL_TRIAL_MAX_ROWS) return bl_fail(err, BL_E_USAGE, "too many methods for one trial");
    int rc = bl__trial_file(t, path, name, ".row.json", err);
    if (rc < 0) return rc;
    if (bl_file_exists(path) && bl_eval_row_read(&row, key, path, NULL) == 0) {
        bl_log(BL_LOG_INFO, "eval", "%s is judged already", name);
    } else {
        bl_log(BL_LOG_INFO, "eval", "judging %s", name);
        rc = judge(t, name, walk, ctx, &row, err);
        if (rc == 0) rc = bl_eval_row_write(&row, key, path, err);
    }
    if (rc < 0) {
        bl_eval_row_release(&row);
        return rc;
    }
    r->rows[r->n++] = row;
    return 0;
}
