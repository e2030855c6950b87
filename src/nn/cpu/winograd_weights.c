/*
 * Gradients of the weights by Winograd's filtering (winograd_inside.h).
 *
 * A chunk of tiles of x and of dy is transformed, [point][tile][channel]. A unit, ROWS x WIDE channels of dw,
 * is then summed over the tiles at all points, and transformed back into the taps. As in fma_weights.c:
 * where dw is large, the team lays out a chunk and then takes its units; where it is small, each part of the
 * tiles has a dw of its own and chunks that stay in the second-level cache, and in the end the parts are
 * summed in their order.
 */
#include "winograd_inside.h"

#include <string.h>

#define SMALL_FLOATS (96 << 10)  /* of a chunk */
#define LARGE_FLOATS (768 << 10) /* the same */

/* Tiles first.. and what they became. */
typedef struct chunk {
    const bl__conv_spec *s;
    const tiling *t;
    const float *big, *small;
    float *dw;
    int64_t first;
    int tiles;
    float *x, *dy; /* [point][tiles][channels, and a gap] */
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

static int64_t part_floats(const bl__conv_spec *s) {
    return tiles_at_once(s) * tile_floats(s) + (is_small(s) ? dw_floats(s) : 0) + 32;
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
    IN_FILTER_FORM(k->t->f, lay, k, from, to);
}

/* The taps of one output channel and WIDE input channels: sums are [point][ROWS][WIDE]. */
static INLINE void add_taps(form f, const float *sums, float *dw, int64_t tap) {
    for (int c = 0; c < WIDE; c += LANES) {
        __m256 v[MOST_SIDE][MOST_SIDE];
        load_points(f, v, sums + c, ROWS * WIDE);
        transform_square(f, filter_gradient, f.n, f.r, v);
        GONE for (int y = 0; y < f.r; y++) GONE for (int x = 0; x < f.r; x++) {
            float *at = dw + (y * f.r + x) * tap + c;
            _mm256_storeu_ps(at, plus(_mm256_loadu_ps(at), v[y][x]));
        }
    }
}

static INLINE void unit(form f, const chunk *k, int out, int in) {
    const bl__conv_spec *s = k->s;
    const int64_t row = row_of(s->big), across = row_of(s->small), tap = s->big.c;
    float sums[MOST_POINTS][ROWS][WIDE] __attribute__((aligned(64)));
    for (int p = 0; p < points_of(f); p++) {
        bl__sums at;
        clear_sums(&at);
        multiply_add(&at, k->dy + p * k->tiles * across + out, 1, across, k->x + p * k->tiles * row + in, row,
                     k->tiles, 1);
        store_sums(&at, sums[p][0], WIDE, 1);
    }
    for (int i = 0; i < BL_MIN(ROWS, s->small.c - out); i++)
        add_taps(f, sums[0][i], k->dw + (out + i) * f.r * f.r * tap + in, tap);
}

static int outs_of(const bl__conv_spec *s) {
    return (int)bl__blocks(s->small.c, ROWS);
}

static int64_t units_of(const bl__conv_spec *s) {
    return (int64_t)outs_of(s) * (s->big.c / WIDE);
}

static void multiply(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    const int outs = outs_of(k->s);
    for (int64_t u = from; u < to; u++) {
        const int out = (int)(u % outs) * ROWS, in = (int)(u / outs) * WIDE;
        IN_FILTER_FORM(k->t->f, unit, k, out, in);
    }
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
    const int threads = g->all.s->threads;
    for (int64_t first = 0; first < g->all.t->tiles; first += tiles_at_once(g->all.s)) {
        const chunk k = chunk_at(&g->all, first, g->all.t->tiles, g->scratch);
        bl_team_split(threads, k.tiles, lay_tiles, &k);
        bl_team_split(threads, units_of(k.s), multiply, &k);
    }
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
