/* Bands: the whole convolution, its input's gradient and its weights', each put together from bands, must be
 * what they are when made at once. Everything is in whole numbers, so nothing may differ. */
#include "nn/cpu/bands.h"
#include "support.h"

typedef struct sides {
    int64_t *big, *small, *weights; /* weights [kh][kw], channels are one */
} sides;

static int64_t number(int64_t k) {
    return (k * 2654435761 >> 7) % 19 - 9;
}

/* One pass over all pairs of pixels that a convolution joins. stage 0: small += , 1: big += , 2: weights +=
 */
static void join(const bl__conv_spec *s, int stage, int64_t *big, int64_t *small, int64_t *weights) {
    for (int n = 0; n < s->big.n; n++)
        for (int y = 0; y < s->small.h; y++)
            for (int x = 0; x < s->small.w; x++)
                for (int t = 0; t < s->kh * s->kw; t++) {
                    const int v = y * s->sh - s->pad.top + t / s->kw, u = x * s->sw - s->pad.left + t % s->kw;
                    if (v < 0 || v >= s->big.h || u < 0 || u >= s->big.w) continue;
                    int64_t *b = big + ((int64_t)n * s->big.h + v) * s->big.w + u,
                            *o = small + ((int64_t)n * s->small.h + y) * s->small.w + x, *w = weights + t;
                    if (stage == 0) *o += *b * *w;
                    if (stage == 1) *b += *o * *w;
                    if (stage == 2) *w += *b * *o;
                }
}

static sides make(const bl__conv_spec *s, int empty) {
    const int64_t n[3] = {bl__elements(s->big), bl__elements(s->small), (int64_t)s->kh * s->kw};
    int64_t *p[3];
    for (int i = 0; i < 3; i++) {
        p[i] = bl_alloc_array((size_t)n[i], sizeof **p);
        assert_non_null(p[i]);
        for (int64_t k = 0; k < n[i]; k++) p[i][k] = empty == i ? 0 : number(k + 1000 * i);
    }
    return (sides){.big = p[0], .small = p[1], .weights = p[2]};
}

static void release(sides *x) {
    bl_free(x->big);
    bl_free(x->small);
    bl_free(x->weights);
}

static void check(const bl__conv_spec *s, int stage, int count) {
    const int written = stage == 0 ? 1 : stage == 1 ? 0 : 2;
    sides whole = make(s, written), parts = make(s, written);
    int64_t rows = 0;
    join(s, stage, whole.big, whole.small, whole.weights);
    for (int k = 0; k < count; k++) {
        const bl__band b = bl__band_of(s, stage == 1, count, k);
        const int bottom = (b.spec.small.h - 1) * s->sh + s->kh - b.spec.big.h - b.spec.pad.top;
        assert_true(b.spec.big.h > 0 && b.spec.small.h > 0);
        assert_true(b.spec.pad.top >= 0 && b.spec.pad.top < s->kh && (count == 1 || bottom < s->kh));
        join(&b.spec, stage, parts.big + b.big_at, parts.small + b.small_at, parts.weights);
        rows += (int64_t)b.spec.big.n * (stage == 1 ? b.spec.big.h : b.spec.small.h);
    }
    assert_int_equal(rows, (int64_t)s->big.n * (stage == 1 ? s->big.h : s->small.h));
    assert_memory_equal(whole.big, parts.big, sizeof *parts.big * (size_t)bl__elements(s->big));
    assert_memory_equal(whole.small, parts.small, sizeof *parts.small * (size_t)bl__elements(s->small));
    assert_memory_equal(whole.weights, parts.weights, sizeof *parts.weights * (size_t)s->kh * (size_t)s->kw);
    release(&whole);
    release(&parts);
}

/* Rows at the bottom that no window reaches, too: rows of the big side are not always what fits. */
static void bands_make_the_whole(void **state) {
    (void)state;
    static const struct {
        int k, stride, pad;
    } kinds[] = {{1, 1, 0}, {3, 1, 1}, {3, 1, 0}, {4, 1, 2}, {7, 1, 3},
                 {2, 2, 0}, {3, 2, 1}, {3, 2, 0}, {4, 2, 2}, {5, 3, 2}};
    int most = 0;
    for (size_t i = 0; i < BL_COUNT(kinds); i++)
        for (int h = 8; h < 61; h += 1 + h / 9)
            for (int threads = 1; threads < 20; threads = threads * 2 + 1)
                for (int n = 1; n < 4; n += 2)
                    for (int stage = 0; stage < 3; stage++) {
                        const int out = (h + 2 * kinds[i].pad - kinds[i].k) / kinds[i].stride + 1;
                        bl__conv_spec s = {
                            .big = {n, h, 24, 1},
                            .small = {n, out, (24 + 2 * kinds[i].pad - kinds[i].k) / kinds[i].stride + 1, 1},
                            .kh = kinds[i].k,
                            .kw = kinds[i].k,
                            .sh = kinds[i].stride,
                            .sw = kinds[i].stride,
                            .pad = {kinds[i].pad, kinds[i].pad, kinds[i].pad, kinds[i].pad},
                            .threads = threads};
                        const int count = bl__bands_count(&s, stage == 1, stage == 2);
                        assert_true(count == 1 || (count % n == 0 && threads > 1));
                        most = BL_MAX(most, count);
                        check(&s, stage, count);
                    }
    assert_true(most >= 15);
}

/* A kernel smaller than its stride, or more padding than kernel, leaves rows to nobody: those stay whole. */
static void odd_ones_stay_whole(void **state) {
    (void)state;
    bl__conv_spec s = {
        .big = {1, 64, 64, 8}, .small = {1, 32, 32, 8}, .kh = 1, .kw = 1, .sh = 2, .sw = 2, .threads = 4};
    assert_int_equal(bl__bands_count(&s, 0, 0), 1);
    s.sh = s.sw = 1, s.pad = (bl_pad){1, 1, 1, 1}, s.small.h = s.small.w = 66;
    assert_int_equal(bl__bands_count(&s, 1, 0), 1);
    s.pad = (bl_pad){0, 0, 0, 0}, s.small.h = s.small.w = 64;
    assert_int_equal(bl__bands_count(&s, 1, 0), 4);
    s.threads = 1;
    assert_int_equal(bl__bands_count(&s, 1, 0), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_make_the_whole),
        cmocka_unit_test(odd_ones_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
