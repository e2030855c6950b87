/* Retargeting by limbs against global normalisation where the truth is known: the demo's dancers of very
 * different build, with exact joints. Prints mean joint error and the SSIM of the stick figures, as the
 * generator would see them, against the truth's; writes the picture docs/retarget.png when given its path.
 *
 *     build/release/bin/bench_retarget docs/retarget.png
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/demo.h"
#include "ballerino/eval.h"
#include "ballerino/figure.h"
#include "ballerino/motion.h"

enum { PANELS = 4, WIDTH = 304, HEIGHT = 540, LEFT = 28, RIGHT = 276, TOP = 140, BOTTOM = 424 };

typedef struct tracks {
    bl_track *source, *target, *truth, *global, *limbs;
} tracks;

static void release(tracks *t) {
    bl_track_destroy(&t->source);
    bl_track_destroy(&t->target);
    bl_track_destroy(&t->truth);
    bl_track_destroy(&t->global);
    bl_track_destroy(&t->limbs);
}

static int film(bl_track **out, bl_demo_clip clip, const bl_demo_options *o, bl_err *err) {
    int rc = bl_track_create(out, "demo", o->width, o->height, o->fps, err);
    for (int64_t i = 0; rc == 0 && i < bl_demo_frame_count(clip, o); i++) {
        bl_track_frame f;
        rc = bl_demo_person(&f, clip, i, o, err);
        if (rc == 0) rc = bl_track_append(*out, &f, err);
    }
    return rc;
}

static int make(tracks *t, const bl_demo_options *o, bl_err *err) {
    bl_pose_stats from, to;
    int rc = film(&t->source, BL_DEMO_SOURCE, o, err);
    if (rc == 0) rc = film(&t->target, BL_DEMO_TARGET, o, err);
    if (rc == 0) rc = film(&t->truth, BL_DEMO_TRUTH, o, err);
    if (rc == 0) rc = bl_motion_stats(&from, t->source, err);
    if (rc == 0) rc = bl_motion_stats(&to, t->target, err);
    if (rc == 0) rc = bl_motion_normalise(&t->global, t->source, &from, &to, BL_NORMALISE_ROBUST, NULL, err);
    if (rc == 0) rc = bl_track_copy(&t->limbs, t->global, err);
    return rc < 0 ? rc : bl_motion_retarget(t->limbs, &from, &to, err);
}

static double joint_error(const bl_track *a, const bl_track *b) {
    double sum = 0;
    for (int64_t k = 0; k < a->n; k++)
        for (int i = 0; i < BL_LANDMARKS; i++) {
            const bl_landmark *p = &a->frames[k].person.landmarks[i], *q = &b->frames[k].person.landmarks[i];
            sum += hypot((double)(p->x - q->x) * a->width, (double)(p->y - q->y) * a->height);
        }
    return sum / (double)a->n / BL_LANDMARKS;
}

/* The figures of both at half size, in the part of the picture where the dancer is. */
static int figure_ssim(double *out, const bl_track *a, const bl_track *b, bl_err *err) {
    enum { W = 208, H = 272 };
    const bl_view view = {.x0 = 8, .y0 = 190, .scale = 0.5f};
    float *canvas = bl_alloc_array(2 * W * H * 3, sizeof *canvas), *other = canvas + W * H * 3;
    double sum = 0;
    int64_t n = 0;
    int rc = canvas ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory for two figures");
    for (int64_t k = 0; rc == 0 && k < a->n; k++, n++) {
        double one = 0;
        bl_figure_draw(canvas, W, H, &a->frames[k].person, a->width, a->height, view, NULL);
        bl_figure_draw(other, W, H, &b->frames[k].person, b->width, b->height, view, NULL);
        rc = bl_eval_ssim(&one, canvas, other, W, H, 3, 1, err);
        sum += one;
    }
    *out = sum / (double)BL_MAX(n, 1);
    bl_free(canvas);
    return rc;
}

static int measure(bl_demo_pair pair, const char *name, bl_err *err) {
    bl_demo_options o = bl_demo_options_default();
    tracks t = {0};
    double global = 0, limbs = 0;
    o.pair = pair;
    int rc = make(&t, &o, err);
    if (rc == 0) rc = figure_ssim(&global, t.global, t.truth, err);
    if (rc == 0) rc = figure_ssim(&limbs, t.limbs, t.truth, err);
    if (rc == 0)
        printf("%-15s  %6.2f px  %6.2f px    %.4f  %.4f\n", name, joint_error(t.global, t.truth),
               joint_error(t.limbs, t.truth), global, limbs);
    release(&t);
    return rc;
}

/* A row of the picture: source, global, limbs, truth at one moment. */
static int row(bl_frame *all, int y0, bl_demo_pair pair, int64_t moment, bl_err *err) {
    bl_demo_options o = bl_demo_options_default();
    tracks t = {0};
    o.pair = pair, o.width = WIDTH, o.height = HEIGHT;
    int rc = make(&t, &o, err);
    const bl_track *shown[PANELS] = {t.source, t.global, t.limbs, NULL};
    for (int p = 0; rc == 0 && p < PANELS; p++) {
        bl_frame *f = NULL;
        rc = bl_demo_render(&f, p == 0 ? BL_DEMO_SOURCE : BL_DEMO_TRUTH, moment, &o, err);
        if (rc == 0 && shown[p]) bl_figure_overlay(f, &shown[p]->frames[moment].person, 1, NULL);
        for (int y = TOP; rc == 0 && y < BOTTOM; y++)
            memcpy(all->data + (ptrdiff_t)(y0 + y - TOP) * all->stride + (ptrdiff_t)p * (RIGHT - LEFT) * 3,
                   f->data + y * f->stride + (ptrdiff_t)LEFT * 3, (size_t)(RIGHT - LEFT) * 3);
        bl_frame_unref(&f);
    }
    release(&t);
    return rc;
}

static int picture(const char *path, bl_err *err) {
    bl_frame *all = NULL;
    int rc = bl_frame_create(&all, PANELS * (RIGHT - LEFT), 2 * (BOTTOM - TOP), err);
    if (rc == 0) rc = row(all, 0, BL_DEMO_PAIR_CHILD_TO_TALL, 97, err);
    if (rc == 0) rc = row(all, BOTTOM - TOP, BL_DEMO_PAIR_TALL_TO_CHILD, 60, err);
    if (rc == 0) rc = bl_png_write(all, path, err);
    bl_frame_unref(&all);
    return rc;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    printf("%-15s  %-20s    %s\n", "", "mean joint error", "SSIM of the figures");
    printf("%-15s  %9s  %9s    %6s  %6s\n", "pair", "global", "limbs", "global", "limbs");
    int rc = measure(BL_DEMO_PAIR_CHILD_TO_TALL, "child to tall", &err);
    if (rc == 0) rc = measure(BL_DEMO_PAIR_TALL_TO_CHILD, "tall to child", &err);
    if (rc == 0) rc = measure(BL_DEMO_PAIR_USUAL, "the demo's own", &err);
    if (rc == 0) rc = measure(BL_DEMO_PAIR_ALIKE, "one build", &err);
    if (rc == 0 && argc > 1) rc = picture(argv[1], &err);
    if (rc < 0) fprintf(stderr, "bench_retarget: %s\n", err.msg);
    return rc < 0;
}
