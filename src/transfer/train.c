/* bl_train_run: from a target clip to a model file, in stages that can be gone on from. */
#include "train.h"

#include <string.h>
#include <unistd.h>

#include "estimate.h"
#include "half.h"
#include "model.h"

#define LEAST_SAMPLES 16

bl_train_job bl_train_job_default(void) {
    return (bl_train_job){.preset = BL_PRESET_DRAFT,
                          .scene = BL_SCENE_COMPOSITE,
                          .diffaug = -1,
                          .previous = -1,
                          .seed = 1,
                          .save_every_s = 60,
                          .preview_every_s = 60,
                          .hw = BL_HW_AUTO,
                          .pose_model = BL_POSE_FULL,
                          .hands = 1,
                          .face = 1};
}

/* ---- the job's own sanity ---- */
int bl__train_check(const bl_train_job *j, bl_err *err) {
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
    if (!(j->diffaug >= -1 && j->diffaug <= 1))
        wrong = "the share of augmented steps (diffaug) must be 0 to 1";
    if (j->previous < -1 || j->previous > 1)
        wrong = "the previous output is fed (1), not fed (0), or as the preset says (-1)";
    if (j->refine && *j->refine && strcmp(j->refine, "none") != 0 && strcmp(j->refine, "face") != 0 &&
        strcmp(j->refine, "hands") != 0 && strcmp(j->refine, "face,hands") != 0)
        wrong = "what is refined is none, face, hands or face,hands";
    if (j->precision < 0 || j->precision > 2) wrong = "the precision must be 0, 1 or 2";
    if (j->precision == 2 && !j->device && !bl_cpu_has_bf16())
        return bl_fail(
            err, BL_E_UNSUPPORTED,
            "this CPU has no bfloat16 instructions (AVX512_BF16 or AMX); use --precision fp32, or auto");
    if (j->threads < 0 || j->threads > 1024) wrong = "the threads must be 0 to 1024";
    if (!(j->save_every_s > 0) || !(j->preview_every_s > 0))
        wrong = "saving and previews need a time above 0";
    return wrong ? bl_fail(err, BL_E_USAGE, "%s", wrong) : 0;
}

/* ---- several processes: the first makes the files, then the others read them ---- */
static int in_turn(bl__training *t, int (*stage)(bl__training *, bl_err *), bl_err *err) {
    int rc = bl__leads(t) ? stage(t, err) : 0;
    if (rc == 0) rc = bl_dist_barrier(t->job->dist, err);
    return rc < 0 || bl__leads(t) ? rc : stage(t, err);
}

/* ---- the main stage: from samples to a model without refiners ---- */
static int write_coarse(bl__training *t, const char *path, bl_err *err) {
    bl_train_scores scores = {0};
    int rc = bl__evaluate(t, &scores, err);
    const bl__model_info info = {.net = *bl__main_net(t),
                                 .stats = t->stats,
                                 .scale = t->grid.scale,
                                 .smooth = BL__TRACK_SMOOTH,
                                 .steps = t->state.stage[BL__STAGE_MAIN].steps,
                                 .holdout = t->job->holdout,
                                 .n_train = t->n_train,
                                 .scores = scores,
                                 .consent = t->job->consent,
                                 .preset = bl__preset_name(t->job->preset),
                                 .target_sha256 = t->state.target_sha256};
    if (rc < 0) return rc;
    return bl__model_write(path, &info, (bl__weights){bl_trainer_params(t->trainer), BL_SLAB_EMA}, NULL,
                           t->plate, err);
}

/* Coarse to fine: the inner generator first, alone and at half the size. */
static int global_stage(bl__training *t, const bl_gan_source *full, bl_err *err) {
    bl__half half;
    int rc = bl__half_init(&half, full, t->data.w, t->data.h, err);
    if (rc < 0) return rc;
    const bl_gan_source src = bl__half_source(&half);
    rc = bl__learn(t, BL__STAGE_GLOBAL, &src, err);
    bl__learned(t);
    bl__half_release(&half);
    return rc;
}

static int main_stage(bl__training *t, bl_err *err) {
    char path[4096];
    int rc = bl__job_file(&t->state, path, "coarse.ballerino", err), there = 0;
    if (rc == 0) there = bl_file_exists(path);
    if (rc == 0) rc = bl__decide(t, &there, err);
    if (rc == 0 && !there) {
        bl_gan_source src = bl__dataset_source(&t->data);
        if (t->preset.stage[BL__STAGE_GLOBAL].on) rc = global_stage(t, &src, err);
        if (rc == 0) rc = bl__learn(t, BL__STAGE_MAIN, &src, err);
        bl__lap_end(&t->laps, BL__LAP_TRAIN);
        if (rc == 0 && bl__leads(t)) rc = write_coarse(t, path, err);
        bl__lap_end(&t->laps, BL__LAP_EVALUATE);
        bl__learned(t);
    }
    return rc < 0 || !bl__leads(t) ? rc : bl_model_open(&t->coarse, path, t->job->device, err);
}

/* ---- the refiners, and the end ---- */
static int refine_stage(bl__training *t, int k, bl__model_info *info, bl_trainer **kept, bl_err *err) {
    const bl__stage s = bl__stage_of_refiner(k);
    bl_gan_source src = bl__patches_source(&t->patches[k]);
    int rc = bl__learn(t, s, &src, err);
    if (rc == 0) {
        info->refine[k] = (bl__refine_info){1, t->preset.stage[s].net};
        *kept = t->trainer;
        t->trainer = NULL;
    }
    bl__learned(t);
    return rc;
}

