/*
 * cuDNN's convolution, as few of its calls as do: made for one shape, then run any number of times.
 *
 * small = conv(big), both NHWC; weights [small.c][kh][kw][big.c]; padding is the same on opposite sides. With
 * `half` everything is bfloat16, the weights' gradient too, and sums are float32; else everything is float32,
 * without TF32. This is the only file that knows cuDNN's descriptors: the graph API would take its place.
 */
#ifndef BALLERINO_NN_DNN_H
#define BALLERINO_NN_DNN_H

#include "cuda.h"

typedef enum bl__dnn_stage { BL__TO_SMALL, BL__TO_BIG, BL__TO_WEIGHTS, BL__DNN_STAGES } bl__dnn_stage;

typedef struct bl__dnn_spec {
    bl_shape big, small;
    int kh, kw, sh, sw, pad_h, pad_w;
    int half;
    int wanted[BL__DNN_STAGES];
} bl__dnn_spec;

typedef struct bl__dnn bl__dnn;
/* Chooses an algorithm for each wanted stage: what cuDNN's heuristics name first and is deterministic; with
 * BALLERINO_CUDNN=measure in the environment the fastest as measured, which may differ from run to run. */
int bl__dnn_create(bl__dnn **out, bl__device *d, const bl__dnn_spec *s, bl_err *err);
void bl__dnn_destroy(bl__dnn **c);
int bl__dnn_can(const bl__dnn *c, bl__dnn_stage stage); /* an algorithm was found */
int64_t bl__dnn_workspace(const bl__dnn *c);            /* bytes that any stage may need */
/* add: +=. workspace: 256-byte aligned, of bl__dnn_workspace bytes. 0: cuDNN refuses after all, nothing was
 * done, and bl__dnn_can says no from now on. */
int bl__dnn_to_small(bl__dnn *c, const void *big, const void *w, void *small, int add, void *workspace);
int bl__dnn_to_big(bl__dnn *c, const void *small, const void *w, void *big, int add, void *workspace);
int bl__dnn_to_weights(bl__dnn *c, const void *big, const void *small, void *dw, int add, void *workspace);

#endif
