/*
 * Series: one number a frame, and how motion smooths it. Internal to motion.
 *
 * A series has a `known` flag for each value. bl__series_fill makes the unknown ones by linear interpolation
 * (and holds the end values), after which the series is complete.
 */
#ifndef BL_MOTION_SERIES_H
#define BL_MOTION_SERIES_H

#include "ballerino/motion.h"

/* The value below which a part q (0..1) of the n values lie, linearly interpolated; v is reordered. */
float bl__quantile(float *v, int64_t n, double q);

/* Returns how many values are known; with none, nothing is changed. */
int64_t bl__series_fill(float *v, const uint8_t *known, int64_t n);

/* Running median of 5 in place, which drops single bad frames; monotone parts and steps stay. */
void bl__series_median(float *v, int64_t n);

/* Whittaker smoothing in place: the curve z that minimises sum w (v - z)^2 + lambda sum (second
 * difference)^2, with lambda such that waves of `period` frames are halved. With tau > 0.5 it is the
 * asymmetric form: values above the curve weigh tau, those below 1 - tau, so that it becomes an upper
 * envelope (an expectile) that follows slopes without lag. */
int bl__series_smooth(float *v, int64_t n, double period, double tau, bl_err *err);

/* The line y = a + b x with a part tau of the points below it (quantile regression by re-weighted least
 * squares); b is clamped to b_min..b_max. */
int bl__quantile_line(double *a, double *b, const float *x, const float *y, int64_t n, double tau,
                      double b_min, double b_max, bl_err *err);

#endif
