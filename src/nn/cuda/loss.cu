/* Losses: scalars, means over elements. saved[0]: what a mean divides by, turned over. */
#include "reduce.h"

/* ---- mean w * |a - b| / mean w ---- */
struct Distance {
    Ref a, b, w;
    int c;
    __device__ void operator()(int, int64_t i, double *sum) const {
        const float one = w.p ? w.get(i / c) : 1;
        sum[0] += (double)(one * fabsf(a.get(i) - b.get(i)));
        sum[1] += (double)one;
    }
};
struct WeightedMean { /* sums: of the weighted values, of the weights; scalar: first - ratio, or ratio */
    Array<float> y, inverse;
    float from;
    __device__ void operator()(int, const double *sum) const {
        inverse[0] = sum[1] > 0 ? (float)(1 / sum[1]) : 0;
        const double ratio = sum[1] > 0 ? sum[0] / sum[1] : (double)from;
        y[0] = (float)(from != 0 ? (double)from - ratio : ratio);
    }
};
struct DistanceBack {
    Ref da, db, a, b, w;
    Array<const float> dy, inverse;
    int c;
    unsigned add;
    __device__ void operator()(int64_t i) const {
        const float d = a.get(i) - b.get(i), one = w.p ? w.get(i / c) : 1;
        const float g = dy[0] * inverse[0] * one * (d > 0 ? 1.f : d < 0 ? -1.f : 0.f);
        if (da.p) da.put(i, g, (int)(add & 1));
        if (db.p) db.put(i, -g, (int)(add >> 1 & 1));
    }
};
static Ref weights_of(const bl__step *s) {
    return s->n_in == 3 ? ref_x(s, 2) : ref(NULL, 0);
}
static int l1_plan(bl__step *s, bl_err *) {
    s->saved_floats = 1;
    s->scratch_floats = totals_scratch(1, bl__elements(s->xs[0]), 2);
    return 0;
}
static void l1_forward(bl__step *s) {
    totals<2>(s->device, "L1", 1, bl__elements(s->xs[0]), s->scratch,
              Distance{ref_x(s, 0), ref_x(s, 1), weights_of(s), s->xs[0].c},
              WeightedMean{array(s->y), array(s->saved), 0});
}
static void l1_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "L1's gradient", bl__elements(s->xs[0]),
         DistanceBack{ref_dx(b, 0), ref_dx(b, 1), ref_x(s, 0), ref_x(s, 1), weights_of(s),
                      array((const float *)b->dy), array((const float *)s->saved), s->xs[0].c, b->add});
}
extern "C" const bl__kernel bl__cuda_loss_l1 = {
    .half = BL__HALF_FREE, .plan = l1_plan, .forward = l1_forward, .backward = l1_backward};

