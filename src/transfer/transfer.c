/* bl_transfer_run: a source clip and a model become a new clip. */
#include <string.h>

#include "feed.h"
#include "output.h"
#include "overlay.h"
#include "reading.h"
#include "report_transfer.h"
#include "retrieve.h"

#define GAP 5 /* frames without a person that are bridged by interpolation */

bl_transfer_job bl_transfer_job_default(void) {
    return (bl_transfer_job){.normalise = BL_NORMALISE_ROBUST,
                             .smooth = 5,
                             .steady = -1,
                             .crf = bl_writer_options_default().crf,
                             .hw = BL_HW_AUTO,
                             .pose_model = BL_POSE_FULL,
                             .hands = 1,
                             .face = 1};
}

/* Which pictures of the source are looked at; with its own place in the track, for another thread asks. */
typedef struct looking {
    const struct transfer *t;
    int64_t entry, at[BL__STRIP_MAX]; /* the report's moments */
    int n, passed;
} looking;

typedef struct transfer {
    const bl_transfer_job *job;
    bl_model *model;
    bl__library library; /* retrieval: in place of a trained model, as is the next */
    bl__retrieve retrieve;
    bl_track *source, *normalised; /* the latter with the target's limbs, if asked for */
    bl_track *global;              /* without them, for the overlay; or NULL */
    bl_pose_stats stats;           /* of the source */
    bl__render render;
    bl__feed feed;
    looking looking;
    bl__output *output;
    bl_frame *shown; /* the source's frame for the overlay */
    int64_t shown_entry;
    bl_transfer_result result;
    /* for the report */
    bl_verdict verdict;
    bl__strip strip;
    double begun, posed, prepared; /* times */
} transfer;

static int check(const bl_transfer_job *j, bl_err *err) {
    const int retrieve = j->method == BL_METHOD_RETRIEVE;
    if (!(retrieve ? j->target : j->model) || !j->source || !j->output)
        return bl_fail(err, BL_E_USAGE, "transfer needs %s, a source video and an output file",
                       retrieve ? "a target video" : "a model");
    if (j->smooth < 1 || j->smooth > 99 || j->smooth % 2 == 0)
        return bl_fail(err, BL_E_USAGE, "the smoothing window must be an odd number from 1 to 99");
    if (!(j->steady <= 0.9f))
        return bl_fail(err, BL_E_USAGE, "the share of the frame before must be 0 to 0.9");
    if (j->crf < 0 || j->crf > 51) return bl_fail(err, BL_E_USAGE, "the quality (crf) must be 0 to 51");
    if (j->threads < 0 || j->threads > 1024) return bl_fail(err, BL_E_USAGE, "the threads must be 0 to 1024");
    return 0;
}

/* Every frame of the source has its place in the result, at its own time. */
static int on_frame(void *ctx, const bl_frame *f, const bl_track_frame *found, const uint8_t *mask,
                    bl_err *err) {
    transfer *t = ctx;
    (void)found, (void)mask;
    return bl__feed_note(&t->feed, f, err);
}

/* ---- the source's poses, brought to the target's place and size ---- */
static int find_poses(transfer *t, bl_err *err) {
    if (t->job->track) return bl_track_load(&t->source, t->job->track, t->job->source, err);
    bl_pose_options o = bl_pose_options_default();
    o.model = t->job->pose_model;
    o.hands = t->job->hands;
    o.face = t->job->face;
    o.models_dir = t->job->models_dir;
    o.threads = t->job->threads;
    o.device = t->job->device;
    o.hw = t->job->hw;
    int rc = bl_pose_video(&t->source, t->job->source, &o, on_frame, t, err);
    return rc < 0 ? rc : 0;
}

/* The camera stands elsewhere in every shot, so each is normalised by itself. A shot without a usable person
 * is one where nobody is; BL_E_FOOTAGE then. */
static int normalise_shot(transfer *t, bl_track *shot, bl_track **out, bl_err *err) {
    bl_pose_stats stats;
    int rc = bl_motion_fill_gaps(shot, GAP, err);
    if (rc >= 0) rc = bl_motion_smooth(shot, t->job->smooth, err);
    if (rc >= 0) rc = bl_motion_stats(&stats, shot, err);
    if (rc >= 0)
        rc = bl_motion_normalise(out, shot, &stats, &t->model->info.stats, t->job->normalise, NULL, err);
    if (rc >= 0 && stats.frames > t->stats.frames) t->stats = stats;
    return rc < 0 ? rc : 0;
}

static int append_shot(bl_track *to, const bl_track *shot, const bl_track *normalised, bl_err *err) {
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < shot->n; i++) {
        bl_track_frame f = {.i = shot->frames[i].i, .t_ms = shot->frames[i].t_ms};
        if (normalised) f = normalised->frames[i];
        f.cut = shot->frames[i].cut;
        rc = bl_track_append(to, &f, err);
    }
    return rc;
}

