#include "dnn.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ALGORITHMS 16
#define MOST_WORKSPACE ((size_t)256 << 20)
/* Of each stage: implicit, precomputed GEMM; deterministic and for nearly every shape. Tried last, also where
 * the heuristics name nothing. */
#define GENERAL_ALGORITHM 1

static const char *const names[] = {"forward", "backward data", "backward weights"};

struct bl__dnn {
    bl__device *d;
    bl__dnn_spec s;
    cudnnTensorDescriptor_t big, small;
    cudnnFilterDescriptor_t w;
    cudnnConvolutionDescriptor_t conv[BL__DNN_STAGES]; /* each with its algorithm's kind of arithmetic */
    int algorithm[BL__DNN_STAGES];                     /* or -1 */
    size_t workspace[BL__DNN_STAGES];
};

typedef struct candidate {
    int algorithm, usable, deterministic;
    cudnnMathType_t math;
} candidate;

/* ---- describing ---- */
static cudnnStatus_t describe(bl__dnn *c) {
    const bl__dnn_spec *s = &c->s;
    const cudnnDataType_t type = s->half ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    cudnnStatus_t st = cudnnCreateTensorDescriptor(&c->big);
    if (!st) st = cudnnCreateTensorDescriptor(&c->small);
    if (!st) st = cudnnCreateFilterDescriptor(&c->w);
    if (!st)
        st = cudnnSetTensor4dDescriptor(c->big, CUDNN_TENSOR_NHWC, type, s->big.n, s->big.c, s->big.h,
                                        s->big.w);
    if (!st)
        st = cudnnSetTensor4dDescriptor(c->small, CUDNN_TENSOR_NHWC, type, s->small.n, s->small.c, s->small.h,
                                        s->small.w);
    if (!st)
        st = cudnnSetFilter4dDescriptor(c->w, type, CUDNN_TENSOR_NHWC, s->small.c, s->big.c, s->kh, s->kw);
    for (int k = 0; k < BL__DNN_STAGES && !st; k++) {
        st = cudnnCreateConvolutionDescriptor(&c->conv[k]);
        if (!st)
            st = cudnnSetConvolution2dDescriptor(c->conv[k], s->pad_h, s->pad_w, s->sh, s->sw, 1, 1,
                                                 CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
        if (!st)
            st = cudnnSetConvolutionMathType(c->conv[k], s->half ? CUDNN_TENSOR_OP_MATH : CUDNN_FMA_MATH);
    }
    return st;
}

/* ---- choosing ---- */
#define COLLECT(type, find, get, a, b, e)                                                                    \
    do {                                                                                                     \
        type found[MOST_ALGORITHMS];                                                                         \
        cudnnStatus_t st = measure ? find(h, a, b, c->conv[stage], e, MOST_ALGORITHMS, &n, found)            \
                                   : CUDNN_STATUS_NOT_SUPPORTED;                                             \
        if (st) st = get(h, a, b, c->conv[stage], e, MOST_ALGORITHMS, &n, found);                            \
        if (st) n = 0;                                                                                       \
        for (int i = 0; i < n; i++)                                                                          \
            out[i] = (candidate){.algorithm = (int)found[i].algo,                                            \
                                 .usable = found[i].status == CUDNN_STATUS_SUCCESS &&                        \
                                           found[i].memory <= MOST_WORKSPACE,                                \
                                 .deterministic = found[i].determinism == CUDNN_DETERMINISTIC,               \
                                 .math = found[i].mathType};                                                 \
    } while (0)

/* The algorithms that cuDNN offers, the best first. */
static int candidates(const bl__dnn *c, bl__dnn_stage stage, candidate *out) {
    const char *how = getenv("BALLERINO_CUDNN");
    const int measure = how && !strcmp(how, "measure");
    cudnnHandle_t h = c->d->dnn;
    int n = 0;
    if (stage == BL__TO_SMALL)
        COLLECT(cudnnConvolutionFwdAlgoPerf_t, cudnnFindConvolutionForwardAlgorithm,
                cudnnGetConvolutionForwardAlgorithm_v7, c->big, c->w, c->small);
    else if (stage == BL__TO_BIG)
        COLLECT(cudnnConvolutionBwdDataAlgoPerf_t, cudnnFindConvolutionBackwardDataAlgorithm,
                cudnnGetConvolutionBackwardDataAlgorithm_v7, c->w, c->small, c->big);
    else
        COLLECT(cudnnConvolutionBwdFilterAlgoPerf_t, cudnnFindConvolutionBackwardFilterAlgorithm,
                cudnnGetConvolutionBackwardFilterAlgorithm_v7, c->big, c->small, c->w);
    return n;
}

/* What it really needs; fails where it cannot do the shape after all. */
static cudnnStatus_t ask_workspace(const bl__dnn *c, bl__dnn_stage stage, int algorithm, size_t *bytes) {
    cudnnHandle_t h = c->d->dnn;
    if (stage == BL__TO_SMALL)
        return cudnnGetConvolutionForwardWorkspaceSize(h, c->big, c->w, c->conv[stage], c->small,
                                                       (cudnnConvolutionFwdAlgo_t)algorithm, bytes);
    if (stage == BL__TO_BIG)
        return cudnnGetConvolutionBackwardDataWorkspaceSize(h, c->w, c->small, c->conv[stage], c->big,
                                                            (cudnnConvolutionBwdDataAlgo_t)algorithm, bytes);
    return cudnnGetConvolutionBackwardFilterWorkspaceSize(h, c->big, c->small, c->conv[stage], c->w,
                                                          (cudnnConvolutionBwdFilterAlgo_t)algorithm, bytes);
}

static int take(bl__dnn *c, bl__dnn_stage stage, const candidate *k) {
    size_t bytes = 0;
    if (c->s.half && cudnnSetConvolutionMathType(c->conv[stage], k->math)) return 0;
    if (ask_workspace(c, stage, k->algorithm, &bytes) || bytes > MOST_WORKSPACE) return 0;
    c->algorithm[stage] = k->algorithm;
    c->workspace[stage] = bytes;
    return 1;
}

static void tell_slow(const bl__dnn *c, bl__dnn_stage stage) {
    c->d->log(
        BL_LOG_INFO, "cuda",
        "cuDNN has nothing for a convolution (%s, %dx%dx%d, kernel %d, to %d channels): it will be slow",
        names[stage], c->s.big.w, c->s.big.h, c->s.big.c, c->s.kh, c->s.small.c);
}

static void choose(bl__dnn *c, bl__dnn_stage stage) {
    candidate all[MOST_ALGORITHMS + 1];
    int n = candidates(c, stage, all);
    all[n++] = (candidate){.algorithm = GENERAL_ALGORITHM,
                           .usable = 1,
                           .deterministic = 1,
                           .math = c->s.half ? CUDNN_TENSOR_OP_MATH : CUDNN_FMA_MATH};
    for (int any = 0; any < 2; any++) /* deterministic ones first */
        for (int i = 0; i < n; i++)
            if (all[i].usable && (any || all[i].deterministic) && take(c, stage, &all[i])) {
                c->d->log(BL_LOG_DEBUG, "cuda", "convolution %dx%dx%d to %d, kernel %d, %s: algorithm %d%s",
                          c->s.big.w, c->s.big.h, c->s.big.c, c->s.small.c, c->s.kh, names[stage],
                          all[i].algorithm, any ? ", not deterministic" : "");
                return;
            }
    tell_slow(c, stage);
}

int bl__dnn_create(bl__dnn **out, bl__device *d, const bl__dnn_spec *s, bl_err *err) {
    if (!bl__cuda_fine(d)) return bl_fail(err, d->err.code, "%s", d->err.msg);
    bl__dnn *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    c->d = d;
    c->s = *s;
    cudnnStatus_t st = describe(c);
    for (int k = 0; k < BL__DNN_STAGES; k++) {
        c->algorithm[k] = -1;
        if (!st && s->wanted[k]) choose(c, (bl__dnn_stage)k);
    }
    *out = c;
    if (!st) return 0;
    bl__dnn_destroy(out);
    return bl_fail(err, BL_E_DEVICE, "cuDNN cannot describe a convolution: %s", cudnnGetErrorString(st));
}

void bl__dnn_destroy(bl__dnn **cp) {
    bl__dnn *c = *cp;
    if (!c) return;
    for (int k = 0; k < BL__DNN_STAGES; k++)
        if (c->conv[k]) (void)cudnnDestroyConvolutionDescriptor(c->conv[k]);
    if (c->w) (void)cudnnDestroyFilterDescriptor(c->w);
    if (c->small) (void)cudnnDestroyTensorDescriptor(c->small);
    if (c->big) (void)cudnnDestroyTensorDescriptor(c->big);
    bl_free(c);
    *cp = NULL;
}

int bl__dnn_can(const bl__dnn *c, bl__dnn_stage stage) {
    return c->algorithm[stage] >= 0;
}

int64_t bl__dnn_workspace(const bl__dnn *c) {
    size_t most = 0;
    for (int k = 0; k < BL__DNN_STAGES; k++) most = BL_MAX(most, c->workspace[k]);
    return (int64_t)most;
}

/* ---- running ---- */
static const float one = 1, zero = 0;

static int is(cudnnStatus_t st, cudnnStatus_t kind) { /* newer versions tell more in the lower digits */
    return (int)st / 1000 == (int)kind / 1000;
}

static int done(bl__dnn *c, bl__dnn_stage stage, cudnnStatus_t st) {
    if (st && (is(st, CUDNN_STATUS_NOT_SUPPORTED) || is(st, CUDNN_STATUS_BAD_PARAM))) {
        c->algorithm[stage] = -1;
        tell_slow(c, stage);
        return 0;
    }
    (void)bl__cudnn_ok(c->d, st, names[stage]);
    return 1;
}

int bl__dnn_to_small(bl__dnn *c, const void *big, const void *w, void *small, int add, void *workspace) {
    const int k = BL__TO_SMALL;
    if (!bl__cuda_fine(c->d)) return 1;
    return done(c, BL__TO_SMALL,
                cudnnConvolutionForward(c->d->dnn, &one, c->big, big, c->w, w, c->conv[k],
                                        (cudnnConvolutionFwdAlgo_t)c->algorithm[k], workspace,
                                        c->workspace[k], add ? &one : &zero, c->small, small));
}

int bl__dnn_to_big(bl__dnn *c, const void *small, const void *w, void *big, int add, void *workspace) {
    const int k = BL__TO_BIG;
    if (!bl__cuda_fine(c->d)) return 1;
    return done(c, BL__TO_BIG,
                cudnnConvolutionBackwardData(c->d->dnn, &one, c->w, w, c->small, small, c->conv[k],
                                             (cudnnConvolutionBwdDataAlgo_t)c->algorithm[k], workspace,
                                             c->workspace[k], add ? &one : &zero, c->big, big));
}

int bl__dnn_to_weights(bl__dnn *c, const void *big, const void *small, void *dw, int add, void *workspace) {
    const int k = BL__TO_WEIGHTS;
    if (!bl__cuda_fine(c->d)) return 1;
    return done(c, BL__TO_WEIGHTS,
                cudnnConvolutionBackwardFilter(c->d->dnn, &one, c->big, big, c->small, small, c->conv[k],
                                               (cudnnConvolutionBwdFilterAlgo_t)c->algorithm[k], workspace,
                                               c->workspace[k], add ? &one : &zero, c->w, dw));
}
