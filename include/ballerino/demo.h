/*
 * Demo: two dancers that need no footage, rendered from a small body model of our own.
 *
 *     bl_demo_options o = bl_demo_options_default();
 *     bl_demo_write_clip("source.mp4", BL_DEMO_SOURCE, &o, &err);   // dances well
 *     bl_demo_write_clip("target.mp4", BL_DEMO_TARGET, &o, &err);   // another person, moving about
 *     bl_demo_write_clip("truth.mp4", BL_DEMO_TRUTH, &o, &err);     // that person doing the source's dance
 *     bl_demo_contact_sheet("sheet.png", "source.mp4", "result.mp4", "truth.mp4", 8, &err);
 *
 * The truth clip has the source's joint angles on the target's skeleton, in the target's clothes and place,
 * with the way over the floor scaled by leg length; where hips and thighs are of other proportions to the
 * leg, the figure is moved so that the standing foot stays in that place. Everything is a function of the
 * options: the same options give the same bytes on one machine.
 */
#ifndef BALLERINO_DEMO_H
#define BALLERINO_DEMO_H

#include <stdint.h>

#include "ballerino/media.h"
#include "ballerino/track.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_demo_clip { BL_DEMO_SOURCE, BL_DEMO_TARGET, BL_DEMO_TRUTH } bl_demo_clip;

/* Who dances. The usual pair differs in size and a little in build; the others are for trying retargeting:
 * one build for both dancers, or a child (big head, short legs) and a tall adult (long legs, short arms). */
typedef enum bl_demo_pair {
    BL_DEMO_PAIR_USUAL,
    BL_DEMO_PAIR_ALIKE,
    BL_DEMO_PAIR_CHILD_TO_TALL,
    BL_DEMO_PAIR_TALL_TO_CHILD
} bl_demo_pair;

typedef struct bl_demo_options {
    int width, height;     /* pixels, even, 96..2048; default 432 x 768 */
    int fps;               /* frames a second, 5..120; default 24 */
    double source_seconds; /* length of the source and of the truth, 0.5..600; default 8 (then the dance
                              repeats) */
    double target_seconds; /* length of the target, 0.5..600; default 24 (then its moves repeat) */
    bl_demo_pair pair;
} bl_demo_options;

bl_demo_options bl_demo_options_default(void);
int64_t bl_demo_frame_count(bl_demo_clip clip, const bl_demo_options *o); /* 0 for a clip there is not */

/* One frame, index 0..count-1; pts = index, time_base = 1 / fps. NULL options are the default ones. */
int bl_demo_render(bl_frame **out, bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err);
/* Where the body's joints truly are in that frame, pixels (x right, y down), at BlazePose's landmark numbers.
 * What the model has no joint for is placed on the flesh by proportion. */
int bl_demo_joints(float xy[BL_LANDMARKS][2], bl_demo_clip clip, int64_t index, const bl_demo_options *o,
                   bl_err *err);
/* The same as an entry of a track, with depths and world coordinates too, all of it exact and fully visible;
 * no hands, no face. */
int bl_demo_person(bl_track_frame *out, bl_demo_clip clip, int64_t index, const bl_demo_options *o,
                   bl_err *err);
/* The whole clip as MP4 (atomic), with progress (stage "demo") and interruption. The source and the truth
 * have a beat as sound. */
int bl_demo_write_clip(const char *path, bl_demo_clip clip, const bl_demo_options *o, bl_err *err);

/* A picture with rows source, result, truth (any of the three may be NULL: no row) and `columns` (1..64)
 * evenly spaced moments, all at the height of one row. */
int bl_demo_contact_sheet(const char *out_png, const char *source_path, const char *result_path,
                          const char *truth_path, int columns, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
