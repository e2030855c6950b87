#include <math.h>
#include <stddef.h>

#include "ballerino/eval.h"

#define CEILING 100.0 /* dB; equal pictures would be infinite */

double bl_eval_psnr(const float *a, const float *b, int w, int h, int channels, float range) {
    const size_t n = (size_t)w * (size_t)h * (size_t)channels;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        sum += d * d;
    }
    double mse = sum / (double)n, peak = (double)range * (double)range;
    return mse > 0 ? fmin(CEILING, 10 * log10(peak / mse)) : CEILING;
}
