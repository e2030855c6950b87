/*
 * Finds people in a whole picture (BlazePose's detector): a box around each face and, what matters, the
 * middle of the hips and a point on the circle around the body.
 */
#ifndef BL_POSE_DETECTOR_H
#define BL_POSE_DETECTOR_H

#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "ssd.h"

typedef struct bl__detector bl__detector;

int bl__detector_open(bl__detector **out, const char *models_dir, bl_device *device, int threads,
                      int reference, bl_err *err);
void bl__detector_close(bl__detector **d);
/* How many people were found (best score first, at most BL__SSD_MAX_FOUND), or negative. Positions are
 * normalised by the frame's size; points: 0 mid-hip, 1 on the circle around the body, 2, 3 the same of the
 * upper body. */
int bl__detector_find(bl__detector *d, const bl_frame *frame, bl__detection out[BL__SSD_MAX_FOUND],
                      bl_err *err);
/* The region of the main person: the largest, or with `before` (NULL: none) the one that overlaps it most. */
bl_roi bl__detector_choose(const bl__detection *found, int n, const bl_roi *before, int width, int height);

#endif
