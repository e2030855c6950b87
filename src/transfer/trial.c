/* bl_trial_run: which methods, and in which order. */
#include "trial.h"

#include <string.h>
#include <unistd.h>

#include "ballerino/base.h"
#include "reading.h"
#include "retrieve.h"

#define RULES "2" /* of judging; another number when scores would no longer be comparable */

bl_trial_job bl_trial_job_default(void) {
    bl_trial_job j = {.train = bl_train_job_default(), .steady = -1};
    j.train.holdout = 0.15;
    return j;
}

void bl_trial_result_release(bl_trial_result *r) {
    for (int i = 0; i < r->n; i++) bl_eval_row_release(&r->rows[i]);
    *r = (bl_trial_result){0};
}

/* ---- rows ---- */
typedef struct replay {
    const bl__trial *t;
    bl_replay what;
} replay;

static int walk_replay(void *ctx, bl_heldout_fn fn, void *fn_ctx, bl_err *err) {
    const replay *r = ctx;
    return bl__heldout_replay(&r->t->held, r->what, r->t->job->train.threads, fn, fn_ctx, err);
}

static int put_retrieved(void *ctx, int64_t k, bl_frame *out, bl_err *err) {
    const bl__retrieve *r = ctx;
    bl__still *s = NULL;
    int rc = bl__retrieve_still(&s, r, k, NULL, err);
    if (rc == 0 && s->filled) bl__layer_over(&s->layer, &r->grid, s->x, s->y, out);
    bl__still_free(&s);
    return rc;
}

static int walk_retrieved(void *ctx, bl_heldout_fn fn, void *fn_ctx, bl_err *err) {
    const bl__trial *t = ctx;
    bl__retrieve r;
    int rc = bl__retrieve_init(&r, &t->library, &t->held.part, err);
    if (rc < 0) return rc;
    rc = bl__heldout_walk(&t->held, put_retrieved, &r, fn, fn_ctx, err);
    bl__retrieve_release(&r);
    return rc;
}

/* What a row's scores depend on. `made_by`: the model's hash, or nothing. */
static void key_of(const bl__trial *t, const char *name, const char *made_by, char key[320]) {
    snprintf(key, 320, "%s %s %.64s %lld %.80s %.64s", RULES, name, t->target_sha256, (long long)t->held.from,
             made_by, t->lpips_sha256);
}

static int replay_row(bl__trial *t, const char *name, bl_replay what, const char *made_by, bl_err *err) {
    char key[320];
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
        if (at == part->n || (t->n_shown > 0 && t->shown[t->n_shown - 1] >= at)) continue;
        bl_box *body = &t->body[t->n_shown], *face = &t->face[t->n_shown];
        const bl_person *p = &part->frames[at].person;
        if (!bl_eval_body_box(body, p, part->width, part->height)) *body = (bl_box){0};
        if (!bl_eval_face_box(face, p, part->width, part->height)) *face = (bl_box){0};
        t->shown[t->n_shown++] = at;
    }
    t->result->from = t->held.from;
    t->result->frames = part->n;
}

/* ---- what needs no training ---- */
static int open_library(bl__trial *t, const char *consent, double holdout, bl_err *err) {
    char stem[4096];
    bl_train_job job = t->job->train;
    job.consent = consent;
    job.holdout = holdout;
    int rc = bl__trial_file(t, stem, "target", "", err);
    return rc < 0 ? rc : bl__library_open(&t->library, &job, stem, err);
}

static int hold_library(bl__trial *t, bl_err *err) {
    t->held = (bl__heldout){.target = t->job->train.target,
                            .plate = t->library.t.plate,
                            .reading = bl__reading(t->job->train.device, t->job->train.hw)};
    int rc = bl_track_copy(&t->held.track, t->library.t.track, err);
    return rc < 0 ? rc : bl__heldout_split(&t->held, t->library.t.n_train, err);
}

static int references(bl__trial *t, int with_retrieval, bl_err *err) {
    char key[320];
    choose_shown(t);
    key_of(t, "retrieve", "", key);
    int rc = replay_row(t, "real", BL_REPLAY_REAL, "", err);
    if (rc == 0) rc = replay_row(t, "plate", BL_REPLAY_PLATE, "", err);
    if (rc == 0 && with_retrieval) rc = bl__trial_row(t, "retrieve", key, walk_retrieved, t, err);
    return rc;
}

