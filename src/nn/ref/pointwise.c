/* Operators that work element by element. */
#include <math.h>

#include "ref.h"

float bl__act(float x, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return x > 0 ? x : 0;
    case BL_ACT_RELU6: return x > 0 ? (x < 6 ? x : 6) : 0;
    case BL_ACT_LRELU: return x > 0 ? x : 0.2f * x;
    case BL_ACT_TANH: return tanhf(x);
    case BL_ACT_SIGMOID: return 1 / (1 + expf(-x));
    default: return x;
    }
}

float bl__act_slope(float y, bl_act act) {
    switch (act) {
    case BL_ACT_RELU: return y > 0 ? 1 : 0;
    case BL_ACT_RELU6: return y > 0 && y < 6 ? 1 : 0;
    case BL_ACT_LRELU: return y > 0 ? 1 : 0.2f;
    case BL_ACT_TANH: return 1 - y * y;
    case BL_ACT_SIGMOID: return y * (1 - y);
    default: return 1;
    }
}

static void activation_forward(bl__step *s) {
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++) s->y[i] = bl__act(s->x[0][i], s->node->act);
}

static void activation_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++)
        put(b->dx[0] + i, b->dy[i] * bl__act_slope(s->y[i], s->node->act), b->add & 1);
}

const bl__kernel bl__ref_activation = {.forward = activation_forward, .backward = activation_backward};

static void prelu_forward(bl__step *s) {
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++) {
        float x = s->x[0][i];
        s->y[i] = x > 0 ? x : x * s->w[i % s->ys.c];
    }
}

static void prelu_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++) {
        float x = s->x[0][i], slope = x > 0 ? 1 : s->w[i % s->ys.c];
        if (b->params && x <= 0) s->dw[i % s->ys.c] += b->dy[i] * x;
        if (b->dx[0]) put(b->dx[0] + i, b->dy[i] * slope, b->add & 1);
    }
}

const bl__kernel bl__ref_prelu = {.forward = prelu_forward, .backward = prelu_backward};

static void add_forward(bl__step *s) {
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++)
        s->y[i] = bl__act(s->x[0][i] + s->x[1][i], s->node->act);
}

static void add_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++) {
        float d = b->dy[i] * bl__act_slope(s->y[i], s->node->act);
        for (int k = 0; k < 2; k++)
            if (b->dx[k]) put(b->dx[k] + i, d, b->add & (1u << k));
    }
}

const bl__kernel bl__ref_add = {.forward = add_forward, .backward = add_backward};

/* Index into the factor, which may be a map of one channel or one value a channel. */
static int64_t factor_at(const bl__step *s, int64_t i) {
    bl_shape a = s->xs[0], b = s->xs[1];
    if (b.h == a.h && b.w == a.w && b.c == a.c) return i;
    if (b.c == 1 && b.h == a.h && b.w == a.w) return i / a.c;
    return i / (bl__plane(a) * a.c) * a.c + i % a.c;
}

static void mul_forward(bl__step *s) {
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++) s->y[i] = s->x[0][i] * s->x[1][factor_at(s, i)];
}

static void mul_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int64_t n = bl__elements(s->ys);
    for (int64_t i = 0; b->dx[1] && !(b->add & 2) && i < bl__elements(s->xs[1]); i++) b->dx[1][i] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t j = factor_at(s, i);
        if (b->dx[0]) put(b->dx[0] + i, b->dy[i] * s->x[1][j], b->add & 1);
        if (b->dx[1]) b->dx[1][j] += b->dy[i] * s->x[0][i];
    }
}

const bl__kernel bl__ref_mul = {.forward = mul_forward, .backward = mul_backward};

static void affine_forward(bl__step *s) {
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++)
        s->y[i] = s->x[0][i] * s->node->f[0] + s->node->f[1];
}

static void affine_backward(const bl__back *b) {
    for (int64_t i = 0, n = bl__elements(b->s->ys); i < n; i++)
        put(b->dx[0] + i, b->dy[i] * b->s->node->f[0], b->add & 1);
}

const bl__kernel bl__ref_affine = {.forward = affine_forward, .backward = affine_backward};

/* y = m*fg + (1-m)*bg; inputs fg, m, bg */
static void blend_forward(bl__step *s) {
    int c = s->ys.c;
    for (int64_t i = 0, n = bl__elements(s->ys); i < n; i++) {
        float m = s->x[1][i / c];
        s->y[i] = m * s->x[0][i] + (1 - m) * s->x[2][i];
    }
}

static void blend_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int c = s->ys.c;
    for (int64_t p = 0, n = bl__elements(s->xs[1]); p < n; p++) {
        float m = s->x[1][p], dm = 0;
        for (int64_t i = p * c; i < p * c + c; i++) {
            dm += b->dy[i] * (s->x[0][i] - s->x[2][i]);
            if (b->dx[0]) put(b->dx[0] + i, b->dy[i] * m, b->add & 1);
        }
        if (b->dx[1]) put(b->dx[1] + p, dm, b->add & 2); /* inputs in their order: two of them may be one */
        for (int64_t i = p * c; b->dx[2] && i < p * c + c; i++)
            put(b->dx[2] + i, b->dy[i] * (1 - m), b->add & 4);
    }
}

const bl__kernel bl__ref_blend = {.forward = blend_forward, .backward = blend_backward};
