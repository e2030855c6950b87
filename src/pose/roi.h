/* Rotated squares of interest: how two points of the body give one, and how close two are. */
#ifndef BL_POSE_ROI_H
#define BL_POSE_ROI_H

#include "ballerino/track.h"

#define BL__ROI_SCALE 1.25 /* of the circle around the body, so that a moving limb stays inside */

typedef struct bl__point {
    double x, y;
} bl__point;

/* Square around p0 (mid-hip) with the side 2 * |p1 - p0| * scale, turned so that p1 lies above p0. Points are
 * normalised by the frame's size, as the result is. */
bl_roi bl__roi_from_points(bl__point p0, bl__point p1, double scale, int width, int height);
/* Side of the unscaled square in pixels. */
double bl__roi_side(bl__point p0, bl__point p1, int width, int height);
/* Intersection over union of the circles inside the two squares; 0..1. */
double bl__roi_overlap(const bl_roi *a, const bl_roi *b, int width, int height);
int bl__roi_usable(const bl_roi *r); /* finite, and not absurdly far or large */

#endif
