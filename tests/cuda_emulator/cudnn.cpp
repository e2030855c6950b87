#include "cudnn.h"

#include "emulated.h"
#include "emulator.h"

#include <cstdlib>
#include <vector>

struct bl__emu_dnn {
    cudaStream_t stream;
};
struct bl__emu_tensor {
    cudnnDataType_t type;
    int n, c, h, w;
};
struct bl__emu_filter {
    cudnnDataType_t type;
    int k, c, h, w;
};
struct bl__emu_conv {
    int pad_h, pad_w, u, v;
    cudnnMathType_t math;
};

namespace {
/* The first algorithm on offer is not deterministic, and fails: it must not be taken. */
enum { UNWANTED, WANTED };

float get(const void *p, cudnnDataType_t type, int64_t i) {
    if (type == CUDNN_DATA_FLOAT) return ((const float *)p)[i];
    const uint32_t bits = (uint32_t)((const uint16_t *)p)[i] << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}
void put(void *p, cudnnDataType_t type, int64_t i, float x) {
    if (type == CUDNN_DATA_FLOAT) {
        ((float *)p)[i] = x;
        return;
    }
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    ((uint16_t *)p)[i] = (uint16_t)(x == x ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : 0x7fff);
}

struct Shape { /* small = conv(big) */
    bl__emu_tensor big, small;
    bl__emu_filter w;
    bl__emu_conv c;
};
size_t bytes_of(cudnnDataType_t type, int64_t n) {
    return (size_t)n * (type == CUDNN_DATA_FLOAT ? 4 : 2);
}
size_t size(const bl__emu_tensor &t) {
    return bytes_of(t.type, (int64_t)t.n * t.c * t.h * t.w);
}
size_t size(const bl__emu_filter &f) {
    return bytes_of(f.type, (int64_t)f.k * f.c * f.h * f.w);
}

cudnnStatus_t check(const Shape &s) {
    const int h = (s.big.h + 2 * s.c.pad_h - s.w.h) / s.c.u + 1,
              w = (s.big.w + 2 * s.c.pad_w - s.w.w) / s.c.v + 1;
    if (h != s.small.h || w != s.small.w || s.big.n != s.small.n || s.w.c != s.big.c || s.w.k != s.small.c ||
        s.big.type != s.small.type || s.w.type != s.big.type)
        return CUDNN_STATUS_BAD_PARAM;
    const bool half = s.big.type == CUDNN_DATA_BFLOAT16;
    const char *without = getenv("BALLERINO_EMULATOR_NO_CUDNN");
    if ((without && strcmp(without, "late") != 0) || (half && (s.big.c % 8 || s.small.c % 8)) ||
        s.c.math != (half ? CUDNN_TENSOR_OP_MATH : CUDNN_FMA_MATH))
        return CUDNN_STATUS_NOT_SUPPORTED;
    return CUDNN_STATUS_SUCCESS;
}
size_t workspace(const Shape &s) {
    return 1000 + size(s.small);
}

template <class P> cudnnStatus_t offer(const Shape &s, int most, int *n, P *out) {
    const cudnnStatus_t rc = check(s);
    *n = 0;
    for (int i = UNWANTED; i <= WANTED && !rc && i < most; i++) {
        P p = {};
        p.algo = (decltype(p.algo))i;
        p.memory = workspace(s);
        p.determinism = i == WANTED ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        p.mathType = s.c.math;
        out[(*n)++] = p;
    }
    return rc;
}

/* f(small index, big index, weight index) for every channel pair of every tap that is inside. */
template <class F> void products(const Shape &s, F f) {
    for (int n = 0; n < s.small.n; n++)
        for (int y = 0; y < s.small.h; y++)
            for (int x = 0; x < s.small.w; x++)
                for (int i = 0; i < s.w.h; i++)
                    for (int j = 0; j < s.w.w; j++) {
                        const int r = y * s.c.u - s.c.pad_h + i, q = x * s.c.v - s.c.pad_w + j;
                        if (r < 0 || q < 0 || r >= s.big.h || q >= s.big.w) continue;
                        const int64_t a = (((int64_t)n * s.small.h + y) * s.small.w + x) * s.small.c;
                        const int64_t b = (((int64_t)n * s.big.h + r) * s.big.w + q) * s.big.c;
                        for (int k = 0; k < s.w.k; k++)
                            for (int c = 0; c < s.w.c; c++)
                                f(a + k, b + c, (((int64_t)k * s.w.h + i) * s.w.w + j) * s.w.c + c);
                    }
}

std::vector<float> values(const void *p, cudnnDataType_t type, size_t bytes) {
    std::vector<float> v(bytes / (type == CUDNN_DATA_FLOAT ? 4 : 2));
    for (size_t i = 0; i < v.size(); i++) v[i] = get(p, type, (int64_t)i);
    return v;
}

template <class F>
cudnnStatus_t run(cudnnHandle_t h, const Shape &s, int algorithm, const void *a, size_t a_bytes,
                  const void *b, size_t b_bytes, void *out, size_t out_bytes, void *space, size_t space_bytes,
                  const void *alpha, const void *beta, F pair) {
    const cudnnStatus_t rc = check(s);
    if (rc) return rc;
    if (getenv("BALLERINO_EMULATOR_NO_CUDNN")) return CUDNN_STATUS_NOT_SUPPORTED;
    if (algorithm != WANTED) return CUDNN_STATUS_EXECUTION_FAILED;
    if (space_bytes < workspace(s) || *(const float *)alpha != 1) return CUDNN_STATUS_BAD_PARAM;
    const float keep = *(const float *)beta;
    bl__emu_queue(h->stream, [=] {
        const cudnnDataType_t type = s.big.type;
        bl__emu_check((const unsigned char *)a, a_bytes);
        bl__emu_check((const unsigned char *)b, b_bytes);
        bl__emu_check((const unsigned char *)out, out_bytes);
        bl__emu_check((const unsigned char *)space, space_bytes);
        memset(space, 0xff, space_bytes);
        const std::vector<float> p = values(a, type, a_bytes), q = values(b, type, b_bytes);
        std::vector<float> sum(values(out, type, out_bytes).size());
        products(s, [&](int64_t small, int64_t big, int64_t w) {
            pair(sum.data(), p.data(), q.data(), small, big, w);
        });
        for (size_t i = 0; i < sum.size(); i++)
            put(out, type, (int64_t)i, keep != 0 ? sum[i] + keep * get(out, type, (int64_t)i) : sum[i]);
    });
    return CUDNN_STATUS_SUCCESS;
}
} // namespace

