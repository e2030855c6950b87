/*
 * Forward and backward data by Winograd's filtering (winograd_inside.h).
 *
 * A part takes a block of tiles, transforms what they are made from into one matrix [tile][channel] for each
 * of the n^2 points, multiplies each with the filter's at that point, WIDE channels of the result at a time,
 * and transforms these back. All of it stays in the second-level cache. Where the filters do not, the team
 * does each of the three for many tiles together, so that a point's filters are read once for all of them.
 * Each result is summed by one thread in one order, whatever block its tile is in.
 */
#include "winograd_inside.h"

#include <string.h>

#define READ_FLOATS (64 << 10) /* of a block's transformed tiles */
#define MOST_TILES 54
#define LARGE_FLOATS (512 << 10) /* the same, of many tiles together */
#define LARGE_FILTER (128 * 128) /* channels read by channels made */

/* ---- one convolution ---- */
typedef struct job {
    tiling t;
    bl_shape in, out;
    int top, left;
    const float *from, *filter, *bias;
    float *to;
    bl_act act;
    int add;
    int block; /* tiles, a multiple of ROWS */
    int64_t read_step,
        product_step; /* floats between two points' matrices of transformed tiles, of products */
    float *scratch;
} job;

/* Floats between two points' filters. */
static int64_t filter_step(int depth) {
    return (int64_t)(depth + 1) * WIDE;
}

/* ---- tiles out: of the channels from `channel` on ---- */
static INLINE void make_tile(form f, const job *j, int64_t k, const float *product, int channel) {
    const int side = made_side(f);
    const int x0 = (int)(k % j->t.across) * side, y0 = (int)(k / j->t.across % j->t.down) * side;
    const int64_t sample = k / j->t.across / j->t.down;
    float *to = j->to + ((sample * j->out.h + y0) * j->out.w + x0) * j->out.c + channel;
    const int rows = BL_MIN(side, j->out.h - y0), columns = BL_MIN(side, j->out.w - x0);
    for (int c = 0; c < WIDE; c += LANES) {
        const __m256 bias = j->bias ? _mm256_loadu_ps(j->bias + channel + c) : _mm256_setzero_ps();
        __m256 v[MOST_SIDE][MOST_SIDE];
        load_points(f, v, product + c, j->product_step);
        transform_square(f, made_transform, f.n, side, v);
        GONE for (int y = 0; y < side; y++) GONE for (int x = 0; x < side; x++) {
            if (y >= rows || x >= columns) continue;
            float *at = to + ((int64_t)y * j->out.w + x) * j->out.c + c;
            __m256 sum = plus(v[y][x], bias);
            if (j->add) sum = plus(sum, _mm256_loadu_ps(at));
            _mm256_storeu_ps(at, activated(sum, j->act));
        }
    }
}

/* The products of tiles with one point's filters, for WIDE channels; a product is `row` floats from the next.
 * Tiles beyond the last are whatever lies there. */
static void multiply(const float *read, int depth, const float *filter, float *product, int row, int tiles) {
    for (int k = 0; k < tiles; k += ROWS) {
        bl__sums sums;
        clear_sums(&sums);
        multiply_add(&sums, read + (int64_t)k * depth, depth, 1, filter, WIDE, depth, 1);
        store_sums(&sums, product + (int64_t)k * row, row, 1);
    }
}

static const float *filter_of(const job *j, int channel, int point) {
    return j->filter + ((int64_t)channel / WIDE * points_of(j->t.f) + point) * filter_step(j->in.c);
}

/* ---- tiles in ---- */
static INLINE void lay_tile(form f, const job *j, int64_t k, float *read) {
    const float *at[MOST_POINTS];
    find_pixels(&j->t, k, j->from, j->in, read_pitch(f), j->top, j->left, read_side(f), at);
    transform_tile(f, read_transform, read_side(f), at, j->in.c, read, j->read_step);
}

