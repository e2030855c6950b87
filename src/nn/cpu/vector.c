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

/* Kingma & Ba 2015, algorithm 1, with the running average of the weights, and the gradient cleared, in the
 * same pass.
 */
static void adam(float *restrict w, float *restrict g, float *restrict m, float *restrict v,
                 float *restrict ema, int64_t n, const bl_adam *a, int64_t t) {
    const float b1 = a->beta1, b2 = a->beta2, eps = a->eps, keep = a->ema;
    const float c2 = (float)(1 / (1 - pow(b2, (double)t))), rate = (float)(a->lr / (1 - pow(b1, (double)t)));
#define LOOP(AVERAGE)                                                                                        \
    for (int64_t i = 0; i < n; i++) {                                                                        \
        m[i] = b1 * m[i] + (1 - b1) * g[i];                                                                  \
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];                                                           \
        g[i] = 0;                                                                                            \
        w[i] -= rate * m[i] / (sqrtf(v[i] * c2) + eps);                                                      \
        AVERAGE                                                                                              \
    }
    if (ema)
        LOOP(ema[i] = keep * ema[i] + (1 - keep) * w[i];)
    else
        LOOP()
#undef LOOP
}

/* e^x for x in -87..87, to about 2 units in the last place (Cephes' polynomial); a loop of it vectorises. */
static inline float exponential(float x) {
    float n = rintf(x * 1.44269504f), r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return (p * r * r + r + 1) * scale;
}

static inline float clamped(float x, float limit) {
    return x < -limit ? -limit : x > limit ? limit : x;
}

/* Near 0, where 1 - 2/(e+1) cancels, the odd polynomial. */
static inline float hyperbolic(float x) {
    float q = x * x, e = exponential(2 * clamped(x, 10));
    float small = x + x * q * (-0.33333333f + q * (0.13333333f + q * (-0.053968254f + q * 0.021869489f)));
    return q < 0.0625f ? small : 1 - 2 / (e + 1);
}

static inline float logistic(float x) {
    return 1 / (1 + exponential(-clamped(x, 80)));
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
        for (int64_t i = 0; i < n; i++) y[i] = hyperbolic(x[i]);
        break;
    case BL_ACT_SIGMOID:
        for (int64_t i = 0; i < n; i++) y[i] = logistic(x[i]);
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

static inline float apply(float x, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return x > 0 ? x : 0;
    case BL_ACT_RELU6: return x > 0 ? (x < 6 ? x : 6) : 0;
    case BL_ACT_LRELU: return x > 0 ? x : 0.2f * x;
    case BL_ACT_TANH: return hyperbolic(x);
    case BL_ACT_SIGMOID: return logistic(x);
    default: return x;
    }
}

static inline uint16_t round_to_bf16(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1)) >> 16;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16 | 0x40u) : rounded); /* NaN stays NaN */
}

static inline float widen_bf16(uint16_t x) {
    uint32_t u = (uint32_t)x << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static void to_bf16(uint16_t *restrict y, const float *restrict x, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = round_to_bf16(x[i]);
}

static void from_bf16(float *restrict y, const uint16_t *restrict x, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = widen_bf16(x[i]);
}

#define T float
#define GET(x) (x)
#define PUT(x) (x)
#define TYPED(name) name##_f32
#include "typed.h"
#undef T
#undef GET
#undef PUT
#undef TYPED

#define T uint16_t
#define GET(x) widen_bf16(x)
#define PUT(x) round_to_bf16(x)
#define TYPED(name) name##_bf16
#include "typed.h"

#define SPAN 32 /* values whose sums stay in registers */

/* What a pixel of a depthwise convolution is made of: its first tap that lies inside, and how many do. */
typedef struct depthwise_taps {
    const float *x, *w;
    int rows, columns;
    int64_t x_row, w_row; /* from one row of taps to the next */
} depthwise_taps;

typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));

/* Channels k.. of it, eight times `n`: a constant where this is inlined. */
static inline __attribute__((always_inline)) void depthwise_span(float *restrict o, const depthwise_taps *t,
                                                                 const float *b, int c, int k, int n) {
    eight sum[SPAN / 8];
#pragma GCC unroll 4
    for (int l = 0; l < n; l++) sum[l] = b ? *(const eight *)(b + k + 8 * l) : (eight){0};
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++) {
            const float *p = t->x + i * t->x_row + (int64_t)j * c + k,
                        *q = t->w + i * t->w_row + (int64_t)j * c + k;
#pragma GCC unroll 4
            for (int l = 0; l < n; l++) sum[l] += *(const eight *)(p + 8 * l) * *(const eight *)(q + 8 * l);
        }
#pragma GCC unroll 4
    for (int l = 0; l < n; l++) *(eight *)(o + k + 8 * l) = sum[l];
}