/* ---- models ---- */
static int model_row(bl__trial *t, const char *name, const char *model, float steady, const char *track,
                     bl_err *err) {
    char made_by[96];
    const bl_train_job *train = &t->job->train;
    const bl_heldout_job h = {.model = model,
                              .target = train->target,
                              .steady = steady,
                              .track = track,
                              .threads = train->threads,
                              .device = train->device,
                              .hw = train->hw,
                              .models_dir = train->models_dir,
                              .pose_model = train->pose_model};
    bl__heldout_close(&t->held);
    int rc = bl__heldout_open(&t->held, &h, err);
    if (rc == 0 && t->held.from != t->result->from)
        rc = bl_fail(err, BL_E_MISMATCH, "%s holds out another part of the clip than the other methods",
                     model);
    if (rc < 0) return rc;
    snprintf(made_by, sizeof made_by, "%.64s %.3g", bl_model_meta(t->held.model, "sha256"), (double)steady);
    return replay_row(t, name, BL_REPLAY_MODEL, made_by, err);
}

/* The file's name without folders and ending. */
static void name_of(const char *path, char name[32]) {
    const char *slash = strrchr(path, '/');
    snprintf(name, 32, "%.31s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot > name) *dot = 0;
}

static int given_model(bl__trial *t, bl_err *err) {
    bl_model *m = NULL;
    char name[32], track[4096];
    int rc = bl_model_open(&m, t->job->model, NULL, err);
    if (rc < 0) return rc;
    if (!(m->info.holdout > 0))
        rc = bl_fail(err, BL_E_USAGE, "%s was trained on its whole clip; train with --holdout 0.15",
                     t->job->model);
    if (rc == 0) rc = open_library(t, m->info.consent, m->info.holdout, err);
    if (rc == 0) rc = hold_library(t, err);
    if (rc == 0) rc = references(t, 1, err);
    if (rc == 0) rc = bl__job_file(&t->library.t.state, track, "track.json", err);
    bl_model_close(&m);
    name_of(t->job->model, name);
    return rc < 0 ? rc : model_row(t, name, t->job->model, t->job->steady, track, err);
}

/* ---- trained methods ---- */
static const struct {
    const char *name;
    int previous;
    const char *refine; /* NULL: not trained */
    int steady;         /* as the job says; else not */
} methods[] = {{"retrieve", 0, NULL, 0},
               {"frame", 0, "none", 0},
               {"temporal", 1, "none", 0},
               {"full", -1, "face,hands", 1}};

static const char *wanted_methods(const bl_trial_job *j) {
    if (j->methods && *j->methods) return j->methods;
    return j->ablate ? "retrieve,frame,temporal,full" : "retrieve,full";
}

static int method_at(const char *s, size_t n) {
    for (size_t i = 0; i < BL_COUNT(methods); i++)
        if (strlen(methods[i].name) == n && !strncmp(methods[i].name, s, n)) return (int)i;
    return -1;
}

/* The next word of a list: its length, and where the one after it begins. */
static size_t word(const char *s, const char **next) {
    const size_t n = strcspn(s, ",");
    *next = s + n + (s[n] == ',');
    return n;
}

static int wants(const bl_trial_job *j, int method) {
    for (const char *s = wanted_methods(j), *next; *s; s = next)
        if (method_at(s, word(s, &next)) == method) return 1;
    return 0;
}

static int check_methods(const bl_trial_job *j, bl_err *err) {
    for (const char *s = wanted_methods(j), *next; *s; s = next) {
        const size_t n = word(s, &next);
        if (method_at(s, n) < 0)
            return bl_fail(err, BL_E_USAGE,
                           "'%.*s' is not a method; choose from retrieve,frame,temporal,full",
                           (int)BL_MIN(n, 40), s);
    }
    return 0;
}

/* The poses need to be found once only; where linking fails they are found again. */
static void share_poses(const bl__trial *t, const char *model) {
    static const char *const names[] = {"track.json", "masks.bin"};
    char from[4096], to[4096 + 64];
    snprintf(to, sizeof to, "%s.train", model);
    if (bl_file_exists(model) || bl_dir_make(to, NULL) < 0) return;
    for (size_t k = 0; k < BL_COUNT(names); k++) {
        if (bl__job_file(&t->library.t.state, from, names[k], NULL) < 0) return;
        snprintf(to, sizeof to, "%s.train/%s", model, names[k]);
        if (link(from, to) < 0 && !bl_file_exists(to)) return;
    }
}

static int train_method(const bl__trial *t, int method, const char *model, bl_err *err) {
    bl_train_job job = t->job->train;
    job.output = model;
    job.previous = methods[method].previous;
    job.refine = methods[method].refine;
    bl_log(BL_LOG_INFO, "eval", "training %s", methods[method].name);
    return bl_train_run(&job, NULL, err);
}

static int train_row(bl__trial *t, int method, bl_err *err) {
    char model[4096], track[4096];
    int rc = bl__trial_file(t, model, methods[method].name, ".ballerino", err);
    if (rc == 0) rc = bl__job_file(&t->library.t.state, track, "track.json", err);
    if (rc < 0) return rc;
    share_poses(t, model);
    rc = train_method(t, method, model, err);
    return rc < 0 ? rc
                  : model_row(t, methods[method].name, model, methods[method].steady ? t->job->steady : 0,
                              track, err);
}

/* Of several processes the first judges; the others only train with it. */
static int train_along(const bl__trial *t, bl_err *err) {
    char model[4096];
    int rc = 0;
    for (int i = 0; rc == 0 && i < (int)BL_COUNT(methods) && !t->job->model; i++) {
        if (!methods[i].refine || !wants(t->job, i)) continue;
        rc = bl__trial_file(t, model, methods[i].name, ".ballerino", err);
        if (rc == 0) rc = train_method(t, i, model, err);
    }
    return rc;
}

static int all_methods(bl__trial *t, bl_err *err) {
    int rc = open_library(t, t->job->train.consent, t->job->train.holdout, err);
    if (rc == 0) rc = hold_library(t, err);
    if (rc == 0) rc = references(t, wants(t->job, 0), err);
    for (int i = 0; rc == 0 && i < (int)BL_COUNT(methods); i++) {
        if (!methods[i].refine || !wants(t->job, i)) continue;
        rc = train_row(t, i, err);
        if (rc == 0) rc = bl__trial_write(t, err); /* what there is so far */
    }
    return rc;
}

/* ---- the trial ---- */
static int can_open(const char *path, bl_err *err) {
    bl_map m;
    int rc = bl_map_open(&m, path, err);
    if (rc == 0) bl_map_close(&m);
    return rc;
}

static int check(const bl_trial_job *j, bl_err *err) {
    if (!j->train.target || !j->output || !*j->output)
        return bl_fail(err, BL_E_USAGE, "a trial needs the target's video and a folder for its results");
    if (j->model) return can_open(j->model, err); /* before a folder is made */
    bl_train_job train = j->train;
    train.output = j->output;
    int rc = bl__train_check(&train, err);
    if (rc == 0 && !(train.holdout > 0))
        rc = bl_fail(err, BL_E_USAGE, "a trial needs a part that is kept from training: --holdout 0.15");
    return rc < 0 ? rc : check_methods(j, err);
}

static int run(bl__trial *t, bl_err *err) {
    int rc = bl_sha256_file(t->job->train.target, t->target_sha256, err);
    if (rc == 0 && t->job->lpips) rc = bl_sha256_file(t->job->lpips, t->lpips_sha256, err);
    if (rc == 0) rc = bl__trial_file(t, t->pictures, "pictures", "", err);
    if (rc == 0) rc = bl_dir_make(t->pictures, err);
    if (rc == 0) rc = t->job->model ? given_model(t, err) : all_methods(t, err);
    return rc < 0 ? rc : bl__trial_write(t, err);
}

int bl_trial_run(const bl_trial_job *job, bl_trial_result *result, bl_err *err) {
    const double t0 = bl_now();
    *result = (bl_trial_result){0};
    int rc = check(job, err);
    if (rc < 0) return rc;
    bl__trial t = {.job = job, .result = result, .library.t.state.lock = -1};
    if (bl_dist_rank(job->train.dist) > 0) return train_along(&t, err);
    result->with_lpips = job->lpips != NULL;
    rc = run(&t, err);
    result->seconds = bl_now() - t0;
    if (rc == 0) rc = bl__trial_report(&t, err);
    bl__heldout_close(&t.held);
    bl__library_close(&t.library);
    if (rc < 0) bl_trial_result_release(result);
    return rc;
}
