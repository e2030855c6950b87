#include "heldout.h"

#include <string.h>

#include "reading.h"
#include "still.h"
#include "train.h"

/* ---- what is needed ---- */
static int check(const bl__heldout *h, bl_err *err) {
    const bl__model_info *info = &h->model->info;
    char sha256[65];
    if (info->n_train < 1 || !(info->holdout > 0))
        return bl_fail(err, BL_E_USAGE,
                       "%s was trained on its whole clip, or does not say: train with --holdout 0.15 to have "
                       "frames that it has never seen",
                       h->model->path);
    int rc = bl_sha256_file(h->target, sha256, err);
    if (rc == 0 && (!info->target_sha256 || strcmp(sha256, info->target_sha256) != 0))
        rc = bl_fail(err, BL_E_MISMATCH, "%s was not trained on %s; give the clip that it was trained on",
                     h->model->path, h->target);
    return rc;
}

static int find_track(bl__heldout *h, const bl_heldout_job *job, bl_err *err) {
    char beside[4096];
    const char *path = job->track;
    if (!path && snprintf(beside, sizeof beside, "%s.train/track.json", job->model) < (int)sizeof beside &&
        bl_file_exists(beside))
        path = beside;
    if (path) return bl_track_load(&h->track, path, h->target, err);
    bl_pose_options o = bl_pose_options_default();
    o.model = job->pose_model;
    o.models_dir = job->models_dir;
    o.threads = job->threads;
    o.device = job->device;
    o.hw = job->hw;
    return bl_pose_video(&h->track, h->target, &o, NULL, NULL, err);
}

/* The track's end from `from` on, as a track of its own. */
int bl__heldout_split(bl__heldout *h, int64_t from, bl_err *err) {
    const bl_track *t = h->track;
    if (from >= t->n || t->width != h->plate->width || t->height != h->plate->height)
        return bl_fail(err, BL_E_MISMATCH, "the track of %s does not belong to the model", h->target);
    h->from = from;
    h->part = *t;
    h->part.frames = t->frames + from;
    h->part.n = h->part.capacity = t->n - from;
    return 0;
}

int bl__heldout_open(bl__heldout *h, const bl_heldout_job *job, bl_err *err) {
    *h = (bl__heldout){
        .target = job->target, .steady = job->steady, .reading = bl__reading(job->device, job->hw)};
    int rc = job->model && job->target
                 ? bl_model_open(&h->model, job->model, job->device, err)
                 : bl_fail(err, BL_E_USAGE, "the held-out part needs a model and the clip of its training");
    if (rc == 0) rc = check(h, err);
    if (rc == 0) rc = find_track(h, job, err);
    if (rc >= 0) rc = bl_motion_smooth(h->track, h->model->info.smooth, err);
    if (rc >= 0) {
        h->plate = h->model->plate;
        rc = bl__heldout_split(h, h->model->info.n_train, err);
    }
    if (rc < 0) bl__heldout_close(h);
    return rc;
}

void bl__heldout_close(bl__heldout *h) {
    bl_track_destroy(&h->track);
    bl_model_close(&h->model);
    *h = (bl__heldout){0};
}

/* ---- going through it ---- */
typedef struct walk {
    const bl__heldout *h;
    int real;
    bl__heldout_make make;
    void *make_ctx;
    bl_heldout_fn fn;
    void *ctx;
} walk;

static int copy_plate(bl_frame **out, const bl_frame *plate, bl_err *err) {
    int rc = bl_frame_create(out, plate->width, plate->height, err);
    for (int y = 0; rc == 0 && y < plate->height; y++)
        memcpy((*out)->data + y * (*out)->stride, plate->data + y * plate->stride, (size_t)plate->width * 3);
    return rc;
}

