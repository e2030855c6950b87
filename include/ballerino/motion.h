/*
 * Motion: what is done to a pose track between finding it and drawing it. Gap filling, smoothing, global pose
 * normalisation from source to target, retargeting by limbs, and the verdict on whether footage can be used.
 */
#ifndef BALLERINO_MOTION_H
#define BALLERINO_MOTION_H

#include "ballerino/media.h"
#include "ballerino/track.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Drops hands and faces that cannot be this person's: a hand whose wrist is far from the body's wrist, a face
 * whose nose is far from the body's nose (in body heights; the bounds are in motion/points.c), or with values
 * that are no numbers. What is dropped gets score 0 and zeros. Returns how many. A hand or face that has no
 * body landmark to be compared with stays. */
int64_t bl_motion_drop_strays(bl_track *t);
/* Fills gaps of at most max_gap frames (negative: 5) between two found persons by linear interpolation, then
 * single joints, hands and faces that are missing for as long while the body is there; a hand follows its
 * wrist, a face the nose. Strays are dropped first. Returns how many whole frames were filled. Longer gaps
 * stay empty, and so do those with a cut in them. */
int bl_motion_fill_gaps(bl_track *t, int max_gap, bl_err *err);
/* Confidence-weighted Savitzky-Golay-like smoothing over `window` frames (odd, 1 = off) of joints, hands and
 * face; never across gaps or cuts. */
int bl_motion_smooth(bl_track *t, int window, bl_err *err);

/* ---- global pose normalisation (Chan et al. 2019, section 3.4 and appendix; repairs in
 * docs/ARCHITECTURE.md) ---- */
typedef enum bl_normalise { BL_NORMALISE_ROBUST, BL_NORMALISE_PAPER, BL_NORMALISE_NONE } bl_normalise;

/* Lengths that make a build. Pairs (arms, legs) have one length for both sides. */
typedef enum bl_limb {
    BL_LIMB_TRUNK,     /* middle of the hips to middle of the shoulders */
    BL_LIMB_NECK,      /* middle of the shoulders to middle of the ears */
    BL_LIMB_HEAD,      /* ear to ear */
    BL_LIMB_SHOULDERS, /* from one to the other */
    BL_LIMB_UPPER_ARM,
    BL_LIMB_FOREARM,
    BL_LIMB_HAND, /* wrist to the middle of the knuckles of index and little finger */
    BL_LIMB_HIPS, /* from one to the other */
    BL_LIMB_THIGH,
    BL_LIMB_SHIN,
    BL_LIMBS
} bl_limb;

/* What normalisation must know of a subject; pixels of its own video. Stored in a model. */
typedef struct bl_pose_stats {
    int width, height;           /* of the picture */
    int64_t frames;              /* usable ones */
    float floor_near, floor_far; /* y of the floor when nearest to / farthest from the camera (near >= far) */
    float height_near, height_far;      /* body height there, nose to ankle along the bones */
    float body_height;                  /* robust overall height (95th percentile) */
    float centre_x;                     /* median x of the mid-hip */
    float toe_median;                   /* median of the lower ankle's y */
    int single_scale;                   /* 1: the subject never moved in depth */
    float toe_max, horizon, close, far; /* the paper's own statistics (4.2), for --normalise paper */
    /* Limbs in parts of the body's height (nose to ankle along the bones), 0 = unknown: in space, that is the
     * picture's length through how much of the limb lies across the view (from the world coordinates); and
     * the upper end of its lengths in the picture. */
    float limb_space[BL_LIMBS], limb_image[BL_LIMBS];
} bl_pose_stats;

int bl_motion_stats(bl_pose_stats *out, const bl_track *t,
                    bl_err *err); /* BL_E_FOOTAGE when nothing is usable */

/* Per-frame similarity transform from source to target pixels: X = s*x + tx, Y = s*y + ty. */
typedef struct bl_frame_transform {
    float s, tx, ty;
} bl_frame_transform;

/* A new track in the target's frame (width, height of `target`), one entry for each source frame.
 * `transforms`: NULL or *transforms gets a bl_alloc'ed array of source->n entries. World coordinates are left
 * alone. */
int bl_motion_normalise(bl_track **out, const bl_track *source, const bl_pose_stats *source_stats,
                        const bl_pose_stats *target, bl_normalise how, bl_frame_transform **transforms,
                        bl_err *err);

