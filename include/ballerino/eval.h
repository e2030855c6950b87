/*
 * Eval: how alike two pictures are.
 *
 * Pictures are h x w x channels floats, channels last, values within a range of `range` (2 for -1..1, 255 for
 * bytes). Pure functions, any thread.
 */
#ifndef BALLERINO_EVAL_H
#define BALLERINO_EVAL_H

#include <stdint.h>

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

/* Mean scores of one video against another of the same size and number of frames, whole frames, over RGB
 * bytes. */
typedef struct bl_clip_scores {
    int64_t frames;
    double ssim, psnr;
} bl_clip_scores;
int bl_eval_clips(bl_clip_scores *out, const char *path_a, const char *path_b, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
