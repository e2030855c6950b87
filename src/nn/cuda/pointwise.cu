/* Operators that work element by element. */
#include "reduce.h"

template <int V> struct Activate {
    Ref y, x;
    bl_act act;
    __device__ void operator()(int64_t i) const {
        Vec<V> a = x.load<V>(i * V);
        for (int k = 0; k < V; k++) a.v[k] = act_of(a.v[k], act);
        y.store<V>(i * V, a);
    }
};
template <int V> struct ActivateBack {
    Ref dx, dy, y;
    bl_act act;
    int add;
    __device__ void operator()(int64_t i) const {
        Vec<V> g = dy.load<V>(i * V), v = y.load<V>(i * V);
        for (int k = 0; k < V; k++) g.v[k] *= slope_of(v.v[k], act);
        dx.store<V>(i * V, g, add);
    }
};

static void activation_forward(bl__step *s) {
    EACH(s->device, "activation", bl__elements(s->ys), s->ys.c, Activate, ref_y(s), ref_x(s, 0),
         s->node->act);
}
static void activation_backward(const bl__back *b) {
    const bl__step *s = b->s;
    EACH(s->device, "activation's gradient", bl__elements(s->ys), s->ys.c, ActivateBack, ref_dx(b, 0),
         ref_dy(b), ref_y(s), s->node->act, adds(b, 0));
}
extern "C" const bl__kernel bl__cuda_activation = {
    .half = BL__HALF_FREE, .forward = activation_forward, .backward = activation_backward};

extern "C" void bl__cuda_act_back(bl__device *d, void *dy, const void *y, int half, int64_t n, bl_act act) {
    const int c = n % 8 == 0 ? 8 : 1;
    EACH(d, "activation's gradient", n, c, ActivateBack, ref(dy, half), ref(dy, half), ref(y, half), act, 0);
}

/* ---- bias and activation behind a convolution ---- */
template <int V> struct BiasAct {
    Ref y;
    Array<const float> bias;
    int c;
    bl_act act;
    __device__ void operator()(int64_t i) const {
        Vec<V> a = y.load<V>(i * V);
        const int first = (int)(i * V % c);
        for (int k = 0; k < V; k++) a.v[k] = act_of(a.v[k] + (bias.p ? bias[first + k] : 0), act);
        y.store<V>(i * V, a);
    }
};
extern "C" void bl__cuda_bias_act(bl__device *d, void *y, int half, int64_t rows, int c, const float *bias,
                                  bl_act act) {
    EACH(d, "bias and activation", rows * c, c, BiasAct, ref(y, half), array(bias), c, act);
}

template <int V> struct RowSum {
    Ref y;
    int c;
    __device__ void operator()(int, int64_t row, int first, float (*sum)[V]) const {
        const Vec<V> a = y.load<V>(row * c + first);
        for (int k = 0; k < V; k++) sum[0][k] += a.v[k];
    }
};
struct AddSum {
    Array<float> b;
    __device__ void operator()(int, int c, const double *sum) const { b[c] += (float)sum[0]; }
};
extern "C" void bl__cuda_bias_grad(bl__device *d, float *b, const void *y, int half, int64_t rows, int c,
                                   float *scratch) {
    COLUMNS(d, "bias's gradient", 1, 1, rows, c, scratch, AddSum{array(b)}, RowSum, ref(y, half), c);
}
extern "C" int64_t bl__cuda_columns_scratch(int64_t groups, int64_t rows, int c, int sums) {
    return columns_scratch(groups, rows, c, sums);
}

