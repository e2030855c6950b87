/*
 * Verdict: counts what a track shows, and puts into sentences what is wrong with it. Internal to motion.
 */
#ifndef BL_MOTION_VERDICT_H
#define BL_MOTION_VERDICT_H

#include "body.h"

/* What one frame shows, from best to worst. */
typedef enum bl__sight {
    BL__SIGHT_WHOLE,    /* head and both feet inside the picture */
    BL__SIGHT_CUT_HEAD, /* usable, but the head is not in the picture */
    BL__SIGHT_CUT_FEET, /* usable, but not both feet are in the picture */
    BL__SIGHT_BUST,     /* head or shoulders, no hips or legs */
    BL__SIGHT_SCRAPS,   /* something was taken for a person, too little to use */
    BL__SIGHT_NOBODY
} bl__sight;
#define BL__SIGHT_COUNT 6

/* The frames of one sight as text: "frames 0-14, 20 and 3 more stretches". Longest stretches first chosen,
 * told in order. */
void bl__sight_ranges(char *buf, size_t size, const bl_track *t, const uint8_t *sights, unsigned wanted);

/* Spread of poses, 0..1: see variety.c. */
int bl__variety(double *out, const bl_track *t, const bl__body *bodies, int64_t usable, bl_err *err);

#endif
