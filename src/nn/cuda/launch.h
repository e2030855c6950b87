/*
 * How kernels are written and launched, so that one source serves nvcc and the emulator of the tests.
 *
 * A kernel's body is a sequence of BL_THREADS { ... } parts: each is done by all threads of a block, with a
 * barrier behind it; nothing but shared memory and what all threads know alike lives from one part to the
 * next. All device memory is reached through Array and Ref, where the emulator checks every access. Sums are
 * in a fixed order everywhere: nothing is added atomically, so that the same input gives the same bits.
 */
#ifndef BALLERINO_NN_CUDA_LAUNCH_H
#define BALLERINO_NN_CUDA_LAUNCH_H

#include "cuda.h"

#ifdef BL__EMULATED
#include "emulator.h"
#define BL_THREADS                                                                                           \
    for (unsigned bl_turn = 0; bl_turn < blockDim.x && (threadIdx.x = bl__emu_order(bl_turn), true);         \
         bl_turn++)
#define BL_SHARED static thread_local
#define BL_CHECK(p, bytes) bl__emu_check(p, bytes)
#else
#define BL_THREADS for (int bl_once = 1; bl_once; bl_once = 0, __syncthreads())
#define BL_SHARED __shared__
#define BL_CHECK(p, bytes) ((void)0)
#endif

#ifdef BL__EMULATED
enum { BLOCK = 256, MAX_BLOCKS = 3 }; /* so that small pictures, too, go round more than once */
#else
enum { BLOCK = 256, MAX_BLOCKS = 4096 };
#endif

/* Queues grid_x * grid_y blocks of BLOCK threads. */
template <class K, class... A>
static void launch(bl__device *d, const char *what, int64_t grid_x, int64_t grid_y, K kernel, A... args) {
    if (!bl__cuda_fine(d) || grid_x < 1 || grid_y < 1) return;
#ifdef BL__EMULATED
    bl__emu_launch(d->stream, (unsigned)grid_x, (unsigned)grid_y, BLOCK, [=] { kernel(args...); });
#else
    kernel<<<dim3((unsigned)grid_x, (unsigned)grid_y), BLOCK, 0, d->stream>>>(args...);
#endif
    (void)bl__cuda_ok(d, cudaGetLastError(), what);
}

/* ---- memory ---- */
template <class T> struct Array {
    T *p;
    __device__ T &operator[](int64_t i) const {
        BL_CHECK(p + i, sizeof(T));
        return p[i];
    }
};
template <class T> static Array<T> array(T *p) {
    return Array<T>{p};
}

template <int V> struct Vec { float v[V]; };

