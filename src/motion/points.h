/*
 * Points: a person's hands and face seen alike, as clouds of points with one score, so that filling,
 * smoothing and moving are written once. Internal to motion.
 */
#ifndef BL_MOTION_POINTS_H
#define BL_MOTION_POINTS_H

#include "ballerino/motion.h"

/* A view into a person; score 0 = not seen. */
typedef struct bl__points {
    float *score;
    bl_point3 *at;
    int n;
    bl_landmark_id anchor; /* the body's landmark that the part hangs on: a wrist, the nose */
} bl__points;

bl__points bl__points_of(bl_person *p, bl_region part);
/* The same for a person who is only looked at; nothing may be written through the result. */
bl__points bl__points_look(const bl_person *p, bl_region part);

/* Where frame k lies between frames a and b, 0..1, by time; by index where the times don't grow. (gaps.c) */
float bl__part_of_gap(const bl_track *t, int64_t a, int64_t b, int64_t k);

/* Fills, in a track of one shot, a hand or a face that is missing for at most max_gap frames while the body
 * is there. In between it moves with its anchor and changes its shape evenly; the score is the lower one of
 * the two ends. */
void bl__points_fill(bl_track *t, bl_region part, int max_gap);

/* out = sum over j < count of c[j] * the part's points in people[j]; the score is left alone. */
void bl__points_blend(bl__points out, const bl_person *const people[], bl_region part, const double *c,
                      int count);

#endif