static float depthwise_one(const depthwise_taps *t, const float *b, int c, int k) {
    float sum = b ? b[k] : 0;
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++)
            sum += t->x[i * t->x_row + (int64_t)j * c + k] * t->w[i * t->w_row + (int64_t)j * c + k];
    return sum;
}

static void depthwise(float *restrict y, const float *restrict x, const float *restrict w,
                      const float *restrict b, bl_shape xs, bl_shape ys, int kh, int kw, int sh, int sw,
                      bl_pad pad, bl_act act, int y0, int y1) {
    const int c = ys.c;
    for (int oy = y0; oy < y1; oy++) {
        const int top = oy * sh - pad.top, first = BL_MAX(0, -top);
        for (int ox = 0; ox < ys.w; ox++) {
            const int left = ox * sw - pad.left, skip = BL_MAX(0, -left);
            const depthwise_taps t = {.x = x + ((int64_t)(top + first) * xs.w + left + skip) * c,
                                      .w = w + ((int64_t)first * kw + skip) * c,
                                      .rows = BL_MIN(kh, xs.h - top) - first,
                                      .columns = BL_MIN(kw, xs.w - left) - skip,
                                      .x_row = (int64_t)xs.w * c,
                                      .w_row = (int64_t)kw * c};
            float *restrict o = y + ((int64_t)oy * ys.w + ox) * c;
            int k = 0;
            for (; k + SPAN <= c; k += SPAN) depthwise_span(o, &t, b, c, k, SPAN / 8);
            for (; k + 8 <= c; k += 8) depthwise_span(o, &t, b, c, k, 1);
            for (; k < c; k++) o[k] = depthwise_one(&t, b, c, k);
            act_forward(o, o, c, act);
        }
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

static void filter(float *y, const float *x, int64_t step, const float *f, int taps, int64_t n) {
    int64_t i = 0;
    for (; i + SPAN <= n; i += SPAN) {
        float sum[SPAN] = {0};
        for (int k = 0; k < taps; k++)
            for (int j = 0; j < SPAN; j++) sum[j] += f[k] * x[i + k * step + j];
        memcpy(y + i, sum, sizeof sum);
    }
    for (; i < n; i++) {
        float sum = 0;
        for (int k = 0; k < taps; k++) sum += f[k] * x[i + k * step];
        y[i] = sum;
    }
}

static void ssim(float *restrict value, float *restrict derivatives, int64_t plane,
                 const float *restrict moments, const float *restrict weights, int64_t n, float range) {
    const float c1 = 0.0001f * range * range, c2 = 0.0009f * range * range;
    const float *restrict mean_a = moments, *restrict mean_b = mean_a + n, *restrict aa = mean_b + n,
                          *restrict bb = aa + n, *restrict ab = bb + n;
    float *restrict d = derivatives, *restrict d_va = d + plane, *restrict d_cov = d_va + plane;
    for (int64_t i = 0; i < n; i++) {
        const float ma = mean_a[i], mb = mean_b[i], va = aa[i] - ma * ma, vb = bb[i] - mb * mb,
                    cov = ab[i] - ma * mb, w = weights[i];
        const float a1 = 2 * ma * mb + c1, a2 = 2 * cov + c2, b1 = ma * ma + mb * mb + c1, b2 = va + vb + c2;
        const float inverse = 1 / (b1 * b2), v = a1 * a2 * inverse;
        const float by_va = -v * b1 * inverse, by_cov = 2 * a1 * inverse,
                    by_ma = 2 * mb * a2 * inverse - v * 2 * ma * b2 * inverse;
        d[i] = w * (by_ma - 2 * ma * by_va - mb * by_cov);
        d_va[i] = w * by_va;
        d_cov[i] = w * by_cov;
        value[i] = w * v;
    }
}

#define TYPED_TABLE(t)                                                                                       \
    {                                                                                                        \
        .act_backward = act_backward_##t, .add_act = add_act_##t, .accumulate = accumulate_##t,              \
        .add_bias = add_bias_##t, .bias_sums = bias_sums_##t, .norm_sums = norm_sums_##t,                    \
        .norm_apply = norm_apply_##t, .norm_back_sums = norm_back_sums_##t,                                  \
        .norm_back_apply = norm_back_apply_##t, .sum4 = sum4_##t, .distance = distance_##t,                  \
        .weighted_distance = weighted_distance_##t, .put_sign = put_sign_##t                                 \
    }

const bl__vector_table TABLE = {
    .isa = STRING(BL__ISA),
    .adam = adam,
    .act_forward = act_forward,
    .to_bf16 = to_bf16,
    .from_bf16 = from_bf16,
    .filter = filter,
    .ssim = ssim,
    .typed = {TYPED_TABLE(f32), TYPED_TABLE(bf16)},
    .depthwise = depthwise,
    .depthwise_back = depthwise_back,
};
