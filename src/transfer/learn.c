/* One stage of a training: its plan, made once and then kept, and the loop that saves and shows what it does.
 */
#include <math.h>
#include <string.h>

#include "train.h"

#define TRIAL_STEPS 24    /* timed before the number of steps is fixed */
#define TRIAL_WARM_UP 4   /* of these not counted */
#define FOR_TRAINING 0.95 /* share of the minutes that is left after saving and previews */
#define LEAST_STEPS 20

int bl__stage_file(const bl__training *t, bl__stage s, char *out, const char *stem, const char *suffix,
                   bl_err *err) {
    char name[64];
    snprintf(name, sizeof name, "%s%s%s.%s", stem, s == BL__STAGE_MAIN ? "" : "-",
             s == BL__STAGE_MAIN ? "" : bl__stage_name(s), suffix);
    return bl__job_file(&t->state, out, name, err);
}

/* ---- the plan ---- */
static int make_trainer(bl__training *t, bl__stage s, const bl_gan_source *src, bl_err *err) {
    const bl__stage_plan *p = &t->preset.stage[s];
    return bl_trainer_create(&t->trainer, &p->net, &p->train, src, err);
}

/* Seconds a step, everything included, on a trainer that is thrown away. */
static int time_steps(bl__training *t, bl__stage s, const bl_gan_source *src, double *seconds, bl_err *err) {
    bl_gan_train *train = &t->preset.stage[s].train;
    const bl_gan_train planned = *train;
    double t0 = 0;
    train->gan_from = 0;
    train->steps = 1000;
    int rc = make_trainer(t, s, src, err);
    for (int k = 0; rc == 0 && k < TRIAL_STEPS; k++) {
        if (k == TRIAL_WARM_UP) t0 = bl_now();
        rc = bl_trainer_step(t->trainer, NULL, err);
        if (rc == 0) rc = bl_check_interrupt(err);
    }
    *seconds = (bl_now() - t0) / (TRIAL_STEPS - TRIAL_WARM_UP);
    bl_trainer_destroy(&t->trainer);
    *train = planned;
    return rc;
}

/* The stage's part of the whole time. */
static double share_of(const bl__training *t, bl__stage s) {
    double all = 0;
    for (int k = 0; k < BL__STAGES; k++)
        if (t->preset.stage[k].on) all += t->preset.stage[k].share;
    return t->preset.stage[s].share / all;
}

static int make_plan(bl__training *t, bl__stage s, const bl_gan_source *src, bl_err *err) {
    const bl_train_job *j = t->job;
    const double minutes = j->minutes > 0 ? j->minutes : t->preset.minutes;
    double seconds = 0;
    int64_t steps;
    if (j->steps > 0) {
        steps = j->steps;
    } else if (minutes > 0) {
        int rc = time_steps(t, s, src, &seconds, err);
        if (rc < 0) return rc;
        steps = (int64_t)(minutes * 60 * FOR_TRAINING * share_of(t, s) / seconds);
    } else {
        steps = t->preset.stage[s].epochs * src->count;
    }
    t->state.stage[s].steps = j->steps > 0 ? steps : BL_MAX(LEAST_STEPS, steps);
    t->state.stage[s].step_ms = 1000 * seconds;
    return 0;
}

static void fix_machine(bl__training *t) {
    const bl_train_job *j = t->job;
    if (t->state.threads > 0) return;
    t->state.threads = j->threads > 0 ? j->threads : bl_dist_threads(j->dist);
    t->state.precision = (int)bl__precision_for(j);
    snprintf(t->state.device, sizeof t->state.device, "%s", bl_device_name(j->device));
}

/* A training that began elsewhere goes on here, where this device can compute as it was begun. */
static int check_machine(const bl__training *t, bl_err *err) {
    const char *began = *t->state.device ? t->state.device : "cpu", *now = bl_device_name(t->job->device);
    if (t->state.precision == BL_BF16 && !t->job->device && !bl_cpu_has_bf16())
        return bl_fail(err, BL_E_UNSUPPORTED,
                       "%s was begun in bfloat16 on %s and this CPU has no such instructions; go on with "
                       "--device cuda, or remove the folder and start with --precision fp32",
                       t->state.dir, began);
    if (strcmp(began, now) != 0)
        bl_log(BL_LOG_INFO, "train", "begun on %s, goes on on %s: not bit for bit the same training", began,
               now);
    return 0;
}

/* All go by the first one's plan, which was timed with the others: a step takes as long as the slowest. */
static int share_plan(bl__training *t, bl__stage s, bl_err *err) {
    struct {
        int64_t steps;
        int threads, precision;
    } p = {t->state.stage[s].steps, t->state.threads, t->state.precision};
    int rc = bl_dist_broadcast(t->job->dist, &p, sizeof p, err);
    t->state.stage[s].steps = p.steps;
    t->state.threads = p.threads;
    t->state.precision = p.precision;
    return rc;
}

static int plan(bl__training *t, bl__stage s, const bl_gan_source *src, bl_err *err) {
    bl_gan_train *train = &t->preset.stage[s].train;
    fix_machine(t);
    int rc = share_plan(t, s, err);
    if (rc == 0) rc = check_machine(t, err);
    if (rc < 0) return rc;
    train->seed = t->job->seed;
    train->device = t->job->device;
    train->dist = t->job->dist;
    train->threads = t->data.threads = t->state.threads;
    train->precision = (bl_precision)t->state.precision;
    if (t->state.stage[s].steps == 0) {
        rc = make_plan(t, s, src, err);
        if (rc == 0) rc = share_plan(t, s, err);
        if (rc == 0 && bl__leads(t)) rc = bl__job_save(&t->state, err);
    }
    train->steps = t->state.stage[s].steps;
    return rc;
}

