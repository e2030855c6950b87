/*
 * Transfer: a target clip becomes training samples and a model; a source clip and a model become a new clip.
 *
 *     bl_train_job job = bl_train_job_default();
 *     job.target = "me.mp4", job.output = "me.ballerino", job.consent = "Jo Doe, 1 May 2025, for this film";
 *     bl_train_run(&job, &trained, &err);
 *     bl_transfer_job t = bl_transfer_job_default();
 *     t.model = "me.ballerino", t.source = "dance.mp4", t.output = "out.mp4";
 *     bl_transfer_run(&t, &done, &err);
 *
 * Both calls report progress (bl_progress_sink; stages "pose", "samples", "train", "evaluate", "transfer"),
 * look at Ctrl-C, and write their results atomically.
 */
#ifndef BALLERINO_TRANSFER_H
#define BALLERINO_TRANSFER_H

#include "ballerino/dist.h"
#include "ballerino/gan.h"
#include "ballerino/media.h"
#include "ballerino/motion.h"
#include "ballerino/pose.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_preset { BL_PRESET_DRAFT, BL_PRESET_STANDARD, BL_PRESET_HIGH, BL_PRESET_PAPER } bl_preset;

typedef struct bl_train_job {
    const char *target;  /* video */
    const char *track;   /* its poses for bl_track_load, or NULL: found here */
    const char *output;  /* model file; the training state lies beside it in OUTPUT.train/:
                            job.json (settings, plan, result), track.json, plate.png, checkpoint.safetensors,
                            log.jsonl, preview.png, report.html (for people), report.json (its
                            notes), and caches */
    const char *consent; /* the statement; empty or NULL: BL_E_CONSENT */
    bl_preset preset;
    bl_scene scene;
    double minutes;    /* 0 = the preset's */
    int64_t steps;     /* of each stage; 0 = as minutes say */
    double holdout;    /* last share of the clip kept from training, 0..0.5 */
    int width, height; /* window, 0 = the preset's */
    double
        diffaug;  /* share of the steps in which the main stage's discriminators see augmented pictures,
                     0..1    (Zhao et al. 2020); negative: 0.5 for a target of fewer than 200 frames, else 0 */
    int previous; /* -1 = the preset's; 0: each frame by itself; 1: the generator sees its previous output
                     and the discriminator two frames in a row (method 7) */
    int channels; /* base width of generator and discriminators, 4..256, 0 = the preset's */
    const char *refine; /* what is painted anew at the video's resolution: "none", "face", "hands",
                           "face,hands"; NULL or "" = the preset's */
    /* The frozen network that judges how alike pictures are (perceptual loss): "none"; "pose", the landmark
     * models' feature maps; or the path of VGG19's weights (safetensors, torchvision's names). NULL or "" =
     * the preset's. */
    const char *perceptual;
    uint64_t seed;
    int precision; /* 0 auto (bl_device_faster_precision), 1 fp32, 2 bf16 */
    int threads;
    bl_device *device; /* where networks run; NULL: the CPU. A training can go on on another one */
    /* NULL: alone. Else the processes that train together, on one file system: rank 0 finds poses, makes
     * samples, writes all files and gives the result; the others read them and train with it. threads 0 is
     * then each one's share of the cores. A stop of one stops all, after the same step. */
    bl_dist *dist;
    bl_hw hw;               /* with a device: decode there, too; default BL_HW_AUTO */
    double save_every_s;    /* checkpoint, default 60 */
    double preview_every_s; /* preview strip, default 60 */
    const char *models_dir;
    bl_pose_model pose_model;
    int hands, face; /* look for them (bl_pose_options); default 1 */
} bl_train_job;
bl_train_job bl_train_job_default(void);

/* Means over the held-out frames, at the window's size: SSIM (see eval.h, mean over R, G, B) and PSNR in dB.
 * The generator goes through the held-out part in order, fed with its own previous output. */
typedef struct bl_train_scores {
    int valid; /* 0: nothing was held out */
    int64_t frames;
    double ssim, psnr;                        /* the model */
    double plate_ssim, plate_psnr;            /* the plate alone */
    double nearest_ssim, nearest_psnr;        /* the training frame with the most similar pose */
    double ssim_first_half, ssim_second_half; /* the model's: an artefact that builds up lowers the second */
} bl_train_scores;
typedef struct bl_train_result {
    int64_t steps;
    double seconds, step_ms;
    bl_train_scores scores;
    bl_verdict verdict;
} bl_train_result;
/* Trains, or goes on where an interrupted run of the same job stopped: the result is bit-identical to that of
 * an undisturbed run of as many steps with as many threads and processes on the same device. When the job is
 * done already, says so at once. BL_E_CONSENT without a statement; BL_E_FOOTAGE with the reasons when the
 * clip cannot be a target (`result` then holds the verdict); BL_E_MISMATCH when OUTPUT.train/ belongs to a
 * job with other settings, and which; BL_E_INTERRUPTED after Ctrl-C, when everything is saved. With
 * `minutes`, a few steps are timed first and the number of steps is fixed from that, once: the schedule
 * depends on it. */
int bl_train_run(const bl_train_job *job, bl_train_result *result, bl_err *err);

