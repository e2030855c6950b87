/*
 * The thin layer over oneDNN, whose C API changed between 2.x (Debian 12) and 3.x (Debian 13). Only onednn*
 * include dnnl.h. A convolution here is three primitives, each in bands (bands.h), on NHWC data, stored in
 * float32 or bfloat16, with weights in oneDNN's own blocked layout; everything is created once and executed
 * without allocating.
 */
#ifndef BALLERINO_NN_ONEDNN_H
#define BALLERINO_NN_ONEDNN_H

#include "kernels.h"

typedef struct bl__conv bl__conv;

/* The convolution from the `big` side (input) to the `small` side (output). weights [small.c][kh][kw][big.c].
 */
typedef struct bl__conv_spec {
    bl_shape big, small;
    int kh, kw, sh, sw;
    bl_pad pad;
    bl_act act;                                   /* fused into forward */
    int bias;                                     /* forward adds a bias */
    int forward, backward_data, backward_weights; /* which primitives are needed */
    int half;                 /* bfloat16 operands where oneDNN has a kernel; float32 sums */
    int big_half, small_half; /* how the two sides are stored */
    int threads;
    int param;     /* whose weights: convolutions that share them share their packed copies */
    int plan_only; /* only sizes are asked for: nothing is packed, nothing can be run */
} bl__conv_spec;

/* `shared` is made when there is none, and must outlive the convolution. */
int bl__conv_create(bl__conv **out, bl__shared **shared, const bl__conv_spec *spec, bl_err *err);
void bl__conv_destroy(bl__conv **c);
int64_t bl__conv_scratch_bytes(const bl__conv *c); /* shared between all convolutions of a program */

/* Of weights in its own layouts, without what an earlier convolution brought, and of its code. */
int64_t bl__conv_packed_bytes(const bl__conv *c);

/* small = act(conv(big) + bias) */
void bl__conv_forward(bl__conv *c, const void *big, void *small, const float *bias, void *scratch);
/* big = adjoint(small) */
void bl__conv_backward_data(bl__conv *c, const void *small, void *big, void *scratch);
/* dw += , db += (db may be NULL) */
void bl__conv_backward_weights(bl__conv *c, const void *big, const void *small, float *dw, float *db,
                               void *scratch);
/* Packs the weights again where they are not of this version. */
void bl__conv_pack(bl__conv *c, const float *weights, uint64_t version);

/* A packing that is not oneDNN's, shared in the same way by those who ask for the same `kind` (1 and up) and
 * size: layouts that differ must differ in one of them. *data is NULL when only planned; *version is that of
 * the weights in it, 0 at first. Returns the bytes that are new, or a negative status. */
int64_t bl__shared_pack(bl__shared **shared, int param, int kind, int64_t bytes, int plan_only, void **data,
                        uint64_t **version, bl_err *err);

/* 1 where AVX2 and FMA are the widest that oneDNN uses. */
int bl__cpu_is_avx2(void);

#endif
