/* Pooling and resizing. A gradient asks, for each input, which outputs looked at it. */
#include "launch.h"

struct Window {
    int kh, kw, sh, sw;
    bl_pad pad;
    bl_shape xs, ys;
};
static Window window_of(const bl__step *s) {
    const bl__node *n = s->node;
    return Window{n->kh, n->kw, n->sh, n->sw, s->pad, s->xs[0], s->ys};
}
struct Span {
    int y0, y1, x0, x1;
};
/* Of the input, inside it, that output (y, x) looks at. */
static __device__ inline Span seen(const Window &w, int y, int x) {
    const int top = y * w.sh - w.pad.top, left = x * w.sw - w.pad.left;
    return Span{top > 0 ? top : 0, top + w.kh < w.xs.h ? top + w.kh : w.xs.h, left > 0 ? left : 0,
                left + w.kw < w.xs.w ? left + w.kw : w.xs.w};
}
/* Of the output, that look at place i: first..last. */
static __device__ inline void lookers(int i, int pad, int k, int stride, int n, int *first, int *last) {
    const int low = i + pad - k + 1;
    *first = low > 0 ? (low + stride - 1) / stride : 0;
    *last = (i + pad) / stride;
    if (*last > n - 1) *last = n - 1;
}

template <int V> struct MaxPool {
    Ref y, x;
    Window w;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(w.ys, i * V);
        const Span s = seen(w, p.y, p.x);
        Vec<V> best;
        for (int k = 0; k < V; k++) best.v[k] = -3.402823466e+38f;
        for (int r = s.y0; r < s.y1; r++)
            for (int c = s.x0; c < s.x1; c++) {
                const Vec<V> a = x.load<V>(at(w.xs, p.n, r, c, p.c));
                for (int k = 0; k < V; k++) best.v[k] = a.v[k] > best.v[k] ? a.v[k] : best.v[k];
            }
        y.store<V>(i * V, best);
    }
};
/* The first largest of a window gets the gradient. */
struct MaxPoolBack {
    Ref dx, dy, x;
    Window w;
    int add;
    __device__ bool is_first_largest(const Spot &p, Span s, float mine) const {
        for (int r = s.y0; r < s.y1; r++)
            for (int c = s.x0; c < s.x1; c++) {
                const float a = x.get(at(w.xs, p.n, r, c, p.c));
                const bool before = r < p.y || (r == p.y && c < p.x);
                if (a > mine || (a == mine && before)) return false;
            }
        return true;
    }
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(w.xs, i);
        const float mine = x.get(i);
        int y0, y1, x0, x1;
        lookers(p.y, w.pad.top, w.kh, w.sh, w.ys.h, &y0, &y1);
        lookers(p.x, w.pad.left, w.kw, w.sw, w.ys.w, &x0, &x1);
        float sum = 0;
        for (int r = y0; r <= y1; r++)
            for (int c = x0; c <= x1; c++)
                if (is_first_largest(p, seen(w, r, c), mine)) sum += dy.get(at(w.ys, p.n, r, c, p.c));
        dx.put(i, sum, add);
    }
};
static void max_pool_forward(bl__step *s) {
    EACH(s->device, "max pool", bl__elements(s->ys), s->ys.c, MaxPool, ref_y(s), ref_x(s, 0), window_of(s));
}
static void max_pool_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "max pool's gradient", bl__elements(s->xs[0]),
         MaxPoolBack{ref_dx(b, 0), ref_dy(b), ref_x(s, 0), window_of(s), adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_max_pool = {
    .half = BL__HALF_FREE, .forward = max_pool_forward, .backward = max_pool_backward};

static __device__ inline float share(Span s) {
    return 1 / (float)((s.y1 - s.y0) * (s.x1 - s.x0));
}

template <int V> struct AvgPool {
    Ref y, x;
    Window w;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(w.ys, i * V);
        const Span s = seen(w, p.y, p.x);
        Vec<V> sum;
        for (int k = 0; k < V; k++) sum.v[k] = 0;
        for (int r = s.y0; r < s.y1; r++)
            for (int c = s.x0; c < s.x1; c++) {
                const Vec<V> a = x.load<V>(at(w.xs, p.n, r, c, p.c));
                for (int k = 0; k < V; k++) sum.v[k] += a.v[k];
            }
        for (int k = 0; k < V; k++) sum.v[k] *= share(s);
        y.store<V>(i * V, sum);
    }
};
template <int V> struct AvgPoolBack {
    Ref dx, dy;
    Window w;
    int add;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(w.xs, i * V);
        int y0, y1, x0, x1;
        lookers(p.y, w.pad.top, w.kh, w.sh, w.ys.h, &y0, &y1);
        lookers(p.x, w.pad.left, w.kw, w.sw, w.ys.w, &x0, &x1);
        Vec<V> sum;
        for (int k = 0; k < V; k++) sum.v[k] = 0;
        for (int r = y0; r <= y1; r++)
            for (int c = x0; c <= x1; c++) {
                const Vec<V> g = dy.load<V>(at(w.ys, p.n, r, c, p.c));
                const float f = share(seen(w, r, c));
                for (int k = 0; k < V; k++) sum.v[k] += g.v[k] * f;
            }
        dx.store<V>(i * V, sum, add);
    }
};
static void avg_pool_forward(bl__step *s) {
    EACH(s->device, "average pool", bl__elements(s->ys), s->ys.c, AvgPool, ref_y(s), ref_x(s, 0),
         window_of(s));
}
static void avg_pool_backward(const bl__back *b) {
    const bl__step *s = b->s;
    EACH(s->device, "average pool's gradient", bl__elements(s->xs[0]), s->ys.c, AvgPoolBack, ref_dx(b, 0),
         ref_dy(b), window_of(s), adds(b, 0));
}
extern "C" const bl__kernel bl__cuda_avg_pool = {
    .half = BL__HALF_FREE, .forward = avg_pool_forward, .backward = avg_pool_backward};

