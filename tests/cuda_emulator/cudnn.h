/* cuDNN's convolutions that the module uses, in plain loops: NHWC, float32 or bfloat16 with channels in
 * eights. */
#ifndef BALLERINO_FAKE_CUDNN_H
#define BALLERINO_FAKE_CUDNN_H

#include "cuda_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CUDNN_MAJOR 9

typedef enum cudnnStatus_t {
    CUDNN_STATUS_SUCCESS = 0,
    CUDNN_STATUS_BAD_PARAM = 2000,
    CUDNN_STATUS_NOT_SUPPORTED = 3000,
    CUDNN_STATUS_EXECUTION_FAILED = 5000
} cudnnStatus_t;
typedef enum cudnnDataType_t { CUDNN_DATA_FLOAT = 0, CUDNN_DATA_BFLOAT16 = 9 } cudnnDataType_t;
typedef enum cudnnTensorFormat_t { CUDNN_TENSOR_NHWC = 1 } cudnnTensorFormat_t;
typedef enum cudnnMathType_t { CUDNN_TENSOR_OP_MATH = 1, CUDNN_FMA_MATH = 3 } cudnnMathType_t;
typedef enum cudnnConvolutionMode_t { CUDNN_CROSS_CORRELATION = 1 } cudnnConvolutionMode_t;
typedef enum cudnnDeterminism_t { CUDNN_NON_DETERMINISTIC = 0, CUDNN_DETERMINISTIC = 1 } cudnnDeterminism_t;
typedef enum cudnnConvolutionFwdAlgo_t { CUDNN_FAKE_FORWARD } cudnnConvolutionFwdAlgo_t;
typedef enum cudnnConvolutionBwdDataAlgo_t { CUDNN_FAKE_DATA } cudnnConvolutionBwdDataAlgo_t;
typedef enum cudnnConvolutionBwdFilterAlgo_t { CUDNN_FAKE_FILTER } cudnnConvolutionBwdFilterAlgo_t;

typedef struct bl__emu_dnn *cudnnHandle_t;
typedef struct bl__emu_tensor *cudnnTensorDescriptor_t;
typedef struct bl__emu_filter *cudnnFilterDescriptor_t;
typedef struct bl__emu_conv *cudnnConvolutionDescriptor_t;

#define BL_PERF(name, algorithm)                                                                             \
    typedef struct name {                                                                                    \
        algorithm algo;                                                                                      \
        cudnnStatus_t status;                                                                                \
        float time;                                                                                          \
        size_t memory;                                                                                       \
        cudnnDeterminism_t determinism;                                                                      \
        cudnnMathType_t mathType;                                                                            \
    } name;
BL_PERF(cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionFwdAlgo_t)
BL_PERF(cudnnConvolutionBwdDataAlgoPerf_t, cudnnConvolutionBwdDataAlgo_t)
BL_PERF(cudnnConvolutionBwdFilterAlgoPerf_t, cudnnConvolutionBwdFilterAlgo_t)

size_t cudnnGetVersion(void);
const char *cudnnGetErrorString(cudnnStatus_t rc);
cudnnStatus_t cudnnCreate(cudnnHandle_t *out);
cudnnStatus_t cudnnDestroy(cudnnHandle_t h);
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t stream);
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *out);
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d);
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w);
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *out);
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t d);
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w);
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *out);
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t d);
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t d, int pad_h, int pad_w, int u,
                                              int v, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t compute);
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math);

/* Choosing, and asking for the workspace, of the three stages: (a, b) -> e. */
#define BL_STAGE(stage, A, B, E, algorithm, perf)                                                            \
    cudnnStatus_t cudnnGetConvolution##stage##Algorithm_v7(                                                  \
        cudnnHandle_t h, A a, B b, cudnnConvolutionDescriptor_t c, E e, int most, int *n, perf *out);        \
    cudnnStatus_t cudnnFindConvolution##stage##Algorithm(                                                    \
        cudnnHandle_t h, A a, B b, cudnnConvolutionDescriptor_t c, E e, int most, int *n, perf *out);        \
    cudnnStatus_t cudnnGetConvolution##stage##WorkspaceSize(                                                 \
        cudnnHandle_t h, A a, B b, cudnnConvolutionDescriptor_t c, E e, algorithm algo, size_t *bytes);
#define BL_STAGES(X)                                                                                         \
    X(Forward, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t, cudnnTensorDescriptor_t,                    \
      cudnnConvolutionFwdAlgo_t, cudnnConvolutionFwdAlgoPerf_t)                                              \
    X(BackwardData, cudnnFilterDescriptor_t, cudnnTensorDescriptor_t, cudnnTensorDescriptor_t,               \
      cudnnConvolutionBwdDataAlgo_t, cudnnConvolutionBwdDataAlgoPerf_t)                                      \
    X(BackwardFilter, cudnnTensorDescriptor_t, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,             \
      cudnnConvolutionBwdFilterAlgo_t, cudnnConvolutionBwdFilterAlgoPerf_t)
BL_STAGES(BL_STAGE)
#undef BL_STAGE

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t h, const void *alpha, cudnnTensorDescriptor_t xd,
                                      const void *x, cudnnFilterDescriptor_t wd, const void *w,
                                      cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algo,
                                      void *workspace, size_t bytes, const void *beta,
                                      cudnnTensorDescriptor_t yd, void *y);
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t h, const void *alpha, cudnnFilterDescriptor_t wd,
                                           const void *w, cudnnTensorDescriptor_t dyd, const void *dy,
                                           cudnnConvolutionDescriptor_t c, cudnnConvolutionBwdDataAlgo_t algo,
                                           void *workspace, size_t bytes, const void *beta,
                                           cudnnTensorDescriptor_t dxd, void *dx);
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t h, const void *alpha, cudnnTensorDescriptor_t xd,
                                             const void *x, cudnnTensorDescriptor_t dyd, const void *dy,
                                             cudnnConvolutionDescriptor_t c,
                                             cudnnConvolutionBwdFilterAlgo_t algo, void *workspace,
                                             size_t bytes, const void *beta, cudnnFilterDescriptor_t dwd,
                                             void *dw);

#ifdef __cplusplus
}
#endif
#endif