static int one_frame(const walk *w, bl_frame *real, int64_t k, bl_err *err) {
    bl_frame *made = NULL;
    int rc = 0;
    if (w->real)
        made = bl_frame_ref(real);
    else
        rc = copy_plate(&made, w->h->plate, err);
    if (rc == 0 && !w->real) made->index = real->index;
    if (rc == 0 && w->make) rc = w->make(w->make_ctx, k, made, err);
    if (rc >= 0) rc = w->fn(w->ctx, made, real, &w->h->part.frames[k], err);
    bl_frame_unref(&made);
    return rc < 0 ? rc : 0;
}

static int walk_clip(const walk *w, bl_err *err) {
    const bl__heldout *h = w->h;
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    bl_progress p;
    int64_t k = 0;
    int rc = bl_reader_open(&r, h->target, &h->reading, err);
    bl_progress_begin(&p, "evaluate", "frames", 0);
    while (rc >= 0 && k < h->part.n && (rc = bl_reader_next(r, &f, err)) > 0) {
        if (f->width != h->plate->width || f->height != h->plate->height)
            rc = bl_fail(err, BL_E_MISMATCH, "%s is not of the model's size", h->target);
        else if (f->index >= h->from)
            rc = one_frame(w, f, k++, err);
        bl_frame_unref(&f);
        if (rc >= 0) rc = bl_check_interrupt(err);
        bl_progress_update(&p, k, h->part.n, NULL);
    }
    bl_reader_close(&r);
    if (rc >= 0 && k < h->part.n)
        rc = bl_fail(err, BL_E_MISMATCH, "%s has fewer frames than its track", h->target);
    if (rc >= 0) bl_progress_end(&p, k, NULL);
    return rc < 0 ? rc : 0;
}

int bl__heldout_walk(const bl__heldout *h, bl__heldout_make make, void *make_ctx, bl_heldout_fn fn, void *ctx,
                     bl_err *err) {
    return walk_clip(&(walk){.h = h, .make = make, .make_ctx = make_ctx, .fn = fn, .ctx = ctx}, err);
}

int bl__heldout_real(const bl__heldout *h, bl_heldout_fn fn, void *ctx, bl_err *err) {
    return walk_clip(&(walk){.h = h, .real = 1, .fn = fn, .ctx = ctx}, err);
}

/* ---- the model ---- */
typedef struct making {
    bl__render render;
    bl__painter painter;
} making;

static int generate(void *ctx, int64_t k, bl_frame *out, bl_err *err) {
    making *m = ctx;
    bl__still *s = NULL;
    int rc = bl__still_make(&s, &m->render, k, NULL, err);
    if (rc == 0) rc = bl__painter_paint(&m->painter, s, out, err);
    bl__still_free(&s);
    return rc;
}

static int replay_model(const bl__heldout *h, int threads, bl_heldout_fn fn, void *ctx, bl_err *err) {
    making m;
    int rc = bl__render_init(&m.render, h->model, &h->part, h->steady, threads, err);
    if (rc < 0) return rc;
    rc = bl__painter_init(&m.painter, h->model, &m.render.grid, threads, err);
    if (rc == 0) rc = bl__heldout_walk(h, generate, &m, fn, ctx, err);
    bl__painter_release(&m.painter);
    bl__render_release(&m.render);
    return rc;
}

int bl__heldout_replay(const bl__heldout *h, bl_replay what, int threads, bl_heldout_fn fn, void *ctx,
                       bl_err *err) {
    switch (what) {
    case BL_REPLAY_MODEL: return replay_model(h, threads, fn, ctx, err);
    case BL_REPLAY_PLATE: return bl__heldout_walk(h, NULL, NULL, fn, ctx, err);
    default: return bl__heldout_real(h, fn, ctx, err);
    }
}

int bl_heldout_replay(const bl_heldout_job *job, bl_heldout_fn fn, void *ctx, bl_err *err) {
    bl__heldout h;
    int rc = bl__heldout_open(&h, job, err);
    if (rc == 0) rc = bl__heldout_replay(&h, job->what, job->threads, fn, ctx, err);
    bl__heldout_close(&h);
    return rc;
}
