/*
 * Weight gradients of convolutions on tile registers (AMX, Intel 2022 and later), where oneDNN 2.6 reaches a
 * fifth of what its own forward does. Elsewhere bl__tiles_fit is 0 and oneDNN does it.
 */
#ifndef BALLERINO_NN_TILES_H
#define BALLERINO_NN_TILES_H

#include "onednn.h"

/* Can this convolution's weight gradient go through tiles on this machine? Needs both sides in bfloat16,
 * their channels in sixteens, and equal strides of 1 or 2. */
int bl__tiles_fit(const bl__conv_spec *spec);
int64_t bl__tiles_scratch_bytes(const bl__conv_spec *spec);
/* dw[small.c][kh][kw][big.c] += . Every element is summed by one thread in one order, whatever their number.
 */
void bl__tiles_backward_weights(const bl__conv_spec *spec, const uint16_t *big, const uint16_t *small,
                                float *dw, void *scratch);

#endif
