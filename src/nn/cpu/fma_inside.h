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

int64_t bl__fma_weights_scratch(const bl__conv_spec *s);
void bl__fma_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                              void *scratch);

#endif
