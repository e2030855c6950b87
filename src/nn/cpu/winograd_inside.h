/*
 * Winograd's minimal filtering F(m x m, 3 x 3) (Lavin, Gray: Fast Algorithms for Convolutional Neural
 * Networks, CVPR 2016): a tile of m x m results is made from d, (m + 2) x (m + 2) of what is read, and the
 * filter g as
 *
 *     A' [ (G g G') . (B' d B) ] A          . value by value, summed over channels
 *
 * with (m + 2)^2 multiplications instead of 9 m^2. m = 2 has the points 0, 1, -1 and infinity; m = 4 also 2
 * and -2. The filter's gradient is the same sum seen from its other side: G' [ (A y A') . (B' d B) ] G.
 *
 * Each function here transforms one row or column of vectors; `m` is a constant where they are inlined.
 */
#ifndef BALLERINO_NN_WINOGRAD_INSIDE_H
#define BALLERINO_NN_WINOGRAD_INSIDE_H

#include "fma_inside.h"

#define MOST_SIDE 6 /* of what a tile is made from */
#define MOST_POINTS (MOST_SIDE * MOST_SIDE)
#define MOST_CHANNELS 512
#define GAP 16 /* floats between rows or matrices, lest they meet in one set of the cache */
#define GONE _Pragma("GCC unroll 6") /* loops over a tile's rows and columns */

static INLINE int side_of(int m) {
    return m + 2;
}
static INLINE int points_of(int m) {
    return side_of(m) * side_of(m);
}

static INLINE __m256 times(float k, __m256 v) {
    return _mm256_mul_ps(_mm256_set1_ps(k), v);
}
static INLINE __m256 plus(__m256 a, __m256 b) {
    return _mm256_add_ps(a, b);
}
static INLINE __m256 minus(__m256 a, __m256 b) {
    return _mm256_sub_ps(a, b);
}
/* a + k b */
static INLINE __m256 plus_times(__m256 a, float k, __m256 b) {
    return _mm256_fmadd_ps(_mm256_set1_ps(k), b, a);
}

/* B' d */
static INLINE void read_transform(int m, __m256 *o, const __m256 *d) {
    if (m == 2) {
        o[0] = minus(d[0], d[2]);
        o[1] = plus(d[1], d[2]);
        o[2] = minus(d[2], d[1]);
        o[3] = minus(d[1], d[3]);
        return;
    }
    const __m256 even = plus_times(d[4], -4, d[2]), odd = plus_times(d[3], -4, d[1]),
                 even2 = minus(d[4], d[2]), odd2 = times(2, minus(d[3], d[1]));
    o[0] = plus_times(plus_times(d[4], -5, d[2]), 4, d[0]);
    o[1] = plus(even, odd);
    o[2] = minus(even, odd);
    o[3] = plus(even2, odd2);
    o[4] = minus(even2, odd2);
    o[5] = plus_times(plus_times(d[5], -5, d[3]), 4, d[1]);
}

/* G g */
static INLINE void filter_transform(int m, __m256 *o, const __m256 *g) {
    const __m256 ends = plus(g[0], g[2]);
    if (m == 2) {
        o[0] = g[0];
        o[1] = times(0.5f, plus(ends, g[1]));
        o[2] = times(0.5f, minus(ends, g[1]));
        o[3] = g[2];
        return;
    }
    const __m256 ends2 = plus_times(times(1.f / 24, g[0]), 1.f / 6, g[2]), middle = times(1.f / 12, g[1]);
    o[0] = times(0.25f, g[0]);
    o[1] = times(-1.f / 6, plus(ends, g[1]));
    o[2] = times(-1.f / 6, minus(ends, g[1]));
    o[3] = plus(ends2, middle);
    o[4] = minus(ends2, middle);
    o[5] = g[2];
}

/* A' v */
static INLINE void made_transform(int m, __m256 *o, const __m256 *v) {
    const __m256 sum = plus(v[1], v[2]), difference = minus(v[1], v[2]);
    if (m == 2) {
        o[0] = plus(v[0], sum);
        o[1] = minus(difference, v[3]);
        return;
    }
    const __m256 sum2 = plus(v[3], v[4]), difference2 = minus(v[3], v[4]);
    o[0] = plus(plus(v[0], sum), sum2);
    o[1] = plus_times(difference, 2, difference2);
    o[2] = plus_times(sum, 4, sum2);
    o[3] = plus(plus_times(difference, 8, difference2), v[5]);
}

