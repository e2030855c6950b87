/*
 * Vector kernels. This file is compiled once for each instruction set (BL__ISA names the copy); loops run
 * over channels, which lie side by side, so that the compiler vectorises them without reordering sums.
 */
#include <math.h>
#include <string.h>

#include "kernels.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define TABLE JOIN(bl__vector_, BL__ISA)
#define STRING2(a) #a
#define STRING(a) STRING2(a)

extern const bl__vector_table TABLE;

/* Kingma & Ba 2015, algorithm 1, with the running average of the weights in the same pass. */
static void adam(float *restrict w, const float *restrict g, float *restrict m, float *restrict v,
                 float *restrict ema, int64_t n, const bl_adam *a, int64_t t) {
    float b1 = a->beta1, b2 = a->beta2, eps = a->eps, keep = a->ema;
    float c2 = (float)(1 / (1 - pow(b2, (double)t))), rate = (float)(a->lr / (1 - pow(b1, (double)t)));
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < (n + 16383) / 16384; block++) {
        int64_t end = BL_MIN(n, block * 16384 + 16384);
        for (int64_t i = block * 16384; i < end; i++) {
            m[i] = b1 * m[i] + (1 - b1) * g[i];
            v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
            w[i] -= rate * m[i] / (sqrtf(v[i] * c2) + eps);
        }
        if (ema)
            for (int64_t i = block * 16384; i < end; i++) ema[i] = keep * ema[i] + (1 - keep) * w[i];
    }
}

static void act_forward(float *y, const float *x, int64_t n, bl_act act) {
    switch (act) {
    case BL_ACT_NONE:
        if (y != x) memcpy(y, x, sizeof *y * (size_t)n);
        break;
    case BL_ACT_RELU:
        for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0;
        break;
    case BL_ACT_RELU6:
        for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? (x[i] < 6 ? x[i] : 6) : 0;
        break;
    case BL_ACT_LRELU:
        for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0.2f * x[i];
        break;
    case BL_ACT_TANH:
        for (int64_t i = 0; i < n; i++) y[i] = tanhf(x[i]);
        break;
    case BL_ACT_SIGMOID:
        for (int64_t i = 0; i < n; i++) y[i] = 1 / (1 + expf(-x[i]));
        break;
    }
}

/* dy -> dz = dy * act'(y), given the activation's value. */
static inline float slope(float y, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return y > 0 ? 1.f : 0.f;
    case BL_ACT_RELU6: return y > 0 && y < 6 ? 1.f : 0.f;
    case BL_ACT_LRELU: return y > 0 ? 1.f : 0.2f;
    case BL_ACT_TANH: return 1 - y * y;
    case BL_ACT_SIGMOID: return y * (1 - y);
    default: return 1;
    }
}

/* One loop a kind, so that each is branch-free inside. */
#define FOR_ACT(LOOP)                                                                                        \
    switch (act) {                                                                                           \
    case BL_ACT_NONE: LOOP(BL_ACT_NONE) break;                                                               \
    case BL_ACT_RELU: LOOP(BL_ACT_RELU) break;                                                               \
    case BL_ACT_RELU6: LOOP(BL_ACT_RELU6) break;                                                             \
    case BL_ACT_LRELU: LOOP(BL_ACT_LRELU) break;                                                             \
    case BL_ACT_TANH: LOOP(BL_ACT_TANH) break;                                                               \
    case BL_ACT_SIGMOID: LOOP(BL_ACT_SIGMOID) break;                                                         \
    }

static void act_backward(float *dx, const float *dy, const float *y, int64_t n, bl_act act, int add) {
#define ADD(kind)                                                                                            \
    for (int64_t i = 0; i < n; i++) dx[i] += dy[i] * slope(y[i], kind);
#define SET(kind)                                                                                            \
    for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * slope(y[i], kind);
    if (add) FOR_ACT(ADD) else FOR_ACT(SET)
#undef ADD
#undef SET
}

static inline float apply(float x, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return x > 0 ? x : 0;
    case BL_ACT_RELU6: return x > 0 ? (x < 6 ? x : 6) : 0;
    case BL_ACT_LRELU: return x > 0 ? x : 0.2f * x;
    case BL_ACT_TANH: return tanhf(x);
    case BL_ACT_SIGMOID: return 1 / (1 + expf(-x));
    default: return x;
    }
}

static void add_act(float *y, const float *a, const float *b, int64_t n, bl_act act) {
#define LOOP(kind)                                                                                           \
    for (int64_t i = 0; i < n; i++) y[i] = apply(a[i] + b[i], kind);
    FOR_ACT(LOOP)
#undef LOOP
}

static void accumulate(float *restrict y, const float *restrict x, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

static void to_bf16(uint16_t *restrict y, const float *restrict x, int64_t n) {
    const uint32_t *restrict bits = (const void *)x;
    for (int64_t i = 0; i < n; i++) {
        uint32_t u = bits[i], rounded = (u + 0x7fffu + ((u >> 16) & 1)) >> 16;
        y[i] = (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16 | 0x40u) : rounded); /* NaN stays NaN */
    }
}

static void norm_sums(const float *restrict x, const float *restrict shift, int64_t rows, int c,
                      float *restrict sum, float *restrict square) {
    for (int64_t i = 0; i < rows; i++)
        for (int k = 0; k < c; k++) {
            float d = x[i * c + k] - shift[k];
            sum[k] += d;
            square[k] += d * d;
        }
}

