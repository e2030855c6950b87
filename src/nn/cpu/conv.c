/* Convolutions through oneDNN; depthwise forward by our own vector kernel. Weights are packed into oneDNN's
 * blocked layout when they have changed since the last use, and not otherwise. */
#include <string.h>

#include "cpu.h"
#include "onednn.h"

/* Transposed convolution is the adjoint: its output is the big side. */
static int transposed(const bl__step *s) {
    return s->node->op == BL__OP_conv_transpose2d;
}

static int plan(bl__step *s, bl_err *err) {
    const bl__node *n = s->node;
    int t = transposed(s), bias_in_forward = !t && n->bias >= 0 && !s->no_bias;
    bl__conv_spec spec = {.big = t ? s->ys : s->xs[0],
                          .small = t ? s->xs[0] : s->ys,
                          .kh = n->kh,
                          .kw = n->kw,
                          .sh = n->sh,
                          .sw = n->sw,
                          .pad = s->pad,
                          .act = t ? BL_ACT_NONE : n->act,
                          .bias = bias_in_forward,
                          .forward = t ? (s->want_dx & 1) : 1,
                          .backward_data = t ? 1 : (s->want_dx & 1),
                          .backward_weights = s->want_dw,
                          .half = s->precision == BL_BF16,
                          .big_half = t ? s->half_y : bl__half_x(s, 0),
                          .small_half = t ? bl__half_x(s, 0) : s->half_y,
                          .threads = s->threads,
                          .plan_only = s->plan_only};
    bl__conv *c = NULL;
    int rc = bl__conv_create(&c, &spec, err);
    if (rc < 0) return bl_err_context(err, rc, "layer %s", n->name);
    s->state = c;
    s->packed_bytes = bl__conv_packed_bytes(c);
    int64_t own = (bl__conv_scratch_bytes(c) + 3) / 4 + 16;
    s->scratch_floats =
        own + (s->want_dx ? bl__elements(s->xs[0]) + 16 : 0); /* a gradient that must be added */
    return 0;
}

static void release(bl__step *s) {
    bl__conv *c = s->state;
    bl__conv_destroy(&c);
    s->state = NULL;
}

static void repack(bl__step *s) {
    uint64_t version = bl__params_version(s->ps);
    if (s->packed_version == version) return;
    bl__conv_pack(s->state, s->w, s->scratch);
    s->packed_version = version;
}

static void forward(bl__step *s) {
    repack(s);
    if (!transposed(s)) {
        bl__conv_forward(s->state, s->x[0], s->y, s->b, s->scratch);
        return;
    }
    bl__conv_backward_data(s->state, s->x[0], s->y, s->scratch);
    if (!s->b) return;
    int64_t pixels = bl__elements(s->ys) / s->ys.c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int k = 0; k < s->threads; k++) {
        int64_t a = bl__share(pixels, s->threads, k), e = bl__share(pixels, s->threads, k + 1);
        bl__typed_of(s->half_y)->add_bias(bl__at(s->y, a * s->ys.c, s->half_y), s->b, e - a, s->ys.c);
    }
}

static void backward(const bl__back *b) {
    bl__step *s = b->s;
    int t = transposed(s), half = bl__half_x(s, 0);
    float *scratch_dx = s->scratch + s->scratch_floats - bl__elements(s->xs[0]) - 16;
    repack(s);
    if (s->node->act != BL_ACT_NONE && !t)
        bl__cpu_act_backward(s->threads, b->dy, b->dy, s->y, bl__elements(s->ys), s->node->act, 0, s->half_y);
    if (b->dx[0]) {
        float *dx = b->add & 1 ? scratch_dx : b->dx[0];
        if (t)
            bl__conv_forward(s->state, b->dy, dx, NULL, s->scratch);
        else
            bl__conv_backward_data(s->state, b->dy, dx, s->scratch);
        if (b->add & 1) bl__cpu_accumulate(s->threads, b->dx[0], dx, bl__elements(s->xs[0]), half);
    }
    if (!b->params) return;
    if (t) {
        bl__conv_backward_weights(s->state, b->dy, s->x[0], s->dw, NULL, s->scratch);
        if (s->db)
            bl__typed_of(s->half_y)->bias_sums(s->db, b->dy, bl__elements(s->ys) / s->ys.c, s->ys.c);
    } else
        bl__conv_backward_weights(s->state, s->x[0], b->dy, s->dw, s->db, s->scratch);
}

const bl__kernel bl__cpu_conv = {
    .half = BL__HALF_FREE, .plan = plan, .forward = forward, .backward = backward, .release = release};

static void depthwise_forward(bl__step *s) {
    const bl__node *n = s->node;
    const bl__vector_table *v = bl__vector();
    for (int b = 0; b < s->ys.n; b++) {
        const float *x = s->x[0] + b * bl__plane(s->xs[0]) * s->xs[0].c;
        float *y = s->y + b * bl__plane(s->ys) * s->ys.c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
        for (int row = 0; row < s->ys.h; row++)
            v->depthwise(y, x, s->w, s->b, s->xs[0], s->ys, n->kh, n->kw, n->sh, n->sw, s->pad, n->act, row,
                         row + 1);
    }
}

/* Only the landmark models use depthwise layers, and they are not trained: their weights' gradient is the
 * reference's, the input's (they serve as perceptual networks) is a vector kernel's. */
static void depthwise_backward(const bl__back *b) {
    bl__step *s = b->s;
    const bl__node *n = s->node;
    const bl__vector_table *v = bl__vector();
    if (b->params) {
        bl__ref_kernel(BL__OP_conv2d)->backward(b);
        return;
    }
    bl__cpu_act_backward(s->threads, b->dy, b->dy, s->y, bl__elements(s->ys), n->act, 0, 0);
    for (int k = 0; k < s->ys.n; k++) {
        float *dx = b->dx[0] + k * bl__plane(s->xs[0]) * s->xs[0].c;
        const float *dy = b->dy + k * bl__plane(s->ys) * s->ys.c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
        for (int row = 0; row < s->xs[0].h; row++)
            v->depthwise_back(dx, dy, s->w, s->xs[0], s->ys, n->kh, n->kw, n->sh, n->sw, s->pad, b->add & 1,
                              row, row + 1);
    }
}

const bl__kernel bl__cpu_depthwise = {.forward = depthwise_forward, .backward = depthwise_backward};
