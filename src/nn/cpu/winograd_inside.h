/*
 * Winograd's minimal filtering F(m x m, r x r) (Lavin, Gray: Fast Algorithms for Convolutional Neural
 * Networks, CVPR 2016): a tile of m x m results is made from d, n x n of what is read with n = m + r - 1, and
 * the filter g, r x r, as
 *
 *     A' [ (G g G') . (B' d B) ] A          . value by value, summed over channels
 *
 * with n^2 multiplications instead of (m r)^2. These are products of polynomials, seen at n points: 0, 1 and
 * infinity where n = 3, where n = 4 also -1, where n = 6 also 2 and -2. So B knows n alone, A takes m of a
 * value's powers and G r of them. The filter's gradient is the same sum seen from its other side: G' [ (A y
 * A') . (B' d B) ] G.
 *
 * Stride 2, 3 x 3 (DOWN): a line's even values meet the first and the last tap, which is F(m, 2), and its odd
 * ones the middle tap alone, m products as they are: 2m + 1 "points" a line instead of 3m products. Going
 * back (UP) a line of m + 1 values becomes 2m, every other one by F(m, 2), the others by the middle tap.
 *
 * Each transform here is that of one row or column of vectors; the form is a constant where they are inlined.
 */
#ifndef BALLERINO_NN_WINOGRAD_INSIDE_H
#define BALLERINO_NN_WINOGRAD_INSIDE_H

#include "fma_inside.h"

#define MOST_SIDE 7 /* n */
#define MOST_POINTS (MOST_SIDE * MOST_SIDE)
#define MOST_CHANNELS 512
#define MOST_TAPS 16
#define GAP 16 /* floats between rows or matrices, lest they meet in one set of the cache */
#define GONE _Pragma("GCC unroll 7") /* loops over a tile's rows and columns */

typedef enum moves { SAME, DOWN, UP } moves; /* stride 1; 2; 2 and back */
typedef struct form {
    int n, r, m;
    moves moves;
} form;

/* The forms that there are: all, and those of the forward direction. `f` as a constant; for a function that
 * returns nothing. */
#define IN_FORM(f, function, ...)                                                                            \
    ((f).moves != UP ? IN_FORWARD_FORM(f, function, __VA_ARGS__)                                             \
     : (f).m == 3    ? function((form){7, 3, 3, UP}, __VA_ARGS__)                                            \
                     : function((form){5, 3, 2, UP}, __VA_ARGS__))
#define IN_FORWARD_FORM(f, function, ...)                                                                    \
    ((f).r == 4   ? function((form){6, 4, 3, SAME}, __VA_ARGS__)                                             \
     : (f).n == 7 ? function((form){7, 3, 3, DOWN}, __VA_ARGS__)                                             \
     : (f).n == 6 ? function((form){6, 3, 4, SAME}, __VA_ARGS__)                                             \
     : (f).n == 5 ? function((form){5, 3, 2, DOWN}, __VA_ARGS__)                                             \
                  : function((form){4, 3, 2, SAME}, __VA_ARGS__))

static INLINE int points_of(form f) {
    return f.n * f.n;
}

/* Pixels of a side of a tile that are read, that are made; and how far the next tile's are. */
static INLINE int read_side(form f) {
    return f.moves == UP ? f.m + 1 : f.n;
}
static INLINE int made_side(form f) {
    return f.moves == UP ? 2 * f.m : f.m;
}
static INLINE int read_pitch(form f) {
    return f.moves == DOWN ? 2 * f.m : f.m;
}

