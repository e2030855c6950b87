/* bl_trial_run: which methods, and in which order. */
#include "trial.h"

#include <string.h>

#include "ballerino/base.h"

#define RULES "1" /* of judging; another number when scores would no longer be comparable */

bl_trial_job bl_trial_job_default(void) {
    bl_trial_job j = {.train = bl_train_job_default()};
    j.train.holdout = 0.15;
    return j;
}

void bl_trial_result_release(bl_trial_result *r) {
    for (int i = 0; i < r->n; i++) bl_eval_row_release(&r->rows[i]);
    *r = (bl_trial_result){0};
}

/* ---- a model's rows ---- */
typedef struct replay {
    const bl__trial *t;
    bl_replay what;
} replay;

static int walk_replay(void *ctx, bl_heldout_fn fn, void *fn_ctx, bl_err *err) {
    const replay *r = ctx;
    return bl__heldout_replay(&r->t->held, r->what, r->t->job->train.threads, fn, fn_ctx, err);
}

/* What a row's scores depend on. `made_by`: the model's hash, or what takes its place. */
static void key_of(const bl__trial *t, const char *name, const char *made_by, char key[256]) {
    snprintf(key, 256, "%s %s %.64s %lld %.100s", RULES, name, t->target_sha256, (long long)t->held.from,
             made_by);
}

static int replay_row(bl__trial *t, const char *name, bl_replay what, const char *made_by, bl_err *err) {
    char key[256];
    key_of(t, name, made_by, key);
    return bl__trial_row(t, name, key, walk_replay, &(replay){t, what}, err);
}

/* Held-out entries with a person, evenly spread. */
static void choose_shown(bl__trial *t) {
    const bl_track *part = &t->held.part;
    t->n_shown = 0;
    for (int k = 0; k < BL__TRIAL_PICTURES; k++) {
        int64_t at = (2 * k + 1) * part->n / (2 * BL__TRIAL_PICTURES);
        while (at < part->n && !part->frames[at].has_person) at++;
        if (at < part->n && (t->n_shown == 0 || t->shown[t->n_shown - 1] < at)) t->shown[t->n_shown++] = at;
    }
    t->result->from = t->held.from;
    t->result->frames = part->n;
}

/* The file's name without folders and ending. */
static void name_of(const char *path, char name[32]) {
    const char *slash = strrchr(path, '/');
    snprintf(name, 32, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot > name) *dot = 0;
}

static int given_model(bl__trial *t, bl_err *err) {
    const bl_train_job *train = &t->job->train;
    char name[32];
    const bl_heldout_job h = {.model = t->job->model,
                              .target = train->target,
                              .track = train->track,
                              .threads = train->threads,
                              .models_dir = train->models_dir,
                              .pose_model = train->pose_model};
    int rc = bl__heldout_open(&t->held, &h, err);
    if (rc < 0) return rc;
    choose_shown(t);
    const char *sha256 = bl_model_meta(t->held.model, "sha256");
    name_of(t->job->model, name);
    rc = replay_row(t, "real", BL_REPLAY_REAL, "", err);
    if (rc == 0) rc = replay_row(t, "plate", BL_REPLAY_PLATE, sha256, err);
    return rc < 0 ? rc : replay_row(t, name, BL_REPLAY_MODEL, sha256, err);
}

static int check(const bl_trial_job *j, bl_err *err) {
    if (!j->train.target || !j->output || !*j->output)
        return bl_fail(err, BL_E_USAGE, "a trial needs the target's video and a folder for its results");
    if (!j->model)
        return bl_fail(err, BL_E_USAGE, "a trial needs a model: train one with --holdout, give --model");
    return 0;
}

int bl_trial_run(const bl_trial_job *job, bl_trial_result *result, bl_err *err) {
    const double t0 = bl_now();
    *result = (bl_trial_result){0};
    bl__trial t = {.job = job, .result = result};
    int rc = check(job, err);
    if (rc == 0) rc = bl_sha256_file(job->train.target, t.target_sha256, err);
    if (rc == 0) rc = bl__trial_file(&t, t.pictures, "pictures", "", err);
    if (rc == 0) rc = bl_dir_make(t.pictures, err);
    if (rc == 0) rc = given_model(&t, err);
    if (rc == 0) rc = bl__trial_write(&t, err);
    bl__heldout_close(&t.held);
    result->seconds = bl_now() - t0;
    if (rc < 0) bl_trial_result_release(result);
    return rc;
}
