/* Which kernel does an operator. Inputs and views need none. */
#include "cuda.h"

const bl__kernel *bl__cuda_kernel(bl__op op, const bl__node *node) {
    switch (op) {
    case BL__OP_conv2d: return node->depthwise ? &bl__cuda_depthwise : &bl__cuda_conv;
    case BL__OP_conv_transpose2d:
    case BL__OP_fully_connected: return &bl__cuda_conv;
#define BL_X(name)                                                                                           \
    case BL__OP_##name: return &bl__cuda_##name;
        BL__CUDA_OPS(BL_X)
#undef BL_X
    case BL__OP_input:
    case BL__OP_reshape:
    case BL__OP_stop_gradient:
    case BL__OP_COUNT: break;
    }
    static const bl__kernel nothing = {0};
    return &nothing;
}
