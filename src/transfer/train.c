/* bl_train_run: from a target clip to a model file, in stages that can be gone on from. */
#include "train.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "model.h"

#define TRIAL_STEPS 24    /* timed before the number of steps is fixed */
#define TRIAL_WARM_UP 4   /* of these not counted */
#define FOR_TRAINING 0.95 /* share of the minutes that is left after saving and previews */
#define LEAST_STEPS 20
#define LEAST_SAMPLES 16

bl_train_job bl_train_job_default(void) {
    return (bl_train_job){.preset = BL_PRESET_DRAFT,
                          .scene = BL_SCENE_COMPOSITE,
                          .previous = -1,
                          .seed = 1,
                          .save_every_s = 60,
                          .preview_every_s = 60,
                          .pose_model = BL_POSE_FULL};
}

/* ---- the job's own sanity ---- */
static int check(const bl_train_job *j, bl_err *err) {
    if (!j->target || !j->output || !*j->output)
        return bl_fail(err, BL_E_USAGE, "training needs a target video and an output file");
    if (!j->consent || strspn(j->consent, " \t\r\n") == strlen(j->consent))
        return bl_fail(err, BL_E_CONSENT,
                       "the person in %s must have agreed to this: state who and when, e.g. \"Jo Doe, 1 May "
                       "2025, for this film\"",
                       j->target);
    const char *wrong = NULL;
    if (!(j->minutes >= 0 && j->minutes <= 1e6)) wrong = "the minutes must be 0 or more";
    if (j->steps < 0 || j->steps > 1000000000) wrong = "the steps must be 0 to 1000000000";
    if (!(j->holdout >= 0 && j->holdout <= 0.5)) wrong = "the held-out share must be 0 to 0.5";
    if ((j->width || j->height) && (j->width < 32 || j->height < 32 || j->width > 2048 || j->height > 2048))
        wrong = "the window must be 32 to 2048 pixels wide and high";
    if (j->channels && (j->channels < 4 || j->channels > 256)) wrong = "the channels must be 4 to 256";
    if (j->previous < -1 || j->previous > 1)
        wrong = "the previous output is fed (1), not fed (0), or as the preset says (-1)";
    if (j->precision < 0 || j->precision > 2) wrong = "the precision must be 0, 1 or 2";
    if (j->precision == 2 && !bl_cpu_has_bf16())
        return bl_fail(
            err, BL_E_UNSUPPORTED,
            "this CPU has no bfloat16 instructions (AVX512_BF16 or AMX); use --precision fp32, or auto");
    if (j->threads < 0 || j->threads > 1024) wrong = "the threads must be 0 to 1024";
    if (!(j->save_every_s > 0) || !(j->preview_every_s > 0))
        wrong = "saving and previews need a time above 0";
    return wrong ? bl_fail(err, BL_E_USAGE, "%s", wrong) : 0;
}

/* ---- the plan: made once, then kept ---- */
static int make_trainer(bl__training *t, bl_err *err) {
    bl_gan_source src = bl__dataset_source(&t->data);
    return bl_trainer_create(&t->trainer, &t->preset.net, &t->preset.train, &src, err);
}

/* Seconds a step, everything included, on a trainer that is thrown away. */
static int time_steps(bl__training *t, double *seconds, bl_err *err) {
    const bl_gan_train planned = t->preset.train;
    double t0 = 0;
    t->preset.train.gan_from = 0;
    t->preset.train.steps = 1000;
    int rc = make_trainer(t, err);
    for (int k = 0; rc == 0 && k < TRIAL_STEPS; k++) {
        if (k == TRIAL_WARM_UP) t0 = bl_now();
        rc = bl_trainer_step(t->trainer, NULL, err);
        if (rc == 0) rc = bl_check_interrupt(err);
    }
    *seconds = (bl_now() - t0) / (TRIAL_STEPS - TRIAL_WARM_UP);
    bl_trainer_destroy(&t->trainer);
    t->preset.train = planned;
    return rc;
}

