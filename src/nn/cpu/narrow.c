/*
 * Forward with AVX2 into at most four channels, as a generator's last layer has them. Side by side these
 * would leave registers half empty; so the channels that are read lie side by side instead, where a row of
 * taps is one run of kw * big.c values, and a result is the sum of what its registers hold in the end. All
 * else is done as fma.c does it.
 */
#include "fma_inside.h"

#include <string.h>

#define MADE 4   /* channels */
#define PIXELS 3 /* at once: with MADE sums each, what they are made of fills the registers */
#define MOST_RUN 1024

int bl__narrow_fits(const bl__conv_spec *s) {
    return s->small.c <= MADE && s->big.c % LANES == 0 && s->sh == 1 && s->sw == 1 &&
           s->kw * s->big.c <= MOST_RUN;
}

static int run_of(const bl__conv_spec *s) {
    return s->kw * s->big.c;
}

/* ---- one row of pixels ---- */
typedef struct job {
    const bl__conv_spec *s;
    const float *big, *weights; /* [kh][MADE][run] */
    float bias[MADE];
    float *small;
    int add;
} job;

/* Where the run of column x lies: in the row, or at its ends in `edge`, with zeros beyond them. */
static const float *run_at(const bl__conv_spec *s, const float *row, int x, float *edge) {
    const int first = x - s->pad.left, c = s->big.c;
    if (first >= 0 && first + s->kw <= s->big.w) return row + (int64_t)first * c;
    for (int k = 0; k < s->kw; k++, edge += c)
        if (first + k >= 0 && first + k < s->big.w)
            memcpy(edge, row + (int64_t)(first + k) * c, (size_t)c * sizeof *edge);
        else
            memset(edge, 0, (size_t)c * sizeof *edge);
    return edge - run_of(s);
}

static INLINE void add_run(__m256 sums[PIXELS][MADE], const float *const at[PIXELS], const float *w,
                           int run) {
    for (int i = 0; i < run; i += LANES) {
        const __m256 x[PIXELS] = {_mm256_loadu_ps(at[0] + i), _mm256_loadu_ps(at[1] + i),
                                  _mm256_loadu_ps(at[2] + i)};
        UNROLLED for (int o = 0; o < MADE; o++) {
            const __m256 v = _mm256_loadu_ps(w + o * run + i);
            UNROLLED for (int p = 0; p < PIXELS; p++) sums[p][o] = _mm256_fmadd_ps(x[p], v, sums[p][o]);
        }
    }
}

/* Each register's sum, side by side. */
static INLINE __m128 sum_lanes(const __m256 v[MADE]) {
    const __m256 t = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    return _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
}

static INLINE void put(const job *j, const __m256 sums[MADE], float *to) {
    const int n = j->s->small.c;
    float v[MADE];
    __m128 sum = _mm_add_ps(sum_lanes(sums), _mm_loadu_ps(j->bias));
    if (j->add) {
        memset(v, 0, sizeof v);
        memcpy(v, to, (size_t)n * sizeof *v);
        sum = _mm_add_ps(sum, _mm_loadu_ps(v));
    }
    _mm_storeu_ps(
        v, _mm256_castps256_ps128(activated(_mm256_castps128_ps256(sum), j->add ? BL_ACT_NONE : j->s->act)));
    memcpy(to, v, (size_t)n * sizeof *v);
}

/* PIXELS of row y from column x on, of which `n` are kept; the others are the last one again. */
static void make_pixels(const job *j, const float *sample, float *to, int y, int x, int n) {
    const bl__conv_spec *s = j->s;
    const int run = run_of(s);
    __m256 sums[PIXELS][MADE];
    float edge[PIXELS][MOST_RUN];
    UNROLLED for (int p = 0; p < PIXELS; p++) UNROLLED for (int o = 0; o < MADE; o++) sums[p][o] =
        _mm256_setzero_ps();
    for (int k = 0; k < s->kh; k++) {
        const int row = y + k - s->pad.top;
        if (row < 0 || row >= s->big.h) continue;
        const float *at[PIXELS];
        for (int p = 0; p < PIXELS; p++)
            at[p] = run_at(s, sample + (int64_t)row * s->big.w * s->big.c, x + BL_MIN(p, n - 1), edge[p]);
        add_run(sums, at, j->weights + (int64_t)k * MADE * run, run);
    }
    UNROLLED for (int p = 0; p < PIXELS; p++) if (p < n) put(j, sums[p], to + p * s->small.c);
}

static void make_rows(const void *arg, int64_t from, int64_t to) {
    const job *j = arg;
    const bl__conv_spec *s = j->s;
    for (int64_t r = from; r < to; r++) {
        const float *sample = j->big + r / s->small.h * bl__plane(s->big) * s->big.c;
        float *row = j->small + r * s->small.w * s->small.c;
        for (int x = 0; x < s->small.w; x += PIXELS)
            make_pixels(j, sample, row + (int64_t)x * s->small.c, (int)(r % s->small.h), x,
                        BL_MIN(PIXELS, s->small.w - x));
    }
}

static void forward(const bl__way *way, const bl__conv_spec *s, const void *big, const void *packed,
                    const float *bias, void *small, int add, void *scratch) {
    (void)way, (void)scratch;
    job j = {.s = s, .big = big, .weights = packed, .small = small, .add = add};
    if (bias && !add) memcpy(j.bias, bias, (size_t)s->small.c * sizeof *bias);
    bl_team_split(s->threads, (int64_t)s->small.n * s->small.h, make_rows, &j);
}

/* ---- all else ---- */
static void backward(const bl__way *way, const bl__conv_spec *s, const void *small, const void *packed,
                     void *big, int add, void *scratch) {
    bl__planes.backward(way, s, small, packed, big, add, scratch);
}

static int64_t packed_bytes(const bl__way *way, const bl__conv_spec *s, int to_big) {
    return to_big ? bl__planes.packed(way, s, 1) : (int64_t)s->kh * MADE * run_of(s) * (int64_t)sizeof(float);
}

static int64_t scratch_bytes(const bl__way *way, const bl__conv_spec *s) {
    return bl__planes.scratch(way, s);
}

static void pack(const bl__conv_spec *s, const float *weights, void *to_small, void *to_big) {
    const int run = run_of(s);
    float *to = to_small;
    for (int k = 0; to && k < s->kh; k++)
        for (int o = 0; o < MADE; o++, to += run)
            if (o < s->small.c)
                memcpy(to, weights + ((int64_t)o * s->kh + k) * run, (size_t)run * sizeof *to);
            else
                memset(to, 0, (size_t)run * sizeof *to);
    if (to_big) bl__fma.pack(s, weights, NULL, to_big);
}

static const bl__data data = {
    .packed = packed_bytes, .scratch = scratch_bytes, .forward = forward, .backward = backward};

const bl__own bl__narrow = {.data = &data,
                            .way = &bl__fma_way,
                            .pack = pack,
                            .weights_scratch = bl__fma_weights_scratch,
                            .backward_weights = bl__fma_backward_weights};
