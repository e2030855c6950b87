/* Scores on the held-out part of the target clip, in its order, the generator fed with its own output. */
#include <math.h>

#include "ballerino/eval.h"
#include "train.h"

/* ---- the training frame with the most similar pose ---- */
#define FIRST_BODY_LANDMARK BL_LM_L_SHOULDER

/* Joints about the hips' middle, in torso lengths. */
static int normalised(float out[BL_LANDMARKS][2], const bl_person *p, const bl_track *t) {
    const bl_landmark *lm = p->landmarks;
    const float w = (float)t->width, h = (float)t->height;
    const float hx = 0.5f * (lm[BL_LM_L_HIP].x + lm[BL_LM_R_HIP].x) * w,
                hy = 0.5f * (lm[BL_LM_L_HIP].y + lm[BL_LM_R_HIP].y) * h,
                sx = 0.5f * (lm[BL_LM_L_SHOULDER].x + lm[BL_LM_R_SHOULDER].x) * w,
                sy = 0.5f * (lm[BL_LM_L_SHOULDER].y + lm[BL_LM_R_SHOULDER].y) * h;
    const float torso = hypotf(sx - hx, sy - hy);
    if (torso < 1) return 0;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        out[k][0] = (lm[k].x * w - hx) / torso;
        out[k][1] = (lm[k].y * h - hy) / torso;
    }
    return 1;
}

static double distance(float a[BL_LANDMARKS][2], float b[BL_LANDMARKS][2]) {
    double sum = (double)hypotf(a[BL_LM_NOSE][0] - b[BL_LM_NOSE][0], a[BL_LM_NOSE][1] - b[BL_LM_NOSE][1]);
    for (int k = FIRST_BODY_LANDMARK; k < BL_LANDMARKS; k++)
        sum += (double)hypotf(a[k][0] - b[k][0], a[k][1] - b[k][1]);
    return sum;
}

static int64_t nearest(const bl__training *t, int64_t index) {
    const bl__dataset *d = &t->data;
    float wanted[BL_LANDMARKS][2], pose[BL_LANDMARKS][2];
    int64_t best = 0;
    double least = INFINITY;
    if (!normalised(wanted, &t->track->frames[bl__dataset_sample(d, index)->frame].person, t->track))
        return 0;
    for (int64_t i = 0; i < d->n_train; i++) {
        if (!normalised(pose, &t->track->frames[bl__dataset_sample(d, i)->frame].person, t->track)) continue;
        double dist = distance(wanted, pose);
        if (dist < least) least = dist, best = i;
    }
    return best;
}

/* ---- scoring ---- */
typedef struct buffers {
    float *label, *plate, *real, *weight, *made;
} buffers;

static int buffers_init(buffers *b, size_t pixels, bl_err *err) {
    b->label = bl_alloc_array(pixels * 3, sizeof(float));
    b->plate = bl_alloc_array(pixels * 3, sizeof(float));
    b->real = bl_alloc_array(pixels * 3, sizeof(float));
    b->weight = bl_alloc_array(pixels, sizeof(float));
    b->made = bl_alloc_array(pixels * 3, sizeof(float));
    if (b->label && b->plate && b->real && b->weight && b->made) return 0;
    return bl_fail(err, BL_E_NOMEM, "not enough memory to compare pictures");
}

static void buffers_release(buffers *b) {
    bl_free(b->label);
    bl_free(b->plate);
    bl_free(b->real);
    bl_free(b->weight);
    bl_free(b->made);
}

static int compare(const bl__training *t, const float *made, const float *real, double *ssim, double *psnr,
                   double *last, bl_err *err) {
    const int w = t->data.w, h = t->data.h;
    double s = 0;
    int rc = bl_eval_ssim(&s, made, real, w, h, 3, 2, err);
    *ssim += s;
    *psnr += bl_eval_psnr(made, real, w, h, 3, 2);
    if (last) *last = s;
    return rc;
}

static int score_one(bl__training *t, int64_t index, buffers *b, bl_train_scores *s, double *ssim,
                     bl_err *err) {
    bl_gan_source src = bl__dataset_source(&t->data);
    float dx, dy;
    const int64_t pixels = (int64_t)t->data.w * t->data.h;
    int rc = src.get(src.ctx, index, 0, b->label, b->plate, b->real, b->weight, err);
    if (rc < 0) return rc;
    src.window_shift(src.ctx, index, &dx, &dy);
    if (src.run_before(src.ctx, index) == 0) bl_generator_reset(t->shown);
    rc = bl_generator_run(t->shown, b->label, b->plate, dx, dy, b->made, NULL, err);
    if (rc < 0) return rc;
    for (int64_t i = 0; i < pixels * 3; i++) b->made[i] = BL_CLAMP(b->made[i], -1, 1);
    rc = compare(t, b->made, b->real, &s->ssim, &s->psnr, ssim, err);
    if (rc == 0) rc = compare(t, b->plate, b->real, &s->plate_ssim, &s->plate_psnr, NULL, err);
    bl__dataset_real(&t->data, nearest(t, index), b->made);
    if (rc == 0) rc = compare(t, b->made, b->real, &s->nearest_ssim, &s->nearest_psnr, NULL, err);
    return rc;
}

int bl__evaluate(bl__training *t, bl_train_scores *out, bl_err *err) {
    const int64_t from = t->data.n_train, n = t->data.n - from;
    bl_train_scores s = {.valid = n > 0, .frames = n};
    buffers b = {0};
    bl_progress p;
    int rc = buffers_init(&b, (size_t)t->data.w * (size_t)t->data.h, err);
    bl_progress_begin(&p, "evaluate", "frames", 0);
    bl_generator_reset(t->shown);
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        double ssim = 0;
        rc = score_one(t, from + i, &b, &s, &ssim, err);
        *(2 * i < n ? &s.ssim_first_half : &s.ssim_second_half) += ssim;
        bl_progress_update(&p, i + 1, n, NULL);
        if (rc == 0) rc = bl_check_interrupt(err);
    }
    buffers_release(&b);
    if (rc < 0) return rc;
    bl_progress_end(&p, n, NULL);
    if (n > 0) {
        double *means[] = {&s.ssim, &s.psnr, &s.plate_ssim, &s.plate_psnr, &s.nearest_ssim, &s.nearest_psnr};
        for (size_t k = 0; k < BL_COUNT(means); k++) *means[k] /= (double)n;
        s.ssim_first_half /= (double)((n + 1) / 2);
        s.ssim_second_half /= (double)BL_MAX(n / 2, 1);
    }
    *out = s;
    return 0;
}
