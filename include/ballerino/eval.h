/*
 * Eval: how alike two pictures are, and how well a made frame shows the pose that it was made from.
 *
 *     bl_judge *j = NULL;
 *     bl_judge_open(&j, &(bl_judge_options){.width = w, .height = h, .fps = 30, .threads = 2}, &err);
 *     for each held-out frame: bl_judge_frame(j, made, real, &input_pose, &err);
 *     bl_eval_row row;
 *     bl_judge_take(j, &row, &err);      // per frame and means; bl_eval_row_release(&row) in the end
 *     bl_judge_close(&j);
 *
 * Pictures of bl_eval_ssim and bl_eval_psnr are h x w x channels floats, channels last, values within a range
 * of `range` (2 for -1..1, 255 for bytes). All functions but the judge's are pure: any thread.
 */
#ifndef BALLERINO_EVAL_H
#define BALLERINO_EVAL_H

#include <stdint.h>

#include "ballerino/media.h"
#include "ballerino/pose.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mean structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004): Gaussian 11x11, sigma 1.5, K1 0.01, K2
 * 0.03, over the area where the Gaussian lies inside the picture, mean over the channels. -1..1, 1 = equal.
 * Pictures must be at least 11 x 11. */
int bl_eval_ssim(double *out, const float *a, const float *b, int w, int h, int channels, float range,
                 bl_err *err);

/* Peak signal-to-noise ratio in dB over all pixels and channels; 100 for equal pictures. */
double bl_eval_psnr(const float *a, const float *b, int w, int h, int channels, float range);

/* Mean scores of one video against another of the same size and number of frames, whole frames, over RGB
 * bytes. */
typedef struct bl_clip_scores {
    int64_t frames;
    double ssim, psnr;
} bl_clip_scores;
int bl_eval_clips(bl_clip_scores *out, const char *path_a, const char *path_b, bl_err *err);

/* ---- boxes: where the paper's tables look; from the pose that a frame was made from ---- */
#define BL_EVAL_BOX_LEAST 32 /* pixels, each side, after clipping; smaller ones are skipped and counted */

typedef struct bl_box {
    int x, y, w, h; /* frame pixels, inside the frame */
} bl_box;
/* Around the landmarks of visibility >= 0.2, the skull (three quarters of neck to nose beyond the nose), and
 * 4 % of the longer side for flesh and clothes. 1 and a box, or 0: none, or smaller than the least. */
int bl_eval_body_box(bl_box *out, const bl_person *p, int frame_w, int frame_h);
/* Around the face mesh, widened by a quarter of its sides (a third at the top, for the hair); without a mesh
 * a square about the landmarks 0..10 whose side is 1.7 times their longer extent. */
int bl_eval_face_box(bl_box *out, const bl_person *p, int frame_w, int frame_h);
/* SSIM (bl_eval_ssim) and PSNR over RGB bytes within the box. Frames of one size that hold the box. */
int bl_eval_box(double *ssim, double *psnr, const bl_frame *made, const bl_frame *real, const bl_box *box,
                bl_err *err);

/* ---- poses: does the detector find in a made frame the pose that was asked for? ---- */
typedef enum bl_part { BL_PART_BODY, BL_PART_FACE, BL_PART_HANDS, BL_PART_ALL, BL_PARTS } bl_part;
#define BL_EVAL_FACE_WEIGHT 70 /* the mesh's 468 points count as 70, as many as the paper's face has */

/* Body: 33 landmarks, there when visibility >= 0.5. Hands: 2 x 21 points, face: the mesh, there when their
 * score is above 0. distance[k] = (1/n) sum over the n points that both have of ||found - wanted||_2 in frame
 * pixels (method of Chan et al. 2019, section 5); NAN where n is 0. In `all` the face weighs as said above.
 * missed[k]: points that `wanted` has and `found` has not (face: 0 or 70). */
typedef struct bl_pose_gap {
    double distance[BL_PARTS];
    int missed[BL_PARTS];
} bl_pose_gap;
void bl_eval_pose_gap(bl_pose_gap *out, const bl_track_frame *wanted, const bl_track_frame *found,
                      int frame_w, int frame_h);

/* ---- flicker: warped-frame error along the pose's motion ---- */
/* Mean over the box's pixels and channels of |before(q + field(q)) - now(q)|, bytes, bilinear, clamped to the
 * frame; field: bl_motion_field's (motion.h) for every pixel of the box. Real frames have this error too
 * (light, cloth, the detector's noise): compare with theirs. */
double bl_eval_warped_error(const bl_frame *now, const bl_frame *before, const float *field,
                            const bl_box *box);
/* The same with what is right to change taken out: mean of |(made change) - (real change)|, a change being
 * now(q) - before(q + field(q)). 0 for the real frames; grows with flicker, with lag, and also with the blur
 * that the plain error rewards. made, real: now and before. */
double bl_eval_change_error(const bl_frame *const made[2], const bl_frame *const real[2], const float *field,
                            const bl_box *box);