static int finish(bl__training *t, bl_err *err) {
    bl__model_info info = t->coarse ? t->coarse->info : (bl__model_info){0};
    bl_trainer *kept[BL__REFINERS] = {0};
    bl__weights refine[BL__REFINERS] = {0};
    int rc = in_turn(t, bl__stage_patches, err);
    bl__lap_end(&t->laps, BL__LAP_PATCHES);
    for (int k = 0; k < BL__REFINERS && rc == 0; k++) {
        if (!t->preset.stage[bl__stage_of_refiner(k)].on) continue;
        rc = refine_stage(t, k, &info, &kept[k], err);
        if (rc == 0) refine[k] = (bl__weights){bl_trainer_params(kept[k]), BL_SLAB_EMA};
    }
    if (rc == 0 && bl__leads(t))
        rc = bl__model_write(t->job->output, &info, (bl__weights){t->coarse->params, BL_SLAB_WEIGHT}, refine,
                             t->plate, err);
    for (int k = 0; k < BL__REFINERS; k++) bl_trainer_destroy(&kept[k]);
    if (rc < 0 || !bl__leads(t)) return rc;
    t->state.scores = info.scores;
    t->state.done = 1;
    return bl__job_save(&t->state, err);
}

/* The caches are large and made again from the clip where they are missed. */
static void remove_caches(const bl__job *s) {
    static const char *const names[] = {"samples.bin", "masks.bin", "patches-face.bin", "patches-hands.bin",
                                        "coarse.ballerino"};
    char path[4096];
    for (size_t k = 0; k < BL_COUNT(names); k++)
        if (bl__job_file(s, path, names[k], NULL) == 0) unlink(path);
}

static void report(const bl__training *t, bl_train_result *r) {
    int64_t all = 0;
    for (int k = 0; k < BL__STAGES; k++) all += t->state.stage[k].steps;
    r->steps = t->state.stage[BL__STAGE_MAIN].steps;
    r->seconds = t->state.seconds;
    r->step_ms = all > 0 ? 1000 * t->state.seconds / (double)all : 0;
    r->scores = t->state.scores;
}

void bl__training_release(bl__training *t) {
    bl__learned(t);
    bl__perceptual_close(&t->perceptual);
    for (int k = 0; k < BL__REFINERS; k++) bl__patches_close(&t->patches[k]);
    bl_model_close(&t->coarse);
    bl__dataset_close(&t->data);
    bl_frame_unref(&t->plate);
    bl__grid_release(&t->grid);
    bl__parts_release(&t->parts);
    bl__follow_release(&t->follow);
    bl__masks_close(&t->masks);
    bl_track_destroy(&t->track);
    bl__job_close(&t->state);
}

static void warn(const bl__training *t) {
    bl__estimate_warn(&t->preset, t->track->width, t->track->height,
                      t->job->threads > 0 ? t->job->threads : bl_dist_threads(t->job->dist),
                      bl__precision_for(t->job), t->job->device, bl_dist_local_size(t->job->dist));
}

/* Where the job does not say; measured on a hundred frames (docs/RESULTS.md). */
#define FEW_FRAMES 200
#define DIFFAUG_FOR_FEW 0.5f

static void help_few(bl__training *t) {
    if (t->job->diffaug >= 0 || t->data.n_train >= FEW_FRAMES) return;
    t->preset.stage[BL__STAGE_GLOBAL].train.diffaug = DIFFAUG_FOR_FEW;
    t->preset.stage[BL__STAGE_MAIN].train.diffaug = DIFFAUG_FOR_FEW;
}

static int prepare(bl__training *t, bl_err *err) {
    int rc = bl__stage_pose(t, err);
    bl__lap_end(&t->laps, BL__LAP_POSE);
    if (rc == 0) rc = bl__stage_measure(t, err);
    if (rc == 0) rc = bl__stage_samples(t, err);
    bl__lap_end(&t->laps, BL__LAP_SAMPLES);
    if (rc == 0 && t->data.n_train < LEAST_SAMPLES)
        rc = bl_fail(err, BL_E_FOOTAGE,
                     "%s shows the person usably in only %lld frames; film at least 10 seconds",
                     t->job->target, (long long)t->data.n_train);
    return rc;
}

static int train(bl__training *t, bl_train_result *result, bl_err *err) {
    int rc = bl__perceptual_open(&t->perceptual, &t->preset, t->job->perceptual, t->job->models_dir, err);
    bl__laps_begin(&t->laps);
    if (rc == 0) rc = in_turn(t, prepare, err);
    result->verdict = t->verdict;
    if (rc == 0 && bl__leads(t)) bl__report_note(t);
    if (rc == 0) warn(t);
    if (rc == 0) help_few(t);
    if (rc == 0) rc = main_stage(t, err);
    if (rc == 0) rc = finish(t, err);
    if (rc == 0 && bl__leads(t)) bl__report_note(t);
    return rc < 0 ? rc : bl_dist_barrier(t->job->dist, err); /* nobody reads the caches any more */
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
    int rc = bl__train_check(job, err);
    if (rc < 0) return rc;
    t.preset = bl__preset_for(job);
    rc = bl__job_open(&t.state, job, err);
    if (rc < 0) return rc;
    int done = t.state.done && bl_file_exists(job->output);
    rc = bl__decide(&t, &done, err);
    if (rc == 0 && done) {
        bl_log(BL_LOG_INFO, "train", "%s is finished already", job->output);
        rc = verdict_again(&t, result, err);
    } else if (rc == 0) {
        rc = train(&t, result, err);
        if (rc == 0 && bl__leads(&t)) remove_caches(&t.state);
    }
    if (rc == 0 && bl__leads(&t)) bl__report_train(&t.state, job, !done);
    if (rc == 0) report(&t, result);
    bl__training_release(&t);
    return rc;
}
