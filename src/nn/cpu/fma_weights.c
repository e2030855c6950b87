/*
 * dw[o][tap][i] = sum over output pixels of dy[pixel][o] * x[pixel moved by tap][i], in blocks of 6 x 16
 * channels.
 *
 * Both sides are first laid out in columns, ROWS channels of dy and WIDE of x side by side (or the other way
 * round, where less of a block is empty), pixels below each other with the common pitch: a block reads two
 * columns from top to bottom. Rows of output are taken in chunks. Where dw is large, the team lays out a
 * chunk and then takes its blocks; chunks are few, since each goes through all of dw. Where it is small, each
 * part of the rows has a dw of its own and chunks whose columns stay in the first-level cache, and in the end
 * the parts are summed in their order.
 */
#include "fma_inside.h"

#include <string.h>

#define SMALL_PIXELS 352 /* of a chunk */
#define LARGE_PIXELS 640

/* Output rows first.. of one sample, and where their columns lie. */
typedef struct chunk {
    const bl__conv_spec *s;
    const float *big, *small; /* of the sample */
    float *dw;
    int first, rows;
    int64_t depth, plane; /* pixels of a column of dy; of a phase, in a column of x */
    float *dy, *x;        /* [small.c / its width][depth][width], [big.c / width][phases][plane][width] */
} chunk;

static int phases_of(const bl__conv_spec *s) {
    return s->sh * s->sw;
}

/* Channels in a column of dy, of x. */
static int dy_width(const bl__conv_spec *s) {
    const int64_t upright = bl__blocks(s->small.c, ROWS) * bl__blocks(s->big.c, WIDE),
                  turned = bl__blocks(s->small.c, WIDE) * bl__blocks(s->big.c, ROWS);
    return turned < upright ? WIDE : ROWS;
}
static int x_width(const bl__conv_spec *s) {
    return dy_width(s) == ROWS ? WIDE : ROWS;
}

/* A phase holds the taps' rows below the last output row, and what the last tap reads beyond. */
static int64_t plane_of(const bl__conv_spec *s, int rows) {
    return (int64_t)(rows + (s->kh - 1) / s->sh) * bl__pitch(s) + (s->kw - 1) / s->sw;
}

static int64_t dy_floats(const bl__conv_spec *s, int rows) {
    return (int64_t)rows * bl__pitch(s) * bl__blocks(s->small.c, dy_width(s)) * dy_width(s);
}

static int64_t x_floats(const bl__conv_spec *s, int rows) {
    return phases_of(s) * plane_of(s, rows) * bl__blocks(s->big.c, x_width(s)) * x_width(s);
}

/* Of a chunk: the fewest chunks that are small enough, and then all alike. */
static int rows_of(const bl__conv_spec *s) {
    const int most = BL_MAX(1, (is_small(s) ? SMALL_PIXELS : LARGE_PIXELS) / bl__pitch(s)),
              chunks = (int)bl__blocks(s->small.h, most);
    return (int)bl__blocks(s->small.h, chunks);
}

/* Parts of the rows, each with columns and a dw. */
static int parts_of(const bl__conv_spec *s) {
    return is_small(s) ? BL_CLAMP(s->small.h / rows_of(s), 1, bl_team_parts(s->threads)) : 1;
}

static int64_t part_floats(const bl__conv_spec *s) {
    const int rows = rows_of(s);
    return dy_floats(s, rows) + x_floats(s, rows) + (is_small(s) ? dw_floats(s) : 0) + 48;
}

int64_t bl__fma_weights_scratch(const bl__conv_spec *s) {
    return parts_of(s) * part_floats(s) * (int64_t)sizeof(float) + 64;
}

/* One pixel (NULL: outside) into its place in every column. */
static void spread(const float *pixel, int channels, float *to, int width, int64_t column) {
    for (int c = 0; c < channels; c += width, to += column) {
        const int n = pixel ? BL_MIN(width, channels - c) : 0;
        if (n == WIDE)
            memcpy(to, pixel + c, WIDE * sizeof *to);
        else if (n == ROWS && width == ROWS)
            memcpy(to, pixel + c, ROWS * sizeof *to);
        else
            for (int j = 0; j < width; j++) to[j] = j < n ? pixel[c + j] : 0;
    }
}

/* Part `part` of the columns. */
static void lay(const chunk *k, int parts, int part) {
    const bl__conv_spec *s = k->s;
    const int64_t inputs = phases_of(s) * k->plane;
    const int dy = dy_width(s), x = x_width(s);
    for (int64_t q = bl__share(k->depth, parts, part); q < bl__share(k->depth, parts, part + 1); q++) {
        const int64_t at = bl__small_at(s, k->first, k->rows, q);
        spread(at < 0 ? NULL : k->small + at * s->small.c, s->small.c, k->dy + q * dy, dy, k->depth * dy);
    }
    for (int64_t p = bl__share(inputs, parts, part); p < bl__share(inputs, parts, part + 1); p++) {
        const int64_t at = bl__big_at(s, (int)(p / k->plane), k->first, p % k->plane);
        spread(at < 0 ? NULL : k->big + at * s->big.c, s->big.c, k->x + p * x, x, inputs * x);
    }
}

static void lay_part(const void *arg, int part) {
    const chunk *k = arg;
    lay(k, bl_team_parts(k->s->threads), part);
}

