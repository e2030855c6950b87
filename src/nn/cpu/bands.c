/* Which rows a band reads and writes. */
#include "bands.h"

/* A thread has one band, or up to MOST where each is then still that much work, in multiply-adds, and has
 * that many pixels: the weights are read once a band. Bands that make weight gradients are at most one a
 * thread, and have pixels enough to be worth a sum. */
#define MOST 4
#define WORK 64e6
#define PIXELS 256
#define SUMMED_PIXELS 48
#define ROWS 4

static int bottom_of(const bl__conv_spec *s) {
    return (s->small.h - 1) * s->sh + s->kh - s->big.h - s->pad.top;
}

int bl__bands_count(const bl__conv_spec *s, int along_big, int summed) {
    const int rows = along_big ? s->big.h : s->small.h;
    if (s->threads < 2 || s->kh < s->sh || s->pad.top >= s->kh || bottom_of(s) >= s->kh) return 1;
    const double pixels = (double)s->small.n * (double)bl__plane(s->small),
                 work = pixels * s->small.c * s->kh * s->kw * s->big.c,
                 each = BL_CLAMP(BL_MIN(work / WORK, pixels / PIXELS) / s->threads, 1, MOST);
    int wanted = (summed ? 1 : (int)each) * s->threads;
    if (summed) wanted = (int)BL_CLAMP(pixels / SUMMED_PIXELS, 1, wanted);
    if (wanted == 1) return 1;
    return s->big.n * BL_CLAMP(rows / ROWS, 1, (wanted + s->big.n - 1) / s->big.n);
}

static int round_up(int a, int b) { /* a / b, b > 0 */
    return a > 0 ? (a + b - 1) / b : -(-a / b);
}

/* Rows from..to of the side that is cut become rows of the other. */
static void seen_by_small(const bl__conv_spec *s, int from, int to, int *first, int *end) {
    *first = BL_MAX(0, from * s->sh - s->pad.top);
    *end = BL_MIN(s->big.h, (to - 1) * s->sh - s->pad.top + s->kh);
}
static void seeing_big(const bl__conv_spec *s, int from, int to, int *first, int *end) {
    *first = BL_MAX(0, round_up(from + s->pad.top - s->kh + 1, s->sh));
    *end = BL_MIN(s->small.h, (to - 1 + s->pad.top) / s->sh + 1);
}

bl__band bl__band_of(const bl__conv_spec *s, int along_big, int count, int k) {
    bl__band b = {.spec = *s};
    if (count == 1) return b;
    const int each = count / s->big.n, n = k / each, i = k % each, rows = along_big ? s->big.h : s->small.h;
    const int from = (int)bl__share(rows, each, i), to = (int)bl__share(rows, each, i + 1);
    int first, end;
    (along_big ? seeing_big : seen_by_small)(s, from, to, &first, &end);
    const int big = along_big ? from : first, small = along_big ? first : from;
    b.spec.big.n = b.spec.small.n = 1;
    b.spec.big.h = (along_big ? to : end) - big;
    b.spec.small.h = (along_big ? end : to) - small;
    b.spec.pad.top = s->pad.top + big - small * s->sh;
    b.big_at = ((int64_t)n * s->big.h + big) * s->big.w * s->big.c;
    b.small_at = ((int64_t)n * s->small.h + small) * s->small.w * s->small.c;
    return b;
}
