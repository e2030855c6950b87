/*
 * Forward and backward data of a convolution, as products:
 *
 *   A  flattened pixels x channels of what is read, moved by a tap;
 *   B  channels x channels of one tap's weights;
 *   C  pixels x channels of the result, summed over taps and channels.
 *
 * Forward reads the big side's phases, backward data the small side with an empty margin, from which it makes
 * one phase of the big side after the other. What is read is first laid out with the common pitch, unless it
 * already has it.
 */
#include "planes.h"

#include <string.h>

int bl__planes_fit(const bl__conv_spec *s) {
    return s->sh == s->sw && s->sh <= 2 && s->kh * s->kw <= BL__MAX_TAPS &&
           (s->big.h - 1 + s->pad.top) / s->sh < s->small.h + (s->kh - 1) / s->sh &&
           (s->big.w - 1 + s->pad.left) / s->sw < bl__pitch(s);
}

int64_t bl__planes_tap(const bl__way *way, int depth, int width) {
    return depth * bl__blocks(width, way->channels) * way->channels;
}

static int64_t plane_pixels(const bl__conv_spec *s) {
    return (int64_t)s->small.h * bl__pitch(s);
}

static int margin_rows(const bl__conv_spec *s) {
    return (s->kh - 1) / s->sh;
}

/* Rows that a last, incomplete block reaches beyond the end. */
static int more_rows(const bl__way *w, const bl__conv_spec *s) {
    return w->pixels / bl__pitch(s) + 1;
}

/* A phase of the big side as it is read, and as it is made; the small side's empty margin before its first
 * pixel.
 */
static int phase_rows(const bl__way *w, const bl__conv_spec *s) {
    return s->small.h + margin_rows(s) + more_rows(w, s) + 1;
}
static int made_rows(const bl__conv_spec *s) {
    return s->small.h + margin_rows(s);
}
static int64_t margin(const bl__conv_spec *s) {
    return (int64_t)margin_rows(s) * bl__pitch(s) + (s->kw - 1) / s->sw;
}

/* Of a table of so many rows of pixels. */
static int64_t table_bytes(const bl__way *w, const bl__conv_spec *s, int rows) {
    return ((int64_t)(rows + more_rows(w, s)) * bl__pitch(s) * (int64_t)sizeof(int32_t) + 63) / 64 * 64;
}

static int64_t packed_bytes(const bl__way *w, const bl__conv_spec *s, int to_big) {
    const int64_t tap =
        to_big ? bl__planes_tap(w, s->small.c, s->big.c) : bl__planes_tap(w, s->big.c, s->small.c);
    return tap * s->kh * s->kw * w->size;
}

static int64_t scratch_bytes(const bl__way *w, const bl__conv_spec *s) {
    const int64_t pitch = bl__pitch(s), phases = s->sh * s->sw,
                  forward =
                      w->size * phases * phase_rows(w, s) * pitch * s->big.c + table_bytes(w, s, s->small.h),
                  backward = w->size * (margin(s) + (made_rows(s) + more_rows(w, s)) * pitch) * s->small.c +
                             phases * table_bytes(w, s, made_rows(s));
    return BL_MAX(forward, backward) + 192;
}

/* Products that write to different pixels. */
typedef struct products {
    const bl__way *way;
    bl__product p[4];
    int n;
} products;

static int64_t units_of(const bl__way *w, const bl__product *p) {
    return bl__blocks(p->pixels, w->pixels) * bl__blocks(p->width, w->channels);
}

/* The units of all products, in turn. Blocks along pixels come first: a part keeps to its channels' weights.
 */
static void multiply_units(const void *arg, int64_t from, int64_t to) {
    const products *all = arg;
    const bl__way *w = all->way;
    if (w->begin) w->begin();
    for (int k = 0; k < all->n; k++) {
        const bl__product *p = &all->p[k];
        const int64_t across = bl__blocks(p->pixels, w->pixels), n = units_of(w, p);
        for (int64_t u = BL_MAX(from, 0); u < BL_MIN(to, n); u++)
            w->block(p, u % across * w->pixels, (int)(u / across) * w->channels);
        from -= n, to -= n;
    }
    if (w->end) w->end();
}

static void multiply(const products *all, int threads) {
    int64_t units = 0;
    for (int k = 0; k < all->n; k++) units += units_of(all->way, &all->p[k]);
    bl_team_split(threads, units, multiply_units, all);
}

/* ---- laying out, row by row; `pixel` is the bytes of one ---- */
static void copy(unsigned char *to, const unsigned char *from, int64_t pixels, int64_t pixel) {
    memcpy(to, from, (size_t)(pixels * pixel));
}

static void empty(unsigned char *to, int64_t pixels, int64_t pixel) {
    if (pixels > 0) memset(to, 0, (size_t)(pixels * pixel));
}