/* ---- retargeting by limbs ---- */
typedef enum bl_retarget { BL_RETARGET_GLOBAL, BL_RETARGET_LIMBS } bl_retarget;

/* Gives every limb of a normalised track the target's own length: from the middle of the hips outwards each
 * bone's vector in the picture is multiplied by (target's limb / source's limb), so that angles and
 * foreshortening stay; hands are scaled about the wrist, the face about the middle of the ears. Then the
 * figure is moved so that the lower foot's sole has the height in the picture that normalisation gave it, on
 * the floor as in the air, and travel to the sides goes with the legs' length about the middle of the track,
 * so that a standing foot does not slide (less where the picture is too narrow). World coordinates are
 * rescaled alike. Ratios are one set for the whole track and are kept within 0.5 to 2; a limb unknown on
 * either side goes with its neighbour or stays. Feet go with the height. Ratios within 3 % of 1 are noise and
 * count as 1. `normalised`: what bl_motion_normalise made of the source, changed in place.
 * BL_E_MISMATCH when one of the two knows no limb at all (models older than these statistics); the track is
 * then untouched. */
int bl_motion_retarget(bl_track *normalised, const bl_pose_stats *source, const bl_pose_stats *target,
                       bl_err *err);

/* 0, or BL_E_MISMATCH with the same sentence: to be asked before the source is looked at. */
int bl_motion_retarget_check(const bl_pose_stats *target, bl_err *err);

/* ---- the field that a body's motion makes ---- */
/* Points of a picture: w by h of them, `step` pixels apart, the first the centre of pixel (x, y). */
typedef struct bl_motion_nodes {
    int x, y, w, h, step;
} bl_motion_nodes;
/* For each point q where it was a frame before: u(q) = sum_k w_k T_k(q) + w_0 q over limbs k, T_k carrying
 * limb k of pose `now` to that of pose `before` (a place along the limb in shares of its length, across it in
 * pixels, beyond its ends as at the end, turned), w_k ~ exp(-d_k^2 / 2r^2) with d_k the distance to the limb
 * and r its half width (a 24th of the body's height for arms, a 16th for legs, torso and head), and w_0 ~
 * exp(-2): the background rests. Weights sum to 1. field: h * w * 2 floats, u(q) - q in pixels, x and y.
 * picture_w, picture_h: of the picture across which landmarks run from 0 to 1. */
void bl_motion_field(float *field, const bl_motion_nodes *at, const bl_person *now, const bl_person *before,
                     float picture_w, float picture_h);

/* ---- camera: how far the background moves from one frame to the next ---- */
typedef struct bl_camera bl_camera;
int bl_camera_create(bl_camera **out, int frame_width, int frame_height, bl_err *err);
void bl_camera_destroy(bl_camera **c); /* NULL inside is fine */
/* `mask`: the person, frame-sized, 0..255, or NULL. Returns the background's shift since the frame before, in
 * frame pixels (0 for the first). */
float bl_camera_add(bl_camera *c, const bl_frame *frame, const uint8_t *mask);

/* ---- verdict on footage ---- */
typedef enum bl_purpose { BL_PURPOSE_TARGET, BL_PURPOSE_SOURCE } bl_purpose;
typedef struct bl_verdict {
    int usable;                   /* 0: must be refused for the purpose */
    int64_t frames, found, whole; /* all; with a usable person; with head and both feet inside the frame */
    double seconds;
    double
        camera_motion; /* median background shift a frame, in 1/1000 of the width; negative = not measured */
    double variety;    /* 0..1, spread of poses (see motion/verdict.c) */
    int n_reasons;
    char reasons[8][256]; /* sentences, most important first; the frames concerned; what to film instead */
} bl_verdict;
/* camera_shift: NULL, or per-frame background displacement in pixels as measured by whoever saw the frames.
 */
int bl_motion_verdict(bl_verdict *out, const bl_track *t, bl_purpose purpose, const float *camera_shift,
                      bl_err *err);
/* One screen of text; returns its length, which may exceed what fitted, as snprintf does. */
int bl_verdict_text(const bl_verdict *v, const char *video, char *buf, size_t size);

/* Is this person usable at all: enough visible body joints (shoulders, hips, and knees or ankles), sane size.
 */
int bl_motion_person_usable(const bl_person *p);

#ifdef __cplusplus
}
#endif
#endif
