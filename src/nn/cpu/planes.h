/*
 * Convolutions of our own as products of matrices whose rows are pixels.
 *
 * Pixels are flattened with one pitch for both sides, wide enough that a tap of the kernel is a shift: the
 * small side has empty columns at each row's end. With stride 2 the big side is parted into its four phases,
 * in each of which a tap is a shift again. What differs between instruction sets is a way (bl__way).
 */
#ifndef BALLERINO_NN_PLANES_H
#define BALLERINO_NN_PLANES_H

#include "onednn.h"

/* Where a tap lies: its phase, and how far it moves the flattened pixels of that phase. */
typedef struct bl__tap {
    int phase;
    int64_t shift;
} bl__tap;

static inline int bl__pitch(const bl__conv_spec *s) {
    return s->small.w + (s->kw - 1) / s->sw;
}

static inline bl__tap bl__tap_at(const bl__conv_spec *s, int t) {
    int y = t / s->kw, x = t % s->kw;
    return (bl__tap){y % s->sh * s->sw + x % s->sw, (int64_t)(y / s->sh) * bl__pitch(s) + x / s->sw};
}

/* Flattened pixel p of a phase, `first` rows down: its place in the big picture; -1 outside. */
static inline int64_t bl__big_at(const bl__conv_spec *s, int phase, int first, int64_t p) {
    int pitch = bl__pitch(s), y = ((int)(p / pitch) + first) * s->sh + phase / s->sw - s->pad.top;
    int x = (int)(p % pitch) * s->sw + phase % s->sw - s->pad.left;
    return y >= 0 && y < s->big.h && x >= 0 && x < s->big.w ? (int64_t)y * s->big.w + x : -1;
}

/* Flattened pixel q of the small side; -1 in the empty columns and beyond `rows`. */
static inline int64_t bl__small_at(const bl__conv_spec *s, int first, int rows, int64_t q) {
    int pitch = bl__pitch(s), y = (int)(q / pitch), x = (int)(q % pitch);
    return y < rows && x < s->small.w ? (int64_t)(first + y) * s->small.w + x : -1;
}

/* How many blocks of `size` hold n. */
static inline int64_t bl__blocks(int64_t n, int size) {
    return (n + size - 1) / size;
}

static inline void *bl__aligned(void *p) {
    return (void *)(((uintptr_t)p + 63) & ~(uintptr_t)63);
}

/* Strides and taps that planes can have, and no pixel of the big side outside of the phases that backward
 * data makes. */
int bl__planes_fit(const bl__conv_spec *s);

/* ---- forward and backward data ---- */
#define BL__MAX_TAPS 64

/* All pixels of one result's plane, summed over taps and channels. Addresses are bytes: elements are the
 * way's. */
typedef struct bl__product {
    const unsigned char *a[BL__MAX_TAPS]; /* a tap's first pixel, [pixels][depth] */
    const unsigned char *b[BL__MAX_TAPS]; /* a tap's weights, packed */
    int taps, depth, width;               /* channels read and made */
    int64_t pixels;                       /* flattened, of the result */
    const int32_t *to;                    /* a flattened pixel's place in y; -1: it is not kept */
    void *y;                              /* [places][width] */
    const float *bias;
    bl_act act;
    int add;
} bl__product;

/* How one instruction set multiplies. */
typedef struct bl__way {
    int size;             /* bytes of an element: of values, gradients and packed weights */
    int pixels, channels; /* of a block */
    void (*begin)(void);  /* before a thread's first block, and after its last; may be NULL */
    void (*end)(void);
    /* The block of the result at `pixel` and `channel`, which may reach beyond the last of either. */
    void (*block)(const bl__product *p, int64_t pixel, int channel);
} bl__way;

/* How results are made of packed weights; planes.c's with any way. `scratch` as many bytes as are asked for.
 */
typedef struct bl__data {
    int64_t (*packed)(const bl__way *way, const bl__conv_spec *s, int to_big); /* bytes of the weights */
    int64_t (*scratch)(const bl__way *way, const bl__conv_spec *s);            /* bytes */
    /* small = act(conv(big) + bias); bias may be NULL. add: small += , and then no bias and no activation. */
    void (*forward)(const bl__way *way, const bl__conv_spec *s, const void *big, const void *packed,
                    const float *bias, void *small, int add, void *scratch);
    /* big = adjoint(small); add: += */
    void (*backward)(const bl__way *way, const bl__conv_spec *s, const void *small, const void *packed,
                     void *big, int add, void *scratch);
} bl__data;

extern const bl__data bl__planes;
/* Elements of the packed weights of one tap: `depth` x `width`, the latter rounded up to blocks. */
int64_t bl__planes_tap(const bl__way *way, int depth, int width);

#endif
