/* Operators that only move values: joining, cutting, padding. Gradients are gathered, never scattered. */
#include "launch.h"

/* to[row][first..first + width] (of to_c) = or += from[row][from_first...] (of from_c); width in Vs. */
template <int V> struct Strip {
    Ref to, from;
    int to_c, to_first, from_c, from_first, width, add;
    __device__ void operator()(int64_t i) const {
        const int64_t row = i * V / width;
        const int k = (int)(i * V % width);
        to.store<V>(row * to_c + to_first + k, from.load<V>(row * from_c + from_first + k), add);
    }
};
static void strip(bl__device *d, const char *what, int64_t rows, Ref to, int to_c, int to_first, Ref from,
                  int from_c, int from_first, int width, int add) {
    const int eight = !((to_c | to_first | from_c | from_first | width) & 7);
    EACH(d, what, rows * width, eight ? 8 : 1, Strip, to, from, to_c, to_first, from_c, from_first, width,
         add);
}

static void concat_forward(bl__step *s) {
    const int64_t rows = bl__elements(s->ys) / s->ys.c;
    for (int k = 0, first = 0; k < s->n_in; first += s->xs[k++].c)
        strip(s->device, "concat", rows, ref_y(s), s->ys.c, first, ref_x(s, k), s->xs[k].c, 0, s->xs[k].c, 0);
}
static void concat_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int64_t rows = bl__elements(s->ys) / s->ys.c;
    for (int k = 0, first = 0; k < s->n_in; first += s->xs[k++].c)
        if (b->dx[k])
            strip(s->device, "concat's gradient", rows, ref_dx(b, k), s->xs[k].c, 0, ref_dy(b), s->ys.c,
                  first, s->xs[k].c, adds(b, k));
}
extern "C" const bl__kernel bl__cuda_concat = {
    .half = BL__HALF_FREE, .forward = concat_forward, .backward = concat_backward};

/* A sample's rows are one strip of h * w * c values. */
static int rows_of(bl_shape s) {
    return (int)(bl__plane(s) * s.c);
}
static void concat_rows_forward(bl__step *s) {
    for (int k = 0, first = 0; k < s->n_in; first += rows_of(s->xs[k++]))
        strip(s->device, "concat rows", s->ys.n, ref_y(s), rows_of(s->ys), first, ref_x(s, k),
              rows_of(s->xs[k]), 0, rows_of(s->xs[k]), 0);
}
static void concat_rows_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int k = 0, first = 0; k < s->n_in; first += rows_of(s->xs[k++]))
        if (b->dx[k])
            strip(s->device, "concat rows' gradient", s->ys.n, ref_dx(b, k), rows_of(s->xs[k]), 0, ref_dy(b),
                  rows_of(s->ys), first, rows_of(s->xs[k]), adds(b, k));
}
extern "C" const bl__kernel bl__cuda_concat_rows = {
    .half = BL__HALF_FREE, .forward = concat_rows_forward, .backward = concat_rows_backward};

