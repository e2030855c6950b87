/* The patches: one pass over the target clip with the model as far as it is, beside the photos. */
#include <math.h>
#include <string.h>

#include "augment.h"
#include "still.h"
#include "train.h"

#define PATCHES_MAX 8000 /* of one kind */
#define DISTURBED                                                                                            \
    0.003 /* standard deviation of a joint, in window heights: an unseen pose is painted less                \
             well than one that was learned, and that is what a refiner must put right */

typedef struct cutting {
    bl__training *t;
    bl_track *disturbed;
    bl__render render;
    bl__painter painter;
    bl__patches_writer writer[BL__REFINERS];
    bl_frame *made;
    int64_t last; /* frame rendered last */
    double keep;  /* share of the frames that is used, in runs */
} cutting;

static const char *patches_path(const bl__training *t, int refiner, char path[4096], bl_err *err) {
    return bl__stage_file(t, bl__stage_of_refiner(refiner), path, "patches", "bin", err) == 0 ? path : NULL;
}

static int wanted(const bl__training *t, int refiner) {
    return t->preset.stage[bl__stage_of_refiner(refiner)].on;
}

static int begin(cutting *c, bl_err *err) {
    bl__training *t = c->t;
    const double sd = DISTURBED * bl__main_net(t)->height / t->grid.scale;
    char path[4096];
    int rc = bl_track_copy(&c->disturbed, t->track, err);
    for (int64_t i = 0; rc == 0 && i < t->n_train; i++)
        bl__jitter(&c->disturbed->frames[i].person, t->job->seed * 0x9e3779b97f4a7c15u + (uint64_t)i, sd,
                   t->track->width, t->track->height);
    if (rc == 0) rc = bl__render_init(&c->render, t->coarse, c->disturbed, -1, t->state.threads, err);
    if (rc == 0) rc = bl__painter_init(&c->painter, t->coarse, &c->render.grid, t->state.threads, err);
    if (rc == 0) rc = bl_frame_create(&c->made, t->track->width, t->track->height, err);
    for (int k = 0; rc == 0 && k < BL__REFINERS; k++)
        if (wanted(t, k) && (rc = patches_path(t, k, path, err) ? 0 : BL_E_USAGE) == 0)
            rc = bl__patches_begin(&c->writer[k], path, t->preset.stage[bl__stage_of_refiner(k)].net.width,
                                   err);
    c->keep = fmin(1, PATCHES_MAX / (double)BL_MAX(t->n_train, 1));
    c->last = -2;
    return rc;
}

static int put_patches(cutting *c, const bl_frame *photo, int64_t i, bl_err *err) {
    bl__training *t = c->t;
    int rc = 0;
    for (int part = 0; part < BL_REGIONS && rc == 0; part++) {
        const int k = bl__refiner_of((bl_region)part);
        const bl__patch patch = {.frame = i, .box = t->parts.box[part][i], .part = part};
        if (wanted(t, k) && patch.box.seen > 0)
            rc = bl__patches_put(&c->writer[k], &patch, c->made, photo, err);
    }
    return rc;
}

static int one_frame(void *ctx, bl_frame *photo, bl_err *err) {
    cutting *c = ctx;
    bl__training *t = c->t;
    const int64_t i = photo->index;
    if (i >= t->n_train || !bl__in_kept_run(i, c->keep) || !t->track->frames[i].has_person) return 0;
    bl__still *s = NULL;
    if (c->last != i - 1) c->render.last = -1; /* not what the frame before showed: start afresh */
    c->last = i;
    int rc = bl__still_make(&s, &c->render, i, NULL, err);
    if (rc == 0 && s->filled) {
        rc = bl__painter_paint(&c->painter, s, c->made, err);
        if (rc == 0) rc = put_patches(c, photo, i, err);
    }
    bl__still_free(&s);
    return rc;
}

static int make_patches(bl__training *t, bl_err *err) {
    cutting c = {.t = t};
    int rc = begin(&c, err);
    if (rc == 0) rc = bl__each_frame(t, "patches", t->n_train, one_frame, &c, err);
    for (int k = 0; k < BL__REFINERS; k++) {
        if (rc == 0 && wanted(t, k)) rc = bl__patches_commit(&c.writer[k], err);
        bl__patches_abort(&c.writer[k]);
    }
    bl__painter_release(&c.painter);
    bl__render_release(&c.render);
    bl_frame_unref(&c.made);
    bl_track_destroy(&c.disturbed);
    return rc;
}

int bl__stage_patches(bl__training *t, bl_err *err) {
    char path[4096];
    int missing = 0, rc = 0;
    for (int k = 0; k < BL__REFINERS; k++)
        if (wanted(t, k) && patches_path(t, k, path, err)) missing += !bl_file_exists(path);
    if (missing && bl__leads(t)) rc = make_patches(t, err);
    for (int k = 0; k < BL__REFINERS && rc == 0; k++) {
        if (!wanted(t, k) || !patches_path(t, k, path, err)) continue;
        rc = bl__seen(t->job->dist, path, err);
        if (rc == 0) rc = bl__patches_open(&t->patches[k], path, t->track, err);
    }
    return rc;
}
