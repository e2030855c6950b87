/*
 * Gradients of the weights by Winograd's filtering (winograd_inside.h).
 *
 * A chunk of tiles of x and of dy is transformed, [point][tile][channel]; products of the two are summed over
 * its tiles, ROWS x WIDE channels of dw at a time, and transformed back into the taps. Where dw is large, the
 * team lays out a chunk and then takes its points one after the other, so that what lies there stays in the
 * second-level cache; the sums of all chunks are transformed back in the end. Where it is small, each part of
 * the tiles has a dw of its own and chunks that stay in that cache as a whole, and in the end the parts are
 * summed in their order.
 */
#include "winograd_inside.h"

#include <string.h>

#define SMALL_FLOATS (96 << 10)   /* of a chunk */
#define LARGE_FLOATS (1280 << 10) /* the same */

/* Tiles first.. and what they became. */
typedef struct chunk {
    const bl__conv_spec *s;
    const tiling *t;
    const float *big, *small;
    float *dw;
    int64_t first;
    int tiles;
    float *x, *dy; /* [point][tiles][channels, and a gap] */
    float *sums;   /* large: [point][small's channels, whole ROWS][big's] */
} chunk;

static form form_here(const bl__conv_spec *s) {
    return form_of(s, BL_MAX(s->big.c, s->small.c), 0);
}

/* Of x, and of dy. */
static int64_t row_of(bl_shape s) {
    return s.c + GAP;
}

static int64_t tile_floats(const bl__conv_spec *s) {
    return points_of(form_here(s)) * (row_of(s->big) + row_of(s->small));
}

/* Parts of the tiles, each with a chunk and a dw. */
static int parts_of(const bl__conv_spec *s) {
    return is_small(s) ? bl_team_parts(s->threads) : 1;
}

/* Tiles of a chunk: the fewest chunks that are small enough, and then all alike. */
static int tiles_at_once(const bl__conv_spec *s) {
    const int64_t all = bl__blocks(tiles_of(form_here(s), s->small).tiles, parts_of(s)),
                  most = (is_small(s) ? SMALL_FLOATS : LARGE_FLOATS) / tile_floats(s),
                  chunks = bl__blocks(all, (int)most);
    return (int)bl__blocks(all, (int)chunks);
}

static int outs_of(const bl__conv_spec *s) {
    return (int)bl__blocks(s->small.c, ROWS);
}

/* Of the sums at one point. */
static int64_t point_floats(const bl__conv_spec *s) {
    return (int64_t)outs_of(s) * ROWS * s->big.c;
}

static int64_t part_floats(const bl__conv_spec *s) {
    return tiles_at_once(s) * tile_floats(s) +
           (is_small(s) ? dw_floats(s) : points_of(form_here(s)) * point_floats(s)) + 32;
}

int64_t bl__winograd_weights_scratch(const bl__conv_spec *s) {
    return parts_of(s) * part_floats(s) * (int64_t)sizeof(float) + 64;
}

static INLINE void lay(form f, const chunk *k, int64_t from, int64_t to) {
    const bl__conv_spec *s = k->s;
    const float *at[MOST_POINTS];
    for (int64_t i = from; i < to; i++) {
        find_pixels(k->t, k->first + i, k->big, s->big, read_pitch(f), s->pad.top, s->pad.left, f.n, at);
        transform_tile(f, read_transform, f.n, at, s->big.c, k->x + i * row_of(s->big),
                       k->tiles * row_of(s->big));
        find_pixels(k->t, k->first + i, k->small, s->small, f.m, 0, 0, f.m, at);
        transform_tile(f, gradient_transform, f.m, at, s->small.c, k->dy + i * row_of(s->small),
                       k->tiles * row_of(s->small));
    }
}

static void lay_tiles(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    IN_FORWARD_FORM(k->t->f, lay, k, from, to);
}

/* The taps of one output channel and WIDE input channels; sums are `step` floats from one point to the next.
 */
static INLINE void add_taps(form f, const float *sums, int64_t step, float *dw, int64_t tap) {
    for (int c = 0; c < WIDE; c += LANES) {
        __m256 v[MOST_SIDE][MOST_SIDE];
        load_points(f, v, sums + c, step);
        transform_square(f, filter_gradient, f.n, f.r, v);
        GONE for (int y = 0; y < f.r; y++) GONE for (int x = 0; x < f.r; x++) {
            float *at = dw + (y * f.r + x) * tap + c;
            _mm256_storeu_ps(at, plus(_mm256_loadu_ps(at), v[y][x]));
        }
    }
}

/* sums += what the chunk gives at point p, ROWS x WIDE channels. */
static INLINE void add_point(const chunk *k, int p, int out, int in, bl__sums *sums) {
    const int64_t row = row_of(k->s->big), across = row_of(k->s->small);
    multiply_add(sums, k->dy + p * k->tiles * across + out, 1, across, k->x + p * k->tiles * row + in, row,
                 k->tiles, 1);
}

