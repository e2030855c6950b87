/*
 * Forward and backward data of a convolution, as products of tiles:
 *
 *   A  16 flattened pixels x 32 channels of what is read, moved by a tap;
 *   B  32 x 16 channels of one tap's weights;
 *   C  16 pixels x 16 channels of the result, summed over taps and channels.
 *
 * Forward reads the big side's phases, backward data the small side with an empty margin, from which it makes
 * one phase of the big side after the other. What is read is first laid out with the common pitch, unless it
 * already has it.
 */
#include "tiles_inside.h"

#define MAX_TAPS 64

/* One product: all pixels of a result's plane. */
typedef struct product {
    const uint16_t *a[MAX_TAPS]; /* a tap's first pixel */
    const uint16_t *b[MAX_TAPS]; /* a tap's weights */
    int taps, depth, width;      /* channels read and made */
    int64_t pixels;              /* flattened, of the result */
    const int32_t *to;           /* a flattened pixel's place in y; -1: it is not kept */
    uint16_t *y;
    const float *bias;
    bl_act act;
    int add;
} product;

#define PAIR (2 * TILE) /* pixels, and channels, of one block */

static int64_t rounded(int64_t pixels) {
    return (pixels + PAIR - 1) / PAIR * PAIR;
}

static int64_t plane_pixels(const bl__conv_spec *s) {
    return (int64_t)s->small.h * pitch_of(s);
}

static int margin_rows(const bl__conv_spec *s) {
    return (s->kh - 1) / s->sh;
}

/* Rows that a last, incomplete block reaches beyond the end. */
static int more_rows(const bl__conv_spec *s) {
    return PAIR / pitch_of(s) + 1;
}

/* A phase of the big side as it is read, and as it is made; the small side's empty margin before its first
 * pixel.
 */
static int phase_rows(const bl__conv_spec *s) {
    return s->small.h + margin_rows(s) + more_rows(s) + 1;
}
static int made_rows(const bl__conv_spec *s) {
    return s->small.h + margin_rows(s);
}
static int64_t margin(const bl__conv_spec *s) {
    return (int64_t)margin_rows(s) * pitch_of(s) + (s->kw - 1) / s->sw;
}

/* Of a table of so many rows of pixels. */
static int64_t table_bytes(const bl__conv_spec *s, int rows) {
    return ((int64_t)(rows + more_rows(s)) * pitch_of(s) * (int64_t)sizeof(int32_t) + 63) / 64 * 64;
}

int64_t bl__tiles_data_scratch(const bl__conv_spec *s) {
    const int64_t pitch = pitch_of(s), phases = s->sh * s->sw,
                  forward = 2 * phases * phase_rows(s) * pitch * s->big.c + table_bytes(s, s->small.h),
                  backward = 2 * (margin(s) + (made_rows(s) + more_rows(s)) * pitch) * s->small.c +
                             phases * table_bytes(s, made_rows(s));
    return BL_MAX(forward, backward) + 192;
}

