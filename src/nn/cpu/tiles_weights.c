/*
 * dw[o][tap][i] = sum over output pixels of dy[pixel][o] * x[pixel moved by tap][i], as products of tiles:
 *
 *   A  16 channels o x 32 pixels of dy, transposed once;
 *   B  32 pixels x 16 channels i of x, two pixels side by side (the order that the tile product wants);
 *   C  16 x 16 sums in float32, loaded from dw and stored back to it.
 *
 * An odd shift would tear pairs of pixels apart, so x is packed twice, from its first pixel and from its
 * second. Rows of output are taken in chunks whose packed pixels stay in the second-level cache.
 */
#include "tiles_inside.h"

#define CHUNK_BYTES (1 << 20)

/* How one convolution is cut. */
typedef struct cut {
    int phases, pitch;
    int more_rows; /* of a phase, below the output's last */
    int rows;      /* output rows a chunk */
    int64_t depth; /* pixels a chunk, a multiple of DEPTH */
    int64_t pairs; /* pairs of pixels of a packed phase */
} cut;

static int64_t depth_of(const cut *c, int rows) {
    return bl__blocks((int64_t)rows * c->pitch, DEPTH) * DEPTH;
}

static int64_t pairs_of(const cut *c, int rows) {
    return (depth_of(c, rows) + (int64_t)(c->more_rows + 1) * c->pitch) / 2 + 1;
}

static int64_t chunk_bytes(const bl__conv_spec *s, const cut *c, int rows) {
    return 2 * depth_of(c, rows) * s->small.c + 8 * c->phases * pairs_of(c, rows) * s->big.c;
}

static cut cut_of(const bl__conv_spec *s) {
    cut c = {.phases = s->sh * s->sw, .pitch = bl__pitch(s)};
    c.more_rows = (s->kh - 1) / s->sh;
    for (c.rows = s->small.h; c.rows > 1 && chunk_bytes(s, &c, c.rows) > CHUNK_BYTES;)
        c.rows = (c.rows + 1) / 2;
    c.depth = depth_of(&c, c.rows);
    c.pairs = pairs_of(&c, c.rows);
    return c;
}

int64_t bl__tiles_weights_scratch(const bl__conv_spec *s) {
    cut c = cut_of(s);
    return chunk_bytes(s, &c, c.rows) + 128;
}

/* Two rows of 16 bfloat16 side by side: (a0, b0), (a1, b1), ... */
static inline __m512i pair(const uint16_t *a, const uint16_t *b) {
    __m512i low = a ? _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)a)) : _mm512_setzero_si512();
    __m512i high = b ? _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)b)) : _mm512_setzero_si512();
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/* a[small.c][depth]: pixels q0..q0+31 of all channels. */
static void pack_output(const bl__conv_spec *s, const cut *c, const uint16_t *small, int first, int rows,
                        int64_t q0, uint16_t *a) {
    const uint16_t *at[DEPTH];
    for (int i = 0; i < DEPTH; i++) {
        int64_t p = bl__small_at(s, first, rows, q0 + i);
        at[i] = p < 0 ? NULL : small + p * s->small.c;
    }
    for (int o = 0; o < s->small.c; o += TILE) {
        __m512i r[TILE];
        for (int i = 0; i < TILE; i++)
            r[i] = pair(at[2 * i] ? at[2 * i] + o : NULL, at[2 * i + 1] ? at[2 * i + 1] + o : NULL);
        transpose(r);
        for (int i = 0; i < TILE; i++) _mm512_store_si512(a + (o + i) * c->depth + q0, r[i]);
    }
}

static inline const uint16_t *input_at(const bl__conv_spec *s, const uint16_t *big, int phase, int first,
                                       int64_t p) {
    int64_t at = bl__big_at(s, phase, first, p);
    return at < 0 ? NULL : big + at * s->big.c;
}

/* b[2][phases][pairs][big.c] pairs of pixels; row j of a phase, both of its packings. */
static void pack_input(const bl__conv_spec *s, const cut *c, const uint16_t *big, int phase, int first,
                       int64_t j, uint32_t *b) {
    const uint16_t *p = input_at(s, big, phase, first, 2 * j), *q = input_at(s, big, phase, first, 2 * j + 1),
                   *r = input_at(s, big, phase, first, 2 * j + 2);
    uint32_t *even = b + (phase * c->pairs + j) * s->big.c, *odd = even + c->phases * c->pairs * s->big.c;
    for (int i = 0; i < s->big.c; i += TILE) {
        _mm512_store_si512(even + i, pair(p ? p + i : NULL, q ? q + i : NULL));
        _mm512_store_si512(odd + i, pair(q ? q + i : NULL, r ? r + i : NULL));
    }
}

