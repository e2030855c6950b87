/* The judge: poses are found in the caller's thread, pictures are compared in one of its own. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/eval.h"
#include "ballerino/lpips.h"
#include "ballerino/motion.h"

#define BODY_SIDE 256 /* of the boxes as LPIPS sees them */
#define FACE_SIDE 128
#define AHEAD 4 /* frames that may wait for the picture thread */

typedef struct picture {
    bl_frame *made, *real;
    bl_track_frame wanted;
} picture;

struct bl_judge {
    bl_judge_options o;
    bl_pose *pose;   /* NULL: pictures only */
    bl_eval_row row; /* what the caller's thread found */
    double began;
    bl_queue *queue;
    pthread_t thread;
    int running, status;
    bl_err err;
    /* the thread's, until it is joined */
    bl_eval_row pictures;
    picture *before;
    float *field;
    bl_lpips *lpips; /* NULL: no weights */
    float *seen;     /* two pictures of BODY_SIDE squared */
};

static void picture_free(picture **p) {
    if (!*p) return;
    bl_frame_unref(&(*p)->made);
    bl_frame_unref(&(*p)->real);
    bl_free(*p);
    *p = NULL;
}

/* ---- pictures ---- */
/* The box of a frame at side x side, -1..1. */
static int shrink(float *out, const bl_frame *f, const bl_box *box, int side, bl_err *err) {
    bl_frame *part = NULL, *small = NULL;
    int rc = bl_frame_create(&part, box->w, box->h, err);
    for (int y = 0; rc == 0 && y < box->h; y++)
        memcpy(part->data + y * part->stride, f->data + (box->y + y) * f->stride + (ptrdiff_t)box->x * 3,
               (size_t)box->w * 3);
    if (rc == 0) rc = bl_frame_resize(&small, part, side, side, err);
    for (int y = 0; rc == 0 && y < side; y++)
        for (int x = 0; x < side * 3; x++)
            *out++ = (float)small->data[y * small->stride + x] * (2.f / 255) - 1;
    bl_frame_unref(&part);
    bl_frame_unref(&small);
    return rc;
}

/* SSIM, PSNR, LPIPS lie side by side in the table. */
static int compare(bl_judge *j, const picture *p, const bl_box *box, int side, double v[3], bl_err *err) {
    const ptrdiff_t second = (ptrdiff_t)side * side * 3;
    int rc = bl_eval_box(&v[0], &v[1], p->made, p->real, box, err);
    if (rc < 0 || !j->lpips) return rc;
    rc = shrink(j->seen, p->made, box, side, err);
    if (rc == 0) rc = shrink(j->seen + second, p->real, box, side, err);
    return rc < 0 ? rc : bl_lpips_distance(j->lpips, j->seen, j->seen + second, side, side, &v[2], err);
}

static int score_flicker(bl_judge *j, const picture *p, const bl_box *box, bl_frame_scores *s, bl_err *err) {
    const picture *b = j->before;
    if (!b || b->wanted.i + 1 != p->wanted.i) return 0;
    const size_t pixels = (size_t)j->o.width * (size_t)j->o.height;
    if (!j->field) j->field = bl_alloc_array(pixels * 2, sizeof *j->field);
    if (!j->field) return bl_fail(err, BL_E_NOMEM, "not enough memory for a motion field");
    bl_motion_field(j->field, &(bl_motion_nodes){box->x, box->y, box->w, box->h, 1}, &p->wanted.person,
                    &b->wanted.person, (float)j->o.width, (float)j->o.height);
    s->v[BL_METRIC_FLICKER] = bl_eval_warped_error(p->made, b->made, j->field, box);
    s->v[BL_METRIC_FLICKER_REAL] = bl_eval_warped_error(p->real, b->real, j->field, box);
    s->v[BL_METRIC_CHANGE_ERROR] =
        bl_eval_change_error((const bl_frame *const[]){p->made, b->made},
                             (const bl_frame *const[]){p->real, b->real}, j->field, box);
    if (s->v[BL_METRIC_FLICKER_REAL] > 0)
        s->v[BL_METRIC_FLICKER_EXCESS] = s->v[BL_METRIC_FLICKER] / s->v[BL_METRIC_FLICKER_REAL];
    return 0;
}

static void no_values(bl_frame_scores *s, int64_t i) {
    s->i = i;
    for (int m = 0; m < BL_METRICS; m++) s->v[m] = (double)NAN;
}

static int score_pictures(bl_judge *j, const picture *p, bl_err *err) {
    bl_frame_scores s;
    bl_box box;
    int rc = 0;
    no_values(&s, p->wanted.i);
    if (bl_eval_body_box(&box, &p->wanted.person, j->o.width, j->o.height)) {
        rc = compare(j, p, &box, BODY_SIDE, &s.v[BL_METRIC_BODY_SSIM], err);
        if (rc == 0) rc = score_flicker(j, p, &box, &s, err);
    } else {
        j->pictures.no_body_box++;
    }
    if (bl_eval_face_box(&box, &p->wanted.person, j->o.width, j->o.height)) {
        if (rc == 0) rc = compare(j, p, &box, FACE_SIDE, &s.v[BL_METRIC_FACE_SSIM], err);
    } else {
        j->pictures.no_face_box++;
    }
    return rc < 0 ? rc : bl_eval_row_add(&j->pictures, &s, err);
}

static void *work(void *ctx) {
    bl_judge *j = ctx;
    void *item;
    while (bl_queue_pop(j->queue, &item)) {
        picture *p = item;
        if (j->status == 0) {
            j->status = score_pictures(j, p, &j->err);
            if (j->status < 0) bl_queue_close(j->queue); /* the next frame is refused */
        }
        picture_free(&j->before);
        j->before = p;
    }
    return NULL;
}