/* 16 sums of one pixel become 16 bfloat16 values of y. */
static inline void put(const product *p, const float *sum, int64_t pixel, int channel) {
    uint16_t *y = p->y + pixel * p->width + channel;
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
static void block(const product *p, int64_t pixel, int channel) {
    float sums[2][2][TILE][TILE] __attribute__((aligned(64)));
    const size_t a_row = (size_t)p->depth * sizeof(uint16_t), b_row = DEPTH * sizeof(uint16_t);
    const int64_t b_step = (int64_t)p->width * DEPTH;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int t = 0; t < p->taps; t++) {
        const uint16_t *a = p->a[t] + pixel * p->depth, *below = a + (int64_t)TILE * p->depth;
        const uint16_t *b = p->b[t] + (int64_t)channel * DEPTH;
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

static int64_t units_of(const product *p) {
    return rounded(p->pixels) / PAIR * (p->width / PAIR);
}

/* Products that write to different pixels. */
typedef struct products {
    product p[4];
    int n;
} products;

/* The units of all products, in turn. Blocks along pixels come first: a part keeps to its channels' weights.
 */
static void multiply_units(const void *arg, int64_t from, int64_t to) {
    const products *all = arg;
    configure();
    for (int k = 0; k < all->n; k++) {
        const product *p = &all->p[k];
        const int64_t across = rounded(p->pixels) / PAIR, n = units_of(p);
        for (int64_t u = BL_MAX(from, 0); u < BL_MIN(to, n); u++)
            block(p, u % across * PAIR, (int)(u / across) * PAIR);
        from -= n, to -= n;
    }
    _tile_release();
}

static void multiply(const products *all, int threads) {
    int64_t units = 0;
    for (int k = 0; k < all->n; k++) units += units_of(&all->p[k]);
    bl_team_split(threads, units, multiply_units, all);
}

/* ---- laying out, row by row ---- */
static void copy(uint16_t *to, const uint16_t *from, int64_t pixels, int channels) {
    memcpy(to, from, sizeof *to * (size_t)pixels * (size_t)channels);
}

static void empty(uint16_t *to, int64_t pixels, int channels) {
    if (pixels > 0) memset(to, 0, sizeof *to * (size_t)pixels * (size_t)channels);
}

/* Row `row` of a phase of the big side. */
static void lay_big(const bl__conv_spec *s, const uint16_t *big, int phase, int row, uint16_t *to) {
    const int c = s->big.c, pitch = pitch_of(s), y = row * s->sh + phase / s->sw - s->pad.top,
              left = phase % s->sw - s->pad.left;
    const int first = left >= 0 ? 0 : (-left + s->sw - 1) / s->sw; /* pixel inside of the picture */
    const int inside = y < 0 || y >= s->big.h
                           ? 0
                           : BL_CLAMP((s->big.w - left + s->sw - 1) / s->sw - first, 0, pitch - first);
    if (!inside) {
        empty(to, pitch, c);
        return;
    }
    const uint16_t *from = big + ((int64_t)y * s->big.w + (int64_t)first * s->sw + left) * c;
    empty(to, first, c);
    if (s->sw == 1)
        copy(to + (int64_t)first * c, from, inside, c);
    else
        for (int x = 0; x < inside; x++)
            copy(to + (int64_t)(first + x) * c, from + (int64_t)x * s->sw * c, 1, c);
    empty(to + (int64_t)(first + inside) * c, pitch - first - inside, c);
}

static void lay_small(const bl__conv_spec *s, const uint16_t *small, int row, uint16_t *to) {
    const int c = s->small.c, w = row < s->small.h ? s->small.w : 0;
    if (w) copy(to, small + (int64_t)row * w * c, w, c);
    empty(to + (int64_t)w * c, pitch_of(s) - w, c);
}

static void table_small(const bl__conv_spec *s, int row, int32_t *to) {
    const int w = row < s->small.h ? s->small.w : 0, pitch = pitch_of(s);
    for (int x = 0; x < pitch; x++) to[x] = x < w ? row * s->small.w + x : -1;
}

static void table_big(const bl__conv_spec *s, int phase, int row, int32_t *to) {
    const int y = row < made_rows(s) ? row * s->sh + phase / s->sw - s->pad.top : -1, pitch = pitch_of(s);
    for (int i = 0; i < pitch; i++) {
        const int x = i * s->sw + phase % s->sw - s->pad.left;
        to[i] = y >= 0 && y < s->big.h && x >= 0 && x < s->big.w ? y * s->big.w + x : -1;
    }
}

/* A picture that already has the pitch is read where it is; its last blocks read a little beyond its end,
 * which arenas allow, and what comes of that is not kept. */
static int in_place(const bl__conv_spec *s) {
    const int64_t over = rounded(plane_pixels(s)) - plane_pixels(s) + s->kw;
    return s->sh == 1 && s->pad.top == 0 && s->pad.left == 0 && s->big.n == 1 && s->big.w == pitch_of(s) &&
           over * s->big.c * (int64_t)sizeof(uint16_t) <= BL__OVERREAD;
}

/* What is laid out before a product: rows of tables, and rows of pixels. */
typedef struct layout {
    const bl__conv_spec *s;
    int parts, tables, rows; /* parts of the work; rows of tables, of pixels */
    unsigned char *table;
    const uint16_t *from;
    uint16_t *to;
} layout;

static void lay_forward(const void *arg, int k) {
    const layout *l = arg;
    const bl__conv_spec *s = l->s;
    const int pitch = pitch_of(s), rows = phase_rows(s);
    for (int64_t r = bl__share(l->tables, l->parts, k); r < bl__share(l->tables, l->parts, k + 1); r++)
        table_small(s, (int)r, (int32_t *)(void *)l->table + r * pitch);
    for (int64_t r = bl__share(l->rows, l->parts, k); r < bl__share(l->rows, l->parts, k + 1); r++)
        lay_big(s, l->from, (int)r / rows, (int)r % rows, l->to + r * pitch * s->big.c);
}

static void lay_backward(const void *arg, int k) {
    const layout *l = arg;
    const bl__conv_spec *s = l->s;
    const int64_t pitch = pitch_of(s), size = table_bytes(s, made_rows(s));
    for (int64_t r = bl__share(l->tables, l->parts, k); r < bl__share(l->tables, l->parts, k + 1); r++) {
        const int64_t phase = r / l->rows, row = r % l->rows;
        table_big(s, (int)phase, (int)row, (int32_t *)(void *)(l->table + phase * size) + row * pitch);
    }
    for (int64_t r = bl__share(l->rows, l->parts, k); r < bl__share(l->rows, l->parts, k + 1); r++)
        lay_small(s, l->from, (int)r, l->to + r * pitch * s->small.c);
}

static void forward_sample(const bl__conv_spec *s, const uint16_t *big, const uint16_t *packed,
                           const float *bias, uint16_t *small, int add, void *scratch) {
    const int phases = s->sh * s->sw, c = s->big.c, pitch = pitch_of(s), rows = phase_rows(s);
    const int64_t plane = (int64_t)rows * pitch;
    int32_t *to = aligned(scratch);
    uint16_t *laid = aligned((unsigned char *)to + table_bytes(s, s->small.h));
    products all = {.n = 1};
    product *p = all.p;
    *p = (product){.taps = s->kh * s->kw,
                   .depth = c,
                   .width = s->small.c,
                   .pixels = plane_pixels(s),
                   .to = to,
                   .y = small,
                   .bias = add ? NULL : bias,
                   .act = add ? BL_ACT_NONE : s->act,
                   .add = add};
    const int whole = in_place(s);
    const layout l = {.s = s,
                      .parts = bl_team_parts(s->threads),
                      .tables = s->small.h + more_rows(s),
                      .rows = whole ? 0 : phases * rows,
                      .table = (unsigned char *)to,
                      .from = big,
                      .to = laid};
    for (int t = 0; t < p->taps; t++) {
        tap at = tap_at(s, t);
        p->a[t] = (whole ? big : laid + at.phase * plane * c) + at.shift * c;
        p->b[t] = packed + (int64_t)t * c * s->small.c;
    }
    bl_team_run(s->threads, l.parts, lay_forward, &l);
    multiply(&all, s->threads);
}

void bl__tiles_forward(const bl__conv_spec *s, const uint16_t *big, const uint16_t *packed, const float *bias,
                       uint16_t *small, int add, void *scratch) {
    for (int n = 0; n < s->big.n; n++)
        forward_sample(s, big + n * bl__plane(s->big) * s->big.c, packed, bias,
                       small + n * bl__plane(s->small) * s->small.c, add, scratch);
}

static void backward_sample(const bl__conv_spec *s, const uint16_t *small, const uint16_t *packed,
                            uint16_t *big, int add, void *scratch) {
    const int phases = s->sh * s->sw, taps = s->kh * s->kw, c = s->small.c, pitch = pitch_of(s);
    const int rows = made_rows(s) + more_rows(s);
    const int64_t before = margin(s), table = table_bytes(s, made_rows(s));
    unsigned char *tables = aligned(scratch);
    uint16_t *laid = aligned(tables + phases * table), *first = laid + before * c;
    products all = {.n = phases};
    product *p = all.p;
    const layout l = {.s = s,
                      .parts = bl_team_parts(s->threads),
                      .tables = phases * rows,
                      .rows = rows,
                      .table = tables,
                      .from = small,
                      .to = first};
    for (int k = 0; k < phases; k++) {
        p[k] = (product){.depth = c,
                         .width = s->big.c,
                         .pixels = (int64_t)made_rows(s) * pitch,
                         .to = (const int32_t *)(const void *)(tables + k * table),
                         .y = big,
                         .act = BL_ACT_NONE,
                         .add = add};
        for (int t = 0; t < taps; t++) {
            tap at = tap_at(s, t);
            if (at.phase != k) continue;
            p[k].a[p[k].taps] = first - at.shift * c;
            p[k].b[p[k].taps++] = packed + (int64_t)t * c * s->big.c;
        }
    }
    empty(laid, before, c);
    bl_team_run(s->threads, l.parts, lay_backward, &l);
    multiply(&all, s->threads);
}

void bl__tiles_backward_data(const bl__conv_spec *s, const uint16_t *small, const uint16_t *packed,
                             uint16_t *big, int add, void *scratch) {
    for (int n = 0; n < s->big.n; n++)
        backward_sample(s, small + n * bl__plane(s->small) * s->small.c, packed,
                        big + n * bl__plane(s->big) * s->big.c, add, scratch);
}
