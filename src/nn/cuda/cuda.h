/*
 * The CUDA backend: kernels of every operator, on one device and one stream.
 *
 * Sources that launch kernels (.cu) are CUDA C++ and go through launch.h; the rest is C. A test builds the
 * very same sources against an emulator of the few CUDA and cuDNN calls that are used (tests/cuda_emulator).
 */
#ifndef BALLERINO_NN_CUDA_H
#define BALLERINO_NN_CUDA_H

#include <cuda_runtime.h>
#include <cudnn.h>

#include "device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bl__device {
    int index;
    cudaStream_t stream;
    cudnnHandle_t dnn;
    bl__log_fn log;
    bl_err err;  /* the first failure; nothing is queued after it */
    void *group; /* NCCL's communicator, or NULL */
};

/* Keeps the failure, if it is one and the first. Returns 1 when work may go on. */
int bl__cuda_ok(bl__device *d, cudaError_t rc, const char *what);
int bl__cudnn_ok(bl__device *d, cudnnStatus_t rc, const char *what);
/* Nothing has failed yet; and the calling thread's calls go to this device from now on. */
int bl__cuda_fine(bl__device *d);

/* ---- GPUs of several processes (group.c); entries of the device's table ---- */
int bl__cuda_group_describe(char *text, size_t size, bl_err *err);
int bl__cuda_group_id(void *id, bl_err *err);
int bl__cuda_group_join(bl__device *d, const void *id, int rank, int size, bl_err *err);
void bl__cuda_group_mean(bl__device *d, float *x, int64_t n);
void bl__cuda_group_leave(bl__device *d); /* does nothing without a group, as does waiting */
void bl__cuda_group_wait(bl__device *d);

/* ---- ways up beside the queue (lane.c); entries of the device's table ---- */
int bl__cuda_lane_create(bl__device *d, void **way, int slots, bl_err *err);
void bl__cuda_lane_free(bl__device *d, void *way);
int bl__cuda_lane_send(bl__device *d, void *way, int slot, void *to, const void *from, int64_t bytes,
                       bl_err *err);
int bl__cuda_lane_wait(bl__device *d, void *way, int slot, bl_err *err);
void bl__cuda_lane_join(bl__device *d, void *way, int slot);
void bl__cuda_lane_taken(bl__device *d, void *way);

/* ---- operators: a kernel each; see table.c ---- */
extern const bl__kernel bl__cuda_conv, bl__cuda_depthwise; /* conv.c; the others are in .cu */
#define BL__CUDA_OPS(X)                                                                                      \
    X(norm_act)                                                                                              \
    X(activation)                                                                                            \
    X(prelu)                                                                                                 \
    X(add)                                                                                                   \
    X(mul)                                                                                                   \
    X(affine)                                                                                                \
    X(concat)                                                                                                \
    X(concat_rows)                                                                                           \
    X(slice)                                                                                                 \
    X(pad_zero)                                                                                              \
    X(pad_reflect)                                                                                           \
    X(resize_bilinear)                                                                                       \
    X(upsample2)                                                                                             \
    X(max_pool)                                                                                              \
    X(avg_pool)                                                                                              \
    X(mean)                                                                                                  \
    X(depth_to_space)                                                                                        \
    X(blend)                                                                                                 \
    X(translate)                                                                                             \
    X(colour)                                                                                                \
    X(loss_l1)                                                                                               \
    X(loss_mse_to)                                                                                           \
    X(loss_hinge)                                                                                            \
    X(loss_ssim)                                                                                             \
    X(weighted_sum)
#define BL_X(name) extern const bl__kernel bl__cuda_##name;
BL__CUDA_OPS(BL_X)
#undef BL_X
const bl__kernel *bl__cuda_kernel(bl__op op, const bl__node *node);
const bl__device_ops *bl__device_module(void); /* the one symbol that a program looks for */

/* ---- pieces that C sources use (kernels in .cu) ---- */
void bl__cuda_set(bl__device *d, float *p, float value);
void bl__cuda_round(bl__device *d, uint16_t *to, const float *from, int64_t n);
void bl__cuda_adam(bl__device *d, const bl__adam_run *a);

/* ---- pictures (picture.cu, and these) ---- */
extern const bl__picture_ops bl__cuda_pictures;
void bl__cuda_resample(bl__device *d, const bl_picture *to, const bl_picture *from, bl_taps x, bl_taps y);
void bl__cuda_patch(bl__device *d, const bl_picture *frame, const bl_picture *painted, const bl_picture *made,
                    const bl_patching *how);
void bl__cuda_planes(bl__device *d, uint8_t *to, const bl_picture *frame);

/* A picture in memory: rows of pixels of `pitch` values, of which the first shape.c count. */
typedef struct bl__cuda_picture {
    void *p;
    int half;
    bl_shape shape;
    int pitch; /* values from a pixel to the next */
} bl__cuda_picture;
/* to(y + top, x + left) = from(y, x), zero wherever `from` has nothing: other storage, a border, more
 * channels, or (top, left negative) a part. Then, if asked, + bias[c], the activation, and += instead of =.
 */
typedef struct bl__cuda_copy_how {
    int top, left, add;
    const float *bias; /* or NULL */
    bl_act act;
} bl__cuda_copy_how;
void bl__cuda_copy(bl__device *d, bl__cuda_picture to, bl__cuda_picture from, bl__cuda_copy_how how);
/* y = act(y + bias), in place. */
void bl__cuda_bias_act(bl__device *d, void *y, int half, int64_t rows, int c, const float *bias, bl_act act);
/* dy *= act'(y) */
void bl__cuda_act_back(bl__device *d, void *dy, const void *y, int half, int64_t n, bl_act act);
/* b[c] += sum over rows of y[rows][c]; scratch of bl__cuda_columns_scratch(rows, c, 1) floats. */
void bl__cuda_bias_grad(bl__device *d, float *b, const void *y, int half, int64_t rows, int c,
                        float *scratch);
int64_t bl__cuda_columns_scratch(int64_t groups, int64_t rows, int c, int sums);
/* w16[k16][taps][c16] = rounded w[k][taps][c], zero outside. */
void bl__cuda_pack_weights(bl__device *d, uint16_t *w16, const float *w, int k16, int c16, int k, int c,
                           int taps);
/* dw[k][taps][c] += dw16[k16][taps][c16] */
void bl__cuda_unpack_weights(bl__device *d, float *dw, const uint16_t *dw16, int c16, int k, int c, int taps);

/* A convolution from its definition, for what cuDNN has nothing for: small = conv(big), each in its storage,
 * weights float32. */
typedef struct bl__cuda_direct {
    bl__cuda_picture big, small;
    const float *w; /* [small.c][kh][kw][big.c], depthwise [kh][kw][c] */
    int kh, kw, sh, sw;
    bl_pad pad;
    int depthwise;
} bl__cuda_direct;
void bl__cuda_direct_small(bl__device *d, const bl__cuda_direct *s, bl__cuda_copy_how how);
void bl__cuda_direct_big(bl__device *d, const bl__cuda_direct *s, bl__cuda_copy_how how);
void bl__cuda_direct_weights(bl__device *d, const bl__cuda_direct *s, float *dw); /* adds */

#ifdef __cplusplus
}
#endif
#endif
