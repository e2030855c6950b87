/* Convolutions through oneDNN; depthwise forward by our own vector kernel. Weights are packed into oneDNN's
 * blocked layout when they have changed since the last use, and not otherwise. */
#include <string.h>

#include "cpu.h"
#include "onednn.h"
#include "tiles.h"

/* Transposed convolution is the adjoint: its output is the big side. */
static int transposed(const bl__step *s) {
    return s->node->op == BL__OP_conv_transpose2d;
}

typedef struct conv {
    bl__conv *dnn;
    bl__conv_spec spec;
    int tiles; /* the weight gradient goes through tiles */
} conv;

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
                          .param = n->weight,
                          .plan_only = s->plan_only};
    conv *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    s->state = c;
    c->tiles = s->want_dw && bl__tiles_fit(&spec);
    if (c->tiles) spec.backward_weights = 0;
    c->spec = spec;
    int rc = bl__conv_create(&c->dnn, s->shared, &spec, err);
    if (rc < 0) return bl_err_context(err, rc, "layer %s", n->name);
    s->packed_bytes = bl__conv_packed_bytes(c->dnn);
    int64_t bytes = BL_MAX(bl__conv_scratch_bytes(c->dnn), c->tiles ? bl__tiles_scratch_bytes(&spec) : 0);
    /* behind it, a gradient that must be added */
    s->scratch_floats = (bytes + 3) / 4 + 16 + (s->want_dx ? bl__elements(s->xs[0]) + 16 : 0);
    return 0;
}

static void release(bl__step *s) {
    conv *c = s->state;
    if (c) bl__conv_destroy(&c->dnn);
    bl_free(c);
    s->state = NULL;
}

static bl__conv *dnn(const bl__step *s) {
    const conv *c = s->state;
    return c->dnn;
}

static void repack(bl__step *s) {
    bl__conv_pack(dnn(s), s->w, bl__params_version(s->ps));
}

static void forward(bl__step *s) {
    repack(s);
    if (!transposed(s)) {
        bl__conv_forward(dnn(s), s->x[0], s->y, s->b, s->scratch);
        return;
    }
    bl__conv_backward_data(dnn(s), s->x[0], s->y, s->scratch);
    if (!s->b) return;
    int64_t pixels = bl__elements(s->ys) / s->ys.c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int k = 0; k < s->threads; k++) {
        int64_t a = bl__share(pixels, s->threads, k), e = bl__share(pixels, s->threads, k + 1);
        bl__typed_of(s->half_y)->add_bias(bl__at(s->y, a * s->ys.c, s->half_y), s->b, e - a, s->ys.c);
    }
}

static void weight_gradient(const bl__back *b) {
    bl__step *s = b->s;
    const conv *c = s->state;
    const void *big = transposed(s) ? (const void *)b->dy : s->x[0],
               *small = transposed(s) ? s->x[0] : (const void *)b->dy;
    int alone = c->tiles || transposed(s); /* the bias's gradient is not made on the way */
    if (c->tiles)
        bl__tiles_backward_weights(&c->spec, big, small, s->dw, s->scratch);
    else
        bl__conv_backward_weights(c->dnn, big, small, s->dw, alone ? NULL : s->db, s->scratch);
    if (s->db && alone)
        bl__typed_of(s->half_y)->bias_sums(s->db, b->dy, bl__elements(s->ys) / s->ys.c, s->ys.c);
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
            bl__conv_forward(dnn(s), b->dy, dx, NULL, s->scratch);
        else
            bl__conv_backward_data(dnn(s), b->dy, dx, s->scratch);
        if (b->add & 1) bl__cpu_accumulate(s->threads, b->dx[0], dx, bl__elements(s->xs[0]), half);
    }
    if (b->params) weight_gradient(b);
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
