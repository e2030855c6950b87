/* Forward and backward data (planes.c) with AVX2: blocks of 6 pixels x 16 channels, in float32. */
#include "fma_inside.h"

/* The sums of ROWS pixels; `wide`: of more than LANES channels. */
static INLINE void multiply(const bl__product *p, int64_t pixel, int channel, float out[ROWS][WIDE],
                            int wide) {
    const int64_t depth = p->depth;
    bl__sums sums;
    clear_sums(&sums);
    for (int t = 0; t < p->taps; t++)
        multiply_add(&sums, (const float *)(const void *)p->a[t] + pixel * depth, depth, 1,
                     (const float *)(const void *)p->b[t] + channel * depth, WIDE, depth, wide);
    store_sums(&sums, out[0], WIDE, wide);
}

/* The sums of one pixel become values of y: `n` of them. */
static inline void put(const bl__product *p, const float *sum, float *y, const float *bias, int n) {
    __m256 v = _mm256_load_ps(sum);
    const __m256i lanes = first_lanes(n);
    if (bias) v = _mm256_add_ps(v, _mm256_maskload_ps(bias, lanes));
    if (p->add) v = _mm256_add_ps(v, _mm256_maskload_ps(y, lanes));
    v = activated(v, p->act);
    if (n >= LANES)
        _mm256_storeu_ps(y, v);
    else
        _mm256_maskstore_ps(y, lanes, v);
}

static void block(const bl__product *p, int64_t pixel, int channel) {
    float sum[ROWS][WIDE] __attribute__((aligned(32)));
    const int left = p->width - channel, wide = left > LANES;
    if (wide)
        multiply(p, pixel, channel, sum, 1);
    else
        multiply(p, pixel, channel, sum, 0);
    for (int i = 0; i < ROWS; i++) {
        const int32_t to = p->to[pixel + i];
        if (to < 0) continue;
        float *y = (float *)p->y + (int64_t)to * p->width + channel;
        const float *bias = p->bias ? p->bias + channel : NULL;
        put(p, sum[i], y, bias, left);
        if (wide) put(p, sum[i] + LANES, y + LANES, bias ? bias + LANES : NULL, left - LANES);
    }
}

const bl__way bl__fma_way = {.size = sizeof(float), .pixels = ROWS, .channels = WIDE, .block = block};

/* ---- weights: [tap][made / WIDE][read][WIDE] ---- */
typedef struct packing {
    const bl__conv_spec *s;
    const float *weights;
    float *forward, *backward;
} packing;

/* WIDE output channels of one tap, read side by side. */
static void pack_forward(const packing *p, int t, int group) {
    const bl__conv_spec *s = p->s;
    const int c = s->big.c, n = BL_MIN(WIDE, s->small.c - group * WIDE);
    const int64_t row = (int64_t)s->kh * s->kw * c;
    const float *from = p->weights + group * WIDE * row + (int64_t)t * c;
    float *to = p->forward + (t * bl__blocks(s->small.c, WIDE) + group) * c * WIDE;
    for (int k = 0; k < c; k++, to += WIDE)
        for (int j = 0; j < WIDE; j++) to[j] = j < n ? from[j * row + k] : 0;
}

static void pack_backward(const packing *p, int t, int group) {
    const bl__conv_spec *s = p->s;
    const int c = s->big.c, n = BL_MIN(WIDE, c - group * WIDE);
    const int64_t row = (int64_t)s->kh * s->kw * c;
    const float *from = p->weights + (int64_t)t * c + group * WIDE;
    float *to = p->backward + (t * bl__blocks(c, WIDE) + group) * s->small.c * WIDE;
    for (int k = 0; k < s->small.c; k++, to += WIDE)
        for (int j = 0; j < WIDE; j++) to[j] = j < n ? from[k * row + j] : 0;
}

static void pack_range(const void *arg, int64_t from, int64_t to) {
    const packing *p = arg;
    const int taps = p->s->kh * p->s->kw;
    for (int64_t k = from; k < to; k++) {
        const int t = (int)(k % taps), group = (int)(k / taps);
        if (p->forward && group < bl__blocks(p->s->small.c, WIDE)) pack_forward(p, t, group);
        if (p->backward && group < bl__blocks(p->s->big.c, WIDE)) pack_backward(p, t, group);
    }
}

static void pack(const bl__conv_spec *s, const float *weights, void *forward, void *backward) {
    const packing p = {s, weights, forward, backward};
    bl_team_split(s->threads, bl__blocks(BL_MAX(s->small.c, s->big.c), WIDE) * s->kh * s->kw, pack_range, &p);
}

const bl__own bl__fma = {.data = &bl__planes,
                         .way = &bl__fma_way,
                         .pack = pack,
                         .weights_scratch = bl__fma_weights_scratch,
                         .backward_weights = bl__fma_backward_weights};
