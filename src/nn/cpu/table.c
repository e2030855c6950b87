/* Which operators the CPU backend does itself; the others are the reference's, which only move values. */
#include "cpu.h"

const bl__kernel *bl__cpu_kernel(bl__op op, const bl__node *node) {
    switch (op) {
    case BL__OP_conv2d: return node->depthwise ? &bl__cpu_depthwise : &bl__cpu_conv;
    case BL__OP_conv_transpose2d:
    case BL__OP_fully_connected: return &bl__cpu_conv;
    case BL__OP_norm_act: return &bl__cpu_norm_act;
    case BL__OP_activation: return &bl__cpu_activation;
    case BL__OP_add: return &bl__cpu_add;
    case BL__OP_prelu: return &bl__cpu_prelu;
    case BL__OP_concat: return &bl__cpu_concat;
    case BL__OP_pad_reflect: return &bl__cpu_pad_reflect;
    case BL__OP_avg_pool: return &bl__cpu_avg_pool;
    case BL__OP_max_pool: return &bl__cpu_max_pool;
    case BL__OP_loss_l1: return &bl__cpu_loss_l1;
    case BL__OP_loss_ssim: return &bl__cpu_loss_ssim;
    case BL__OP_upsample2: return &bl__cpu_upsample2;
    case BL__OP_resize_bilinear: return &bl__cpu_resize_bilinear;
    default: return NULL;
    }
}