/* The product of two columns, of ROWS channels and of WIDE; `wide`: of more than LANES of the latter. */
static INLINE void product(const float *rows, const float *wides, int64_t depth, float out[ROWS][WIDE],
                           int wide) {
    bl__sums sums;
    clear_sums(&sums);
    multiply_add(&sums, rows, 1, ROWS, wides, WIDE, depth, wide);
    store_sums(&sums, out[0], WIDE, wide);
}

/* m x n values of dw, `below` and `beside` each other. */
static void add_product(const float *rows, const float *wides, int64_t depth, float *dw, int64_t below,
                        int64_t beside, int m, int n) {
    float sum[ROWS][WIDE] __attribute__((aligned(32)));
    if (n > LANES)
        product(rows, wides, depth, sum, 1);
    else
        product(rows, wides, depth, sum, 0);
    for (int i = 0; i < m; i++, dw += below)
        for (int j = 0; j < n; j++) dw[j * beside] += sum[i][j];
}

/* Unit: taps first, so that both columns are still in the first-level cache, then output channels. */
static void multiply(const void *arg, int64_t from, int64_t to) {
    const chunk *k = arg;
    const bl__conv_spec *s = k->s;
    const int dy_wide = dy_width(s), x_wide = x_width(s), taps = s->kh * s->kw,
              outs = (int)bl__blocks(s->small.c, dy_wide);
    const int64_t stride = (int64_t)taps * s->big.c;
    for (int64_t u = from; u < to; u++) {
        const int t = (int)(u % taps), o = (int)(u / taps % outs) * dy_wide,
                  i = (int)(u / taps / outs) * x_wide, m = s->small.c - o, n = s->big.c - i;
        const bl__tap at = bl__tap_at(s, t);
        const float *dy = k->dy + o * k->depth,
                    *x = k->x + i * phases_of(s) * k->plane + (at.phase * k->plane + at.shift) * x_wide;
        float *dw = k->dw + o * stride + (int64_t)t * s->big.c + i;
        if (dy_wide == ROWS)
            add_product(dy, x, k->depth, dw, stride, 1, BL_MIN(ROWS, m), BL_MIN(WIDE, n));
        else
            add_product(x, dy, k->depth, dw, 1, stride, BL_MIN(ROWS, n), BL_MIN(WIDE, m));
    }
}

static int64_t units_of(const bl__conv_spec *s) {
    return bl__blocks(s->big.c, x_width(s)) * bl__blocks(s->small.c, dy_width(s)) * s->kh * s->kw;
}

/* The chunk that begins at row `first` and ends before `end`, its columns at `at`. */
static chunk chunk_at(const bl__conv_spec *s, const float *big, const float *small, float *dw, int first,
                      int end, float *at) {
    chunk k = {.s = s,
               .big = big,
               .small = small,
               .dw = dw,
               .first = first,
               .rows = BL_MIN(rows_of(s), end - first)};
    k.depth = (int64_t)k.rows * bl__pitch(s);
    k.plane = plane_of(s, k.rows);
    k.dy = at;
    k.x = bl__aligned(at + dy_floats(s, k.rows));
    return k;
}

/* ---- a large dw ---- */
static void add_large(const bl__conv_spec *s, const float *big, const float *small, float *dw,
                      float *scratch) {
    for (int first = 0; first < s->small.h; first += rows_of(s)) {
        const chunk k = chunk_at(s, big, small, dw, first, s->small.h, scratch);
        bl_team_run(s->threads, bl_team_parts(s->threads), lay_part, &k);
        bl_team_split(s->threads, units_of(s), multiply, &k);
    }
}

/* ---- a small one ---- */
typedef struct sample {
    const bl__conv_spec *s;
    const float *big, *small;
    float *dw, *scratch;
    int parts;
} sample;

static float *dw_of(const sample *a, int part) {
    return a->scratch + part * part_floats(a->s);
}

static void add_rows(const void *arg, int part) {
    const sample *a = arg;
    const bl__conv_spec *s = a->s;
    const int end = (int)bl__share(s->small.h, a->parts, part + 1);
    float *dw = dw_of(a, part);
    memset(dw, 0, (size_t)dw_floats(s) * sizeof *dw);
    for (int first = (int)bl__share(s->small.h, a->parts, part); first < end; first += rows_of(s)) {
        const chunk k = chunk_at(s, a->big, a->small, dw, first, end, bl__aligned(dw + dw_floats(s)));
        lay(&k, 1, 0);
        multiply(&k, 0, units_of(s));
    }
}

static void sum_parts(const void *arg, int64_t from, int64_t to) {
    const sample *a = arg;
    for (int k = 0; k < a->parts; k++)
        bl__typed_of(0)->accumulate(a->dw + from, dw_of(a, k) + from, to - from);
}

void bl__fma_backward_weights(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                              void *scratch) {
    for (int n = 0; n < s->big.n; n++) {
        const sample a = {.s = s,
                          .big = (const float *)big + n * bl__plane(s->big) * s->big.c,
                          .small = (const float *)small + n * bl__plane(s->small) * s->small.c,
                          .dw = dw,
                          .scratch = bl__aligned(scratch),
                          .parts = parts_of(s)};
        if (!is_small(s)) {
            add_large(s, a.big, a.small, dw, a.scratch);
            continue;
        }
        bl_team_run(s->threads, a.parts, add_rows, &a);
        bl_team_split(s->threads, dw_floats(s), sum_parts, &a);
    }
}