static int start(bl_judge *j, bl_err *err) {
    int rc = bl_queue_create(&j->queue, AHEAD, err);
    if (rc < 0) return rc;
    if (pthread_create(&j->thread, NULL, work, j) != 0)
        return bl_fail(err, BL_E_NOMEM, "cannot start the thread that compares pictures");
    j->running = 1;
    return 0;
}

static void stop(bl_judge *j) {
    if (j->running) {
        bl_queue_close(j->queue);
        pthread_join(j->thread, NULL);
    }
    j->running = 0;
    bl_queue_destroy(&j->queue);
    picture_free(&j->before);
}

/* ---- the judge ---- */
int bl_judge_open(bl_judge **out, const bl_judge_options *o, bl_err *err) {
    bl_judge *j = bl_alloc(sizeof *j);
    if (!j) return bl_fail(err, BL_E_NOMEM, "not enough memory to judge frames");
    j->o = *o;
    j->began = bl_now();
    bl_pose_options p = bl_pose_options_default();
    p.model = o->pose_model;
    p.smooth = 0;
    p.models_dir = o->models_dir;
    p.threads = o->threads;
    p.device = o->device;
    int rc = o->no_pose ? 0 : bl_pose_open(&j->pose, &p, err);
    if (rc == 0 && o->lpips) {
        rc = bl_lpips_open(&j->lpips, o->lpips, o->lpips_linear, o->device, o->threads, err);
        j->seen = bl_alloc_array((size_t)BODY_SIDE * BODY_SIDE * 6, sizeof *j->seen);
        if (rc == 0 && !j->seen) rc = bl_fail(err, BL_E_NOMEM, "not enough memory to judge frames");
    }
    j->o.models_dir = j->o.lpips = j->o.lpips_linear = NULL; /* the caller's */
    if (rc < 0)
        bl_judge_close(&j);
    else
        *out = j;
    return rc;
}

void bl_judge_close(bl_judge **jp) {
    bl_judge *j = *jp;
    if (!j) return;
    stop(j);
    bl_pose_close(&j->pose);
    bl_eval_row_release(&j->row);
    bl_eval_row_release(&j->pictures);
    bl_free(j->field);
    bl_free(j->seen);
    bl_lpips_close(&j->lpips);
    bl_free(j);
    *jp = NULL;
}

static int hand_over(bl_judge *j, const bl_frame *made, const bl_frame *real, const bl_track_frame *wanted,
                     bl_err *err) {
    if (!j->running) {
        int rc = start(j, err);
        if (rc < 0) return rc;
    }
    picture *p = bl_alloc(sizeof *p);
    if (!p) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
    p->made = bl_frame_ref((bl_frame *)(uintptr_t)made);
    p->real = bl_frame_ref((bl_frame *)(uintptr_t)real);
    p->wanted = *wanted;
    if (bl_queue_push(j->queue, p) == 0) return 0;
    picture_free(&p);
    stop(j); /* the thread has failed */
    if (err && j->status < 0) *err = j->err;
    return j->status < 0 ? j->status
                         : bl_fail(err, BL_E_INTERNAL, "the thread that compares pictures is gone");
}

int bl_judge_frame(bl_judge *j, const bl_frame *made, const bl_frame *real, const bl_track_frame *wanted,
                   bl_err *err) {
    bl_frame_scores s;
    bl_track_frame found;
    bl_pose_gap gap;
    if (made->width != j->o.width || made->height != j->o.height || real->width != j->o.width ||
        real->height != j->o.height)
        return bl_fail(err, BL_E_MISMATCH, "a frame is not of %dx%d as the others are", j->o.width,
                       j->o.height);
    no_values(&s, wanted->i);
    if (j->pose) { /* also where nobody is wanted: the tracking goes on */
        int rc = bl_pose_detect(j->pose, made, (double)wanted->i * 1000 / (j->o.fps > 0 ? j->o.fps : 30),
                                &found, NULL, err);
        if (rc < 0) return rc;
        bl_eval_pose_gap(&gap, wanted, &found, j->o.width, j->o.height);
        for (int k = 0; k < BL_PARTS; k++) {
            s.v[BL_METRIC_DISTANCE_BODY + k] = gap.distance[k];
            s.v[BL_METRIC_MISSED_BODY + k] = gap.missed[k];
        }
    }
    if (!wanted->has_person) return 0;
    int rc = bl_eval_row_add(&j->row, &s, err);
    return rc < 0 ? rc : hand_over(j, made, real, wanted, err);
}

static void merge(bl_eval_row *row, const bl_eval_row *pictures) {
    for (int64_t i = 0; i < BL_MIN(row->n, pictures->n); i++)
        for (int m = 0; m < BL_METRICS; m++)
            if (!isnan(pictures->frames[i].v[m])) row->frames[i].v[m] = pictures->frames[i].v[m];
    row->no_body_box = pictures->no_body_box;
    row->no_face_box = pictures->no_face_box;
}

int bl_judge_take(bl_judge *j, bl_eval_row *out, bl_err *err) {
    stop(j);
    if (j->status < 0) {
        if (err) *err = j->err;
        return j->status;
    }
    merge(&j->row, &j->pictures);
    bl_eval_row_means(&j->row);
    j->row.seconds = bl_now() - j->began;
    *out = j->row;
    j->row = (bl_eval_row){0};
    bl_eval_row_release(&j->pictures);
    if (j->pose) bl_pose_reset(j->pose);
    j->began = bl_now();
    return 0;
}