/* The F(m, 2) within. */
static INLINE form inner(form f) {
    return (form){f.m + 1, 2, f.m, SAME};
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
static INLINE void read_same(form f, __m256 *o, const __m256 *d) {
    if (f.n == 3) { /* 0, 1, infinity */
        o[0] = minus(d[0], d[1]);
        o[1] = d[1];
        o[2] = minus(d[2], d[1]);
        return;
    }
    if (f.n == 4) {
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

static INLINE void read_transform(form f, __m256 *o, const __m256 *d) {
    if (f.moves == SAME) {
        read_same(f, o, d);
        return;
    }
    const int down = f.moves == DOWN;
    __m256 line[MOST_SIDE];
    GONE for (int k = 0; k <= f.m; k++) line[k] = d[down ? 2 * k : k];
    read_same(inner(f), o, line);
    GONE for (int k = 0; k < f.m; k++) o[f.m + 1 + k] = d[down ? 2 * k + 1 : k];
}

/* The sum of values k = first, first + 2.. below `count`, each times x to the power of k. */
static INLINE __m256 every_other(const __m256 *v, int first, int count, float x) {
    float power = first ? x : 1;
    __m256 sum = power == 1 ? v[first] : times(power, v[first]);
    GONE for (int k = first + 2; k < count; k += 2) {
        power *= x * x;
        sum = power == 1 ? plus(sum, v[k]) : plus_times(sum, power, v[k]);
    }
    return sum;
}

/* Values with `count` coefficients v at the points 1, -1 (n = 6: 2, -2; n = 3: 1 alone) come to o[1].. */
static INLINE void at_points(form f, __m256 *o, const __m256 *v, int count) {
    const __m256 even = every_other(v, 0, count, 1), odd = every_other(v, 1, count, 1);
    o[1] = plus(even, odd);
    if (f.n == 3) return;
    o[2] = minus(even, odd);
    if (f.n == 4) return;
    const __m256 even2 = every_other(v, 0, count, 2), odd2 = every_other(v, 1, count, 2);
    o[3] = plus(even2, odd2);
    o[4] = minus(even2, odd2);
}

/* Its adjoint: `count` sums over these points. */
static INLINE void over_points(form f, __m256 *o, const __m256 *v, int count) {
    const __m256 even = f.n == 3 ? v[1] : plus(v[1], v[2]), odd = f.n == 3 ? v[1] : minus(v[1], v[2]);
    GONE for (int k = 0; k < count; k++) o[k] = k % 2 ? odd : even;
    if (f.n <= 4) return;
    const __m256 even2 = plus(v[3], v[4]), odd2 = minus(v[3], v[4]);
    GONE for (int k = 0; k < count; k++) o[k] = plus_times(o[k], (float)(1 << k), k % 2 ? odd2 : even2);
}

/* G's factors of the points. */
static INLINE void scale_points(form f, __m256 *o, const __m256 *v) {
    static const float scale[2][MOST_SIDE] = {{1, 0.5f, 0.5f, 1},
                                              {1.f / 4, -1.f / 6, -1.f / 6, 1.f / 24, 1.f / 24, 1}};
    GONE for (int k = 0; k < f.n; k++) o[k] = f.n == 3 ? v[k] : times(scale[f.n == 6][k], v[k]);
}

/* G g */
static INLINE void filter_same(form f, __m256 *o, const __m256 *g) {
    at_points(f, o, g, f.r);
    o[0] = g[0];
    o[f.n - 1] = g[f.r - 1];
    scale_points(f, o, o);
}
static INLINE void filter_transform(form f, __m256 *o, const __m256 *g) {
    if (f.moves == SAME) {
        filter_same(f, o, g);
        return;
    }
    filter_same(inner(f), o, (const __m256[]){g[0], g[2]});
    GONE for (int k = 0; k < f.m; k++) o[f.m + 1 + k] = g[1];
}

/* G' v */
static INLINE void filter_gradient_same(form f, __m256 *o, const __m256 *v) {
    __m256 scaled[MOST_SIDE];
    scale_points(f, scaled, v);
    over_points(f, o, scaled, f.r);
    o[0] = plus(o[0], scaled[0]);
    o[f.r - 1] = plus(o[f.r - 1], scaled[f.n - 1]);
}
static INLINE void filter_gradient(form f, __m256 *o, const __m256 *v) {
    __m256 outer[2];
    if (f.moves == SAME) {
        filter_gradient_same(f, o, v);
        return;
    }
    filter_gradient_same(inner(f), outer, v);
    o[0] = outer[0];
    o[1] = v[f.m + 1];
    GONE for (int k = 1; k < f.m; k++) o[1] = plus(o[1], v[f.m + 1 + k]);
    o[2] = outer[1];
}

/* A' v; at infinity n = 4 has the other sign, as B has it there. */
static INLINE void made_same(form f, __m256 *o, const __m256 *v) {
    over_points(f, o, v, f.m);
    o[0] = plus(o[0], v[0]);
    o[f.m - 1] = f.n == 4 ? minus(o[f.m - 1], v[f.n - 1]) : plus(o[f.m - 1], v[f.n - 1]);
}
static INLINE void made_transform(form f, __m256 *o, const __m256 *v) {
    __m256 made[MOST_SIDE];
    if (f.moves == SAME) {
        made_same(f, o, v);
        return;
    }
    made_same(inner(f), made, v);
    GONE for (int k = 0; k < f.m; k++) {
        const __m256 middle = v[f.m + 1 + k];
        if (f.moves == DOWN)
            o[k] = plus(made[k], middle);
        else
            o[2 * k] = middle, o[2 * k + 1] = made[k];
    }
}

/* A y */
static INLINE void gradient_same(form f, __m256 *o, const __m256 *y) {
    at_points(f, o, y, f.m);
    o[0] = y[0];
    o[f.n - 1] = f.n == 4 ? minus(_mm256_setzero_ps(), y[f.m - 1]) : y[f.m - 1];
}
static INLINE void gradient_transform(form f, __m256 *o, const __m256 *y) {
    if (f.moves == SAME) {
        gradient_same(f, o, y);
        return;
    }
    gradient_same(inner(f), o, y);
    GONE for (int k = 0; k < f.m; k++) o[f.m + 1 + k] = y[k];
}

/* Where `depth` channels are read, at most. The larger tiles of 3x3 pay where few of them keep the filters
 * small, and where little hangs over. `to_big`: backward data. */
static inline form form_of(const bl__conv_spec *s, int depth, int to_big) {
    const int side = BL_MIN(s->small.h, s->small.w);
    if (s->kh == 4) return (form){6, 4, 3, SAME};
    if (s->sh == 2) {
        const int m = depth <= 64 && side >= 12 ? 3 : 2;
        return (form){2 * m + 1, 3, m, to_big ? UP : DOWN};
    }
    return depth <= 128 && side >= 16 ? (form){6, 3, 4, SAME} : (form){4, 3, 2, SAME};
}

/* How a side is cut into tiles. All samples' tiles are counted through. */
typedef struct tiling {
    form f;
    int across, down;
    int64_t tiles;
} tiling;

static inline tiling tiles_of(form f, bl_shape made) {
    tiling t = {f, (int)bl__blocks(made.w, made_side(f)), (int)bl__blocks(made.h, made_side(f)), 0};
    t.tiles = (int64_t)made.n * t.down * t.across;
    return t;
}

extern const float bl__winograd_zeros[MOST_CHANNELS];

/* Where the pixels of tile `k` lie in `from`: `side` x `side` of them, `pitch` from one tile's to the next's,
 * the first moved up by `top` and to the left by `left`; outside of the picture zeros. */
static inline void find_pixels(const tiling *t, int64_t k, const float *from, bl_shape s, int pitch, int top,
                               int left, int side, const float **at) {
    const int x0 = (int)(k % t->across) * pitch - left, y0 = (int)(k / t->across % t->down) * pitch - top;
    const float *sample = from + k / t->across / t->down * bl__plane(s) * s.c;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            *at++ = y0 + y >= 0 && y0 + y < s.h && x0 + x >= 0 && x0 + x < s.w
                        ? sample + ((int64_t)(y0 + y) * s.w + x0 + x) * s.c
                        : bl__winograd_zeros;
}

/* One of the transforms above, of columns and then of rows: `from` x `from` values become `to` x `to`. */
typedef void bl__line_transform(form f, __m256 *o, const __m256 *v);

static INLINE void transform_square(form f, bl__line_transform *transform, int from, int to,
                                    __m256 v[MOST_SIDE][MOST_SIDE]) {
    GONE for (int x = 0; x < from; x++) {
        __m256 line[MOST_SIDE], o[MOST_SIDE];
        GONE for (int y = 0; y < from; y++) line[y] = v[y][x];
        transform(f, o, line);
        GONE for (int y = 0; y < to; y++) v[y][x] = o[y];
    }
    GONE for (int y = 0; y < to; y++) {
        __m256 o[MOST_SIDE];
        transform(f, o, v[y]);
        GONE for (int x = 0; x < to; x++) v[y][x] = o[x];
    }
}

/* A tile of `side` x `side` pixels becomes values at the points: that at p comes to to[p * step], channels
 * side by side. */
static INLINE void transform_tile(form f, bl__line_transform *transform, int side, const float *const *at,
                                  int channels, float *to, int64_t step) {
    for (int c = 0; c < channels; c += LANES) {
        __m256 v[MOST_SIDE][MOST_SIDE];
        GONE for (int y = 0; y < side; y++) GONE for (int x = 0; x < side; x++) v[y][x] =
            _mm256_loadu_ps(at[y * side + x] + c);
        transform_square(f, transform, side, f.n, v);
        GONE for (int y = 0; y < f.n; y++) GONE for (int x = 0; x < f.n; x++)
            _mm256_store_ps(to + (y * f.n + x) * step + c, v[y][x]);
    }
}

/* LANES channels at all points. */
static INLINE void load_points(form f, __m256 v[MOST_SIDE][MOST_SIDE], const float *at, int64_t step) {
    GONE for (int y = 0; y < f.n; y++) GONE for (int x = 0; x < f.n; x++) v[y][x] =
        _mm256_load_ps(at + (y * f.n + x) * step);
}

int64_t bl__winograd_weights_scratch(const bl__conv_spec *s);
void bl__winograd_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                                   void *scratch);

#endif
