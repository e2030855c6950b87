/* From the target clip to training samples. Every stage leaves files and goes on from them: what a later run
 * reads is what this one reads. */
#include <math.h>
#include <string.h>

#include "plate.h"
#include "reading.h"
#include "refine.h"
#include "train.h"

#define SAMPLES_MAX_BYTES (2LL << 30) /* of samples.bin; longer clips are thinned in runs */

/* ---- finding the person ---- */
typedef struct finding {
    bl__masks_writer masks;
    bl_camera *camera;
    int begun;
    const char *path;
} finding;

static int on_frame(void *ctx, const bl_frame *frame, const bl_track_frame *found, const uint8_t *mask,
                    bl_err *err) {
    finding *f = ctx;
    int rc = 0;
    if (!f->begun) {
        rc = bl__masks_begin(&f->masks, f->path, frame->width, frame->height, err);
        if (rc == 0) rc = bl_camera_create(&f->camera, frame->width, frame->height, err);
        if (rc < 0) return rc;
        f->begun = 1;
    }
    float shift = bl_camera_add(f->camera, frame, found->has_person ? mask : NULL);
    return bl__masks_put(&f->masks, mask, found, shift, err);
}

/* A track given by the user takes the place of the found landmarks; it must be of this clip. */
static int take_given(bl_track **track, const char *path, const char *video, bl_err *err) {
    bl_track *given = NULL;
    int rc = bl_track_load(&given, path, video, err);
    if (rc < 0) return rc;
    if (given->n != (*track)->n || given->width != (*track)->width || given->height != (*track)->height)
        rc = bl_fail(
            err, BL_E_MISMATCH,
            "%s is a track of %lld frames of %dx%d, but the target has %lld of %dx%d; give its own track",
            path, (long long)given->n, given->width, given->height, (long long)(*track)->n, (*track)->width,
            (*track)->height);
    if (rc < 0) {
        bl_track_destroy(&given);
        return rc;
    }
    bl_track_destroy(track);
    *track = given;
    return 0;
}

static int find_person(bl__training *t, const char *track_path, const char *masks_path, bl_err *err) {
    finding f = {.path = masks_path};
    bl_track *track = NULL;
    bl_pose_options o = bl_pose_options_default();
    o.model = t->job->pose_model;
    o.hands = t->job->hands;
    o.face = t->job->face;
    o.segmentation = 1;
    o.models_dir = t->job->models_dir;
    o.threads = t->job->threads;
    o.device = t->job->device;
    o.hw = t->job->hw;
    int rc = bl_pose_video(&track, t->job->target, &o, on_frame, &f, err);
    if (rc >= 0 && !f.begun)
        rc = bl_fail(err, BL_E_FOOTAGE, "%s holds no frames; give a video", t->job->target);
    if (rc >= 0 && t->job->track) rc = take_given(&track, t->job->track, t->job->target, err);
    if (rc >= 0) rc = bl__masks_commit(&f.masks, err);
    if (rc >= 0) rc = bl_track_write(track, track_path, err);
    bl__masks_abort(&f.masks);
    bl_camera_destroy(&f.camera);
    bl_track_destroy(&track);
    return rc < 0 ? rc : 0;
}

int bl__stage_pose(bl__training *t, bl_err *err) {
    char track_path[4096], masks_path[4096];
    int rc = bl__job_file(&t->state, track_path, "track.json", err);
    if (rc == 0) rc = bl__job_file(&t->state, masks_path, "masks.bin", err);
    if (rc == 0 && !(bl_file_exists(track_path) && bl_file_exists(masks_path)))
        rc = bl__leads(t) ? find_person(t, track_path, masks_path, err)
                          : bl__seen(t->job->dist, bl_file_exists(track_path) ? masks_path : track_path, err);
    if (rc == 0) rc = bl_track_read(&t->track, track_path, err);
    if (rc == 0) rc = bl__masks_open(&t->masks, masks_path, err);
    if (rc < 0) return rc;
    int same = t->masks.n == t->track->n;
    for (int64_t i = 0; same && i < t->track->n; i++) same = t->track->frames[i].i == i;
    return same ? 0
                : bl_fail(err, BL_E_MISMATCH,
                          "the track and the masks in %s do not belong together; remove it", t->state.dir);
}

