/*
 * Lanczos: reduces an RGB picture with a windowed sinc of three lobes, widened by the ratio, horizontally and
 * then vertically, rounding to 8 bits between; coefficients are fixed point with 22 bits after the point.
 */
#ifndef BL_FIGURE_LANCZOS_H
#define BL_FIGURE_LANCZOS_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/status.h"

/* `in` has no row padding; `out` has out_stride bytes a row. Sizes 1..16384. */
int bl__lanczos(uint8_t *out, ptrdiff_t out_stride, int out_width, int out_height, const uint8_t *in,
                int in_width, int in_height, bl_err *err);

#endif