extern "C" {
size_t cudnnGetVersion(void) {
    return CUDNN_MAJOR * 10000 + 1900;
}
const char *cudnnGetErrorString(cudnnStatus_t rc) {
    return rc == CUDNN_STATUS_BAD_PARAM       ? "CUDNN_STATUS_BAD_PARAM"
           : rc == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                              : "CUDNN_STATUS_EXECUTION_FAILED";
}
cudnnStatus_t cudnnCreate(cudnnHandle_t *out) {
    *out = new bl__emu_dnn{};
    bl__emulated.things++;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t stream) {
    h->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}
#define BL_LIFE(create, destroy, handle, type)                                                               \
    cudnnStatus_t create(handle *out) {                                                                      \
        *out = new type{};                                                                                   \
        bl__emulated.things++;                                                                               \
        return CUDNN_STATUS_SUCCESS;                                                                         \
    }                                                                                                        \
    cudnnStatus_t destroy(handle d) {                                                                        \
        delete d;                                                                                            \
        bl__emulated.things--;                                                                               \
        return CUDNN_STATUS_SUCCESS;                                                                         \
    }
BL_LIFE(cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor, cudnnTensorDescriptor_t, bl__emu_tensor)
BL_LIFE(cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor, cudnnFilterDescriptor_t, bl__emu_filter)
BL_LIFE(cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor, cudnnConvolutionDescriptor_t,
        bl__emu_conv)
cudnnStatus_t cudnnDestroy(cudnnHandle_t h) {
    delete h;
    bl__emulated.things--;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t, cudnnDataType_t type,
                                         int n, int c, int h, int w) {
    *d = bl__emu_tensor{type, n, c, h, w};
    return n > 0 && c > 0 && h > 0 && w > 0 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t type, cudnnTensorFormat_t,
                                         int k, int c, int h, int w) {
    *d = bl__emu_filter{type, k, c, h, w};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t d, int pad_h, int pad_w, int u,
                                              int v, int dilation_h, int dilation_w, cudnnConvolutionMode_t,
                                              cudnnDataType_t compute) {
    *d = bl__emu_conv{pad_h, pad_w, u, v, CUDNN_FMA_MATH};
    return dilation_h == 1 && dilation_w == 1 && compute == CUDNN_DATA_FLOAT && pad_h >= 0 && pad_w >= 0
               ? CUDNN_STATUS_SUCCESS
               : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math) {
    d->math = math;
    return CUDNN_STATUS_SUCCESS;
}

#define BL_STAGE(stage, A, B, E, algorithm, perf)                                                            \
    cudnnStatus_t cudnnGetConvolution##stage##Algorithm_v7(                                                  \
        cudnnHandle_t, A a, B b, cudnnConvolutionDescriptor_t c, E e, int most, int *n, perf *out) {         \
        return offer(shape_of##stage(a, b, c, e), most, n, out);                                             \
    }                                                                                                        \
    cudnnStatus_t cudnnFindConvolution##stage##Algorithm(                                                    \
        cudnnHandle_t, A a, B b, cudnnConvolutionDescriptor_t c, E e, int most, int *n, perf *out) {         \
        return offer(shape_of##stage(a, b, c, e), most, n, out);                                             \
    }                                                                                                        \
    cudnnStatus_t cudnnGetConvolution##stage##WorkspaceSize(                                                 \
        cudnnHandle_t, A a, B b, cudnnConvolutionDescriptor_t c, E e, algorithm, size_t *bytes) {            \
        const Shape s = shape_of##stage(a, b, c, e);                                                         \
        *bytes = workspace(s);                                                                               \
        return check(s);                                                                                     \
    }