/* ---- measuring ---- */
static int refuse(const bl__training *t, bl_err *err) {
    char why[600] = "";
    size_t n = 0;
    for (int k = 0; k < t->verdict.n_reasons && k < 3 && n < sizeof why; k++)
        n += (size_t)snprintf(why + n, sizeof why - n, "%s%s", k ? " " : "", t->verdict.reasons[k]);
    return bl_fail(err, BL_E_FOOTAGE, "%s cannot be a target: %s", t->job->target,
                   *why ? why : "no person that could be learned was found");
}

static int fit_window(bl__training *t, bl_err *err) {
    const bl_train_job *job = t->job;
    bl__extent e = {0};
    bl__window v;
    int rc = bl__follow_init(&t->follow, t->track, err);
    if (rc == 0) rc = bl__follow_extent(&t->follow, &e, t->track, t->n_train, err);
    if (rc < 0) return rc;
    const int step = bl__preset_step(&t->preset);
    if (job->scene == BL_SCENE_PAINT)
        v = bl__window_whole(t->track->width, t->track->height, t->preset.area, step, job->width,
                             job->height);
    else
        v = bl__window_fit(&e, t->preset.area, step, job->width, job->height);
    bl__main_net(t)->width = v.w;
    bl__main_net(t)->height = v.h;
    bl__preset_coarse(&t->preset);
    rc = bl__grid_init(&t->grid, t->track->width, t->track->height, v.scale, err);
    if (rc == 0) bl__follow_place(&t->follow, &t->grid, v.w, v.h, e.drop);
    bl_log(BL_LOG_INFO, "train", "the window is %dx%d pixels, %.3f for one of the video's", v.w, v.h,
           v.scale);
    return rc;
}

/* A refiner needs something to learn from. */
static void choose_refiners(bl__training *t) {
    for (int k = 0; k < BL__REFINERS; k++) {
        bl__stage_plan *s = &t->preset.stage[bl__stage_of_refiner(k)];
        int64_t seen = 0;
        for (int part = 0; part < BL_REGIONS; part++)
            for (int64_t i = 0; i < t->n_train && bl__refiner_of((bl_region)part) == k; i++)
                seen += t->parts.box[part][i].seen > 0;
        if (!s->on || seen >= BL__LEAST_PATCHES) continue;
        s->on = 0;
        bl_log(BL_LOG_INFO, "train", "%s too rarely seen to be refined (%lld times)",
               k == BL__REFINE_FACE ? "the face is" : "the hands are", (long long)seen);
    }
}

int bl__stage_measure(bl__training *t, bl_err *err) {
    int rc = bl_motion_verdict(&t->verdict, t->track, BL_PURPOSE_TARGET, t->masks.shift, err);
    if (rc < 0) return rc;
    if (!t->verdict.usable) return refuse(t, err);
    t->n_train = t->track->n - (int64_t)((double)t->track->n * t->job->holdout + 0.5);
    rc = bl_motion_smooth(t->track, BL__TRACK_SMOOTH, err);
    if (rc < 0) return rc;
    bl_track part = *t->track; /* what is held out does not shape the model */
    part.n = t->n_train;
    rc = bl_motion_stats(&t->stats, &part, err);
    if (rc == 0) rc = bl__parts_init(&t->parts, t->track, err);
    if (rc < 0) return rc;
    choose_refiners(t);
    return fit_window(t, err);
}

/* ---- samples ---- */
typedef struct collecting {
    bl__training *t;
    bl__plate *plate;
    bl__dataset_writer writer;
    int64_t chosen[BL__PLATE_MAX];
    int n_chosen, next_chosen;
    int radius;
    double keep; /* share of runs that fit */
} collecting;

int bl__in_kept_run(int64_t i, double share) {
    enum { RUN = 48 }; /* frames */
    const int64_t run = i / RUN;
    return share >= 1 || floor((double)(run + 1) * share) > floor((double)run * share);
}

static int collect(void *ctx, bl_frame *f, bl_err *err) {
    collecting *c = ctx;
    bl__training *t = c->t;
    const int64_t i = f->index;
    const bl_track_frame *found = &t->track->frames[i];
    int rc = 0;
    if (c->next_chosen < c->n_chosen && c->chosen[c->next_chosen] == i) {
        c->next_chosen++;
        rc = bl__plate_add(c->plate, f, bl__masks_at(&t->masks, i), t->masks.w, t->masks.h, c->radius, err);
    }
    if (found->cut) c->writer.last_frame = -2; /* goes on from nothing */
    if (rc == 0 && bl__in_kept_run(i, c->keep) && found->has_person &&
        bl_motion_person_usable(&found->person))
        rc = bl__dataset_put(&c->writer, f, bl__masks_at(&t->masks, i), t->masks.w, t->masks.h, i,
                             t->follow.x[i], t->follow.y[i], i >= t->n_train, err);
    bl__masks_forget(&t->masks, i);
    return rc;
}

