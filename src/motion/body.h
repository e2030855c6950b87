/*
 * Body: what motion measures of one person in one frame, in pixels of its own video. Internal to motion.
 */
#ifndef BL_MOTION_BODY_H
#define BL_MOTION_BODY_H

#include "ballerino/motion.h"

/* A joint is seen when it is visible and inside the picture: BlazePose also guesses joints beyond the edge.
 */
#define BL__SEEN_VISIBILITY 0.3f
#define BL__SEEN_MARGIN 0.02f
int bl__joint_seen(const bl_landmark *l);

typedef struct bl__body {
    int usable;         /* bl_motion_person_usable */
    int feet_measured;  /* 0: toe was guessed from knees or hips */
    float hip_x, hip_y; /* middle of the hips */
    float toe;          /* y of the lower ankle (upside down: of the lowest joint) */
    float height;       /* nose to ankle along the bones */
    float left, right;  /* x of the outermost seen joints */
    float top, bottom;  /* y of the outermost seen joints */
} bl__body;

void bl__body_measure(bl__body *out, const bl_person *p, int width, int height);

/* One bl__body for each frame of the track, bl_alloc'ed; *usable gets how many are usable. */
int bl__bodies(bl__body **out, int64_t *usable, const bl_track *t, bl_err *err);

#endif
