/* Weights in tiles. */
#include "tiles_inside.h"

/* Sixteen pairs of neighbours of a row, in bfloat16. */
static inline __m512i along(const float *x) {
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + TILE), _mm512_loadu_ps(x));
}

/* Sixteen pairs, one of each row. */
static inline __m512i across(const float *x, const float *y) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x)));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(y)));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/* Tile [tap][i / 32][o / 16] of the forward packing: rows are pairs of input channels, columns output
 * channels. */
static void forward_tile(const bl__conv_spec *s, const float *w, int t, int i, int o, uint16_t *packed) {
    const int64_t row = (int64_t)s->kh * s->kw * s->big.c;
    __m512i r[TILE];
    for (int k = 0; k < TILE; k++) r[k] = along(w + (o + k) * row + (int64_t)t * s->big.c + i);
    transpose(r);
    for (int k = 0; k < TILE; k++) _mm512_store_si512(packed + k * DEPTH, r[k]);
}

/* Tile [tap][o / 32][i / 16] of the backward packing: rows are pairs of output channels, columns input
 * channels. */
static void backward_tile(const bl__conv_spec *s, const float *w, int t, int o, int i, uint16_t *packed) {
    const int64_t row = (int64_t)s->kh * s->kw * s->big.c;
    for (int k = 0; k < TILE; k++) {
        const float *x = w + (o + 2 * k) * row + (int64_t)t * s->big.c + i;
        _mm512_store_si512(packed + k * DEPTH, across(x, x + row));
    }
}

typedef struct packing {
    const bl__conv_spec *s;
    const float *weights;
    uint16_t *forward, *backward;
} packing;

/* 32 output channels of one tap: whole rows are read once. */
static void pack_rows(const packing *p, int o, int t) {
    const bl__conv_spec *s = p->s;
    const int ins = s->big.c / TILE, outs = s->small.c / TILE;
    for (int i = 0; i < s->big.c; i += DEPTH)
        for (int half = 0; half < 2; half++) {
            int64_t f = ((int64_t)t * (ins / 2) + i / DEPTH) * outs + o / TILE + half;
            int64_t b = ((int64_t)t * (outs / 2) + o / DEPTH) * ins + i / TILE + half;
            if (p->forward) forward_tile(s, p->weights, t, i, o + half * TILE, p->forward + f * TILE * DEPTH);
            if (p->backward)
                backward_tile(s, p->weights, t, o, i + half * TILE, p->backward + b * TILE * DEPTH);
        }
}

static void pack_range(const void *arg, int64_t from, int64_t to) {
    const packing *p = arg;
    const int taps = p->s->kh * p->s->kw;
    for (int64_t k = from; k < to; k++) pack_rows(p, (int)(k / taps) * DEPTH, (int)(k % taps));
}

static void pack(const bl__conv_spec *s, const float *weights, void *forward, void *backward) {
    packing p = {s, weights, forward, backward};
    bl_team_split(s->threads, (int64_t)s->small.c / DEPTH * s->kh * s->kw, pack_range, &p);
}

const bl__own bl__tiles = {.data = &bl__planes,
                           .way = &bl__tiles_way,
                           .pack = pack,
                           .weights_scratch = bl__tiles_weights_scratch,
                           .backward_weights = bl__tiles_backward_weights};
