/* What the tile kernels have in common. */
#ifndef BALLERINO_NN_TILES_INSIDE_H
#define BALLERINO_NN_TILES_INSIDE_H

#include <immintrin.h>
#include <string.h>

#include "own.h"

#define TILE 16  /* rows of a tile; columns of four bytes */
#define DEPTH 32 /* bfloat16 values that one product of tiles sums over */

/* All eight tiles: 16 rows of 64 bytes. Each thread configures before and releases after. */
static inline void configure(void) {
    static const struct {
        uint8_t palette, start, reserved[14];
        uint16_t columns[16];
        uint8_t rows[16];
    } config = {.palette = 1,
                .columns = {64, 64, 64, 64, 64, 64, 64, 64},
                .rows = {16, 16, 16, 16, 16, 16, 16,
                         16}}; /* static: the intrinsic claims to read eight bytes of it */
    _tile_loadconfig(&config);
}

/* A 16 x 16 matrix of four-byte values. */
static inline void transpose(__m512i r[TILE]) {
    __m512i t[TILE];
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
        r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
        t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
        t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
        t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
        r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
        r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
        r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
    }
}

extern const bl__way bl__tiles_way;
int64_t bl__tiles_weights_scratch(const bl__conv_spec *s);
void bl__tiles_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                                void *scratch);

#endif