static int normalise(transfer *t, bl_err *err) {
    const bl_pose_stats *target = &t->model->info.stats;
    bl_err why = {0};
    int rc =
        bl_track_create(&t->normalised, t->source->video, target->width, target->height, t->source->fps, err);
    for (int64_t a = 0, b; rc == 0 && a < t->source->n; a = b) {
        bl_track shot = *t->source, *fitted = NULL;
        b = bl_track_shot_end(t->source, a);
        shot.frames += a;
        shot.n = b - a;
        rc = normalise_shot(t, &shot, &fitted, &why);
        if (rc == 0 || rc == BL_E_FOOTAGE)
            rc = append_shot(t->normalised, &shot, fitted, err);
        else if (err)
            *err = why;
        bl_track_destroy(&fitted);
    }
    if (rc == 0 && t->stats.frames == 0) {
        if (err) *err = why;
        return bl_err_context(err, BL_E_FOOTAGE, "%s cannot be the source", t->job->source);
    }
    return rc;
}

/* The dancer's limbs are those of the longest shot; where they stand is each shot's own matter. */
static int retarget(transfer *t, bl_err *err) {
    if (t->job->retarget != BL_RETARGET_LIMBS) return 0;
    int rc = t->job->overlay ? bl_track_copy(&t->global, t->normalised, err) : 0;
    for (int64_t a = 0, b; rc == 0 && a < t->normalised->n; a = b) {
        bl_track shot = *t->normalised;
        b = bl_track_shot_end(t->normalised, a);
        shot.frames += a;
        shot.n = b - a;
        rc = bl_motion_retarget(&shot, &t->stats, &t->model->info.stats, err);
    }
    return rc;
}

static int init_maker(transfer *t, bl_err *err) {
    if (t->job->method == BL_METHOD_RETRIEVE)
        return bl__retrieve_init(&t->retrieve, &t->library, t->normalised, err);
    return bl__render_init(&t->render, t->model, t->normalised, t->job->steady, t->job->threads, err);
}

static int prepare(transfer *t, bl_err *err) {
    int rc = find_poses(t, err);
    t->posed = bl_now();
    if (rc == 0) rc = bl_motion_verdict(&t->verdict, t->source, BL_PURPOSE_SOURCE, NULL, err);
    if (rc == 0) rc = normalise(t, err);
    if (rc == 0) rc = retarget(t, err);
    if (rc == 0) rc = init_maker(t, err);
    t->shown_entry = t->job->overlay && rc >= 0 ? bl__overlay_entry(t->normalised) : -1;
    return rc < 0 ? rc : 0;
}

/* ---- frame by frame ---- */
/* The track's entry for a frame of the video: the last one that is not later. */
static int64_t entry_of(const transfer *t, int64_t frame, int64_t from) {
    while (from + 1 < t->normalised->n && t->normalised->frames[from + 1].i <= frame) from++;
    return from;
}

static int one_frame(transfer *t, bl_frame *f, int64_t entry, bl_err *err) {
    bl__still *s = NULL;
    int rc = t->job->method == BL_METHOD_RETRIEVE ? bl__retrieve_still(&s, &t->retrieve, entry, f, err)
                                                  : bl__still_make(&s, &t->render, entry, f, err);
    if (rc < 0) return rc;
    t->result.frames++;
    t->result.without_person += !t->normalised->frames[entry].has_person;
    if (entry == t->shown_entry && !t->shown) t->shown = bl_frame_ref(f);
    return bl__output_put(t->output, s, err);
}

/* Asked in the reader's thread. */
static int is_wanted(void *ctx, int64_t index) {
    looking *l = ctx;
    const transfer *t = l->t;
    l->entry = entry_of(t, index, l->entry);
    const int due = l->passed < l->n && l->at[l->passed] <= index;
    while (l->passed < l->n && l->at[l->passed] <= index) l->passed++;
    return due || t->job->side_by_side || l->entry == t->shown_entry;
}

static int start_feed(transfer *t, bl_err *err) {
    const bl_transfer_job *j = t->job;
    t->looking = (looking){.t = t, .n = t->strip.wanted};
    memcpy(t->looking.at, t->strip.at, sizeof t->looking.at);
    const bl__wants wants = {is_wanted, &t->looking};
    const bl_reader_options reading = bl__reading(j->device, j->hw);
    return bl__feed_start(&t->feed, j->source, j->side_by_side || j->overlay || j->report ? &wants : NULL,
                          &reading, err);
}

