/*
 * BlazePose's landmark model: looks into a region of the frame and gives 33 landmarks, 33 points in metres,
 * two auxiliary points that say where to look next, and (when asked) a person mask of the region.
 */
#ifndef BL_POSE_LANDMARKS_H
#define BL_POSE_LANDMARKS_H

#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "ballerino/pose.h"
#include "roi.h"

enum { BL__MASK_SIZE = 256 };

typedef struct bl__found {
    float score;                         /* the model's person flag */
    bl_landmark landmarks[BL_LANDMARKS]; /* normalised by the frame's size */
    bl_landmark world[BL_LANDMARKS];
    bl_landmark aux[2]; /* mid-hip, and a point on the circle around the body */
} bl__found;

typedef struct bl__landmarker bl__landmarker;

int bl__landmarker_open(bl__landmarker **out, bl_pose_model model, int segmentation, const char *models_dir,
                        bl_device *device, int threads, int reference, bl_err *err);
void bl__landmarker_close(bl__landmarker **l);
/* 1 a person, 0 nobody (only out->score is set), negative. */
int bl__landmarker_find(bl__landmarker *l, const bl_frame *frame, const bl_roi *roi, bl__found *out,
                        bl_err *err);
/* Person logits of the last region, BL__MASK_SIZE squared; NULL without `segmentation`. */
const float *bl__landmarker_mask(bl__landmarker *l);

#endif
