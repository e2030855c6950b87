/*
 * Rotated squares of interest: how points of the body give one, how one is moved and grown, how close two
 * are. Points and regions are normalised by the frame's size; angles and lengths are meant in pixels.
 */
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
/* As above, but unscaled, and turned so that the line from p0 to p1 has the angle `target` in it (radians,
 * anticlockwise from its x axis: pi/2 is up). */
bl_roi bl__roi_towards(bl__point p0, bl__point p1, double target, int width, int height);
/* The rotation that does this, in -pi..pi: target - atan2(-dy, dx). */
double bl__roi_rotation(bl__point p0, bl__point p1, double target, int width, int height);
/* The smallest upright box around the points, said to be rotated. */
bl_roi bl__roi_box(const bl__point *p, int n, double rotation);
/* The smallest box around the points whose sides are so rotated. */
bl_roi bl__roi_turned_box(const bl__point *p, int n, double rotation, int width, int height);
/* Moves the region along its own y axis by shift_y of its height, makes it square with its longer side, and
 * scales that. */
bl_roi bl__roi_grow(bl_roi r, double shift_y, double scale, int width, int height);
/* A point of the region, (0, 0) its upper left and (1, 1) its lower right corner, in the frame. */
bl__point bl__roi_project(const bl_roi *r, double x, double y, int width, int height);

/* How far the region of the frame before may lie from the one found anew, to be the better one. */
typedef struct bl__roi_limits {
    double degrees;       /* of rotation */
    double shift, growth; /* of the centre along the new region's axes, of the sides; shares of its sides */
    double margin;        /* of the new region's sides: the points must lie inside all of it but this */
} bl__roi_limits;
/* 1: `before` is within the limits of `now`, and so are the n points of the frame before. */
int bl__roi_follows(const bl_roi *before, const bl_roi *now, const bl__point *p, int n,
                    const bl__roi_limits *limits, int width, int height);

/* Side of the unscaled square in pixels. */
double bl__roi_side(bl__point p0, bl__point p1, int width, int height);
/* Intersection over union of the circles inside the two squares; 0..1. */
double bl__roi_overlap(const bl_roi *a, const bl_roi *b, int width, int height);
int bl__roi_usable(const bl_roi *r); /* finite, and not absurdly far or large */

#endif
