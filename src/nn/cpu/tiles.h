/*
 * Convolutions on tile registers (AMX: Intel server processors since 2023), where oneDNN 2.6 stays far from
 * what they can do on our shapes. Elsewhere bl__tiles_fit is 0 and oneDNN does it all.
 *
 * Both sides are bfloat16 NHWC; weights [small.c][kh][kw][big.c] are packed to bfloat16 tiles; sums are
 * float32. Every result is summed by one thread in one order, whatever their number.
 */
#ifndef BALLERINO_NN_TILES_H
#define BALLERINO_NN_TILES_H

#include "onednn.h"

/* Can this convolution go through tiles on this machine? Needs channels in thirty-twos and equal strides of 1
 * or 2. */
int bl__tiles_fit(const bl__conv_spec *spec);
/* For any of the calls below. */
int64_t bl__tiles_scratch_bytes(const bl__conv_spec *spec);
/* Elements of either packing of the weights. */
int64_t bl__tiles_packed_size(const bl__conv_spec *spec);
/* For forward and for backward data; either may be NULL. */
void bl__tiles_pack(const bl__conv_spec *spec, const float *weights, uint16_t *forward, uint16_t *backward);

/* small = act(conv(big) + bias); bias may be NULL. add: small += , and then no bias and no activation. */
void bl__tiles_forward(const bl__conv_spec *spec, const uint16_t *big, const uint16_t *packed,
                       const float *bias, uint16_t *small, int add, void *scratch);
/* big = adjoint(small); add: += */
void bl__tiles_backward_data(const bl__conv_spec *spec, const uint16_t *small, const uint16_t *packed,
                             uint16_t *big, int add, void *scratch);
/* dw[small.c][kh][kw][big.c] += */
void bl__tiles_backward_weights(const bl__conv_spec *spec, const uint16_t *big, const uint16_t *small,
                                float *dw, void *scratch);

#endif