static int make_plan(bl__training *t, bl_err *err) {
    const bl_train_job *j = t->job;
    bl__job *s = &t->state;
    double seconds = 0;
    s->threads = j->threads > 0 ? j->threads : bl_cpu_count();
    s->precision = j->precision == 2 ? BL_BF16 : j->precision == 1 ? BL_FP32 : bl_cpu_faster_precision();
    t->preset.train.threads = s->threads;
    t->preset.train.precision = (bl_precision)s->precision;
    const double minutes = j->minutes > 0 ? j->minutes : t->preset.minutes;
    if (j->steps > 0) {
        s->steps = j->steps;
    } else if (minutes > 0) {
        int rc = time_steps(t, &seconds, err);
        if (rc < 0) return rc;
        s->steps = BL_MAX(LEAST_STEPS, (int64_t)(minutes * 60 * FOR_TRAINING / seconds));
    } else {
        s->steps = BL_MAX(LEAST_STEPS, t->preset.epochs * t->data.n_train);
    }
    s->step_ms = 1000 * seconds;
    return bl__job_save(s, err);
}

static int plan(bl__training *t, bl_err *err) {
    bl__job *s = &t->state;
    t->preset.train.seed = t->job->seed;
    int rc = s->steps > 0 ? 0 : make_plan(t, err);
    t->preset.train.threads = s->threads;
    t->preset.train.precision = (bl_precision)s->precision;
    t->preset.train.steps = s->steps;
    return rc;
}

/* ---- the loop ---- */
typedef struct loop {
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
    return bl__job_save(&t->state, err);
}

/* Once a minute or so: what can be looked at, and what can be gone on from. */
static int now_and_then(bl__training *t, loop *l, bl_err *err) {
    int rc = 0;
    if (bl_now() - l->shown >= t->job->preview_every_s) {
        rc = bl__preview(t, err);
        l->shown = bl_now();
    }
    if (rc == 0 && bl_now() - l->saved >= t->job->save_every_s) rc = save(t, l, err);
    if (rc == 0 && bl_interrupted()) {
        rc = save(t, l, err);
        if (rc == 0) rc = bl_check_interrupt(err);
    }
    return rc;
}

static int steps(bl__training *t, loop *l, bl_err *err) {
    bl_progress p;
    char note[64];
    int rc = 0;
    bl_progress_begin(&p, "train", "steps", bl_trainer_steps_done(t->trainer));
    while (rc == 0 && bl_trainer_steps_done(t->trainer) < t->state.steps) {
        bl_gan_losses losses;
        rc = bl_trainer_step(t->trainer, &losses, err);
        if (rc < 0) break;
        const int64_t done = bl_trainer_steps_done(t->trainer);
        bl__train_log_add(&l->log, done, &losses, l->before + bl_now() - l->begun);
        snprintf(note, sizeof note, "loss %.3f", (double)losses.total);
        bl_progress_update(&p, done, t->state.steps, note);
        rc = now_and_then(t, l, err);
    }
    if (rc == 0) bl_progress_end(&p, bl_trainer_steps_done(t->trainer), NULL);
    return rc;
}

static int learn(bl__training *t, bl_err *err) {
    loop l = {.before = t->state.seconds};
    int rc = make_trainer(t, err);
    if (rc == 0) rc = bl__job_file(&t->state, l.checkpoint, "checkpoint.safetensors", err);
    if (rc == 0) rc = bl__job_file(&t->state, l.log_path, "log.jsonl", err);
    if (rc == 0 && bl_file_exists(l.checkpoint)) rc = bl_trainer_load(t->trainer, l.checkpoint, err);
    if (rc == 0) rc = bl__train_log_open(&l.log, l.log_path, bl_trainer_steps_done(t->trainer), err);
    if (rc == 0)
        rc = bl_generator_create(&t->shown, &t->preset.net, bl_trainer_params(t->trainer), BL_SLAB_EMA,
                                 t->preset.train.precision, t->preset.train.threads, err);
    l.begun = l.saved = l.shown = bl_now();
    if (rc == 0) rc = steps(t, &l, err);
    if (rc == 0) rc = save(t, &l, err);
    if (rc == 0) rc = bl__preview(t, err);
    bl__train_log_close(&l.log);
    return rc;
}