/* Tiles 0..3 are sums, 4 and 5 output channels, 6 and 7 input channels; m and n of each are used. */
static inline __attribute__((always_inline)) void product(const uint16_t *a, int64_t a_stride,
                                                          const uint32_t *b, int64_t b_stride, int64_t depth,
                                                          float *dw, int64_t dw_stride, int m, int n) {
    const size_t row = (size_t)dw_stride * sizeof *dw, a_row = (size_t)a_stride * sizeof *a,
                 b_row = (size_t)b_stride * sizeof *b;
    float *below = dw + TILE * dw_stride;
    _tile_loadd(0, dw, row);
    if (n > 1) _tile_loadd(1, dw + TILE, row);
    if (m > 1) _tile_loadd(2, below, row);
    if (m > 1 && n > 1) _tile_loadd(3, below + TILE, row);
    for (int64_t q = 0; q < depth; q += DEPTH, a += DEPTH, b += DEPTH / 2 * b_stride) {
        _tile_loadd(6, b, b_row);
        _tile_loadd(4, a, a_row);
        _tile_dpbf16ps(0, 4, 6);
        if (n > 1) {
            _tile_loadd(7, b + TILE, b_row);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (m > 1) {
            _tile_loadd(5, a + TILE * a_stride, a_row);
            _tile_dpbf16ps(2, 5, 6);
            if (n > 1) _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, dw, row);
    if (n > 1) _tile_stored(1, dw + TILE, row);
    if (m > 1) _tile_stored(2, below, row);
    if (m > 1 && n > 1) _tile_stored(3, below + TILE, row);
}

/* Block `unit` of dw: two tiles of output channels, two of input channels, one tap. */
static void block(const bl__conv_spec *s, const cut *c, int64_t unit, const uint16_t *a, const uint32_t *b,
                  float *dw) {
    const int taps = s->kh * s->kw, ins = (int)bl__blocks(s->big.c, 2 * TILE);
    const int i = (int)(unit % ins) * 2 * TILE, t = (int)(unit / ins % taps),
              o = (int)(unit / ins / taps) * 2 * TILE; /* along the rows of dw */
    const bl__tap at = bl__tap_at(s, t);
    const int64_t row = (at.shift & 1) * c->phases * c->pairs + at.phase * c->pairs + at.shift / 2;
    const int m = s->small.c - o > TILE ? 2 : 1, n = s->big.c - i > TILE ? 2 : 1;
    const int64_t stride = (int64_t)taps * s->big.c;
    const uint16_t *from = a + o * c->depth;
    const uint32_t *with = b + row * s->big.c + i;
    float *to = dw + o * stride + (int64_t)t * s->big.c + i;
    if (m == 2 && n == 2)
        product(from, c->depth, with, s->big.c, c->depth, to, stride, 2, 2);
    else if (m == 2)
        product(from, c->depth, with, s->big.c, c->depth, to, stride, 2, 1);
    else if (n == 2)
        product(from, c->depth, with, s->big.c, c->depth, to, stride, 1, 2);
    else
        product(from, c->depth, with, s->big.c, c->depth, to, stride, 1, 1);
}

/* Rows first.. of one sample. */
typedef struct chunk {
    const bl__conv_spec *s;
    const cut *c;
    const uint16_t *big, *small;
    int first;
    float *dw;
    uint16_t *a;
    uint32_t *b;
} chunk;

static void pack_part(const void *arg, int part) {
    const chunk *k = arg;
    const int rows = BL_MIN(k->c->rows, k->s->small.h - k->first), parts = bl_team_parts(k->s->threads);
    const int64_t blocks = k->c->depth / DEPTH, pairs = k->c->pairs, inputs = k->c->phases * pairs;
    for (int64_t i = bl__share(blocks, parts, part); i < bl__share(blocks, parts, part + 1); i++)
        pack_output(k->s, k->c, k->small, k->first, rows, i * DEPTH, k->a);
    for (int64_t i = bl__share(inputs, parts, part); i < bl__share(inputs, parts, part + 1); i++)
        pack_input(k->s, k->c, k->big, (int)(i / pairs), k->first, i % pairs, k->b);
}

static void multiply(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    configure();
    for (int64_t u = from; u < to; u++) block(k->s, k->c, u, k->a, k->b, k->dw);
    _tile_release();
}

static void add_chunk(const chunk *k) {
    const bl__conv_spec *s = k->s;
    const int64_t units = bl__blocks(s->small.c, 2 * TILE) * bl__blocks(s->big.c, 2 * TILE) * s->kh * s->kw;
    bl_team_run(s->threads, bl_team_parts(s->threads), pack_part, k);
    bl_team_split(s->threads, units, multiply, k);
}

void bl__tiles_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                                void *scratch) {
    const cut c = cut_of(s);
    chunk k = {.s = s, .c = &c, .dw = dw, .a = bl__aligned(scratch)};
    k.b = (void *)(k.a + c.depth * s->small.c);
    for (int n = 0; n < s->big.n; n++) {
        k.big = (const uint16_t *)big + n * bl__plane(s->big) * s->big.c;
        k.small = (const uint16_t *)small + n * bl__plane(s->small) * s->small.c;
        for (k.first = 0; k.first < s->small.h; k.first += c.rows) add_chunk(&k);
    }
}
