/*
 * Figure: draws the stick figure that the generator sees.
 *
 * Our own: anti-aliased, from BlazePose's 33 landmarks with neck and mid-hip derived, limbs in OpenPose's
 * BODY_25 colours, drawn far to near by z, on black, thickness relative to the body; fingers and the lines of
 * the face where they were seen. The paper's: 1920x1080, no anti-aliasing, exact to the pixel, for OpenPose
 * input.
 */
#ifndef BALLERINO_FIGURE_H
#define BALLERINO_FIGURE_H

#include "ballerino/capsule.h"
#include "ballerino/media.h"
#include "ballerino/pose.h"
#include "ballerino/track.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Maps frame pixels to canvas pixels: cx = (x - x0) * scale, cy = (y - y0) * scale. */
typedef struct bl_view {
    float x0, y0, scale;
} bl_view;

/* Parts that can be left out one by one. */
enum { BL_DROP_LEFT_HAND = 1, BL_DROP_RIGHT_HAND = 2, BL_DROP_FACE = 4 };

typedef struct bl_figure_options {
    float thickness;      /* limb half-width in canvas pixels; 0 = body height / 48 (at least 1) */
    float min_visibility; /* joints below are not drawn; default 0.1 */
    uint32_t drop;        /* bit k set: limb k is left out (augmentation) */
    int hands, face;      /* whether they are drawn at all; default 1 */
    uint32_t drop_parts;  /* BL_DROP_ bits: left out as if it had not been seen (augmentation) */
} bl_figure_options;
bl_figure_options bl_figure_options_default(void);
int bl_figure_limb_count(void);

/* Pixels a metre where this person stands: the spread of shoulders, elbows, wrists, hips, knees and ankles
 * that are more visible than `visibility`, in the picture over that of their world coordinates. 0: unknown,
 * with fewer than four such joints or without world coordinates. */
float bl_figure_scale(const bl_person *p, int width, int height, float visibility);

/* Draws `p` (normalised to frame_width x frame_height) into canvas: h*w*3 floats in 0..1, NHWC, overwritten.
 * Values between 0 and 1 at edges (analytic coverage). Pure function: no state, any thread.
 *
 * A hand or face is opaque from score 0.5 on (where the models count it as present) and gone at 0.25. Its
 * lines are as thick as its own size asks for, at least 0.6 canvas pixels to each side, so that `view` may
 * zoom into it. Where a hand is drawn, the body's stick from wrist to hand gives way to it; where a face is
 * drawn, the sticks and discs of nose, eyes and ears do, and the neck ends at the chin. Without hands and
 * face (score 0, options or drop_parts) the picture is the body's, to the bit. */
void bl_figure_draw(float *canvas, int w, int h, const bl_person *p, int frame_width, int frame_height,
                    bl_view view, const bl_figure_options *o);
/* What bl_figure_draw paints: fills `out` far to near and returns how many there are. A line of joined ones
 * has at most 24. For painting elsewhere (picture.h). */
#define BL_FIGURE_CAPSULES 224
int bl_figure_capsules(bl_capsule out[BL_FIGURE_CAPSULES], const bl_person *p, int frame_width,
                       int frame_height, bl_view view, const bl_figure_options *o);
/* bl_figure_draw on an RGB24 frame, over what is there (for overlays). Alpha 0..1. */
void bl_figure_overlay(bl_frame *f, const bl_person *p, float alpha, const bl_figure_options *o);

/* The paper's drawing: `out` is 1024x512 RGB24 on white, made at 1920x1080 and Lanczos-3 reduced. Keypoints
 * are in pixels of 1920x1080. They were decimal text once, and whole pixels hang on their last digit: each
 * float is taken as the shortest decimal that reads as it. BL_E_USAGE for an unknown format or number of face
 * points. */
typedef struct bl_paper_pose {
    int format;                                    /* 18, 23 (the paper's) or 25 points */
    const float (*body)[3];                        /* x, y, confidence; above 0: found */
    const float (*face)[3];                        /* 70 or NULL; drawn if their mean confidence is 0.2 */
    const float (*right_hand)[3], (*left_hand)[3]; /* 21 or NULL; above 0.05: found */
    int face_points;                               /* how many of them are drawn: 8 (or 0), 9, 22 */
} bl_paper_pose;
int bl_figure_draw_paper(bl_frame **out, const bl_paper_pose *p, bl_err *err);

/* The paper's face box on the 1024x512 picture: 128x128 pixels around the nose, or the ears where the nose
 * was not found, rows [0] .. [1] - 1 and columns [2] .. [3] - 1. `body` as above. A face that was not found
 * gives what its authors' program gives: the box around the left ear's coordinates as stored, which for an
 * OpenPose body is the top left corner, 0 128 0 128. Pure. BL_E_USAGE for an unknown format. */
int bl_paper_face_box(int box[4], const float (*body)[3], int format);

#ifdef __cplusplus
}
#endif
#endif