int bl__each_frame(const bl__training *t, const char *stage, int64_t until, bl__frame_fn fn, void *ctx,
                   bl_err *err) {
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    bl_progress p;
    int64_t seen = 0;
    const bl_reader_options reading = bl__reading(t->job->device, t->job->hw);
    int rc = bl_reader_open(&r, t->job->target, &reading, err);
    bl_progress_begin(&p, stage, "frames", 0);
    while (rc >= 0 && seen < until && (rc = bl_reader_next(r, &f, err)) > 0) {
        if (f->width != t->track->width || f->height != t->track->height || f->index >= t->track->n)
            rc = bl_fail(err, BL_E_MISMATCH, "%s has changed since its poses were found; remove %s",
                         t->job->target, t->state.dir);
        else
            rc = fn(ctx, f, err);
        bl_frame_unref(&f);
        if (rc >= 0) rc = bl_check_interrupt(err);
        bl_progress_update(&p, ++seen, until, NULL);
    }
    bl_reader_close(&r);
    if (rc >= 0) bl_progress_end(&p, seen, NULL);
    return rc < 0 ? rc : 0;
}

static int make_samples(bl__training *t, const char *plate_path, const char *samples_path, bl_err *err) {
    collecting c = {.t = t, .radius = bl__plate_radius(&t->masks, t->track)};
    bl_frame *plate = NULL;
    double holes = 0, bytes = (double)t->track->n *
                              (double)bl__dataset_record(bl__main_net(t)->width, bl__main_net(t)->height);
    c.keep = fmin(1, (double)SAMPLES_MAX_BYTES / bytes);
    int rc = bl__plate_choose(c.chosen, BL__PLATE_MAX, &t->masks, t->track, t->n_train, err);
    if (rc >= 0) {
        c.n_chosen = rc;
        rc = bl__plate_create(&c.plate, t->state.dir, t->track->width, t->track->height, c.n_chosen, err);
    }
    if (rc >= 0)
        rc = bl__dataset_begin(&c.writer, samples_path, &t->grid, bl__main_net(t)->width,
                               bl__main_net(t)->height, err);
    if (rc >= 0) rc = bl__each_frame(t, "samples", t->track->n, collect, &c, err);
    if (rc >= 0) rc = bl__plate_finish(c.plate, &plate, &holes, err);
    if (rc >= 0) rc = bl_png_write(plate, plate_path, err);
    if (rc >= 0) rc = bl__dataset_commit(&c.writer, err);
    if (rc >= 0 && holes > 0.002)
        bl_log(BL_LOG_INFO, "train", "%.1f %% of the background was never free of the person and is guessed",
               100 * holes);
    bl__dataset_abort(&c.writer);
    bl__plate_destroy(&c.plate);
    bl_frame_unref(&plate);
    return rc < 0 ? rc : 0;
}

int bl__stage_samples(bl__training *t, bl_err *err) {
    char plate_path[4096], samples_path[4096];
    int rc = bl__job_file(&t->state, plate_path, "plate.png", err);
    if (rc == 0) rc = bl__job_file(&t->state, samples_path, "samples.bin", err);
    if (rc == 0 && !(bl_file_exists(plate_path) && bl_file_exists(samples_path)))
        rc = bl__leads(t)
                 ? make_samples(t, plate_path, samples_path, err)
                 : bl__seen(t->job->dist, bl_file_exists(plate_path) ? samples_path : plate_path, err);
    if (rc == 0) rc = bl_png_read(&t->plate, plate_path, err);
    if (rc < 0) return rc;
    if (t->plate->width != t->grid.frame_w || t->plate->height != t->grid.frame_h)
        return bl_fail(err, BL_E_MISMATCH, "%s is of another size; remove its folder", plate_path);
    rc = bl__dataset_open(&t->data, samples_path, &t->grid, t->track, t->plate, err);
    if (rc == 0 && (t->data.w != bl__main_net(t)->width || t->data.h != bl__main_net(t)->height))
        rc = bl_fail(err, BL_E_MISMATCH, "%s is of another window; remove its folder", samples_path);
    return rc;
}
