/* The optimiser, and weights in the layouts that convolutions want. */
#include "launch.h"

struct AdamStep {
    Array<float> w, g, m, v, ema;
    Array<uint16_t> half;
    float b1, b2, eps, keep, c2, rate;
    __device__ void operator()(int64_t i) const {
        const float grad = g[i], first = b1 * m[i] + (1 - b1) * grad;
        const float second = b2 * v[i] + (1 - b2) * grad * grad;
        const float next = w[i] - rate * first / (sqrtf(second * c2) + eps);
        m[i] = first;
        v[i] = second;
        g[i] = 0;
        w[i] = next;
        if (ema.p) ema[i] = keep * ema[i] + (1 - keep) * next;
        if (half.p) half[i] = half_of(next);
    }
};
extern "C" void bl__cuda_adam(bl__device *d, const bl__adam_run *a) {
    const double b1 = (double)a->a.beta1, b2 = (double)a->a.beta2, t = (double)a->t;
    each(d, "Adam", a->n,
         AdamStep{array(a->w), array(a->g), array(a->m), array(a->v), array(a->ema), array(a->half),
                  a->a.beta1, a->a.beta2, a->a.eps, a->a.ema, (float)(1 / (1 - pow(b2, t))),
                  (float)((double)a->a.lr / (1 - pow(b1, t)))});
}

struct Set {
    Array<float> p;
    float value;
    __device__ void operator()(int64_t i) const { p[i] = value; }
};
extern "C" void bl__cuda_set(bl__device *d, float *p, float value) {
    each(d, "set", 1, Set{array(p), value});
}

struct Round {
    Array<uint16_t> to;
    Array<const float> from;
    __device__ void operator()(int64_t i) const { to[i] = half_of(from[i]); }
};
extern "C" void bl__cuda_round(bl__device *d, uint16_t *to, const float *from, int64_t n) {
    each(d, "rounding", n, Round{array(to), array(from)});
}

struct Pack {
    Array<uint16_t> to;
    Array<const float> from;
    int c16, k, c, taps;
    __device__ void operator()(int64_t i) const {
        const int in = (int)(i % c16), tap = (int)(i / c16 % taps), out = (int)(i / c16 / taps);
        to[i] = in < c && out < k ? half_of(from[((int64_t)out * taps + tap) * c + in]) : 0;
    }
};
extern "C" void bl__cuda_pack_weights(bl__device *d, uint16_t *w16, const float *w, int k16, int c16, int k,
                                      int c, int taps) {
    each(d, "packing", (int64_t)k16 * taps * c16, Pack{array(w16), array(w), c16, k, c, taps});
}

struct Unpack {
    Array<float> to;
    Array<const uint16_t> from;
    int c16, c;
    __device__ void operator()(int64_t i) const { to[i] += half_value(from[i / c * c16 + i % c]); }
};
extern "C" void bl__cuda_unpack_weights(bl__device *d, float *dw, const uint16_t *dw16, int c16, int k, int c,
                                        int taps) {
    each(d, "weights' gradient", (int64_t)k * taps * c, Unpack{array(dw), array(dw16), c16, c});
}
