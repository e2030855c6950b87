#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "ballerino/base.h"
#include "model.h"

#define FORMAT "ballerino-train-job"
#define VERSION 2
#define MAX_SIZE 1048576

static const char *const scene_names[] = {"composite", "paint"};
static const char *const pose_names[] = {"lite", "full", "heavy"};
static const char *const precision_names[] = {"auto", "fp32", "bf16"};

int bl__job_file(const bl__job *j, char *out, const char *name, bl_err *err) {
    return bl_path_join(out, 4096, j->dir, name, err);
}

/* Everything that shapes the result. Not: how often to save, and where the models lie. */
static int settings_of(json_t **out, const bl_train_job *job, const char *target_sha256, bl_err *err) {
    char track[65] = "", network[65] = "";
    const char *perceptual = job->perceptual ? job->perceptual : "";
    int rc = job->track ? bl_sha256_file(job->track, track, err) : 0;
    if (rc == 0 && *perceptual && strcmp(perceptual, "none") != 0 && strcmp(perceptual, "pose") != 0) {
        rc = bl_sha256_file(perceptual, network, err);
        perceptual = network;
    }
    if (rc < 0) return rc;
    *out = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:f, s:i, s:i, s:i, s:I, s:s, s:i, s:s, s:f, s:i, s:s, "
        "s:b, s:b, s:s}",
        "target_sha256", target_sha256, "track_sha256", track, "consent", job->consent, "preset",
        bl__preset_name(job->preset), "scene", scene_names[job->scene == BL_SCENE_PAINT], "minutes",
        job->minutes, "steps", (json_int_t)job->steps, "holdout", job->holdout, "width", job->width, "height",
        job->height, "channels", job->channels, "seed", (json_int_t)job->seed, "precision",
        precision_names[job->precision], "threads", job->threads, "pose_model", pose_names[job->pose_model],
        "diffaug", job->diffaug, "previous", job->previous, "refine", job->refine ? job->refine : "", "hands",
        job->hands, "face", job->face, "perceptual", perceptual);
    if (*out) return 0;
    return bl_fail(err, BL_E_USAGE, "the consent statement is not valid UTF-8 text");
}

static void text_of(char *buf, size_t size, const json_t *v) {
    char *s = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
    snprintf(buf, size, "%.100s", s ? s : "nothing");
    free(s);
}

static int compare(const bl__job *j, const json_t *now, const json_t *before, bl_err *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)now, key, value) {
        const json_t *old = json_object_get(before, key);
        int same = json_is_number(value) && json_is_number(old)
                       ? json_number_value(value) == json_number_value(old)
                       : json_equal(value, old);
        if (same) continue;
        char was[128], is[128];
        text_of(was, sizeof was, old);
        text_of(is, sizeof is, value);
        return bl_fail(
            err, BL_E_MISMATCH,
            "%s belongs to a training with another setting: %s was %s, now %s; use the same setting, "
            "another output, or remove that folder to start afresh",
            j->dir, key, was, is);
    }
    return 0;
}

static double number(const json_t *o, const char *key) {
    return json_number_value(json_object_get(o, key));
}

static void take_plan(bl__job *j, const json_t *root) {
    const json_t *plan = json_object_get(root, "plan"), *result = json_object_get(root, "result");
    for (int k = 0; k < BL__STAGES; k++) {
        const json_t *stage = json_object_get(plan, bl__stage_name((bl__stage)k));
        j->stage[k].steps = (int64_t)number(stage, "steps");
        j->stage[k].step_ms = number(stage, "step_ms");
    }
    j->precision = number(plan, "precision") > 0 ? BL_BF16 : BL_FP32;
    j->threads = (int)number(plan, "threads");
    const char *device = json_string_value(json_object_get(plan, "device"));
    snprintf(j->device, sizeof j->device, "%s", device ? device : "");
    j->seconds = number(root, "seconds");
    j->done = json_is_object(result);
    j->scores = (bl_train_scores){.valid = json_is_true(json_object_get(result, "valid")),
                                  .frames = (int64_t)number(result, "frames"),
                                  .ssim = number(result, "ssim"),
                                  .psnr = number(result, "psnr"),
                                  .plate_ssim = number(result, "plate_ssim"),
                                  .plate_psnr = number(result, "plate_psnr"),
                                  .nearest_ssim = number(result, "nearest_ssim"),
                                  .nearest_psnr = number(result, "nearest_psnr"),
                                  .ssim_first_half = number(result, "ssim_first_half"),
                                  .ssim_second_half = number(result, "ssim_second_half")};
}