/* What a training will take, reckoned without training. */
typedef struct bl_train_needs {
    int width, height; /* of the window reckoned with; that of a real clip depends on the person */
    int64_t frames;    /* of the clip */
    int64_t bytes;     /* memory that it must have, at its greatest; of the GPU where networks run there */
    /* Of the GPU, for a transfer with the model that comes out; the second where the dance reaches further
     * than the target's did, and the window grows. 0 on the CPU. */
    int64_t transfer_bytes, transfer_most_bytes;
    int64_t cache_bytes; /* of the mapped samples: kept in memory where there is room, read from disk else */
    double macs_step;    /* multiply-adds of a step of the main stage */
    double step_seconds; /* of such a step here and now, from a short trial of a small net */
    double seconds;      /* of training, all stages */
} bl_train_needs;
/* `job` as for bl_train_run; output and consent are not looked at, and without a target a minute of 1280x720
 * at 30 frames a second is reckoned with. */
int bl_train_estimate(bl_train_needs *out, const bl_train_job *job, bl_err *err);

/* How the frames come about: generated by a trained model, or put together from the target's own frames
 * (nearest poses, cut out, laid over and cross-faded; in the spirit of Video Rewriter), which needs no model
 * and no training, only the target's clip. */
typedef enum bl_method { BL_METHOD_GENERATE, BL_METHOD_RETRIEVE } bl_method;

typedef struct bl_transfer_job {
    const char *model, *source, *output;
    bl_method method;
    const char *target, *consent; /* retrieval: the clip in the model's place, and the statement (BL_E_CONSENT
                                     without); poses and plate are kept in OUTPUT.train/ */
    const char *track;            /* source's poses for bl_track_load, or NULL */
    bl_normalise normalise;
    bl_retarget retarget; /* default BL_RETARGET_GLOBAL; limbs: BL_E_MISMATCH with models that know none */
    int side_by_side;     /* source | figure | result in one picture */
    const char *overlay;  /* PNG of what normalisation did, or NULL */
    const char
        *report; /* HTML page for people: the result, the fitting, how the model was trained; or NULL */
    int smooth;  /* window of bl_motion_smooth, default 5 */
    /* How much of the frame before, moved along with the limbs, is blended into what the generator makes of
     * this one where both nearly agree: 0 (nothing) to 0.9. Negative, the default: 0.5, but nothing for
     * generators that see their previous output, as the paper's do. */
    float steady;
    int crf;
    int threads;
    bl_device *device; /* where networks run; NULL: the CPU */
    bl_hw hw;          /* with a device: decode and encode there, too; default BL_HW_AUTO */
    const char *models_dir;
    bl_pose_model pose_model;
    int hands, face; /* look for them (bl_pose_options); default 1 */
} bl_transfer_job;
bl_transfer_job bl_transfer_job_default(void);
typedef struct bl_transfer_result {
    int64_t frames, without_person; /* of the source; in the latter the person fades out, the plate stays */
    double seconds;
} bl_transfer_result;
int bl_transfer_run(const bl_transfer_job *job, bl_transfer_result *result, bl_err *err);

/* ---- the held-out part, made again ---- */
/* Makes the frames that a training kept apart, from the target's own poses and through the very code of
 * transfer, at the clip's full size: no normalisation, smoothing as in training. Then made and real can be
 * compared (see eval.h). */
typedef enum bl_replay {
    BL_REPLAY_MODEL, /* what the model makes */
    BL_REPLAY_PLATE, /* the empty scene alone: what doing nothing scores */
    BL_REPLAY_REAL   /* the real frames: what the detector's own noise scores */
} bl_replay;
typedef struct bl_heldout_job {
    bl_replay what;
    const char *model;  /* must say what was held out (train --holdout), else BL_E_USAGE */
    const char *target; /* the clip it was trained on, else BL_E_MISMATCH */
    float steady;       /* as bl_transfer_job's */
    const char *track;  /* its pose track; NULL: MODEL.train/track.json where there is one, else found here */
    int threads;
    bl_device *device; /* where networks run; NULL: the CPU */
    bl_hw hw;          /* with a device: decode there, too */
    const char *models_dir;
    bl_pose_model pose_model;
} bl_heldout_job;
/* In the clip's order. `pose` is the one the frame was made from (nobody: the plate is shown, or the person
 * fades). The frames may be kept by reference. A negative return stops with that status. */
typedef int (*bl_heldout_fn)(void *ctx, bl_frame *made, bl_frame *real, const bl_track_frame *pose,
                             bl_err *err);
int bl_heldout_replay(const bl_heldout_job *job, bl_heldout_fn fn, void *ctx, bl_err *err);

/* ---- the model file ---- */
typedef struct bl_model bl_model;
/* With its weights on a device, which must outlive it; NULL: the CPU. */
int bl_model_open(bl_model **out, const char *path, bl_device *device, bl_err *err);
void bl_model_close(bl_model **m);
/* A text of the file's metadata, or NULL: "consent", "preset", "target_sha256", "ballerino" (version),
 * "skeleton", "train.steps", "scores.ssim"...; all keys in docs/formats/model.md. No dates: the same training
 * gives the same file. */
const char *bl_model_meta(const bl_model *m, const char *key);

#ifdef __cplusplus
}
#endif
#endif