/* Row `row` of a phase of the big side. */
static void lay_big(const bl__conv_spec *s, const unsigned char *big, int64_t pixel, int phase, int row,
                    unsigned char *to) {
    const int pitch = bl__pitch(s), y = row * s->sh + phase / s->sw - s->pad.top,
              left = phase % s->sw - s->pad.left;
    const int first = left >= 0 ? 0 : (-left + s->sw - 1) / s->sw; /* pixel inside of the picture */
    const int inside = y < 0 || y >= s->big.h
                           ? 0
                           : BL_CLAMP((s->big.w - left + s->sw - 1) / s->sw - first, 0, pitch - first);
    if (!inside) {
        empty(to, pitch, pixel);
        return;
    }
    const unsigned char *from = big + ((int64_t)y * s->big.w + (int64_t)first * s->sw + left) * pixel;
    empty(to, first, pixel);
    if (s->sw == 1)
        copy(to + first * pixel, from, inside, pixel);
    else
        for (int x = 0; x < inside; x++) copy(to + (first + x) * pixel, from + x * s->sw * pixel, 1, pixel);
    empty(to + (first + inside) * pixel, pitch - first - inside, pixel);
}

static void lay_small(const bl__conv_spec *s, const unsigned char *small, int64_t pixel, int row,
                      unsigned char *to) {
    const int w = row < s->small.h ? s->small.w : 0;
    if (w) copy(to, small + (int64_t)row * w * pixel, w, pixel);
    empty(to + w * pixel, bl__pitch(s) - w, pixel);
}

static void table_small(const bl__conv_spec *s, int row, int32_t *to) {
    const int w = row < s->small.h ? s->small.w : 0, pitch = bl__pitch(s);
    for (int x = 0; x < pitch; x++) to[x] = x < w ? row * s->small.w + x : -1;
}

static void table_big(const bl__conv_spec *s, int phase, int row, int32_t *to) {
    const int y = row < made_rows(s) ? row * s->sh + phase / s->sw - s->pad.top : -1, pitch = bl__pitch(s);
    for (int i = 0; i < pitch; i++) {
        const int x = i * s->sw + phase % s->sw - s->pad.left;
        to[i] = y >= 0 && y < s->big.h && x >= 0 && x < s->big.w ? y * s->big.w + x : -1;
    }
}

/* A picture that already has the pitch is read where it is; its last blocks read a little beyond its end,
 * which arenas allow, and what comes of that is not kept. */
static int in_place(const bl__way *w, const bl__conv_spec *s) {
    const int64_t pixels = plane_pixels(s), rounded = bl__blocks(pixels, w->pixels) * w->pixels,
                  over = rounded - pixels + s->kw;
    return s->sh == 1 && s->pad.top == 0 && s->pad.left == 0 && s->big.n == 1 && s->big.w == bl__pitch(s) &&
           over * s->big.c * w->size <= BL__OVERREAD;
}

/* What is laid out before a product: rows of tables, and rows of pixels. */
typedef struct layout {
    const bl__way *way;
    const bl__conv_spec *s;
    int parts, tables, rows; /* parts of the work; rows of tables, of pixels */
    unsigned char *table;
    const unsigned char *from;
    unsigned char *to;
} layout;

static void lay_forward(const void *arg, int k) {
    const layout *l = arg;
    const bl__conv_spec *s = l->s;
    const int pitch = bl__pitch(s), rows = phase_rows(l->way, s);
    const int64_t pixel = (int64_t)s->big.c * l->way->size;
    for (int64_t r = bl__share(l->tables, l->parts, k); r < bl__share(l->tables, l->parts, k + 1); r++)
        table_small(s, (int)r, (int32_t *)(void *)l->table + r * pitch);
    for (int64_t r = bl__share(l->rows, l->parts, k); r < bl__share(l->rows, l->parts, k + 1); r++)
        lay_big(s, l->from, pixel, (int)r / rows, (int)r % rows, l->to + r * pitch * pixel);
}

static void lay_backward(const void *arg, int k) {
    const layout *l = arg;
    const bl__conv_spec *s = l->s;
    const int64_t pitch = bl__pitch(s), size = table_bytes(l->way, s, made_rows(s)),
                  pixel = (int64_t)s->small.c * l->way->size;
    for (int64_t r = bl__share(l->tables, l->parts, k); r < bl__share(l->tables, l->parts, k + 1); r++) {
        const int64_t phase = r / l->rows, row = r % l->rows;
        table_big(s, (int)phase, (int)row, (int32_t *)(void *)(l->table + phase * size) + row * pitch);
    }
    for (int64_t r = bl__share(l->rows, l->parts, k); r < bl__share(l->rows, l->parts, k + 1); r++)
        lay_small(s, l->from, pixel, (int)r, l->to + r * pitch * pixel);
}