/* ---- all of a block after each other ---- */
static INLINE void make_block(form f, const job *j, int64_t first, int tiles) {
    float read[READ_FLOATS] __attribute__((aligned(64)));
    float product[MOST_POINTS * (MOST_TILES * WIDE + GAP)] __attribute__((aligned(64)));
    for (int k = 0; k < tiles; k++) lay_tile(f, j, first + k, read + (int64_t)k * j->in.c);
    for (int channel = 0; channel < j->out.c; channel += WIDE) {
        for (int p = 0; p < points_of(f); p++)
            multiply(read + p * j->read_step, j->in.c, filter_of(j, channel, p),
                     product + p * j->product_step, WIDE, tiles);
        for (int k = 0; k < tiles; k++) make_tile(f, j, first + k, product + (int64_t)k * WIDE, channel);
    }
}

static void make_blocks(const void *arg, int64_t from, int64_t to) {
    const job *j = arg;
    for (int64_t b = from; b < to; b++) {
        const int64_t first = b * j->block;
        const int tiles = (int)BL_MIN(j->block, j->t.tiles - first);
        IN_FORM(j->t.f, make_block, j, first, tiles);
    }
}

/* As many tiles as the cache holds, but a few blocks for each thread. */
static void run_blocks(job *j, int threads) {
    const int most = (READ_FLOATS / points_of(j->t.f) - GAP) / j->in.c / ROWS * ROWS;
    const int64_t share = bl__blocks(bl__blocks(j->t.tiles, 2 * threads), ROWS) * ROWS;
    j->block = (int)BL_MIN(BL_MIN(most, MOST_TILES), share);
    j->read_step = (int64_t)j->block * j->in.c + GAP;
    j->product_step = (int64_t)j->block * WIDE + GAP;
    bl_team_split(threads, bl__blocks(j->t.tiles, j->block), make_blocks, j);
}

/* ---- each of the three for many tiles ---- */
typedef struct stretch {
    const job *j;
    int64_t first;
    int tiles;
    float *read, *product; /* [point][tile][channel], and a gap */
} stretch;

static INLINE void lay_all(form f, const stretch *s, int64_t from, int64_t to) {
    for (int64_t k = from; k < to; k++) lay_tile(f, s->j, s->first + k, s->read + k * s->j->in.c);
}
static void lay_tiles(const void *arg, int64_t from, int64_t to) {
    const stretch *s = arg;
    IN_FORM(s->j->t.f, lay_all, s, from, to);
}

static void multiply_points(const void *arg, int64_t from, int64_t to) {
    const stretch *s = arg;
    const job *j = s->j;
    const int wides = j->out.c / WIDE;
    for (int64_t u = from; u < to; u++) {
        const int p = (int)(u / wides), channel = (int)(u % wides) * WIDE;
        multiply(s->read + p * j->read_step, j->in.c, filter_of(j, channel, p),
                 s->product + p * j->product_step + channel, j->out.c, s->tiles);
    }
}

static INLINE void make_all(form f, const stretch *s, int64_t from, int64_t to) {
    for (int64_t k = from; k < to; k++)
        for (int channel = 0; channel < s->j->out.c; channel += WIDE)
            make_tile(f, s->j, s->first + k, s->product + k * s->j->out.c + channel, channel);
}
static void make_tiles(const void *arg, int64_t from, int64_t to) {
    const stretch *s = arg;
    IN_FORM(s->j->t.f, make_all, s, from, to);
}

static int is_large(int depth, int width) {
    return depth * width >= LARGE_FILTER;
}

/* Tiles of a stretch: the fewest stretches that are small enough, and then all alike. */
static int tiles_at_once(const tiling *t, int depth, int width) {
    const int64_t most = LARGE_FLOATS / points_of(t->f) / BL_MAX(depth, width);
    return (int)bl__blocks(bl__blocks(t->tiles, (int)bl__blocks(t->tiles, (int)most)), ROWS) * ROWS;
}

