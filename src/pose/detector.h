/*
 * Finds people in a whole picture (BlazePose's detector): a box around each face and, what matters, the
 * middle of the hips and a point on the circle around the body.
 */
#ifndef BL_POSE_DETECTOR_H
#define BL_POSE_DETECTOR_H

#include "ballerino/media.h"
#include "roi.h"

enum { BL__DETECTOR_MAX = 16 };

/* All positions are normalised by the frame's size. */
typedef struct bl__detection {
    float score, xmin, ymin, xmax, ymax;
    bl__point point[4]; /* 0: mid-hip, 1: on the circle around the body, 2, 3: the same of the upper body */
} bl__detection;

typedef struct bl__detector bl__detector;

int bl__detector_open(bl__detector **out, const char *models_dir, int threads, int reference, bl_err *err);
void bl__detector_close(bl__detector **d);
/* How many people were found (best score first, at most BL__DETECTOR_MAX), or negative. */
int bl__detector_find(bl__detector *d, const bl_frame *frame, bl__detection out[BL__DETECTOR_MAX],
                      bl_err *err);
/* What the network's two outputs mean (testing): boxes [n,12] and logits [n] with n = 2254. */
int bl__detector_decode(const float *boxes, const float *logits, bl__detection out[BL__DETECTOR_MAX]);

/* The region of the main person: the largest, or with `before` (NULL: none) the one that overlaps it most. */
bl_roi bl__detector_choose(const bl__detection *found, int n, const bl_roi *before, int width, int height);

#endif