/* ---- nearest, twice the size ---- */
template <int V> struct Upsample {
    Ref y, x;
    bl_shape ys, xs;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(ys, i * V);
        y.store<V>(i * V, x.load<V>(at(xs, p.n, p.y / 2, p.x / 2, p.c)));
    }
};
template <int V> struct UpsampleBack {
    Ref dx, dy;
    bl_shape xs, ys;
    int add;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(xs, i * V);
        const int64_t j = at(ys, p.n, 2 * p.y, 2 * p.x, p.c), row = (int64_t)ys.w * ys.c;
        const Vec<V> a = dy.load<V>(j), b = dy.load<V>(j + xs.c), c = dy.load<V>(j + row),
                     d = dy.load<V>(j + row + xs.c);
        Vec<V> sum;
        for (int k = 0; k < V; k++) sum.v[k] = a.v[k] + b.v[k] + c.v[k] + d.v[k];
        dx.store<V>(i * V, sum, add);
    }
};
static void upsample2_forward(bl__step *s) {
    EACH(s->device, "upsampling", bl__elements(s->ys), s->ys.c, Upsample, ref_y(s), ref_x(s, 0), s->ys,
         s->xs[0]);
}
static void upsample2_backward(const bl__back *b) {
    const bl__step *s = b->s;
    EACH(s->device, "upsampling's gradient", bl__elements(s->xs[0]), s->ys.c, UpsampleBack, ref_dx(b, 0),
         ref_dy(b), s->xs[0], s->ys, adds(b, 0));
}
extern "C" const bl__kernel bl__cuda_upsample2 = {
    .half = BL__HALF_FREE, .forward = upsample2_forward, .backward = upsample2_backward};

/* ---- bilinear, half-pixel centres ---- */
struct Tap {
    int a, b;
    float t;
};
static __device__ inline int clamp(int i, int n) {
    return i < 0 ? 0 : i > n - 1 ? n - 1 : i;
}
static __device__ inline Tap tap(int i, int in, int out) {
    const float f = ((float)i + 0.5f) * ((float)in / (float)out) - 0.5f, low = floorf(f);
    return Tap{clamp((int)low, in), clamp((int)low + 1, in), f - low};
}
struct Resize {
    Ref y, x;
    bl_shape ys, xs;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(ys, i);
        const Tap v = tap(p.y, xs.h, ys.h), h = tap(p.x, xs.w, ys.w);
        const float a = x.get(at(xs, p.n, v.a, h.a, p.c)), b = x.get(at(xs, p.n, v.a, h.b, p.c));
        const float c = x.get(at(xs, p.n, v.b, h.a, p.c)), d = x.get(at(xs, p.n, v.b, h.b, p.c));
        y.put(i, (a * (1 - h.t) + b * h.t) * (1 - v.t) + (c * (1 - h.t) + d * h.t) * v.t);
    }
};
/* Outputs first..last are all that can have tapped place i, and a few more. */
static __device__ inline void tapped(int i, int in, int out, int *first, int *last) {
    const float ratio = (float)out / (float)in;
    *first = i == 0 ? 0 : clamp((int)floorf(((float)i - 0.5f) * ratio - 0.5f) - 1, out);
    *last = i == in - 1 ? out - 1 : clamp((int)ceilf(((float)i + 1.5f) * ratio - 0.5f) + 1, out);
}
static __device__ inline float weight_of(Tap t, int i) {
    return (t.a == i ? 1 - t.t : 0) + (t.b == i ? t.t : 0);
}
struct ResizeBack {
    Ref dx, dy;
    bl_shape xs, ys;
    int add;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(xs, i);
        int y0, y1, x0, x1;
        tapped(p.y, xs.h, ys.h, &y0, &y1);
        tapped(p.x, xs.w, ys.w, &x0, &x1);
        float sum = 0;
        for (int r = y0; r <= y1; r++) {
            const float v = weight_of(tap(r, xs.h, ys.h), p.y);
            for (int c = x0; v != 0 && c <= x1; c++) {
                const float h = weight_of(tap(c, xs.w, ys.w), p.x);
                if (h != 0) sum += v * h * dy.get(at(ys, p.n, r, c, p.c));
            }
        }
        dx.put(i, sum, add);
    }
};
static void resize_forward(bl__step *s) {
    each(s->device, "resizing", bl__elements(s->ys), Resize{ref_y(s), ref_x(s, 0), s->ys, s->xs[0]});
}
static void resize_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "resizing's gradient", bl__elements(s->xs[0]),
         ResizeBack{ref_dx(b, 0), ref_dy(b), s->xs[0], s->ys, adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_resize_bilinear = {
    .half = BL__HALF_FREE, .forward = resize_forward, .backward = resize_backward};
