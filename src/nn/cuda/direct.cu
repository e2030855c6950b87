/* Convolutions from their definition: depthwise ones, and whatever cuDNN has nothing for. */
#include "launch.h"

static __device__ inline int64_t value_at(const bl__cuda_picture &p, int n, int y, int x, int c) {
    return (((int64_t)n * p.shape.h + y) * p.shape.w + x) * p.pitch + c;
}
static __device__ inline Ref of(const bl__cuda_picture &p) {
    return Ref{p.p, p.half};
}

struct Direct {
    bl__cuda_direct s;
    bl__cuda_copy_how how;

    __device__ int64_t weight(int k, int i, int j, int c) const {
        if (s.depthwise) return ((int64_t)i * s.kw + j) * s.small.shape.c + k;
        return (((int64_t)k * s.kh + i) * s.kw + j) * s.big.shape.c + c;
    }
    __device__ void finish(const bl__cuda_picture &to, int64_t i, int c, float sum) const {
        const Array<const float> bias = {how.bias};
        of(to).put(i, act_of(sum + (bias.p ? bias[c] : 0), how.act), how.add);
    }
};
struct ToSmall : Direct {
    __device__ void operator()(int64_t index) const {
        const Array<const float> w = {s.w};
        const Spot p = spot(s.small.shape, index);
        const bl_shape b = s.big.shape;
        const int c0 = s.depthwise ? p.c : 0, c1 = s.depthwise ? p.c + 1 : b.c;
        float sum = 0;
        for (int i = 0; i < s.kh; i++)
            for (int j = 0; j < s.kw; j++) {
                const int y = p.y * s.sh - s.pad.top + i, x = p.x * s.sw - s.pad.left + j;
                if (y < 0 || x < 0 || y >= b.h || x >= b.w) continue;
                for (int c = c0; c < c1; c++)
                    sum += w[weight(p.c, i, j, c)] * of(s.big).get(value_at(s.big, p.n, y, x, c));
            }
        finish(s.small, value_at(s.small, p.n, p.y, p.x, p.c), p.c, sum);
    }
};
struct ToBig : Direct {
    __device__ void operator()(int64_t index) const {
        const Array<const float> w = {s.w};
        const Spot p = spot(s.big.shape, index);
        const bl_shape t = s.small.shape;
        const int k0 = s.depthwise ? p.c : 0, k1 = s.depthwise ? p.c + 1 : t.c;
        float sum = 0;
        for (int i = 0; i < s.kh; i++)
            for (int j = 0; j < s.kw; j++) {
                const int y = p.y + s.pad.top - i, x = p.x + s.pad.left - j;
                if (y < 0 || x < 0 || y % s.sh || x % s.sw || y / s.sh >= t.h || x / s.sw >= t.w) continue;
                for (int k = k0; k < k1; k++)
                    sum += w[weight(k, i, j, p.c)] *
                           of(s.small).get(value_at(s.small, p.n, y / s.sh, x / s.sw, k));
            }
        finish(s.big, value_at(s.big, p.n, p.y, p.x, p.c), p.c, sum);
    }
};
struct ToWeights : Direct {
    Array<float> dw;
    __device__ void operator()(int64_t index) const {
        const bl_shape t = s.small.shape, b = s.big.shape;
        const int c = s.depthwise ? (int)(index % t.c) : (int)(index % b.c);
        int64_t rest = index / (s.depthwise ? t.c : b.c);
        const int j = (int)(rest % s.kw), i = (int)(rest / s.kw % s.kh);
        const int k = s.depthwise ? c : (int)(rest / s.kw / s.kh);
        double sum = 0;
        for (int n = 0; n < t.n; n++)
            for (int r = 0; r < t.h; r++) {
                const int y = r * s.sh - s.pad.top + i;
                if (y < 0 || y >= b.h) continue;
                for (int q = 0; q < t.w; q++) {
                    const int x = q * s.sw - s.pad.left + j;
                    if (x < 0 || x >= b.w) continue;
                    sum += (double)(of(s.big).get(value_at(s.big, n, y, x, c)) *
                                    of(s.small).get(value_at(s.small, n, r, q, k)));
                }
            }
        dw[index] += (float)sum;
    }
};

extern "C" void bl__cuda_direct_small(bl__device *d, const bl__cuda_direct *s, bl__cuda_copy_how how) {
    each(d, "convolution", bl__elements(s->small.shape), ToSmall{{*s, how}});
}
extern "C" void bl__cuda_direct_big(bl__device *d, const bl__cuda_direct *s, bl__cuda_copy_how how) {
    each(d, "convolution's gradient", bl__elements(s->big.shape), ToBig{{*s, how}});
}
extern "C" void bl__cuda_direct_weights(bl__device *d, const bl__cuda_direct *s, float *dw) {
    const int64_t n = (int64_t)s->kh * s->kw * s->small.shape.c * (s->depthwise ? 1 : s->big.shape.c);
    const bl__cuda_copy_how none = {0, 0, 0, NULL, BL_ACT_NONE};
    each(d, "weights' gradient", n, ToWeights{{*s, none}, array(dw)});
}