/* ---- mean (a - target)^2 and mean max(0, 1 - sign a) ---- */
struct Point {
    Ref a;
    float f;
    int hinge;
    __device__ void operator()(int, int64_t i, double *sum) const {
        const float v = hinge ? 1 - f * a.get(i) : a.get(i) - f;
        sum[0] += hinge ? (v > 0 ? (double)v : 0) : (double)v * (double)v;
    }
};
struct Mean {
    Array<float> y;
    int64_t n;
    __device__ void operator()(int, const double *sum) const { y[0] = (float)(sum[0] / (double)n); }
};
struct PointBack {
    Ref da, a;
    Array<const float> dy;
    float f, share;
    int hinge, add;
    __device__ void operator()(int64_t i) const {
        const float v = a.get(i), g = dy[0] * share;
        da.put(i, hinge ? (1 - f * v > 0 ? -f * g : 0) : 2 * (v - f) * g, add);
    }
};
static int point_plan(bl__step *s, bl_err *) {
    s->scratch_floats = totals_scratch(1, bl__elements(s->xs[0]), 1);
    return 0;
}
static void point_forward(bl__step *s) {
    const int64_t n = bl__elements(s->xs[0]);
    totals<1>(s->device, "loss", 1, n, s->scratch,
              Point{ref_x(s, 0), s->node->f[0], s->node->op == BL__OP_loss_hinge}, Mean{array(s->y), n});
}
static void point_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const int64_t n = bl__elements(s->xs[0]);
    each(s->device, "loss's gradient", n,
         PointBack{ref_dx(b, 0), ref_x(s, 0), array((const float *)b->dy), s->node->f[0], 1 / (float)n,
                   s->node->op == BL__OP_loss_hinge, adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_loss_mse_to = {
    .half = BL__HALF_FREE, .plan = point_plan, .forward = point_forward, .backward = point_backward};
extern "C" const bl__kernel bl__cuda_loss_hinge = {
    .half = BL__HALF_FREE, .plan = point_plan, .forward = point_forward, .backward = point_backward};

/* ---- weighted sum of scalars ---- */
struct Scalars {
    float *p[BL__MAX_IN];
    float f[BL__MAX_IN];
    int n;
    unsigned add;
};
struct SumUp {
    Scalars s;
    Array<float> y;
    __device__ void operator()(int64_t) const {
        double sum = 0;
        for (int i = 0; i < s.n; i++) sum += (double)s.f[i] * (double)Array<float>{s.p[i]}[0];
        y[0] = (float)sum;
    }
};
struct HandBack {
    Scalars s;
    Array<float> dy;
    __device__ void operator()(int64_t) const {
        for (int i = 0; i < s.n; i++)
            if (s.p[i]) Ref{s.p[i], 0}.put(0, dy[0] * s.f[i], (int)(s.add >> i & 1));
    }
};
static void sum_forward(bl__step *s) {
    Scalars all = {};
    all.n = s->n_in;
    for (int i = 0; i < s->n_in; i++) all.p[i] = (float *)s->x[i], all.f[i] = s->node->f[i];
    each(s->device, "weighted sum", 1, SumUp{all, array(s->y)});
}
static void sum_backward(const bl__back *b) {
    const bl__step *s = b->s;
    Scalars all = {};
    all.n = s->n_in;
    all.add = b->add;
    for (int i = 0; i < s->n_in; i++) all.p[i] = b->dx[i], all.f[i] = s->node->f[i];
    each(s->device, "weighted sum's gradient", 1, HandBack{all, array(b->dy)});
}
extern "C" const bl__kernel bl__cuda_weighted_sum = {
    .half = BL__HALF_FREE, .forward = sum_forward, .backward = sum_backward};

/* ---- SSIM with separable Gaussian filters: five filtered maps forward; backward three derivative maps are
 * filtered by the adjoint. saved: the three maps ([3][n][vh][vw][c]) and the weights' sum, turned over. ----
 */
enum { TAPS = 11, MAPS = 5 };
struct Ssim {
    bl_shape x, valid, wide; /* the picture; the windows' centres; rows filtered along x only */
    float g[TAPS];
};
static Ssim ssim_of(const bl__step *s) {
    Ssim m;
    double sum = 0;
    m.x = s->xs[0];
    m.valid = bl_shape{m.x.n, m.x.h - TAPS + 1, m.x.w - TAPS + 1, m.x.c};
    m.wide = bl_shape{m.x.n, m.x.h, m.valid.w, m.x.c};
    for (int i = 0; i < TAPS; i++) sum += exp(-(i - 5.0) * (i - 5.0) / 4.5);
    for (int i = 0; i < TAPS; i++) m.g[i] = (float)(exp(-(i - 5.0) * (i - 5.0) / 4.5) / sum);
    return m;
}
static int ssim_plan(bl__step *s, bl_err *) {
    const Ssim m = ssim_of(s);
    s->saved_floats = 3 * bl__elements(m.valid) + 1;
    s->scratch_floats = MAPS * bl__elements(m.wide) + 16 + totals_scratch(1, bl__elements(m.valid), 2);
    return 0;
}
static int64_t behind_maps(const Ssim &m) {
    return (MAPS * bl__elements(m.wide) + 15) & ~(int64_t)15;
}

struct AlongRows {
    Ssim m;
    Ref a, b;
    Array<float> wide;
    int64_t size;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(m.wide, i);
        float sum[MAPS] = {0, 0, 0, 0, 0};
        for (int k = 0; k < TAPS; k++) {
            const int64_t j = at(m.x, p.n, p.y, p.x + k, p.c);
            const float u = a.get(j), v = b.get(j);
            sum[0] += m.g[k] * u;
            sum[1] += m.g[k] * v;
            sum[2] += m.g[k] * (u * u);
            sum[3] += m.g[k] * (v * v);
            sum[4] += m.g[k] * (u * v);
        }
        for (int k = 0; k < MAPS; k++) wide[k * size + i] = sum[k];
    }
};
struct Windows { /* down the columns, then a window's SSIM and its derivatives */
    Ssim m;
    Array<float> wide, maps;
    Ref w;
    int64_t wide_size, size;
    float c1, c2;
    __device__ void operator()(int, int64_t i, double *total) const {
        const Spot p = spot(m.valid, i);
        float s[MAPS] = {0, 0, 0, 0, 0};
        for (int k = 0; k < TAPS; k++)
            for (int q = 0; q < MAPS; q++)
                s[q] += m.g[k] * wide[q * wide_size + at(m.wide, p.n, p.y + k, p.x, p.c)];
        const bl_shape ws = {m.x.n, m.x.h, m.x.w, 1};
        const float one = w.p ? w.get(at(ws, p.n, p.y + TAPS / 2, p.x + TAPS / 2, 0)) : 1;
        const float ma = s[0], mb = s[1], va = s[2] - ma * ma, vb = s[3] - mb * mb, cov = s[4] - ma * mb;
        const float a1 = 2 * ma * mb + c1, a2 = 2 * cov + c2, b1 = ma * ma + mb * mb + c1, b2 = va + vb + c2;
        const float inverse = 1 / (b1 * b2), value = a1 * a2 * inverse;
        const float by_va = -value / b2, by_cov = 2 * a1 * inverse;
        const float by_ma = 2 * mb * a2 * inverse - value * 2 * ma / b1;
        maps[i] = one * (by_ma - 2 * ma * by_va - mb * by_cov);
        maps[size + i] = one * by_va;
        maps[2 * size + i] = one * by_cov;
        total[0] += (double)(one * value);
        total[1] += (double)one;
    }
};
static void ssim_forward(bl__step *s) {
    const Ssim m = ssim_of(s);
    const int64_t wide = bl__elements(m.wide), valid = bl__elements(m.valid);
    const float range = s->node->f[0];
    each(s->device, "SSIM", wide, AlongRows{m, ref_x(s, 0), ref_x(s, 1), array(s->scratch), wide});
    totals<2>(s->device, "SSIM", 1, valid, s->scratch + behind_maps(m),
              Windows{m, array(s->scratch), array(s->saved), weights_of(s), wide, valid,
                      0.0001f * range * range, 0.0009f * range * range},
              WeightedMean{array(s->y), array(s->saved + 3 * valid), 1});
}
struct UpColumns {
    Ssim m;
    Array<float> wide, maps;
    int64_t wide_size, size;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(m.wide, i);
        float sum[3] = {0, 0, 0};
        for (int k = 0; k < TAPS; k++)
            if (p.y - k >= 0 && p.y - k < m.valid.h)
                for (int q = 0; q < 3; q++)
                    sum[q] += m.g[k] * maps[q * size + at(m.valid, p.n, p.y - k, p.x, p.c)];
        for (int q = 0; q < 3; q++) wide[q * wide_size + i] = sum[q];
    }
};
struct BackAlongRows {
    Ssim m;
    Ref dx, a, b;
    Array<float> wide, dy, inverse;
    int64_t wide_size;
    int add;
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(m.x, i);
        float sum[3] = {0, 0, 0};
        for (int k = 0; k < TAPS; k++)
            if (p.x - k >= 0 && p.x - k < m.valid.w)
                for (int q = 0; q < 3; q++)
                    sum[q] += m.g[k] * wide[q * wide_size + at(m.wide, p.n, p.y, p.x - k, p.c)];
        const float scale = -dy[0] * inverse[0];
        dx.put(i, scale * (sum[0] + 2 * sum[1] * a.get(i) + sum[2] * b.get(i)), add);
    }
};
static void ssim_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const Ssim m = ssim_of(s);
    const int64_t wide = bl__elements(m.wide), valid = bl__elements(m.valid);
    if (!b->dx[0]) return;
    each(s->device, "SSIM's gradient", wide, UpColumns{m, array(s->scratch), array(s->saved), wide, valid});
    each(s->device, "SSIM's gradient", bl__elements(m.x),
         BackAlongRows{m, ref_dx(b, 0), ref_x(s, 0), ref_x(s, 1), array(s->scratch), array(b->dy),
                       array(s->saved + 3 * valid), wide, adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_loss_ssim = {
    .half = BL__HALF_FREE, .plan = ssim_plan, .forward = ssim_forward, .backward = ssim_backward};