/* ---- add ---- */
template <int V> struct Add {
    Ref y, a, b;
    bl_act act;
    __device__ void operator()(int64_t i) const {
        Vec<V> p = a.load<V>(i * V);
        const Vec<V> q = b.load<V>(i * V);
        for (int k = 0; k < V; k++) p.v[k] = act_of(p.v[k] + q.v[k], act);
        y.store<V>(i * V, p);
    }
};
static void add_forward(bl__step *s) {
    EACH(s->device, "add", bl__elements(s->ys), s->ys.c, Add, ref_y(s), ref_x(s, 0), ref_x(s, 1),
         s->node->act);
}
static void add_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int k = 0; k < 2; k++)
        if (b->dx[k])
            EACH(s->device, "add's gradient", bl__elements(s->ys), s->ys.c, ActivateBack, ref_dx(b, k),
                 ref_dy(b), ref_y(s), s->node->act, adds(b, k));
}
extern "C" const bl__kernel bl__cuda_add = {
    .half = BL__HALF_FREE, .forward = add_forward, .backward = add_backward};

/* ---- affine ---- */
template <int V> struct Affine {
    Ref y, x;
    float scale, shift;
    int add;
    __device__ void operator()(int64_t i) const {
        Vec<V> a = x.load<V>(i * V);
        for (int k = 0; k < V; k++) a.v[k] = a.v[k] * scale + shift;
        y.store<V>(i * V, a, add);
    }
};
static void affine_forward(bl__step *s) {
    EACH(s->device, "affine", bl__elements(s->ys), s->ys.c, Affine, ref_y(s), ref_x(s, 0), s->node->f[0],
         s->node->f[1], 0);
}
static void affine_backward(const bl__back *b) {
    const bl__step *s = b->s;
    EACH(s->device, "affine's gradient", bl__elements(s->ys), s->ys.c, Affine, ref_dx(b, 0), ref_dy(b),
         s->node->f[0], 0.f, adds(b, 0));
}
extern "C" const bl__kernel bl__cuda_affine = {
    .half = BL__HALF_FREE, .forward = affine_forward, .backward = affine_backward};

/* ---- prelu: a slope a channel below zero ---- */
template <int V> struct Prelu {
    Ref y, x;
    Array<const float> w;
    int c;
    __device__ void operator()(int64_t i) const {
        Vec<V> a = x.load<V>(i * V);
        for (int k = 0; k < V; k++)
            if (!(a.v[k] > 0)) a.v[k] *= w[(i * V + k) % c];
        y.store<V>(i * V, a);
    }
};
template <int V> struct PreluBack {
    Ref dx, dy, x;
    Array<const float> w;
    int c, add;
    __device__ void operator()(int64_t i) const {
        Vec<V> g = dy.load<V>(i * V);
        const Vec<V> a = x.load<V>(i * V);
        for (int k = 0; k < V; k++)
            if (!(a.v[k] > 0)) g.v[k] *= w[(i * V + k) % c];
        dx.store<V>(i * V, g, add);
    }
};
template <int V> struct PreluSlope {
    Ref dy, x;
    int c;
    __device__ void operator()(int, int64_t row, int first, float (*sum)[V]) const {
        const Vec<V> g = dy.load<V>(row * c + first), a = x.load<V>(row * c + first);
        for (int k = 0; k < V; k++) sum[0][k] += a.v[k] > 0 ? 0 : g.v[k] * a.v[k];
    }
};
static int prelu_plan(bl__step *s, bl_err *) {
    s->scratch_floats = columns_scratch(1, bl__elements(s->ys) / s->ys.c, s->ys.c, 1);
    return 0;
}
static void prelu_forward(bl__step *s) {
    EACH(s->device, "prelu", bl__elements(s->ys), s->ys.c, Prelu, ref_y(s), ref_x(s, 0), array(s->w),
         s->ys.c);
}
static void prelu_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int c = s->ys.c;
    if (b->params)
        COLUMNS(s->device, "prelu's slopes", 1, 1, bl__elements(s->ys) / c, c, s->scratch,
                AddSum{array(s->dw)}, PreluSlope, ref_dy(b), ref_x(s, 0), c);
    if (b->dx[0])
        EACH(s->device, "prelu's gradient", bl__elements(s->ys), c, PreluBack, ref_dx(b, 0), ref_dy(b),
             ref_x(s, 0), array(s->w), c, adds(b, 0));
}
extern "C" const bl__kernel bl__cuda_prelu = {
    .half = BL__HALF_FREE, .plan = prelu_plan, .forward = prelu_forward, .backward = prelu_backward};