#define shape_ofForward(a, b, c, e) (Shape{*a, *e, *b, *c})
#define shape_ofBackwardData(a, b, c, e) (Shape{*e, *b, *a, *c})
#define shape_ofBackwardFilter(a, b, c, e) (Shape{*a, *b, *e, *c})
BL_STAGES(BL_STAGE)

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t h, const void *alpha, cudnnTensorDescriptor_t xd,
                                      const void *x, cudnnFilterDescriptor_t wd, const void *w,
                                      cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algo,
                                      void *space, size_t bytes, const void *beta, cudnnTensorDescriptor_t yd,
                                      void *y) {
    return run(h, Shape{*xd, *yd, *wd, *c}, (int)algo, x, size(*xd), w, size(*wd), y, size(*yd), space, bytes,
               alpha, beta,
               [](float *out, const float *p, const float *q, int64_t small, int64_t big, int64_t k) {
                   out[small] += p[big] * q[k];
               });
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t h, const void *alpha, cudnnFilterDescriptor_t wd,
                                           const void *w, cudnnTensorDescriptor_t dyd, const void *dy,
                                           cudnnConvolutionDescriptor_t c, cudnnConvolutionBwdDataAlgo_t algo,
                                           void *space, size_t bytes, const void *beta,
                                           cudnnTensorDescriptor_t dxd, void *dx) {
    return run(h, Shape{*dxd, *dyd, *wd, *c}, (int)algo, w, size(*wd), dy, size(*dyd), dx, size(*dxd), space,
               bytes, alpha, beta,
               [](float *out, const float *p, const float *q, int64_t small, int64_t big, int64_t k) {
                   out[big] += p[k] * q[small];
               });
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t h, const void *alpha, cudnnTensorDescriptor_t xd,
                                             const void *x, cudnnTensorDescriptor_t dyd, const void *dy,
                                             cudnnConvolutionDescriptor_t c,
                                             cudnnConvolutionBwdFilterAlgo_t algo, void *space, size_t bytes,
                                             const void *beta, cudnnFilterDescriptor_t dwd, void *dw) {
    return run(h, Shape{*xd, *dyd, *dwd, *c}, (int)algo, x, size(*xd), dy, size(*dyd), dw, size(*dwd), space,
               bytes, alpha, beta,
               [](float *out, const float *p, const float *q, int64_t small, int64_t big, int64_t k) {
                   out[k] += p[big] * q[small];
               });
}
}