static int64_t large_floats(const tiling *t, int depth, int width) {
    if (!is_large(depth, width)) return 0;
    return points_of(t->f) * ((int64_t)tiles_at_once(t, depth, width) * (depth + width) + 2 * GAP);
}

static void run_large(job *j, int threads) {
    j->block = tiles_at_once(&j->t, j->in.c, j->out.c);
    j->read_step = (int64_t)j->block * j->in.c + GAP;
    j->product_step = (int64_t)j->block * j->out.c + GAP;
    for (int64_t first = 0; first < j->t.tiles; first += j->block) {
        const int points = points_of(j->t.f);
        const stretch s = {j, first, (int)BL_MIN(j->block, j->t.tiles - first), j->scratch,
                           j->scratch + points * j->read_step};
        bl_team_split(threads, s.tiles, lay_tiles, &s);
        bl_team_split(threads, (int64_t)points * (j->out.c / WIDE), multiply_points, &s);
        bl_team_split(threads, s.tiles, make_tiles, &s);
    }
}

static void run(job *j, int threads) {
    if (is_large(j->in.c, j->out.c))
        run_large(j, threads);
    else
        run_blocks(j, threads);
}

static int64_t scratch_bytes(const bl__way *way, const bl__conv_spec *s) {
    (void)way;
    const tiling down = tiles_of(form_of(s, s->big.c, 0), s->small),
                 up = tiles_of(form_of(s, s->small.c, 1), s->big);
    return BL_MAX(large_floats(&down, s->big.c, s->small.c), large_floats(&up, s->small.c, s->big.c)) *
               (int64_t)sizeof(float) +
           64;
}

static void forward(const bl__way *way, const bl__conv_spec *s, const void *big, const void *packed,
                    const float *bias, void *small, int add, void *scratch) {
    (void)way;
    job j = {.t = tiles_of(form_of(s, s->big.c, 0), s->small),
             .in = s->big,
             .out = s->small,
             .top = s->pad.top,
             .left = s->pad.left,
             .from = big,
             .filter = packed,
             .bias = add ? NULL : bias,
             .to = small,
             .act = add ? BL_ACT_NONE : s->act,
             .add = add,
             .scratch = bl__aligned(scratch)};
    run(&j, s->threads);
}

/* The adjoint: the filter turned about, padded by what is missing to all but one of it; with stride 2 tiles
 * begin where the middle tap does. */
static void backward(const bl__way *way, const bl__conv_spec *s, const void *small, const void *packed,
                     void *big, int add, void *scratch) {
    (void)way;
    job j = {.t = tiles_of(form_of(s, s->small.c, 1), s->big),
             .in = s->small,
             .out = s->big,
             .top = s->sh == 2 ? 0 : s->kh - 1 - s->pad.top,
             .left = s->sh == 2 ? 0 : s->kw - 1 - s->pad.left,
             .from = small,
             .filter = packed,
             .to = big,
             .act = BL_ACT_NONE,
             .add = add,
             .scratch = bl__aligned(scratch)};
    run(&j, s->threads);
}

/* ---- filters: [made / WIDE][point][read, and a gap][WIDE] ---- */
static int64_t packed_bytes(const bl__way *way, const bl__conv_spec *s, int to_big) {
    (void)way;
    const int depth = to_big ? s->small.c : s->big.c, width = to_big ? s->big.c : s->small.c;
    return (int64_t)sizeof(float) * width / WIDE * points_of(form_of(s, depth, to_big)) * filter_step(depth);
}

/* One channel read, WIDE made: g is [tap][WIDE]. */
static INLINE void pack_filter(form f, const float *g, float *to, int64_t step) {
    for (int c = 0; c < WIDE; c += LANES) {
        __m256 v[MOST_SIDE][MOST_SIDE];
        GONE for (int y = 0; y < f.r; y++) GONE for (int x = 0; x < f.r; x++) v[y][x] =
            _mm256_load_ps(g + (y * f.r + x) * WIDE + c);
        transform_square(f, filter_transform, f.r, f.n, v);
        GONE for (int y = 0; y < f.n; y++) GONE for (int x = 0; x < f.n; x++)
            _mm256_store_ps(to + (y * f.n + x) * step + c, v[y][x]);
    }
}

