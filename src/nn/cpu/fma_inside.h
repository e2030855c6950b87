/* What the AVX2 kernels have in common. */
#ifndef BALLERINO_NN_FMA_INSIDE_H
#define BALLERINO_NN_FMA_INSIDE_H

#include <immintrin.h>

#include "own.h"

/* A block of sums, which with its operands fills the sixteen registers: ROWS x WIDE, two registers a row;
 * where half of that is enough, one. */
#define ROWS 6
#define WIDE 16
#define LANES 8 /* of a register */
/* Sums stay in registers only where every loop over them is gone before they are placed. */
#define UNROLLED _Pragma("GCC unroll 6")

/* Lanes 0..n-1, n up to LANES. */
static inline __m256i first_lanes(int n) {
    static const int32_t mask[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const void *)(mask + LANES - BL_CLAMP(n, 0, LANES)));
}

#define INLINE inline __attribute__((always_inline))

typedef struct bl__sums {
    __m256 left[ROWS], right[ROWS];
} bl__sums;

/* sums[i][j] += a[i * row + k * step] * b[k * line + j] for k < depth; `wide`: of more than LANES columns. */
static INLINE void multiply_add(bl__sums *s, const float *a, int64_t row, int64_t step, const float *b,
                                int64_t line, int64_t depth, int wide) {
    const float *below = a + 3 * row;
    for (int64_t k = 0; k < depth; k++, a += step, below += step, b += line) {
        const float *const at[ROWS] = {a, a + row, a + 2 * row, below, below + row, below + 2 * row};
        const __m256 l = _mm256_loadu_ps(b), r = wide ? _mm256_loadu_ps(b + LANES) : l;
        UNROLLED for (int i = 0; i < ROWS; i++) {
            const __m256 x = _mm256_broadcast_ss(at[i]);
            s->left[i] = _mm256_fmadd_ps(x, l, s->left[i]);
            if (wide) s->right[i] = _mm256_fmadd_ps(x, r, s->right[i]);
        }
    }
}

static INLINE void clear_sums(bl__sums *s) {
    UNROLLED for (int i = 0; i < ROWS; i++) s->left[i] = s->right[i] = _mm256_setzero_ps();
}

static INLINE void load_sums(bl__sums *s, const float *from, int64_t stride) {
    UNROLLED for (int i = 0; i < ROWS; i++) {
        s->left[i] = _mm256_load_ps(from + i * stride);
        s->right[i] = _mm256_load_ps(from + i * stride + LANES);
    }
}

static INLINE void store_sums(const bl__sums *s, float *out, int64_t stride, int wide) {
    UNROLLED for (int i = 0; i < ROWS; i++) {
        _mm256_store_ps(out + i * stride, s->left[i]);
        if (wide) _mm256_store_ps(out + i * stride + LANES, s->right[i]);
    }
}

static inline __m256 activated(__m256 v, bl_act act) {
    if (act == BL_ACT_LRELU) return _mm256_max_ps(v, _mm256_mul_ps(v, _mm256_set1_ps(0.2f)));
    if (act == BL_ACT_RELU || act == BL_ACT_RELU6) v = _mm256_max_ps(v, _mm256_setzero_ps());
    return act == BL_ACT_RELU6 ? _mm256_min_ps(v, _mm256_set1_ps(6)) : v;
}

/* ---- gradients of the weights ---- */
#define SMALL_BYTES (256 << 10) /* a dw below which parts of the work each have their own */

static inline int64_t dw_floats(const bl__conv_spec *s) {
    return (int64_t)s->kh * s->kw * s->small.c * s->big.c;
}

static inline int is_small(const bl__conv_spec *s) {
    return dw_floats(s) * (int64_t)sizeof(float) <= SMALL_BYTES;
}

extern const bl__way bl__fma_way; /* blocks of ROWS pixels and WIDE channels */

int64_t bl__fma_weights_scratch(const bl__conv_spec *s);
void bl__fma_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                              void *scratch);

#endif