/* ---- the loop ---- */
typedef struct loop {
    bl__stage stage;
    const bl_gan_source *src;
    char checkpoint[4096], log_path[4096];
    bl__train_log log;
    double begun, saved, shown; /* times */
    double before;              /* seconds of earlier runs */
} loop;

static int save(bl__training *t, loop *l, bl_err *err) {
    int rc = bl_trainer_save(t->trainer, l->checkpoint, err);
    if (rc < 0) return rc;
    l->saved = bl_now();
    t->state.seconds = l->before + l->saved - l->begun;
    return bl__leads(t) ? bl__job_save(&t->state, err) : 0;
}

static int show(bl__training *t, loop *l, bl_err *err) {
    l->shown = bl_now();
    return bl__leads(t) ? bl__preview(t, l->stage, l->src, err) : 0;
}

/* What somebody wants is done by all, after the same step. */
enum { SHOW = 1, SAVE = 2, STOP = 4 };

static int wishes(const bl__training *t, const loop *l, unsigned *wanted, bl_err *err) {
    *wanted = bl_interrupted() ? STOP : 0;
    if (bl__leads(t) && bl_now() - l->shown >= t->job->preview_every_s) *wanted |= SHOW;
    if (bl__leads(t) && bl_now() - l->saved >= t->job->save_every_s) *wanted |= SAVE;
    return bl_dist_any(t->job->dist, wanted, err);
}

/* Once a minute or so: what can be looked at, and what can be gone on from. */
static int now_and_then(bl__training *t, loop *l, bl_err *err) {
    unsigned wanted;
    int rc = wishes(t, l, &wanted, err);
    if (rc == 0 && wanted & SHOW) rc = show(t, l, err);
    if (rc == 0 && wanted & (SAVE | STOP)) rc = save(t, l, err);
    return rc == 0 && wanted & STOP ? bl_interrupt_failure(err) : rc;
}

static const char *stage_label(bl__stage s) {
    static const char *const labels[BL__STAGES] = {"train global", "train", "train face", "train hands"};
    return labels[s];
}

static int steps(bl__training *t, loop *l, bl_err *err) {
    bl_progress p;
    char note[64];
    int rc = 0;
    bl_progress_begin(&p, stage_label(l->stage), "steps", bl_trainer_steps_done(t->trainer));
    while (rc == 0 && bl_trainer_steps_done(t->trainer) < t->state.stage[l->stage].steps) {
        bl_gan_losses losses;
        rc = bl_trainer_step(t->trainer, &losses, err);
        if (rc < 0) break;
        const int64_t done = bl_trainer_steps_done(t->trainer);
        if (bl__leads(t)) bl__train_log_add(&l->log, done, &losses, l->before + bl_now() - l->begun);
        snprintf(note, sizeof note, "loss %.3f", (double)losses.total);
        bl_progress_update(&p, done, t->state.stage[l->stage].steps, note);
        rc = now_and_then(t, l, err);
    }
    if (rc == 0) bl_progress_end(&p, bl_trainer_steps_done(t->trainer), NULL);
    return rc;
}

/* The enhancer's stage starts from the generator that was trained at half the size. */
static int start_warm(bl__training *t, bl__stage s, bl_err *err) {
    char path[4096];
    if (s != BL__STAGE_MAIN || !t->preset.stage[BL__STAGE_GLOBAL].on) return 0;
    int rc = bl__stage_file(t, BL__STAGE_GLOBAL, path, "checkpoint", "safetensors", err);
    if (rc == 0) rc = bl_trainer_warm_start(t->trainer, path, err);
    return rc < 0 ? rc : 0;
}

/* Goes on from what was saved, where there is something. */
static int start(bl__training *t, const loop *l, bl_err *err) {
    int saved = bl_file_exists(l->checkpoint), rc = bl__decide(t, &saved, err);
    if (rc < 0 || !saved) return rc < 0 ? rc : start_warm(t, l->stage, err);
    rc = bl__seen(t->job->dist, l->checkpoint, err);
    return rc < 0 ? rc : bl_trainer_load(t->trainer, l->checkpoint, err);
}

/* What only the first process needs. */
static int get_ready_to_show(bl__training *t, loop *l, bl_err *err) {
    const bl__stage_plan *p = &t->preset.stage[l->stage];
    if (!bl__leads(t)) return 0;
    int rc = bl__train_log_open(&l->log, l->log_path, bl_trainer_steps_done(t->trainer), err);
    if (rc < 0) return rc;
    return bl_generator_create(&t->shown, &p->net, bl_trainer_params(t->trainer), BL_SLAB_EMA,
                               p->train.precision, p->train.threads, err);
}

int bl__learn(bl__training *t, bl__stage s, const bl_gan_source *src, bl_err *err) {
    loop l = {.stage = s, .src = src, .before = t->state.seconds};
    int rc = plan(t, s, src, err);
    if (rc == 0) rc = make_trainer(t, s, src, err);
    if (rc == 0) rc = bl__stage_file(t, s, l.checkpoint, "checkpoint", "safetensors", err);
    if (rc == 0) rc = bl__stage_file(t, s, l.log_path, "log", "jsonl", err);
    if (rc == 0) rc = start(t, &l, err);
    if (rc == 0) rc = get_ready_to_show(t, &l, err);
    l.begun = l.saved = l.shown = bl_now();
    if (rc == 0) rc = steps(t, &l, err);
    if (rc == 0) rc = save(t, &l, err);
    if (rc == 0) rc = show(t, &l, err);
    bl__train_log_close(&l.log);
    return rc;
}

void bl__learned(bl__training *t) {
    bl_generator_destroy(&t->shown);
    bl_trainer_destroy(&t->trainer);
}
