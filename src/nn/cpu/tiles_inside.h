/*
 * What the tile kernels have in common.
 *
 * Pixels are flattened with one pitch for both sides, wide enough that a tap of the kernel is a shift: the
 * small side has empty columns at each row's end. With stride 2 the big side is parted into its four phases,
 * in each of which a tap is a shift again.
 */
#ifndef BALLERINO_NN_TILES_INSIDE_H
#define BALLERINO_NN_TILES_INSIDE_H

#include <immintrin.h>
#include <string.h>

#include "tiles.h"

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

/* Where a tap lies: its phase, and how far it moves the flattened pixels of that phase. */
typedef struct tap {
    int phase;
    int64_t shift;
} tap;

static inline int pitch_of(const bl__conv_spec *s) {
    return s->small.w + (s->kw - 1) / s->sw;
}

static inline tap tap_at(const bl__conv_spec *s, int t) {
    int y = t / s->kw, x = t % s->kw;
    return (tap){y % s->sh * s->sw + x % s->sw, (int64_t)(y / s->sh) * pitch_of(s) + x / s->sw};
}

/* Flattened pixel p of a phase, `first` rows down: its place in the big picture; -1 outside. */
static inline int64_t big_at(const bl__conv_spec *s, int phase, int first, int64_t p) {
    int pitch = pitch_of(s), y = ((int)(p / pitch) + first) * s->sh + phase / s->sw - s->pad.top;
    int x = (int)(p % pitch) * s->sw + phase % s->sw - s->pad.left;
    return y >= 0 && y < s->big.h && x >= 0 && x < s->big.w ? (int64_t)y * s->big.w + x : -1;
}

/* Flattened pixel q of the small side; -1 in the empty columns and beyond `rows`. */
static inline int64_t small_at(const bl__conv_spec *s, int first, int rows, int64_t q) {
    int pitch = pitch_of(s), y = (int)(q / pitch), x = (int)(q % pitch);
    return y < rows && x < s->small.w ? (int64_t)(first + y) * s->small.w + x : -1;
}

static inline void *aligned(void *p) {
    return (void *)(((uintptr_t)p + 63) & ~(uintptr_t)63);
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

int64_t bl__tiles_weights_scratch(const bl__conv_spec *spec);
int64_t bl__tiles_data_scratch(const bl__conv_spec *spec);

#endif
