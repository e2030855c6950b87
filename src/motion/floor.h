/*
 * Floor: where the floor is under the person in each frame, and where the body is. Internal to motion.
 */
#ifndef BL_MOTION_FLOOR_H
#define BL_MOTION_FLOOR_H

#include "body.h"

/* Frame by frame, complete also where nobody was found (interpolated); pixels. One allocation. */
typedef struct bl__path {
    int64_t n, usable;
    bl__body *bodies;
    float *floor; /* y of the floor under the person: a jump leaves it where it is */
    float *hip_x; /* x of the mid-hip, low-passed over a second */
} bl__path;

/* With no usable frame at all the series are zeros and usable is 0. */
int bl__path_make(bl__path *out, const bl_track *t, bl_err *err);
void bl__path_release(bl__path *p);

#endif