static void slice_forward(bl__step *s) {
    strip(s->device, "slice", bl__elements(s->ys) / s->ys.c, ref_y(s), s->ys.c, 0, ref_x(s, 0), s->xs[0].c,
          s->node->first, s->ys.c, 0);
}
struct SliceBack {
    Ref dx, dy;
    int c, first, width, add;
    __device__ void operator()(int64_t i) const {
        const int k = (int)(i % c) - first;
        const float g = k >= 0 && k < width ? dy.get(i / c * width + k) : 0;
        dx.put(i, g, add);
    }
};
static void slice_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "slice's gradient", bl__elements(s->xs[0]),
         SliceBack{ref_dx(b, 0), ref_dy(b), s->xs[0].c, s->node->first, s->ys.c, adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_slice = {
    .half = BL__HALF_FREE, .forward = slice_forward, .backward = slice_backward};

/* ---- pictures with borders, other storage, more channels ---- */
template <int V> struct Copy {
    bl__cuda_picture to, from;
    bl__cuda_copy_how how;
    __device__ void operator()(int64_t i) const {
        const int pitch = to.pitch;
        const bl_shape t = {to.shape.n, to.shape.h, to.shape.w, pitch};
        const Spot p = spot(t, i * V);
        const int y = p.y - how.top, x = p.x - how.left;
        const bl_shape f = from.shape;
        const bool inside = y >= 0 && x >= 0 && y < f.h && x < f.w;
        const Ref a = {from.p, from.half}, b = {to.p, to.half};
        const Array<const float> bias = {how.bias};
        const int64_t pixel = (((int64_t)p.n * f.h + y) * f.w + x) * from.pitch;
        Vec<V> v;
        if (V > 1 && inside && p.c < f.c) /* V > 1: both pitches and both counts in Vs */
            v = a.load<V>(pixel + p.c);
        else
            for (int k = 0; k < V; k++) v.v[k] = inside && p.c + k < f.c ? a.get(pixel + p.c + k) : 0;
        for (int k = 0; k < V; k++)
            if (p.c + k < to.shape.c) v.v[k] = act_of(v.v[k] + (bias.p ? bias[p.c + k] : 0), how.act);
        b.store<V>(i * V, v, how.add);
    }
};
extern "C" void bl__cuda_copy(bl__device *d, bl__cuda_picture to, bl__cuda_picture from,
                              bl__cuda_copy_how how) {
    const int64_t n = (int64_t)to.shape.n * to.shape.h * to.shape.w * to.pitch;
    const int eight = !((to.pitch | to.shape.c | from.pitch | from.shape.c) & 7);
    EACH(d, "copy", n, eight ? 8 : 1, Copy, to, from, how);
}

static bl__cuda_picture picture(Ref r, bl_shape s) {
    return bl__cuda_picture{r.p, r.half, s, s.c};
}
static void pad_zero_forward(bl__step *s) {
    bl__cuda_copy(s->device, picture(ref_y(s), s->ys), picture(ref_x(s, 0), s->xs[0]),
                  bl__cuda_copy_how{s->pad.top, s->pad.left, 0, NULL, BL_ACT_NONE});
}
static void pad_zero_backward(const bl__back *b) {
    const bl__step *s = b->s;
    bl__cuda_copy(s->device, picture(ref_dx(b, 0), s->xs[0]), picture(ref_dy(b), s->ys),
                  bl__cuda_copy_how{-s->pad.top, -s->pad.left, adds(b, 0), NULL, BL_ACT_NONE});
}
extern "C" const bl__kernel bl__cuda_pad_zero = {
    .half = BL__HALF_FREE, .forward = pad_zero_forward, .backward = pad_zero_backward};

/* ---- reflection ---- */
static __device__ inline int mirror(int i, int n) {
    return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
}

template <int V> struct Reflect {
    Ref y, x;
    bl_shape ys, xs;
    bl_pad pad;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(ys, i * V);
        const int64_t from = at(xs, p.n, mirror(p.y - pad.top, xs.h), mirror(p.x - pad.left, xs.w), p.c);
        y.store<V>(i * V, x.load<V>(from));
    }
};
/* The places of the padded side that show place i of n: itself, and its reflections before and behind, or -1.
 */
struct Places {
    int at[3];
};
static __device__ inline Places shown(int i, int n, int before, int after) {
    return Places{{i + before, i > 0 && i <= before ? before - i : -1,
                   i < n - 1 && n - 1 - i <= after ? before + 2 * (n - 1) - i : -1}};
}
template <int V> struct ReflectBack {
    Ref dx, dy;
    bl_shape xs, ys;
    bl_pad pad;
    int add;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(xs, i * V);
        const Places rows = shown(p.y, xs.h, pad.top, pad.bottom),
                     columns = shown(p.x, xs.w, pad.left, pad.right);
        Vec<V> sum;
        for (int k = 0; k < V; k++) sum.v[k] = 0;
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 3; c++) { /* constant bounds: the places stay in registers */
                if (rows.at[r] < 0 || columns.at[c] < 0) continue;
                const Vec<V> g = dy.load<V>(at(ys, p.n, rows.at[r], columns.at[c], p.c));
                for (int k = 0; k < V; k++) sum.v[k] += g.v[k];
            }
        dx.store<V>(i * V, sum, add);
    }
};
static void pad_reflect_forward(bl__step *s) {
    EACH(s->device, "reflection", bl__elements(s->ys), s->ys.c, Reflect, ref_y(s), ref_x(s, 0), s->ys,
         s->xs[0], s->pad);
}
static void pad_reflect_backward(const bl__back *b) {
    const bl__step *s = b->s;
    EACH(s->device, "reflection's gradient", bl__elements(s->xs[0]), s->ys.c, ReflectBack, ref_dx(b, 0),
         ref_dy(b), s->xs[0], s->ys, s->pad, adds(b, 0));
}
extern "C" const bl__kernel bl__cuda_pad_reflect = {
    .half = BL__HALF_FREE, .forward = pad_reflect_forward, .backward = pad_reflect_backward};

/* ---- blocks of channels to blocks of pixels ---- */
struct DepthToSpace {
    Ref to, from;
    bl_shape deep, wide;
    int block, back, add;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(wide, i);
        const int64_t j =
            at(deep, p.n, p.y / block, p.x / block, (p.y % block * block + p.x % block) * wide.c + p.c);
        if (back)
            to.put(j, from.get(i), add);
        else
            to.put(i, from.get(j));
    }
};
static void depth_to_space_forward(bl__step *s) {
    each(s->device, "depth to space", bl__elements(s->ys),
         DepthToSpace{ref_y(s), ref_x(s, 0), s->xs[0], s->ys, s->node->block, 0, 0});
}
static void depth_to_space_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "depth to space's gradient", bl__elements(s->ys),
         DepthToSpace{ref_dx(b, 0), ref_dy(b), s->xs[0], s->ys, s->node->block, 1, adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_depth_to_space = {
    .half = BL__HALF_FREE, .forward = depth_to_space_forward, .backward = depth_to_space_backward};
