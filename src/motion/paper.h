/*
 * Paper: the published normalisation's own measurements of a frame. Internal to motion.
 *
 * What is kept of the original and what is not is told in docs/ARCHITECTURE.md.
 */
#ifndef BL_MOTION_PAPER_H
#define BL_MOTION_PAPER_H

#include "ballerino/motion.h"

typedef struct bl__paper_body {
    int valid;         /* head (nose, or both ears) and both ankles were seen */
    float toe, height; /* y of the lower ankle; straight from the head to the middle of the ankles */
} bl__paper_body;

bl__paper_body bl__paper_measure(const bl_person *p, int width, int height);
/* Fills toe_max, horizon, close, far; zeros when no frame is valid. */
int bl__paper_stats(bl_pose_stats *out, const bl_track *t, bl_err *err);
/* One transform a frame. */
void bl__paper_transforms(bl_frame_transform *out, const bl_track *source, const bl_pose_stats *s,
                          const bl_pose_stats *t);

#endif