static void pack_at(form f, const float *g, float *to, int64_t step) {
    IN_FORM(f, pack_filter, g, to, step);
}

typedef struct packing {
    const bl__conv_spec *s;
    const float *weights;
    float *to;
    int depth, taps; /* channels read */
    form f;
} packing;

static float *filter_at(const packing *p, int made, int read) {
    return p->to + made / WIDE * points_of(p->f) * filter_step(p->depth) + (int64_t)read * WIDE;
}

/* Channels made are small's, channels read big's, which lie side by side: LANES of them are turned about. */
static void pack_forward(const void *arg, int64_t from, int64_t to) {
    const packing *p = arg;
    const int c = p->s->big.c, groups = c / LANES;
    for (int64_t u = from; u < to; u++) {
        const int made = (int)(u / groups) * WIDE, read = (int)(u % groups) * LANES;
        float g[LANES][MOST_TAPS * WIDE] __attribute__((aligned(32)));
        for (int o = 0; o < WIDE; o++)
            for (int t = 0; t < p->taps; t++) {
                const float *w = p->weights + ((int64_t)(made + o) * p->taps + t) * c + read;
                for (int i = 0; i < LANES; i++) g[i][t * WIDE + o] = w[i];
            }
        for (int i = 0; i < LANES; i++)
            pack_at(p->f, g[i], filter_at(p, made, read + i), filter_step(p->depth));
    }
}

/* Made are big's. */
static void pack_backward(const void *arg, int64_t from, int64_t to) {
    const packing *p = arg;
    const int c = p->s->big.c;
    for (int64_t u = from; u < to; u++) {
        const int made = (int)(u / p->depth) * WIDE, read = (int)(u % p->depth);
        float g[MOST_TAPS * WIDE] __attribute__((aligned(32)));
        for (int t = 0; t < p->taps; t++)
            memcpy(g + (p->taps - 1 - t) * WIDE, p->weights + ((int64_t)read * p->taps + t) * c + made,
                   WIDE * sizeof *g);
        pack_at(p->f, g, filter_at(p, made, read), filter_step(p->depth));
    }
}

static void pack(const bl__conv_spec *s, const float *weights, void *to_small, void *to_big) {
    if (to_small) {
        const packing p = {s, weights, to_small, s->big.c, s->kh * s->kw, form_of(s, s->big.c, 0)};
        bl_team_split(s->threads, (int64_t)s->small.c / WIDE * (s->big.c / LANES), pack_forward, &p);
    }
    if (to_big) {
        const packing p = {s, weights, to_big, s->small.c, s->kh * s->kw, form_of(s, s->small.c, 1)};
        bl_team_split(s->threads, (int64_t)s->big.c / WIDE * s->small.c, pack_backward, &p);
    }
}

static const bl__data data = {
    .packed = packed_bytes, .scratch = scratch_bytes, .forward = forward, .backward = backward};

const float bl__winograd_zeros[MOST_CHANNELS];

int bl__winograd_fits(const bl__conv_spec *s) {
    const int halves = s->kh == 3 && s->sh == 2 && s->pad.top == 1 && s->pad.left == 1;
    const int stays = (s->kh == 3 || s->kh == 4) && s->sh == 1 && BL_MAX(s->pad.top, s->pad.left) < s->kh;
    return (halves || stays) && s->kw == s->kh && s->sw == s->sh && s->big.c % WIDE == 0 &&
           s->small.c % WIDE == 0 &&
           BL_MAX(s->big.c, s->small.c) <= (s->kh == 3 && stays ? MOST_CHANNELS : MOST_CHANNELS / 2);
}

const bl__own bl__winograd = {.data = &data,
                              .pack = pack,
                              .weights_scratch = bl__winograd_weights_scratch,
                              .backward_weights = bl__winograd_backward_weights};
