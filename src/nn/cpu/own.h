/*
 * Convolutions of our own, where oneDNN stays far from what a CPU can do on our shapes. Sides are NHWC, both
 * in the way's storage; weights [small.c][kh][kw][big.c] are packed once after they change; sums are float32.
 * Every result is summed by one thread in one order, whatever their number.
 */
#ifndef BALLERINO_NN_OWN_H
#define BALLERINO_NN_OWN_H

#include "planes.h"

typedef struct bl__own {
    const bl__data *data;
    const bl__way *way; /* of the data; NULL where they need none */
    /* For forward and for backward data, as many bytes as data->packed says; either may be NULL. */
    void (*pack)(const bl__conv_spec *s, const float *weights, void *forward, void *backward);
    int64_t (*weights_scratch)(const bl__conv_spec *s); /* bytes */
    /* dw[small.c][kh][kw][big.c] += */
    void (*backward_weights)(const bl__conv_spec *s, const void *big, const void *small, float *dw,
                             void *scratch);
} bl__own;

/* Tile registers (AMX: Intel server processors since 2023), bfloat16, channels in thirty-twos; AVX2 with FMA,
 * float32; the same with fewer multiplications, 3x3 and 4x4, channels in sixteens; and into four channels or
 * fewer. Compiled where the compiler can (BL__AMX, BL__FMA), in files of their own: nothing in those may run
 * on a CPU that has not been asked. */
extern const bl__own bl__tiles, bl__fma, bl__winograd, bl__narrow;
int bl__winograd_fits(const bl__conv_spec *s);
int bl__narrow_fits(const bl__conv_spec *s);
/* What this CPU is to do this convolution with; NULL: oneDNN. */
const bl__own *bl__own_for(const bl__conv_spec *s);

#endif
