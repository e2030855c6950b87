/*
 * A TFLite model file as a list of tensors and operators, checked: whatever is read here can be trusted as
 * far as indices and sizes go. Only what the pose models use is understood (FlatBuffer "TFL3", one subgraph,
 * float32 values with float16 and sparse constants).
 *
 *     bl__tflite *m = NULL;
 *     bl__tflite_open(&m, bytes, size, "pose.tflite", &err);      // bytes must outlive m
 *     for (int k = 0; k < m->n_ops; k++) use(&m->ops[k]);
 *     bl__tflite_close(&m);
 *
 * DEQUANTIZE and DENSIFY of constants are folded: they do not appear as operators; their output tensor is a
 * constant whose values bl__tflite_floats() expands straight to where they are wanted.
 */
#ifndef BL_POSE_TFLITE_H
#define BL_POSE_TFLITE_H

#include <stddef.h>
#include <stdint.h>

#include "flat.h"

#include "ballerino/status.h"

enum { BL__TFL_MAX_RANK = 4, BL__TFL_MAX_INPUTS = 8, BL__TFL_MAX_OUTPUTS = 8, BL__TFL_MAX_SIDE = 8192 };
#define BL__TFL_MAX_COUNT (1 << 26) /* values of one tensor */

/* Numbers are the file format's own. */
typedef enum bl__tfl_type { BL__TFL_F32 = 0, BL__TFL_F16 = 1, BL__TFL_I32 = 2 } bl__tfl_type;
typedef enum bl__tfl_code {
    BL__TFL_ADD = 0,
    BL__TFL_CONCATENATION = 2,
    BL__TFL_CONV_2D = 3,
    BL__TFL_DEPTHWISE_CONV_2D = 4,
    BL__TFL_DEPTH_TO_SPACE = 5,
    BL__TFL_DEQUANTIZE = 6,
    BL__TFL_FULLY_CONNECTED = 9,
    BL__TFL_LOGISTIC = 14,
    BL__TFL_MAX_POOL_2D = 17,
    BL__TFL_RELU = 19,
    BL__TFL_RELU6 = 21,
    BL__TFL_RESHAPE = 22,
    BL__TFL_RESIZE_BILINEAR = 23,
    BL__TFL_PAD = 34,
    BL__TFL_MEAN = 40,
    BL__TFL_STRIDED_SLICE = 45,
    BL__TFL_PRELU = 54,
    BL__TFL_DENSIFY = 124
} bl__tfl_code;
typedef enum bl__tfl_act { BL__TFL_NO_ACT = 0, BL__TFL_ACT_RELU = 1, BL__TFL_ACT_RELU6 = 3 } bl__tfl_act;

typedef struct bl__tfl_tensor {
    int type;
    int rank, dims[BL__TFL_MAX_RANK];
    int64_t count;
    const uint8_t *data; /* constant as stored; NULL = computed, or folded from `from` */
    size_t bytes;
    bl__flat_table sparsity; /* at == 0: dense */
    int from;                /* folded constant: the tensor that it is made of; else -1 */
    int constant;            /* 1: bl__tflite_floats (or _ints) gives its values */
} bl__tfl_tensor;

typedef struct bl__tfl_op {
    int code;
    int n_in, in[BL__TFL_MAX_INPUTS]; /* -1 = left out */
    int n_out, out[BL__TFL_MAX_OUTPUTS];
    int same; /* padding: 1 SAME, 0 VALID */
    int stride_w, stride_h, dilation_w, dilation_h, multiplier, filter_w, filter_h;
    int act, axis, block, align_corners, half_pixel, weights_format;
    int masks; /* strided slice: any of its masks is set */
} bl__tfl_op;

typedef struct bl__tflite {
    const char *name; /* for messages */
    bl__flat flat;
    bl__tfl_tensor *tensors;
    int n_tensors;
    bl__tfl_op *ops; /* in an order in which they can run */
    int n_ops;
    int n_in, in[BL__TFL_MAX_INPUTS];
    int n_out, out[BL__TFL_MAX_OUTPUTS];
} bl__tflite;

int bl__tflite_open(bl__tflite **out, const void *bytes, size_t size, const char *name, bl_err *err);
void bl__tflite_close(bl__tflite **m);
/* The values of a constant as float32 (float16 widened, sparse ones filled up with zeros). count must be the
 * tensor's. */
int bl__tflite_floats(bl__tflite *m, int tensor, float *out, int64_t count, bl_err *err);
/* The values of an int32 constant. 0, or negative when it is none of `count` values. */
int bl__tflite_ints(bl__tflite *m, int tensor, int32_t *out, int count, bl_err *err);

#endif