static void norm_apply(float *restrict y, const float *restrict x, const float *restrict residual,
                       const float *restrict mean, const float *restrict scale, const float *restrict offset,
                       int64_t rows, int c, bl_act act) {
#define WITH(kind)                                                                                           \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int k = 0; k < c; k++)                                                                          \
            y[i * c + k] = apply((x[i * c + k] - mean[k]) * scale[k] + offset[k] + residual[i * c + k], kind);
#define WITHOUT(kind)                                                                                        \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int k = 0; k < c; k++)                                                                          \
            y[i * c + k] = apply((x[i * c + k] - mean[k]) * scale[k] + offset[k], kind);
    if (residual) FOR_ACT(WITH) else FOR_ACT(WITHOUT)
#undef WITH
#undef WITHOUT
}

static void norm_back_sums(float *restrict dy, const float *restrict y, const float *restrict x,
                           const float *restrict mean, const float *restrict rstd, int64_t rows, int c,
                           bl_act act, float *restrict sum, float *restrict dot) {
#define LOOP(kind)                                                                                           \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int k = 0; k < c; k++) {                                                                        \
            float dz = dy[i * c + k] * slope(y[i * c + k], kind);                                            \
            dy[i * c + k] = dz;                                                                              \
            sum[k] += dz;                                                                                    \
            dot[k] += dz * ((x[i * c + k] - mean[k]) * rstd[k]);                                             \
        }
    FOR_ACT(LOOP)
#undef LOOP
}

static void norm_back_apply(float *restrict dx, const float *restrict dz, const float *restrict x,
                            const float *restrict mean, const float *restrict rstd, const float *restrict a,
                            const float *restrict m1, const float *restrict m2, int64_t rows, int c,
                            int add) {
    if (add) {
        for (int64_t i = 0; i < rows; i++)
            for (int k = 0; k < c; k++)
                dx[i * c + k] += a[k] * (dz[i * c + k] - m1[k] - (x[i * c + k] - mean[k]) * rstd[k] * m2[k]);
    } else {
        for (int64_t i = 0; i < rows; i++)
            for (int k = 0; k < c; k++)
                dx[i * c + k] = a[k] * (dz[i * c + k] - m1[k] - (x[i * c + k] - mean[k]) * rstd[k] * m2[k]);
    }
}

static void depthwise(float *restrict y, const float *restrict x, const float *restrict w,
                      const float *restrict b, bl_shape xs, bl_shape ys, int kh, int kw, int sh, int sw,
                      bl_pad pad, bl_act act, int y0, int y1) {
    int c = ys.c;
    for (int oy = y0; oy < y1; oy++)
        for (int ox = 0; ox < ys.w; ox++) {
            float *restrict o = y + ((int64_t)oy * ys.w + ox) * c;
            if (b)
                memcpy(o, b, sizeof *o * (size_t)c);
            else
                memset(o, 0, sizeof *o * (size_t)c);
            for (int i = 0; i < kh; i++) {
                int iy = oy * sh - pad.top + i;
                if (iy < 0 || iy >= xs.h) continue;
                for (int j = 0; j < kw; j++) {
                    int ix = ox * sw - pad.left + j;
                    if (ix < 0 || ix >= xs.w) continue;
                    const float *restrict p = x + ((int64_t)iy * xs.w + ix) * c, *restrict q =
                                                                                     w +
                                                                                     (int64_t)(i * kw + j) *
                                                                                         c;
                    for (int k = 0; k < c; k++) o[k] += p[k] * q[k];
                }
            }
            act_forward(o, o, c, act);
        }
}

/* Which output saw input `in` through tap `tap`; negative: none. */
static inline int seen_by(int in, int pad, int tap, int stride, int size) {
    int at = in + pad - tap;
    return at < 0 || at % stride || at / stride >= size ? -1 : at / stride;
}

static void depthwise_back(float *restrict dx, const float *restrict dy, const float *restrict w, bl_shape xs,
                           bl_shape ys, int kh, int kw, int sh, int sw, bl_pad pad, int add, int y0, int y1) {
    int c = xs.c;
    for (int iy = y0; iy < y1; iy++)
        for (int ix = 0; ix < xs.w; ix++) {
            float *restrict o = dx + ((int64_t)iy * xs.w + ix) * c;
            if (!add) memset(o, 0, sizeof *o * (size_t)c);
            for (int i = 0; i < kh; i++) {
                int oy = seen_by(iy, pad.top, i, sh, ys.h);
                for (int j = 0; oy >= 0 && j < kw; j++) {
                    int ox = seen_by(ix, pad.left, j, sw, ys.w);
                    if (ox < 0) continue;
                    const float *restrict p = dy + ((int64_t)oy * ys.w + ox) * c;
                    const float *restrict q = w + (int64_t)(i * kw + j) * c;
                    for (int k = 0; k < c; k++) o[k] += p[k] * q[k];
                }
            }
        }
}

const bl__vector_table TABLE = {
    .isa = STRING(BL__ISA),
    .adam = adam,
    .act_forward = act_forward,
    .act_backward = act_backward,
    .add_act = add_act,
    .accumulate = accumulate,
    .to_bf16 = to_bf16,
    .norm_sums = norm_sums,
    .norm_apply = norm_apply,
    .norm_back_sums = norm_back_sums,
    .norm_back_apply = norm_back_apply,
    .depthwise = depthwise,
    .depthwise_back = depthwise_back,
};
