/* Instance norm + residual + activation: a pass for the statistics and one to apply them, forward and
 * backward. saved: of each sample and channel mean, 1/sigma, scale, offset ([4][n][c]); backward's two means
 * behind the partial sums in scratch. */
#include "reduce.h"

struct Norm {
    Array<float> mean, rstd, scale, offset;
    int64_t rows;
    int c;
};
static Norm norm_of(const bl__step *s) {
    const int64_t n = (int64_t)s->ys.n * s->ys.c;
    return Norm{array(s->saved),         array(s->saved + n), array(s->saved + 2 * n),
                array(s->saved + 3 * n), bl__plane(s->ys),    s->ys.c};
}
static int64_t partials(const bl__step *s) {
    return (columns_scratch(s->ys.n, bl__plane(s->ys), s->ys.c, 2) + 15) & ~(int64_t)15;
}
static int norm_plan(bl__step *s, bl_err *) {
    s->saved_floats = 4 * (int64_t)s->ys.n * s->ys.c;
    s->scratch_floats = partials(s) + 2 * (int64_t)s->ys.n * s->ys.c;
    return 0;
}

/* Around the first pixel's value, so that a large mean does not eat the variance's digits. */
template <int V> struct Moments {
    Ref x;
    int64_t rows;
    int c;
    __device__ void operator()(int n, int64_t row, int first, float (*sum)[V]) const {
        const Vec<V> a = x.load<V>((n * rows + row) * c + first), b = x.load<V>(n * rows * c + first);
        for (int k = 0; k < V; k++) {
            const float d = a.v[k] - b.v[k];
            sum[0][k] += d;
            sum[1][k] += d * d;
        }
    }
};
struct Statistics {
    Norm s;
    Ref x;
    Array<const float> w, b;
    __device__ void operator()(int n, int c, const double *sum) const {
        const double d = sum[0] / (double)s.rows, q = sum[1] / (double)s.rows - d * d;
        const int64_t i = (int64_t)n * s.c + c;
        const float rstd = (float)(1 / sqrt((q > 0 ? q : 0) + 1e-5));
        s.mean[i] = x.get(n * s.rows * s.c + c) + (float)d;
        s.rstd[i] = rstd;
        s.scale[i] = w.p ? rstd * w[c] : rstd;
        s.offset[i] = b.p ? b[c] : 0;
    }
};
template <int V> struct Apply {
    Norm s;
    Ref y, x, residual;
    bl_act act;
    __device__ void operator()(int64_t i) const {
        const int64_t e = i * V, j = e / (s.rows * s.c) * s.c + e % s.c;
        Vec<V> a = x.load<V>(e), r = {{0}};
        if (residual.p) r = residual.load<V>(e);
        for (int k = 0; k < V; k++)
            a.v[k] = act_of((a.v[k] - s.mean[j + k]) * s.scale[j + k] + s.offset[j + k] + r.v[k], act);
        y.store<V>(e, a);
    }
};
static void norm_forward(bl__step *s) {
    const Norm n = norm_of(s);
    COLUMNS(s->device, "norm's statistics", 2, s->ys.n, n.rows, n.c, s->scratch,
            (Statistics{n, ref_x(s, 0), array(s->w), array(s->b)}), Moments, ref_x(s, 0), n.rows, n.c);
    EACH(s->device, "norm", bl__elements(s->ys), n.c, Apply, n, ref_y(s), ref_x(s, 0),
         s->n_in == 2 ? ref_x(s, 1) : ref(NULL, 0), s->node->act);
}

/* dz = dy * act'(y), in place; its sum, and its product with the normalised x. */
template <int V> struct BackSums {
    Norm s;
    Ref dy, y, x;
    bl_act act;
    __device__ void operator()(int n, int64_t row, int first, float (*sum)[V]) const {
        const int64_t e = (n * s.rows + row) * s.c + first, j = (int64_t)n * s.c + first;
        Vec<V> g = dy.load<V>(e);
        const Vec<V> v = y.load<V>(e), a = x.load<V>(e);
        if (act != BL_ACT_NONE) {
            for (int k = 0; k < V; k++) g.v[k] *= slope_of(v.v[k], act);
            dy.store<V>(e, g);
            g = dy.load<V>(e); /* as the next pass will see it */
        }
        for (int k = 0; k < V; k++) {
            sum[0][k] += g.v[k];
            sum[1][k] += g.v[k] * (a.v[k] - s.mean[j + k]) * s.rstd[j + k];
        }
    }
};
struct BackMeans {
    Norm s;
    Array<float> m1, m2;
    __device__ void operator()(int n, int c, const double *sum) const {
        m1[(int64_t)n * s.c + c] = (float)(sum[0] / (double)s.rows);
        m2[(int64_t)n * s.c + c] = (float)(sum[1] / (double)s.rows);
    }
};
struct BackParams { /* samples in order */
    Norm s;
    Array<float> m1, m2, dw, db;
    int n;
    __device__ void operator()(int64_t c) const {
        float w = 0, b = 0;
        for (int k = 0; k < n; k++) {
            w += m2[(int64_t)k * s.c + c] * (float)s.rows;
            b += m1[(int64_t)k * s.c + c] * (float)s.rows;
        }
        dw[c] += w;
        db[c] += b;
    }
};
template <int V> struct BackApply {
    Norm s;
    Array<float> m1, m2;
    Ref dx, dr, dz, x;
    int add, add_r;
    __device__ void operator()(int64_t i) const {
        const int64_t e = i * V, j = e / (s.rows * s.c) * s.c + e % s.c;
        const Vec<V> z = dz.load<V>(e);
        if (dx.p) { /* first: the residual may be x itself, and is added to it then */
            const Vec<V> a = x.load<V>(e);
            Vec<V> g;
            for (int k = 0; k < V; k++) {
                const float hat = (a.v[k] - s.mean[j + k]) * s.rstd[j + k];
                g.v[k] = s.scale[j + k] * (z.v[k] - m1[j + k] - hat * m2[j + k]);
            }
            dx.store<V>(e, g, add);
        }
        if (dr.p) dr.store<V>(e, z, add_r);
    }
};
static void norm_backward(const bl__back *b) {
    const bl__step *s = b->s;
    const Norm n = norm_of(s);
    Array<float> m1 = array(s->scratch + partials(s)), m2 = array(m1.p + (int64_t)s->ys.n * n.c);
    COLUMNS(s->device, "norm's gradient", 2, s->ys.n, n.rows, n.c, s->scratch, (BackMeans{n, m1, m2}),
            BackSums, n, ref_dy(b), ref_y(s), ref_x(s, 0), s->node->act);
    if (b->params && s->dw)
        each(s->device, "norm's parameters", n.c, BackParams{n, m1, m2, array(s->dw), array(s->db), s->ys.n});
    EACH(s->device, "norm's gradient", bl__elements(s->ys), n.c, BackApply, n, m1, m2, ref_dx(b, 0),
         s->n_in == 2 ? ref_dx(b, 1) : ref(NULL, 0), ref_dy(b), ref_x(s, 0), adds(b, 0), adds(b, 1));
}
extern "C" const bl__kernel bl__cuda_norm_act = {
    .half = BL__HALF_FREE, .plan = norm_plan, .forward = norm_forward, .backward = norm_backward};
