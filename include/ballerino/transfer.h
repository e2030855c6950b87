/*
 * Transfer: a target clip becomes training samples and a model; a source clip and a model become a new clip.
 */
#ifndef BALLERINO_TRANSFER_H
#define BALLERINO_TRANSFER_H

#include "ballerino/gan.h"
#include "ballerino/media.h"
#include "ballerino/motion.h"
#include "ballerino/pose.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_preset { BL_PRESET_DRAFT, BL_PRESET_STANDARD, BL_PRESET_PAPER } bl_preset;

typedef struct bl_train_job {
    const char *target;  /* video */
    const char *track;   /* its pose track file, or NULL: found here */
    const char *output;  /* model file; the training state lies beside it in OUTPUT.train/ */
    const char *consent; /* the statement; empty or NULL: BL_E_CONSENT */
    bl_preset preset;
    bl_scene scene;
    double minutes;    /* 0 = the preset's */
    int64_t steps;     /* 0 = as minutes say */
    double holdout;    /* last share of the clip kept from training, 0..0.5 */
    int width, height; /* window, 0 = the preset's */
    uint64_t seed;
    int precision; /* 0 auto (measured), 1 fp32, 2 bf16 */
    int threads;
    double save_every_s;    /* checkpoint, default 60 */
    double preview_every_s; /* preview strip, default 60 */
    const char *models_dir;
    bl_pose_model pose_model;
} bl_train_job;
bl_train_job bl_train_job_default(void);

/* SSIM and PSNR on the person window of held-out frames. */
typedef struct bl_train_scores {
    int valid;
    int64_t frames;
    double ssim, psnr, plate_ssim, plate_psnr, nearest_ssim, nearest_psnr;
} bl_train_scores;
typedef struct bl_train_result {
    int64_t steps;
    double seconds, step_ms;
    bl_train_scores scores;
    bl_verdict verdict;
} bl_train_result;
/* Trains, or goes on where an interrupted run of the same job stopped. */
int bl_train_run(const bl_train_job *job, bl_train_result *result, bl_err *err);

typedef struct bl_transfer_job {
    const char *model, *source, *output;
    const char *track; /* source's pose track file, or NULL */
    bl_normalise normalise;
    int side_by_side;    /* source | figure | result in one picture */
    const char *overlay; /* PNG of what normalisation did, or NULL */
    int smooth;          /* window of bl_motion_smooth, default 5 */
    int crf;
    int threads;
    const char *models_dir;
    bl_pose_model pose_model;
} bl_transfer_job;
bl_transfer_job bl_transfer_job_default(void);
typedef struct bl_transfer_result {
    int64_t frames, without_person;
    double seconds;
} bl_transfer_result;
int bl_transfer_run(const bl_transfer_job *job, bl_transfer_result *result, bl_err *err);

/* ---- the model file ---- */
typedef struct bl_model bl_model;
int bl_model_open(bl_model **out, const char *path, bl_err *err);
void bl_model_close(bl_model **m);
const char *bl_model_meta(const bl_model *m, const char *key); /* "consent", "created", "preset"... or NULL */

#ifdef __cplusplus
}
#endif
#endif