/* ---- the end ---- */
static int finish(bl__training *t, bl_err *err) {
    int rc = bl__evaluate(t, &t->state.scores, err);
    bl__model_info info = {.net = t->preset.net,
                           .stats = t->stats,
                           .scale = t->grid.scale,
                           .smooth = BL__TRACK_SMOOTH,
                           .steps = t->state.steps,
                           .scores = t->state.scores,
                           .consent = t->job->consent,
                           .preset = bl__preset_name(t->job->preset),
                           .target_sha256 = t->state.target_sha256};
    if (rc == 0) rc = bl__model_write(t->job->output, &info, bl_trainer_params(t->trainer), t->plate, err);
    if (rc < 0) return rc;
    t->state.done = 1;
    return bl__job_save(&t->state, err);
}

/* The caches are large and made again from the clip where they are missed. */
static void remove_caches(const bl__job *s) {
    static const char *const names[] = {"samples.bin", "masks.bin"};
    char path[4096];
    for (size_t k = 0; k < BL_COUNT(names); k++)
        if (bl__job_file(s, path, names[k], NULL) == 0) unlink(path);
}

static void report(const bl__training *t, bl_train_result *r) {
    r->steps = t->state.steps;
    r->seconds = t->state.seconds;
    r->step_ms = t->state.steps > 0 ? 1000 * t->state.seconds / (double)t->state.steps : 0;
    r->scores = t->state.scores;
}

static void release(bl__training *t) {
    bl_generator_destroy(&t->shown);
    bl_trainer_destroy(&t->trainer);
    bl__dataset_close(&t->data);
    bl_frame_unref(&t->plate);
    bl__grid_release(&t->grid);
    bl__follow_release(&t->follow);
    bl__masks_close(&t->masks);
    bl_track_destroy(&t->track);
    bl__job_close(&t->state);
}

static int train(bl__training *t, bl_train_result *result, bl_err *err) {
    int rc = bl__stage_pose(t, err);
    if (rc == 0) rc = bl__stage_measure(t, err);
    result->verdict = t->verdict;
    if (rc == 0) rc = bl__stage_samples(t, err);
    if (rc == 0 && t->data.n_train < LEAST_SAMPLES)
        rc = bl_fail(err, BL_E_FOOTAGE,
                     "%s shows the person usably in only %lld frames; film at least 10 seconds",
                     t->job->target, (long long)t->data.n_train);
    if (rc == 0) rc = plan(t, err);
    if (rc == 0) rc = learn(t, err);
    return rc == 0 ? finish(t, err) : rc;
}

/* Of a job that is done; the camera's motion was not kept. */
static int verdict_again(bl__training *t, bl_train_result *result, bl_err *err) {
    char path[4096];
    int rc = bl__job_file(&t->state, path, "track.json", err);
    if (rc == 0) rc = bl_track_read(&t->track, path, err);
    return rc < 0 ? rc : bl_motion_verdict(&result->verdict, t->track, BL_PURPOSE_TARGET, NULL, err);
}

int bl_train_run(const bl_train_job *job, bl_train_result *result, bl_err *err) {
    bl_train_result unused;
    bl__training t = {.job = job, .state = {.lock = -1}};
    if (!result) result = &unused;
    *result = (bl_train_result){0};
    int rc = check(job, err);
    if (rc < 0) return rc;
    t.preset = bl__preset_of(job->preset, job->scene);
    if (job->channels) t.preset.net.ngf = t.preset.net.ndf = job->channels;
    if (job->previous >= 0) t.preset.net.previous = t.preset.train.temporal_d = job->previous;
    t.preset.net.max_channels = BL_MAX(t.preset.net.max_channels, t.preset.net.ngf);
    rc = bl__job_open(&t.state, job, err);
    if (rc < 0) return rc;
    if (t.state.done && bl_file_exists(job->output)) {
        bl_log(BL_LOG_INFO, "train", "%s is finished already", job->output);
        rc = verdict_again(&t, result, err);
    } else {
        rc = train(&t, result, err);
        if (rc == 0) remove_caches(&t.state);
    }
    if (rc == 0) report(&t, result);
    release(&t);
    return rc;
}
