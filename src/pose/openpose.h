/*
 * OpenPose: what the readers of its JSON (openpose.c) and of its YAML (openpose_yaml.c) share.
 *
 *     bl_openpose_person p = {0};
 *     if (bl__openpose_body(&p, xyc, 23) < 0) refuse();
 *     if (bl__openpose_extent(&p) > best) keep(p);
 */
#ifndef BL_POSE_OPENPOSE_H
#define BL_POSE_OPENPOSE_H

#include "ballerino/pose.h"

/* Numbers of a file lie within this, so that nothing made of them overflows. */
#define BL__OPENPOSE_SANE 1e6
#define BL__OPENPOSE_PEOPLE 1000 /* at most, in one file */
#define BL__OPENPOSE_BODIES "18 (COCO-18), 23 (BODY_23) or 25 (BODY_25)"

/* Takes a body of n joints, each x, y, confidence, into p; BODY_23 becomes a BODY_25 without heels. 0, or -1
 * for another n, and then p is untouched. */
int bl__openpose_body(bl_openpose_person *p, const float (*xyc)[3], int n);
/* Area of the box around the found joints; negative without two of them. */
float bl__openpose_extent(const bl_openpose_person *p);

#endif