/* ---- the judge: all of it, frame by frame ---- */
/* X(identifier, key, heading, better: 1 higher / -1 lower / 0 neither, decimals, table 1..4) */
#define BL_METRIC_TABLE(X)                                                                                   \
    X(BODY_SSIM, "body_ssim", "SSIM", 1, 4, 1)                                                               \
    X(BODY_PSNR, "body_psnr", "PSNR dB", 1, 2, 1)                                                            \
    X(BODY_LPIPS, "body_lpips", "LPIPS", -1, 4, 1)                                                           \
    X(FACE_SSIM, "face_ssim", "SSIM", 1, 4, 2)                                                               \
    X(FACE_PSNR, "face_psnr", "PSNR dB", 1, 2, 2)                                                            \
    X(FACE_LPIPS, "face_lpips", "LPIPS", -1, 4, 2)                                                           \
    X(DISTANCE_BODY, "distance_body", "body", -1, 2, 3)                                                      \
    X(DISTANCE_FACE, "distance_face", "face", -1, 2, 3)                                                      \
    X(DISTANCE_HANDS, "distance_hands", "hands", -1, 2, 3)                                                   \
    X(DISTANCE_ALL, "distance_all", "all", -1, 2, 3)                                                         \
    X(MISSED_BODY, "missed_body", "body", -1, 2, 4)                                                          \
    X(MISSED_FACE, "missed_face", "face", -1, 2, 4)                                                          \
    X(MISSED_HANDS, "missed_hands", "hands", -1, 2, 4)                                                       \
    X(MISSED_ALL, "missed_all", "all", -1, 2, 4)                                                             \
    X(FLICKER, "flicker", "flicker", 0, 3, 4)                                                                \
    X(FLICKER_REAL, "flicker_real", "of real", 0, 3, 4)                                                      \
    X(FLICKER_EXCESS, "flicker_excess", "excess", 0, 3, 4)                                                   \
    X(CHANGE_ERROR, "change_error", "change err", -1, 3, 4)

typedef enum bl_metric {
#define BL_X(id, key, heading, better, decimals, table) BL_METRIC_##id,
    BL_METRIC_TABLE(BL_X)
#undef BL_X
        BL_METRICS
} bl_metric;
typedef struct bl_metric_info {
    const char *key, *heading;
    int better, decimals, table;
} bl_metric_info;
extern const bl_metric_info bl_metric_infos[BL_METRICS];

/* One frame; NAN where a metric has no value there. */
typedef struct bl_frame_scores {
    int64_t i; /* frame of the clip */
    double v[BL_METRICS];
} bl_frame_scores;

/* One method's scores. A mean is over the frames that have a value; the excess is the flicker's mean over the
 * mean of the real frames' (both over the same pairs), not a mean of ratios. */
typedef struct bl_eval_row {
    char name[32];
    int64_t n, capacity;
    bl_frame_scores *frames; /* owned */
    double mean[BL_METRICS]; /* NAN: no frame has a value */
    int64_t count[BL_METRICS];
    int64_t no_body_box, no_face_box; /* frames whose box is missing or too small */
    double seconds;                   /* what making and judging the frames took */
} bl_eval_row;
void bl_eval_row_release(bl_eval_row *r);
/* Appends a frame (not yet in the means). */
int bl_eval_row_add(bl_eval_row *r, const bl_frame_scores *s, bl_err *err);
void bl_eval_row_means(bl_eval_row *r);
/* JSON, with every frame: {"name", "n", "no_body_box", "no_face_box", "seconds", "mean": {KEY: number or
 * null}, "count": {...}, "frames": [{"i": 12, KEY: number or null...}]}; `key` is what the row depends on: a
 * row read with another key is BL_E_MISMATCH. */
int bl_eval_row_write(const bl_eval_row *r, const char *key, const char *path, bl_err *err);
int bl_eval_row_read(bl_eval_row *r, const char *key, const char *path, bl_err *err);

typedef struct bl_judge bl_judge;
typedef struct bl_judge_options {
    int width, height; /* of the frames */
    double fps;
    int threads;            /* 0 = all */
    bl_device *device;      /* where networks run; NULL: the CPU. Must outlive it */
    const char *models_dir; /* NULL = bl_path_models() */
    bl_pose_model pose_model;
    int no_pose; /* 1: pictures only; distances and missed points have no values */
    /* bl_lpips_open's files; NULL: LPIPS has no values. Boxes are resized for it: body 256 x 256, face 128 x
     * 128. */
    const char *lpips, *lpips_linear;
} bl_judge_options;
int bl_judge_open(bl_judge **out, const bl_judge_options *o, bl_err *err);
void bl_judge_close(bl_judge **j);
/* Judges the next made frame, in the clip's order: `wanted` is the pose that it was made from. The pose is
 * detected with tracking, without smoothing. Frames whose `wanted` has nobody are left out. */
int bl_judge_frame(bl_judge *j, const bl_frame *made, const bl_frame *real, const bl_track_frame *wanted,
                   bl_err *err);
/* Hands over the scores so far, with their means; the judge is as new. Fails when comparing pictures did,
 * which goes on in a thread of its own behind bl_judge_frame: frames given to it are kept by reference and
 * must not be written any more. */
int bl_judge_take(bl_judge *j, bl_eval_row *out, bl_err *err);

/* ---- tables ---- */
/* The paper's four tables (pictures of the body, of the face, pose distance, missed detections and flicker)
 * as text; bl_free() the result. A value that a row has not is "-"; LPIPS without weights says so. The best
 * value of each column has a star; rows named "real" and "plate" do not compete. */
int bl_eval_tables_text(char **out, const bl_eval_row *rows, int n, int with_lpips, bl_err *err);
/* name,frames,KEY... one line a row, RFC 4180; values with six decimals, empty where there is none. */
int bl_eval_tables_csv(char **out, const bl_eval_row *rows, int n, bl_err *err);
/* Index of the row that is best in a metric, or -1. */
int bl_eval_best(const bl_eval_row *rows, int n, bl_metric m);

#ifdef __cplusplus
}
#endif
#endif