/* ---- a small dw: all points of ROWS x WIDE channels after each other ---- */
static INLINE void unit(form f, const chunk *k, int out, int in) {
    const bl__conv_spec *s = k->s;
    float sums[MOST_POINTS][ROWS][WIDE] __attribute__((aligned(64)));
    for (int p = 0; p < points_of(f); p++) {
        bl__sums at;
        clear_sums(&at);
        add_point(k, p, out, in, &at);
        store_sums(&at, sums[p][0], WIDE, 1);
    }
    for (int i = 0; i < BL_MIN(ROWS, s->small.c - out); i++)
        add_taps(f, sums[0][i], ROWS * WIDE, k->dw + (int64_t)(out + i) * f.r * f.r * s->big.c + in,
                 s->big.c);
}

static int64_t units_of(const bl__conv_spec *s) {
    return (int64_t)outs_of(s) * (s->big.c / WIDE);
}

static void multiply(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    const int outs = outs_of(k->s);
    for (int64_t u = from; u < to; u++) {
        const int out = (int)(u % outs) * ROWS, in = (int)(u / outs) * WIDE;
        IN_FORWARD_FORM(k->t->f, unit, k, out, in);
    }
}

/* ---- a large one: point after point ---- */
static void multiply_points(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    const int width = k->s->big.c, wides = width / WIDE;
    for (int64_t u = from; u < to; u++) {
        const int p = (int)(u / wides), in = (int)(u % wides) * WIDE;
        float *sums = k->sums + p * point_floats(k->s) + in;
        for (int out = 0; out < k->s->small.c; out += ROWS, sums += ROWS * width) {
            bl__sums at;
            if (k->first)
                load_sums(&at, sums, width);
            else
                clear_sums(&at);
            add_point(k, p, out, in, &at);
            store_sums(&at, sums, width, 1);
        }
    }
}

static INLINE void add_outs(form f, const chunk *k, int64_t from, int64_t to) {
    const int width = k->s->big.c;
    for (int64_t out = from; out < to; out++)
        for (int in = 0; in < width; in += WIDE)
            add_taps(f, k->sums + out * width + in, point_floats(k->s), k->dw + out * f.r * f.r * width + in,
                     width);
}
static void add_all_taps(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    IN_FORWARD_FORM(k->t->f, add_outs, k, from, to);
}

/* ---- all tiles ---- */
typedef struct gradient {
    chunk all;
    float *scratch;
    int parts;
} gradient;

/* The chunk that begins at tile `first` and ends before `end`, its matrices at `at`. */
static chunk chunk_at(const chunk *all, int64_t first, int64_t end, float *at) {
    chunk k = *all;
    k.first = first;
    k.tiles = (int)BL_MIN(tiles_at_once(k.s), end - first);
    k.x = at;
    k.dy = at + points_of(k.t->f) * k.tiles * row_of(k.s->big);
    return k;
}

static void add_large(const gradient *g) {
    const bl__conv_spec *s = g->all.s;
    const int points = points_of(g->all.t->f);
    chunk k = g->all;
    k.sums = g->scratch;
    for (int64_t first = 0; first < k.t->tiles; first += tiles_at_once(s)) {
        k = chunk_at(&k, first, k.t->tiles, k.sums + points * point_floats(s));
        bl_team_split(s->threads, k.tiles, lay_tiles, &k);
        bl_team_split(s->threads, (int64_t)points * (s->big.c / WIDE), multiply_points, &k);
    }
    bl_team_split(s->threads, s->small.c, add_all_taps, &k);
}

static float *dw_of(const gradient *g, int part) {
    return g->scratch + part * part_floats(g->all.s);
}

static void add_part(const void *arg, int part) {
    const gradient *g = arg;
    const bl__conv_spec *s = g->all.s;
    const int64_t tiles = g->all.t->tiles, end = bl__share(tiles, g->parts, part + 1);
    float *dw = dw_of(g, part);
    memset(dw, 0, (size_t)dw_floats(s) * sizeof *dw);
    for (int64_t first = bl__share(tiles, g->parts, part); first < end; first += tiles_at_once(s)) {
        chunk k = chunk_at(&g->all, first, end, bl__aligned(dw + dw_floats(s)));
        k.dw = dw;
        lay_tiles(&k, 0, k.tiles);
        multiply(&k, 0, units_of(s));
    }
}

static void sum_parts(const void *arg, int64_t from, int64_t to) {
    const gradient *g = arg;
    for (int k = 0; k < g->parts; k++)
        bl__typed_of(0)->accumulate(g->all.dw + from, dw_of(g, k) + from, to - from);
}

void bl__winograd_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                                   void *scratch) {
    const tiling t = tiles_of(form_here(s), s->small);
    const gradient g = {.all = {.s = s, .t = &t, .big = big, .small = small, .dw = dw},
                        .scratch = bl__aligned(scratch),
                        .parts = parts_of(s)};
    if (!is_small(s)) {
        add_large(&g);
        return;
    }
    bl_team_run(s->threads, g.parts, add_part, &g);
    bl_team_split(s->threads, dw_floats(s), sum_parts, &g);
}
