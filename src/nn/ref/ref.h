/* The plain reference: every operator written as its definition, one thread, no tricks. Tests compare with
 * it. */
#ifndef BALLERINO_NN_REF_H
#define BALLERINO_NN_REF_H

#include "kernels.h"

#define BL_X(name, x, y) extern const bl__kernel bl__ref_##name;
BL__OP_TABLE(BL_X)
#undef BL_X

/* Index of (n, y, x, c) in NHWC. */
static inline int64_t at(bl_shape s, int n, int y, int x, int c) {
    return (((int64_t)n * s.h + y) * s.w + x) * s.c + c;
}

float bl__act(float x, bl_act act);
float bl__act_slope(float y, bl_act act); /* derivative, from the activation's value */

static inline void put(float *dst, float v, int add) {
    *dst = add ? *dst + v : v;
}

#endif
