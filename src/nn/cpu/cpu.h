/* The CPU backend's kernels and the helpers that split vector kernels over threads. */
#ifndef BALLERINO_NN_CPU_H
#define BALLERINO_NN_CPU_H

#include "kernels.h"

extern const bl__kernel bl__cpu_conv, bl__cpu_depthwise, bl__cpu_norm_act, bl__cpu_activation, bl__cpu_add,
    bl__cpu_prelu, bl__cpu_max_pool, bl__cpu_loss_l1, bl__cpu_loss_ssim, bl__cpu_upsample2,
    bl__cpu_resize_bilinear;

void bl__cpu_act_backward(int threads, float *dx, const float *dy, const float *y, int64_t n, bl_act act,
                          int add);
void bl__cpu_accumulate(int threads, float *y, const float *x, int64_t n);

#endif
