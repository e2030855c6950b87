#include "ref.h"

const bl__kernel bl__ref_input, bl__ref_reshape, bl__ref_stop_gradient; /* no work: inputs and views */

const bl__kernel *bl__ref_kernel(bl__op op) {
    static const bl__kernel *const table[BL__OP_COUNT] = {
#define BL_X(name, x, y) &bl__ref_##name,
        BL__OP_TABLE(BL_X)
#undef BL_X
    };
    return table[op];
}
