/*
 * Eval: how alike two pictures are.
 *
 * Pictures are h x w x channels floats, channels last, values within a range of `range` (2 for -1..1, 255 for
 * bytes). Pure functions, any thread.
 */
#ifndef BALLERINO_EVAL_H
#define BALLERINO_EVAL_H

#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mean structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004): Gaussian 11x11, sigma 1.5, K1 0.01, K2
 * 0.03, over the area where the Gaussian lies inside the picture, mean over the channels. -1..1, 1 = equal.
 * Pictures must be at least 11 x 11. */
int bl_eval_ssim(double *out, const float *a, const float *b, int w, int h, int channels, float range,
                 bl_err *err);

/* Peak signal-to-noise ratio in dB over all pixels and channels; 100 for equal pictures. */
double bl_eval_psnr(const float *a, const float *b, int w, int h, int channels, float range);

#ifdef __cplusplus
}
#endif
#endif