/* A y */
static INLINE void gradient_transform(int m, __m256 *o, const __m256 *y) {
    if (m == 2) {
        o[0] = y[0];
        o[1] = plus(y[0], y[1]);
        o[2] = minus(y[0], y[1]);
        o[3] = minus(_mm256_setzero_ps(), y[1]);
        return;
    }
    const __m256 even = plus(y[0], y[2]), odd = plus(y[1], y[3]), even2 = plus_times(y[0], 4, y[2]),
                 odd2 = plus_times(times(2, y[1]), 8, y[3]);
    o[0] = y[0];
    o[1] = plus(even, odd);
    o[2] = minus(even, odd);
    o[3] = plus(even2, odd2);
    o[4] = minus(even2, odd2);
    o[5] = y[3];
}

/* G' v */
static INLINE void filter_gradient(int m, __m256 *o, const __m256 *v) {
    const __m256 sum = plus(v[1], v[2]), difference = minus(v[1], v[2]);
    if (m == 2) {
        o[0] = plus_times(v[0], 0.5f, sum);
        o[1] = times(0.5f, difference);
        o[2] = plus_times(v[3], 0.5f, sum);
        return;
    }
    const __m256 sum2 = plus(v[3], v[4]), difference2 = minus(v[3], v[4]);
    o[0] = plus_times(plus_times(times(0.25f, v[0]), -1.f / 6, sum), 1.f / 24, sum2);
    o[1] = plus_times(times(-1.f / 6, difference), 1.f / 12, difference2);
    o[2] = plus_times(plus_times(v[5], -1.f / 6, sum), 1.f / 6, sum2);
}

/* How a side is cut into tiles. All samples' tiles are counted through. */
typedef struct tiling {
    int m, across, down;
    int64_t tiles;
} tiling;

static inline tiling tiles_of(int m, bl_shape made) {
    tiling t = {m, (int)bl__blocks(made.w, m), (int)bl__blocks(made.h, m), 0};
    t.tiles = (int64_t)made.n * t.down * t.across;
    return t;
}

extern const float bl__winograd_zeros[MOST_CHANNELS];

/* Where the pixels of tile `k` lie in `from`: `side` x `side` of them, the first moved up by `top` and to the
 * left by `left`; outside of the picture zeros. */
static inline void find_pixels(const tiling *t, int64_t k, const float *from, bl_shape s, int top, int left,
                               int side, const float **at) {
    const int x0 = (int)(k % t->across) * t->m - left, y0 = (int)(k / t->across % t->down) * t->m - top;
    const float *sample = from + k / t->across / t->down * bl__plane(s) * s.c;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            *at++ = y0 + y >= 0 && y0 + y < s.h && x0 + x >= 0 && x0 + x < s.w
                        ? sample + ((int64_t)(y0 + y) * s.w + x0 + x) * s.c
                        : bl__winograd_zeros;
}

/* One of the transforms above, of columns and then of rows: `from` x `from` values become `to` x `to`. */
typedef void bl__line_transform(int m, __m256 *o, const __m256 *v);

static INLINE void transform_square(int m, bl__line_transform *transform, int from, int to,
                                    __m256 v[MOST_SIDE][MOST_SIDE]) {
    GONE for (int x = 0; x < from; x++) {
        __m256 line[MOST_SIDE], o[MOST_SIDE];
        GONE for (int y = 0; y < from; y++) line[y] = v[y][x];
        transform(m, o, line);
        GONE for (int y = 0; y < to; y++) v[y][x] = o[y];
    }
    GONE for (int y = 0; y < to; y++) {
        __m256 o[MOST_SIDE];
        transform(m, o, v[y]);
        GONE for (int x = 0; x < to; x++) v[y][x] = o[x];
    }
}

/* A tile of `side` x `side` pixels becomes values at the points: that at p comes to to[p * step], channels
 * side by side. */
static INLINE void transform_tile(int m, bl__line_transform *transform, int side, const float *const *at,
                                  int channels, float *to, int64_t step) {
    const int n = side_of(m);
    for (int c = 0; c < channels; c += LANES) {
        __m256 v[MOST_SIDE][MOST_SIDE];
        GONE for (int y = 0; y < side; y++) GONE for (int x = 0; x < side; x++) v[y][x] =
            _mm256_loadu_ps(at[y * side + x] + c);
        transform_square(m, transform, side, n, v);
        GONE for (int y = 0; y < n; y++) GONE for (int x = 0; x < n; x++)
            _mm256_store_ps(to + (y * n + x) * step + c, v[y][x]);
    }
}

/* LANES channels at all points. */
static INLINE void load_points(int m, __m256 v[MOST_SIDE][MOST_SIDE], const float *at, int64_t step) {
    const int n = side_of(m);
    GONE for (int y = 0; y < n; y++) GONE for (int x = 0; x < n; x++) v[y][x] =
        _mm256_load_ps(at + (y * n + x) * step);
}

int64_t bl__winograd_weights_scratch(const bl__conv_spec *s);
void bl__winograd_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                                   void *scratch);

#endif