/* ---- mul: by the same shape, by a map of one channel, or by one value a channel ---- */
enum Factor { SAME, MAP, CHANNEL };
static Factor factor_of(const bl__step *s) {
    const bl_shape a = s->xs[0], b = s->xs[1];
    if (b.h == a.h && b.w == a.w && b.c == a.c) return SAME;
    return b.c == 1 && b.h == a.h && b.w == a.w ? MAP : CHANNEL;
}
template <int V> struct Mul {
    Ref y, x, m;
    Factor kind;
    int64_t sample;
    int c, add;
    __device__ void operator()(int64_t i) const {
        Vec<V> a = x.load<V>(i * V), b;
        if (kind == SAME) {
            b = m.load<V>(i * V);
        } else if (kind == MAP) {
            const float one = m.get(i * V / c);
            for (int k = 0; k < V; k++) b.v[k] = one;
        } else {
            b = m.load<V>(i * V / sample * c + i * V % c);
        }
        for (int k = 0; k < V; k++) a.v[k] *= b.v[k];
        y.store<V>(i * V, a, add);
    }
};
struct MulMapBack {
    Ref dm, dy, x;
    int c, add;
    __device__ void operator()(int64_t pixel) const {
        float sum = 0;
        for (int k = 0; k < c; k++) sum += dy.get(pixel * c + k) * x.get(pixel * c + k);
        dm.put(pixel, sum, add);
    }
};
template <int V> struct ProductSum {
    Ref dy, x;
    int64_t rows;
    int c;
    __device__ void operator()(int group, int64_t row, int first, float (*sum)[V]) const {
        const int64_t i = (group * rows + row) * c + first;
        const Vec<V> g = dy.load<V>(i), a = x.load<V>(i);
        for (int k = 0; k < V; k++) sum[0][k] += g.v[k] * a.v[k];
    }
};
struct PutSum {
    Ref y;
    int c, add;
    float scale;
    __device__ void operator()(int group, int k, const double *sum) const {
        y.put((int64_t)group * c + k, (float)(sum[0] * (double)scale), add);
    }
};
static int mul_plan(bl__step *s, bl_err *) {
    if (factor_of(s) == CHANNEL) s->scratch_floats = columns_scratch(s->ys.n, bl__plane(s->ys), s->ys.c, 1);
    return 0;
}
static void mul_forward(bl__step *s) {
    EACH(s->device, "mul", bl__elements(s->ys), s->ys.c, Mul, ref_y(s), ref_x(s, 0), ref_x(s, 1),
         factor_of(s), bl__plane(s->ys) * s->ys.c, s->ys.c, 0);
}
static void mul_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int c = s->ys.c;
    const int64_t n = bl__elements(s->ys), plane = bl__plane(s->ys);
    const Factor kind = factor_of(s);
    if (b->dx[0])
        EACH(s->device, "mul's gradient", n, c, Mul, ref_dx(b, 0), ref_dy(b), ref_x(s, 1), kind, plane * c, c,
             adds(b, 0));
    if (!b->dx[1]) return;
    if (kind == SAME)
        EACH(s->device, "mul's gradient", n, c, Mul, ref_dx(b, 1), ref_dy(b), ref_x(s, 0), kind, plane * c, c,
             adds(b, 1));
    else if (kind == MAP)
        each(s->device, "mul's gradient", n / c,
             MulMapBack{ref_dx(b, 1), ref_dy(b), ref_x(s, 0), c, adds(b, 1)});
    else
        COLUMNS(s->device, "mul's gradient", 1, s->ys.n, plane, c, s->scratch,
                (PutSum{ref_dx(b, 1), c, adds(b, 1), 1.f}), ProductSum, ref_dy(b), ref_x(s, 0), plane, c);
}
extern "C" const bl__kernel bl__cuda_mul = {
    .half = BL__HALF_FREE, .plan = mul_plan, .forward = mul_forward, .backward = mul_backward};

