/* The CPU backend's kernels and the helpers that split vector kernels over the team. */
#ifndef BALLERINO_NN_CPU_H
#define BALLERINO_NN_CPU_H

#include "kernels.h"

extern const bl__kernel bl__cpu_conv, bl__cpu_depthwise, bl__cpu_norm_act, bl__cpu_activation, bl__cpu_add,
    bl__cpu_prelu, bl__cpu_max_pool, bl__cpu_loss_l1, bl__cpu_loss_ssim, bl__cpu_upsample2,
    bl__cpu_resize_bilinear, bl__cpu_concat, bl__cpu_pad_reflect, bl__cpu_avg_pool;

/* On values of one storage type (half: bfloat16), split over the team. */
void bl__cpu_act_backward(int threads, void *dx, const void *dy, const void *y, int64_t n, bl_act act,
                          int add, int half);
void bl__cpu_accumulate(int threads, void *y, const void *x, int64_t n, int half);
void bl__cpu_to_bf16(int threads, uint16_t *y, const float *x, int64_t n);
void bl__cpu_from_bf16(int threads, float *y, const uint16_t *x, int64_t n);

#endif
