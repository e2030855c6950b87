/* Random changes of pictures whose amounts are inputs, kept in saved for backward. */
#include "reduce.h"

static int plan(bl__step *s, bl_err *) {
    s->saved_floats = (bl__elements(s->xs[1]) + 15) & ~(int64_t)15;
    s->scratch_floats = totals_scratch(s->ys.n, bl__plane(s->ys) * s->ys.c, 1);
    if (s->node->op == BL__OP_colour) s->saved_floats += 2 * s->ys.n; /* a sample's mean; its gradient's */
    return 0;
}
struct Keep {
    Array<float> to;
    Ref from;
    __device__ void operator()(int64_t i) const { to[i] = from.get(i); }
};
static void keep(bl__step *s) {
    each(s->device, "amounts", bl__elements(s->xs[1]), Keep{array(s->saved), ref_x(s, 1)});
}

/* ---- translate: y(row, column) = x(row - dy, column - dx), zero outside ---- */
struct Move {
    Ref to, from;
    Array<float> amounts;
    bl_shape s;
    int sign, add;
    __device__ int offset(float amount, int limit) const {
        if (!isfinite(amount)) return 0;
        const float l = (float)limit;
        return (int)lrintf(amount < -l ? -l : amount > l ? l : amount);
    }
    __device__ void operator()(int64_t i) const {
        const Spot p = spot(s, i);
        const int x = p.x - sign * offset(amounts[2 * p.n], s.w),
                  y = p.y - sign * offset(amounts[2 * p.n + 1], s.h);
        const bool inside = x >= 0 && y >= 0 && x < s.w && y < s.h;
        to.put(i, inside ? from.get(at(s, p.n, y, x, p.c)) : 0, add);
    }
};
static void translate_forward(bl__step *s) {
    keep(s);
    each(s->device, "translate", bl__elements(s->ys),
         Move{ref_y(s), ref_x(s, 0), array(s->saved), s->ys, 1, 0});
}
static void translate_backward(const bl__back *b) {
    const bl__step *s = b->s;
    each(s->device, "translate's gradient", bl__elements(s->ys),
         Move{ref_dx(b, 0), ref_dy(b), array(s->saved), s->ys, -1, adds(b, 0)});
}
extern "C" const bl__kernel bl__cuda_translate = {
    .half = BL__HALF_FREE, .plan = plan, .forward = translate_forward, .backward = translate_backward};

/* ---- colour; the formula stands in the reference ---- */
struct SampleSum {
    Ref x;
    int64_t size;
    __device__ void operator()(int n, int64_t i, double *sum) const { sum[0] += (double)x.get(n * size + i); }
};
struct SampleMean {
    Array<float> mean;
    int64_t size;
    __device__ void operator()(int n, const double *sum) const { mean[n] = (float)(sum[0] / (double)size); }
};
struct Colour {
    Ref to, from;
    Array<float> amounts, mean;
    int64_t pixels;
    int c, back, add;
    __device__ void operator()(int64_t pixel) const {
        const int64_t n = pixel / pixels;
        const float bright = amounts[3 * n], sat = amounts[3 * n + 1], contrast = amounts[3 * n + 2];
        const float whole = mean[n] + bright;
        float m = 0;
        for (int k = 0; k < c; k++) m += from.get(pixel * c + k);
        m /= (float)c;
        for (int k = 0; k < c; k++) {
            const float x = from.get(pixel * c + k);
            if (back)
                to.put(pixel * c + k, contrast * (sat * x + (1 - sat) * m) + (1 - contrast) * mean[n], add);
            else
                to.put(pixel * c + k, whole + contrast * (m + sat * (x - m) + bright - whole));
        }
    }
};
static float *means(const bl__step *s) {
    return s->saved + ((bl__elements(s->xs[1]) + 15) & ~(int64_t)15);
}
static void colour(const bl__step *s, Ref to, Ref from, float *mean, int back, int add) {
    const int64_t pixels = bl__plane(s->ys), size = pixels * s->ys.c;
    totals<1>(s->device, "colour", s->ys.n, size, s->scratch, SampleSum{from, size},
              SampleMean{array(mean), size});
    each(s->device, "colour", s->ys.n * pixels,
         Colour{to, from, array(s->saved), array(mean), pixels, s->ys.c, back, add});
}
static void colour_forward(bl__step *s) {
    keep(s);
    colour(s, ref_y(s), ref_x(s, 0), means(s), 0, 0);
}
static void colour_backward(const bl__back *b) {
    colour(b->s, ref_dx(b, 0), ref_dy(b), means(b->s) + b->s->ys.n, 1, adds(b, 0));
}
/* float32 only: a gradient is what is left when means are taken away, and pictures are stored so anyway. */
extern "C" const bl__kernel bl__cuda_colour = {
    .half = BL__HALF_NONE, .plan = plan, .forward = colour_forward, .backward = colour_backward};