/* ---- mean over the plane ---- */
template <int V> struct PlaneSum {
    Ref x;
    int64_t rows;
    int c;
    __device__ void operator()(int group, int64_t row, int first, float (*sum)[V]) const {
        const Vec<V> a = x.load<V>((group * rows + row) * c + first);
        for (int k = 0; k < V; k++) sum[0][k] += a.v[k];
    }
};
template <int V> struct MeanBack {
    Ref dx, dy;
    int64_t sample;
    int c, add;
    float scale;
    __device__ void operator()(int64_t i) const {
        Vec<V> g = dy.load<V>(i * V / sample * c + i * V % c);
        for (int k = 0; k < V; k++) g.v[k] *= scale;
        dx.store<V>(i * V, g, add);
    }
};
static int mean_plan(bl__step *s, bl_err *) {
    s->scratch_floats = columns_scratch(s->xs[0].n, bl__plane(s->xs[0]), s->ys.c, 1);
    return 0;
}
static void mean_forward(bl__step *s) {
    const int64_t plane = bl__plane(s->xs[0]);
    COLUMNS(s->device, "mean", 1, s->ys.n, plane, s->ys.c, s->scratch,
            (PutSum{ref_y(s), s->ys.c, 0, 1 / (float)plane}), PlaneSum, ref_x(s, 0), plane, s->ys.c);
}
static void mean_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int64_t plane = bl__plane(s->xs[0]);
    EACH(s->device, "mean's gradient", bl__elements(s->xs[0]), s->ys.c, MeanBack, ref_dx(b, 0), ref_dy(b),
         plane * s->ys.c, s->ys.c, adds(b, 0), 1 / (float)plane);
}
extern "C" const bl__kernel bl__cuda_mean = {
    .half = BL__HALF_FREE, .plan = mean_plan, .forward = mean_forward, .backward = mean_backward};

/* ---- blend: mask * fg + (1 - mask) * bg ---- */
struct Blend {
    Ref y, fg, mask, bg;
    int c;
    __device__ void operator()(int64_t i) const {
        const float m = mask.get(i / c);
        y.put(i, m * fg.get(i) + (1 - m) * bg.get(i));
    }
};
struct BlendBack {
    Ref dfg, dmask, dbg, dy, fg, mask, bg;
    int c;
    unsigned add;
    __device__ void operator()(int64_t pixel) const {
        const float m = mask.get(pixel);
        float dm = 0; /* inputs in their order: two of them may be one */
        for (int64_t i = pixel * c; i < pixel * c + c; i++) {
            const float g = dy.get(i);
            dm += g * (fg.get(i) - bg.get(i));
            if (dfg.p) dfg.put(i, g * m, (int)(add & 1));
        }
        if (dmask.p) dmask.put(pixel, dm, (int)(add >> 1 & 1));
        for (int64_t i = pixel * c; dbg.p && i < pixel * c + c; i++)
            dbg.put(i, dy.get(i) * (1 - m), (int)(add >> 2 & 1));
    }
};
static void blend_forward(bl__step *s) {
    each(s->device, "blend", bl__elements(s->ys),
         Blend{ref_y(s), ref_x(s, 0), ref_x(s, 1), ref_x(s, 2), s->ys.c});
}
static void blend_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "blend's gradient", bl__elements(s->xs[1]),
         BlendBack{ref_dx(b, 0), ref_dx(b, 1), ref_dx(b, 2), ref_dy(b), ref_x(s, 0), ref_x(s, 1), ref_x(s, 2),
                   s->ys.c, b->add});
}
extern "C" const bl__kernel bl__cuda_blend = {
    .half = BL__HALF_FREE, .forward = blend_forward, .backward = blend_backward};