static int all_frames(transfer *t, bl_err *err) {
    bl_frame *f = NULL;
    bl_progress p;
    int64_t entry = 0;
    int rc = 0;
    bl_progress_begin(&p, "transfer", "frames", 0);
    while (rc >= 0 && (rc = bl__feed_next(&t->feed, &f, err)) > 0) {
        entry = entry_of(t, f->index, entry);
        rc = one_frame(t, f, entry, err);
        bl_frame_unref(&f);
        if (rc >= 0) rc = bl_check_interrupt(err);
        bl_progress_update(&p, t->result.frames, t->normalised->n, NULL);
    }
    if (rc >= 0 && t->result.frames == 0)
        rc = bl_fail(err, BL_E_FOOTAGE, "%s holds no frames; give a video", t->job->source);
    if (rc >= 0) bl_progress_end(&p, t->result.frames, NULL);
    return rc < 0 ? rc : 0;
}

static int write_overlay(const transfer *t, bl_err *err) {
    if (!t->job->overlay || !t->shown) return 0;
    const bl__overlay o = {.source_frame = t->shown,
                           .plate = t->model->plate,
                           .source = t->source,
                           .normalised = t->global ? t->global : t->normalised,
                           .retargeted = t->global ? t->normalised : NULL,
                           .entry = t->shown_entry,
                           .source_stats = &t->stats,
                           .target_stats = &t->model->info.stats};
    return bl__overlay_write(&o, t->job->overlay, err);
}

static void write_report(const transfer *t) {
    const bl__transfer_facts f = {.job = t->job,
                                  .model = t->model,
                                  .result = &t->result,
                                  .source = &t->verdict,
                                  .strip = &t->strip,
                                  .window_width = t->render.w,
                                  .window_height = t->render.h,
                                  .picture_width = t->model->plate->width,
                                  .picture_height = t->model->plate->height,
                                  .pose_seconds = t->posed - t->begun,
                                  .prepare_seconds = t->prepared - t->posed,
                                  .frames_seconds = bl_now() - t->prepared};
    if (t->job->method == BL_METHOD_RETRIEVE)
        bl_log(BL_LOG_WARN, "transfer", "there is no report of a retrieval yet");
    else
        bl__report_transfer(&f);
}

static int open_target(transfer *t, bl_err *err) {
    const bl_transfer_job *j = t->job;
    if (j->method == BL_METHOD_GENERATE) return bl_model_open(&t->model, j->model, j->device, err);
    const bl_train_job clip = {.target = j->target,
                               .consent = j->consent,
                               .threads = j->threads,
                               .device = j->device,
                               .models_dir = j->models_dir,
                               .pose_model = j->pose_model};
    int rc = bl__library_open(&t->library, &clip, j->output, err);
    return rc < 0 ? rc : bl__library_model(&t->model, &t->library, err);
}

static int run(transfer *t, bl_err *err) {
    int rc = open_target(t, err);
    if (rc == 0 && t->job->retarget == BL_RETARGET_LIMBS)
        rc = bl_motion_retarget_check(&t->model->info.stats, err);
    if (rc == 0) rc = bl__feed_look(&t->feed, t->job->source, err);
    if (rc == 0) rc = prepare(t, err);
    const bl__grid *grid = t->job->method == BL_METHOD_RETRIEVE ? &t->retrieve.grid : &t->render.grid;
    if (rc == 0) rc = bl__output_open(&t->output, t->job, t->model, grid, &t->feed.info, err);
    t->prepared = bl_now();
    if (rc == 0 && t->job->report) bl__strip_init(&t->strip, t->normalised);
    if (rc == 0) bl__output_show(t->output, &t->strip);
    if (rc == 0) rc = start_feed(t, err);
    if (rc == 0) rc = all_frames(t, err);
    if (rc == 0) rc = bl__output_finish(t->output, err);
    if (rc == 0) rc = write_overlay(t, err);
    if (rc == 0 && t->job->report) write_report(t);
    return rc;
}

int bl_transfer_run(const bl_transfer_job *job, bl_transfer_result *result, bl_err *err) {
    transfer t = {.job = job, .library.t.state.lock = -1, .begun = bl_now()};
    int rc = check(job, err);
    if (rc < 0) return rc;
    rc = run(&t, err);
    bl__output_close(&t.output);
    bl__feed_close(&t.feed);
    bl__render_release(&t.render);
    bl__retrieve_release(&t.retrieve);
    bl_track_destroy(&t.normalised);
    bl_track_destroy(&t.global);
    bl_track_destroy(&t.source);
    bl__strip_release(&t.strip);
    bl_frame_unref(&t.shown);
    bl_model_close(&t.model);
    bl__library_close(&t.library);
    t.result.seconds = bl_now() - t.begun;
    if (rc == 0 && t.result.without_person > 0)
        bl_log(BL_LOG_INFO, "transfer", "%lld of %lld frames show no person; the plate alone is shown there",
               (long long)t.result.without_person, (long long)t.result.frames);
    if (rc == 0 && result) *result = t.result;
    return rc;
}