static int read_state(bl__job *j, bl_err *err) {
    char *text = NULL;
    size_t size = 0;
    int rc = bl_file_read(&text, &size, j->path, MAX_SIZE, err);
    if (rc < 0) return rc;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *format = json_string_value(json_object_get(root, "format"));
    if (!format || strcmp(format, FORMAT) != 0 || number(root, "version") != VERSION)
        rc = bl_fail(err, BL_E_FORMAT,
                     "%s is damaged or of another version; remove its folder to start afresh", j->path);
    else
        rc = compare(j, j->settings, json_object_get(root, "settings"), err);
    if (rc == 0) take_plan(j, root);
    json_decref(root);
    bl_free(text);
    return rc;
}

int bl__job_save(const bl__job *j, bl_err *err) {
    const bl_train_scores *s = &j->scores;
    json_t *result = json_null();
    if (j->done)
        result = json_pack("{s:b, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "valid", s->valid, "frames",
                           (json_int_t)s->frames, "ssim", s->ssim, "psnr", s->psnr, "plate_ssim",
                           s->plate_ssim, "plate_psnr", s->plate_psnr, "nearest_ssim", s->nearest_ssim,
                           "nearest_psnr", s->nearest_psnr, "ssim_first_half", s->ssim_first_half,
                           "ssim_second_half", s->ssim_second_half);
    json_t *plan = json_pack("{s:i, s:i, s:s}", "precision", j->precision == BL_BF16, "threads", j->threads,
                             "device", j->device);
    for (int k = 0; k < BL__STAGES; k++)
        if (j->stage[k].steps > 0)
            json_object_set_new(plan, bl__stage_name((bl__stage)k),
                                json_pack("{s:I, s:f}", "steps", (json_int_t)j->stage[k].steps, "step_ms",
                                          j->stage[k].step_ms));
    json_t *root =
        json_pack("{s:s, s:i, s:O, s:o, s:f, s:o}", "format", FORMAT, "version", VERSION, "settings",
                  (json_t *)j->settings, "plan", plan, "seconds", j->seconds, "result", result);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    int rc = text ? bl_file_write(j->path, text, strlen(text), err)
                  : bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", j->path);
    free(text);
    json_decref(root);
    return rc;
}

#define LOCK_PATIENCE 50 /* tenths of a second: a process that was just killed may still be leaving */

static int lock(bl__job *j, bl_err *err) {
    char path[4096];
    int rc = bl__job_file(j, path, "lock", err);
    if (rc < 0) return rc;
    j->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->lock < 0) return bl_fail(err, BL_E_IO, "cannot write %s: %s", path, strerror(errno));
    for (int tenths = 0; tenths < LOCK_PATIENCE; tenths++) {
        if (flock(j->lock, LOCK_EX | LOCK_NB) == 0) return 0;
        if ((rc = bl_check_interrupt(err)) < 0) return rc;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return bl_fail(err, BL_E_USAGE, "another process is training in %s; wait for it or use another output",
                   j->dir);
}

/* The first process's part. */
static int lock_and_begin(bl__job *j, bl_err *err) {
    int rc = bl_dir_make(j->dir, err);
    if (rc == 0) rc = lock(j, err);
    if (rc < 0) return rc;
    return bl_file_exists(j->path) ? read_state(j, err) : bl__job_save(j, err);
}

int bl__seen(const bl_dist *dist, const char *path, bl_err *err) {
    if (bl_file_exists(path)) return 0;
    return bl_fail(err, BL_E_NOT_FOUND,
                   "process %d does not see %s, which process 0 made; all need the same file system",
                   bl_dist_rank(dist), path);
}

int bl__job_open(bl__job *j, const bl_train_job *job, bl_err *err) {
    *j = (bl__job){.lock = -1};
    json_t *settings = NULL;
    const int follows = bl_dist_rank(job->dist) > 0;
    int n = snprintf(j->dir, sizeof j->dir, "%s.train", job->output), rc = 0;
    if (n < 0 || (size_t)n >= sizeof j->dir) return bl_fail(err, BL_E_USAGE, "the output's path is too long");
    rc = bl_sha256_file(job->target, j->target_sha256, err);
    if (rc == 0) rc = settings_of(&settings, job, j->target_sha256, err);
    j->settings = settings;
    if (rc == 0) rc = bl__job_file(j, j->path, "job.json", err);
    if (rc == 0 && !follows) rc = lock_and_begin(j, err);
    if (rc == 0) rc = bl_dist_barrier(job->dist, err);
    if (rc == 0 && follows) rc = bl__seen(job->dist, j->path, err);
    if (rc == 0 && follows) rc = read_state(j, err);
    if (rc < 0) bl__job_close(j);
    return rc;
}

void bl__job_close(bl__job *j) {
    if (j->lock >= 0) close(j->lock);
    json_decref(j->settings);
    j->settings = NULL;
    j->lock = -1;
}