static void forward_sample(const bl__way *w, const bl__conv_spec *s, const unsigned char *big,
                           const unsigned char *packed, const float *bias, unsigned char *small, int add,
                           void *scratch) {
    const int phases = s->sh * s->sw, pitch = bl__pitch(s), rows = phase_rows(w, s);
    const int64_t pixel = (int64_t)s->big.c * w->size, plane = (int64_t)rows * pitch;
    int32_t *to = bl__aligned(scratch);
    unsigned char *laid = bl__aligned((unsigned char *)to + table_bytes(w, s, s->small.h));
    products all = {.way = w, .n = 1};
    bl__product *p = all.p;
    *p = (bl__product){.taps = s->kh * s->kw,
                       .depth = s->big.c,
                       .width = s->small.c,
                       .pixels = plane_pixels(s),
                       .to = to,
                       .y = small,
                       .bias = add ? NULL : bias,
                       .act = add ? BL_ACT_NONE : s->act,
                       .add = add};
    const int whole = in_place(w, s);
    const layout l = {.way = w,
                      .s = s,
                      .parts = bl_team_parts(s->threads),
                      .tables = s->small.h + more_rows(w, s),
                      .rows = whole ? 0 : phases * rows,
                      .table = (unsigned char *)to,
                      .from = big,
                      .to = laid};
    for (int t = 0; t < p->taps; t++) {
        bl__tap at = bl__tap_at(s, t);
        p->a[t] = (whole ? big : laid + at.phase * plane * pixel) + at.shift * pixel;
        p->b[t] = packed + t * bl__planes_tap(w, s->big.c, s->small.c) * w->size;
    }
    bl_team_run(s->threads, l.parts, lay_forward, &l);
    multiply(&all, s->threads);
}

static void forward(const bl__way *w, const bl__conv_spec *s, const void *big, const void *packed,
                    const float *bias, void *small, int add, void *scratch) {
    const int64_t big_bytes = bl__plane(s->big) * s->big.c * w->size,
                  small_bytes = bl__plane(s->small) * s->small.c * w->size;
    for (int n = 0; n < s->big.n; n++)
        forward_sample(w, s, (const unsigned char *)big + n * big_bytes, packed, bias,
                       (unsigned char *)small + n * small_bytes, add, scratch);
}

static void backward_sample(const bl__way *w, const bl__conv_spec *s, const unsigned char *small,
                            const unsigned char *packed, unsigned char *big, int add, void *scratch) {
    const int phases = s->sh * s->sw, taps = s->kh * s->kw, pitch = bl__pitch(s);
    const int rows = made_rows(s) + more_rows(w, s);
    const int64_t pixel = (int64_t)s->small.c * w->size, before = margin(s),
                  table = table_bytes(w, s, made_rows(s));
    unsigned char *tables = bl__aligned(scratch);
    unsigned char *laid = bl__aligned(tables + phases * table), *first = laid + before * pixel;
    products all = {.way = w, .n = phases};
    bl__product *p = all.p;
    const layout l = {.way = w,
                      .s = s,
                      .parts = bl_team_parts(s->threads),
                      .tables = phases * rows,
                      .rows = rows,
                      .table = tables,
                      .from = small,
                      .to = first};
    for (int k = 0; k < phases; k++) {
        p[k] = (bl__product){.depth = s->small.c,
                             .width = s->big.c,
                             .pixels = (int64_t)made_rows(s) * pitch,
                             .to = (const int32_t *)(const void *)(tables + k * table),
                             .y = big,
                             .act = BL_ACT_NONE,
                             .add = add};
        for (int t = 0; t < taps; t++) {
            bl__tap at = bl__tap_at(s, t);
            if (at.phase != k) continue;
            p[k].a[p[k].taps] = first - at.shift * pixel;
            p[k].b[p[k].taps++] = packed + t * bl__planes_tap(w, s->small.c, s->big.c) * w->size;
        }
    }
    empty(laid, before, pixel);
    bl_team_run(s->threads, l.parts, lay_backward, &l);
    multiply(&all, s->threads);
}

static void backward(const bl__way *w, const bl__conv_spec *s, const void *small, const void *packed,
                     void *big, int add, void *scratch) {
    const int64_t big_bytes = bl__plane(s->big) * s->big.c * w->size,
                  small_bytes = bl__plane(s->small) * s->small.c * w->size;
    for (int n = 0; n < s->big.n; n++)
        backward_sample(w, s, (const unsigned char *)small + n * small_bytes, packed,
                        (unsigned char *)big + n * big_bytes, add, scratch);
}

const bl__data bl__planes = {
    .packed = packed_bytes, .scratch = scratch_bytes, .forward = forward, .backward = backward};