static __device__ inline float from_bits(uint32_t u) {
#ifdef BL__EMULATED
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
#else
    return __uint_as_float(u);
#endif
}
static __device__ inline uint32_t to_bits(float f) {
#ifdef BL__EMULATED
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
#else
    return __float_as_uint(f);
#endif
}
static __device__ inline float half_value(uint16_t h) {
    return from_bits((uint32_t)h << 16);
}
/* To the nearest bfloat16, ties to even; NaN stays NaN. */
static __device__ inline uint16_t half_of(float f) {
    uint32_t u = to_bits(f);
    if ((u & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

/* Values of either storage behind a pointer; V of them at once start at a multiple of V. */
struct Ref {
    void *p;
    int half;

    __device__ float get(int64_t i) const { return load<1>(i).v[0]; }
    __device__ void put(int64_t i, float x, int add = 0) const {
        Vec<1> v = {{x}};
        store<1>(i, v, add);
    }
    template <int V> __device__ Vec<V> load(int64_t i) const {
        Vec<V> out;
        if (half) {
            const uint16_t *h = (const uint16_t *)p + i;
            BL_CHECK(h, V * sizeof *h);
            if (V == 8) {
                const uint4 q = *(const uint4 *)h;
                const uint32_t w[4] = {q.x, q.y, q.z, q.w};
                for (int k = 0; k < V / 2; k++) {
                    out.v[2 * k] = from_bits(w[k] << 16);
                    out.v[(2 * k + 1) % V] = from_bits(w[k] & 0xffff0000u);
                }
            } else {
                for (int k = 0; k < V; k++) out.v[k] = half_value(h[k]);
            }
        } else {
            const float *f = (const float *)p + i;
            BL_CHECK(f, V * sizeof *f);
            if (V == 8) {
                for (int q = 0; q < V / 4; q++) {
                    const float4 w = ((const float4 *)f)[q];
                    out.v[(4 * q) % V] = w.x;
                    out.v[(4 * q + 1) % V] = w.y;
                    out.v[(4 * q + 2) % V] = w.z;
                    out.v[(4 * q + 3) % V] = w.w;
                }
            } else {
                for (int k = 0; k < V; k++) out.v[k] = f[k];
            }
        }
        return out;
    }
    template <int V> __device__ void store(int64_t i, Vec<V> x, int add = 0) const {
        if (add) {
            const Vec<V> old = load<V>(i);
            for (int k = 0; k < V; k++) x.v[k] += old.v[k];
        }
        if (half) {
            uint16_t *h = (uint16_t *)p + i;
            BL_CHECK(h, V * sizeof *h);
            if (V == 8) {
                uint32_t w[4];
                for (int k = 0; k < 4; k++)
                    w[k] = half_of(x.v[(2 * k) % V]) | (uint32_t)half_of(x.v[(2 * k + 1) % V]) << 16;
                *(uint4 *)h = make_uint4(w[0], w[1], w[2], w[3]);
            } else {
                for (int k = 0; k < V; k++) h[k] = half_of(x.v[k]);
            }
        } else {
            float *f = (float *)p + i;
            BL_CHECK(f, V * sizeof *f);
            if (V == 8) {
                for (int q = 0; q < V / 4; q++)
                    ((float4 *)f)[q] = make_float4(x.v[(4 * q) % V], x.v[(4 * q + 1) % V],
                                                   x.v[(4 * q + 2) % V], x.v[(4 * q + 3) % V]);
            } else {
                for (int k = 0; k < V; k++) f[k] = x.v[k];
            }
        }
    }
};

static inline Ref ref(const void *p, int half) {
    return Ref{(void *)p, half};
}
static inline Ref ref_x(const bl__step *s, int i) {
    return ref(s->x[i], bl__half_x(s, i));
}
static inline Ref ref_y(const bl__step *s) {
    return ref(s->y, s->half_y);
}
static inline Ref ref_dy(const bl__back *b) {
    return ref(b->dy, b->s->half_y);
}
static inline Ref ref_dx(const bl__back *b, int i) {
    return ref(b->dx[i], bl__half_x(b->s, i));
}
static inline int adds(const bl__back *b, int i) {
    return (int)(b->add >> i & 1);
}

/* ---- activations, as bl__act and bl__act_slope of the reference ---- */
static __device__ inline float act_of(float x, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return x > 0 ? x : 0;
    case BL_ACT_RELU6: return x > 0 ? (x < 6 ? x : 6) : 0;
    case BL_ACT_LRELU: return x > 0 ? x : 0.2f * x;
    case BL_ACT_TANH: return tanhf(x);
    case BL_ACT_SIGMOID: return 1 / (1 + expf(-x));
    default: return x;
    }
}
static __device__ inline float slope_of(float y, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return y > 0 ? 1 : 0;
    case BL_ACT_RELU6: return y > 0 && y < 6 ? 1 : 0;
    case BL_ACT_LRELU: return y > 0 ? 1 : 0.2f;
    case BL_ACT_TANH: return 1 - y * y;
    case BL_ACT_SIGMOID: return y * (1 - y);
    default: return 1;
    }
}

/* ---- element by element: f(i) for i in 0..n ---- */
template <class F> __global__ void each_kernel(F f, int64_t n) {
    BL_THREADS {
        const int64_t step = (int64_t)gridDim.x * blockDim.x;
        for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) f(i);
    }
}
template <class F> static void each(bl__device *d, const char *what, int64_t n, F f) {
    const int64_t blocks = (n + BLOCK - 1) / BLOCK;
    launch(d, what, blocks < MAX_BLOCKS ? blocks : (int64_t)MAX_BLOCKS, 1, each_kernel<F>, f, n);
}

/* n values, eight at once where channels come in eights; F is a template over V, made by F<V>{args...}, and
 * gets the number of its first value. */
#define EACH(d, what, n, c, F, ...)                                                                          \
    do {                                                                                                     \
        if (by_eight(c))                                                                                     \
            each(d, what, (n) / 8, F<8>{__VA_ARGS__});                                                       \
        else                                                                                                 \
            each(d, what, n, F<1>{__VA_ARGS__});                                                             \
    } while (0)

/* Where value number i of a picture lies: pixel (n, y, x), channel c. */
struct Spot {
    int n, y, x, c;
};
static __device__ inline Spot spot(bl_shape s, int64_t i) {
    Spot p;
    p.c = (int)(i % s.c);
    i /= s.c;
    p.x = (int)(i % s.w);
    i /= s.w;
    p.y = (int)(i % s.h);
    p.n = (int)(i / s.h);
    return p;
}
static __device__ inline int64_t at(bl_shape s, int n, int y, int x, int c) {
    return (((int64_t)n * s.h + y) * s.w + x) * s.c + c;
}
static inline int by_eight(int c) {
    return c % 8 == 0;
}

#endif
