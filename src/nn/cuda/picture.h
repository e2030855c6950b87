/* What the pictures' kernels share. */
#ifndef BALLERINO_NN_CUDA_PICTURE_H
#define BALLERINO_NN_CUDA_PICTURE_H

#include "launch.h"

struct Pixel {
    int x, y;
};
static __device__ inline Pixel pixel_of(int64_t i, int w) {
    return Pixel{(int)(i % w), (int)(i / w)};
}
static __device__ inline int clamped(int v, int n) {
    return v < 0 ? 0 : v >= n ? n - 1 : v;
}
static __device__ inline float within(float v, float low, float high) {
    return v < low ? low : v > high ? high : v;
}
static __device__ inline float smoothstep(float t) {
    t = within(t, 0, 1);
    return t * t * (3 - 2 * t);
}

struct Taps {
    Array<const int> first;
    Array<const float> weight;
    int n, count;
};
static inline Taps taps(bl_taps t) {
    return Taps{array(t.first), array(t.weight), t.n, t.count};
}

#endif
