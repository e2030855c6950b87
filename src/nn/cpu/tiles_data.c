/* Blocks of forward and backward data (planes.c) as products of tiles: 16 pixels x 32 channels times 32 x 16
 * of one tap's weights. */
#include "tiles_inside.h"

#define PAIR (2 * TILE) /* pixels, and channels, of one block */

/* 16 sums of one pixel become 16 bfloat16 values of y. */
static inline void put(const bl__product *p, const float *sum, int64_t pixel, int channel) {
    uint16_t *y = (uint16_t *)p->y + pixel * p->width + channel;
    __m512 v = _mm512_loadu_ps(sum);
    if (p->bias) v = _mm512_add_ps(v, _mm512_loadu_ps(p->bias + channel));
    if (p->add) {
        __m256i old = _mm256_loadu_si256((const void *)y);
        v = _mm512_add_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(old), 16)));
    }
    if (p->act != BL_ACT_NONE) {
        __m512 low = p->act == BL_ACT_LRELU ? _mm512_mul_ps(v, _mm512_set1_ps(0.2f)) : _mm512_setzero_ps();
        v = _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LE_OQ), low);
    }
    _mm256_storeu_si256((void *)y, (__m256i)_mm512_cvtneps_pbh(v));
}

/* 32 pixels x 32 channels. */
static void block(const bl__product *p, int64_t pixel, int channel) {
    float sums[2][2][TILE][TILE] __attribute__((aligned(64)));
    const size_t a_row = (size_t)p->depth * sizeof(uint16_t), b_row = DEPTH * sizeof(uint16_t);
    const int64_t b_step = (int64_t)p->width * DEPTH;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int t = 0; t < p->taps; t++) {
        const uint16_t *a = (const uint16_t *)(const void *)p->a[t] + pixel * p->depth,
                       *below = a + (int64_t)TILE * p->depth,
                       *b = (const uint16_t *)(const void *)p->b[t] + (int64_t)channel * DEPTH;
        for (int k = 0; k < p->depth; k += DEPTH, b += b_step) {
            _tile_loadd(4, a + k, a_row);
            _tile_loadd(6, b, b_row);
            _tile_dpbf16ps(0, 4, 6);
            _tile_loadd(7, b + TILE * DEPTH, b_row);
            _tile_dpbf16ps(1, 4, 7);
            _tile_loadd(5, below + k, a_row);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, sums[0][0], TILE * sizeof(float));
    _tile_stored(1, sums[0][1], TILE * sizeof(float));
    _tile_stored(2, sums[1][0], TILE * sizeof(float));
    _tile_stored(3, sums[1][1], TILE * sizeof(float));
    for (int i = 0; i < PAIR; i++) {
        const int32_t to = p->to[pixel + i];
        if (to < 0) continue;
        put(p, sums[i / TILE][0][i % TILE], to, channel);
        put(p, sums[i / TILE][1][i % TILE], to, channel + TILE);
    }
}

static void release(void) {
    _tile_release();
}

const bl__way bl__tiles_way = {.size = sizeof(uint16_t),
                               .pixels = PAIR,
                               .channels = PAIR,
                               .begin = configure,
                               .end = release,
                               .block = block};
