/* Convolutions through oneDNN or our own ways; depthwise forward by our own vector kernel. Weights are packed
 * into oneDNN's blocked layout when they have changed since the last use, and not otherwise. */
#include <string.h>

#include "cpu.h"
#include "own.h"

/* Transposed convolution is the adjoint: its output is the big side. */
static int transposed(const bl__step *s) {
    return s->node->op == BL__OP_conv_transpose2d;
}

typedef struct conv {
    bl__conv_spec spec;
    bl__conv *dnn; /* or NULL: */
    const bl__own *own;
    void *packed[2]; /* for forward and backward data of the spec; NULL where it is not needed */
    uint64_t *version[2];
} conv;

static int create(conv *c, bl__step *s, bl_err *err) {
    c->own = bl__own_for(&c->spec);
    if (!c->own) {
        int rc = bl__conv_create(&c->dnn, s->shared, &c->spec, err);
        if (rc >= 0) s->packed_bytes = bl__conv_packed_bytes(c->dnn);
        return rc;
    }
    for (int k = 0; k < 2; k++) {
        if (!(k ? c->spec.backward_data : c->spec.forward)) continue;
        int64_t more =
            bl__shared_pack(s->shared, c->spec.param, k + 1, c->own->data->packed(c->own->way, &c->spec, k),
                            s->plan_only, &c->packed[k], &c->version[k], err);
        if (more < 0) return (int)more;
        s->packed_bytes += more;
    }
    return 0;
}

static int64_t own_scratch(const conv *c) {
    const int64_t data = c->own->data->scratch(c->own->way, &c->spec),
                  weights = c->spec.backward_weights ? c->own->weights_scratch(&c->spec) : 0;
    return BL_MAX(data, weights);
}

static int plan(bl__step *s, bl_err *err) {
    const bl__node *n = s->node;
    int t = transposed(s), bias_in_forward = !t && n->bias >= 0 && !s->no_bias;
    conv *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    s->state = c;
    c->spec = (bl__conv_spec){.big = t ? s->ys : s->xs[0],
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
    int rc = create(c, s, err);
    if (rc < 0) return bl_err_context(err, rc, "layer %s", n->name);
    int64_t bytes = c->dnn ? bl__conv_scratch_bytes(c->dnn) : own_scratch(c);
    s->scratch_floats = (bytes + 3) / 4 + 16;
    /* behind it, a gradient that must be added; our own ways add it themselves */
    if (c->dnn && s->want_dx) s->scratch_floats += bl__elements(s->xs[0]) + 16;
    return 0;
}

static void release(bl__step *s) {
    conv *c = s->state;
    if (c) bl__conv_destroy(&c->dnn);
    bl_free(c);
    s->state = NULL;
}

static void repack(bl__step *s) {
    conv *c = s->state;
    uint64_t now = bl__params_version(s->ps);
    if (c->dnn) {
        bl__conv_pack(c->dnn, s->w, now);
        return;
    }
    void *stale[2] = {NULL, NULL};
    for (int k = 0; k < 2; k++)
        if (c->packed[k] && *c->version[k] != now) stale[k] = c->packed[k], *c->version[k] = now;
    if (stale[0] || stale[1]) c->own->pack(&c->spec, s->w, stale[0], stale[1]);
}

/* small = conv(big) and big = adjoint(small), by whichever way was chosen; add: +=, which oneDNN does not do.
 */
static void to_small(bl__step *s, const void *big, void *small, const float *bias, int add) {
    conv *c = s->state;
    if (c->dnn)
        bl__conv_forward(c->dnn, big, small, bias, s->scratch);
    else
        c->own->data->forward(c->own->way, &c->spec, big, c->packed[0], bias, small, add, s->scratch);
}

static void to_big(bl__step *s, const void *small, void *big, int add) {
    conv *c = s->state;
    if (c->dnn)
        bl__conv_backward_data(c->dnn, small, big, s->scratch);
    else
        c->own->data->backward(c->own->way, &c->spec, small, c->packed[1], big, add, s->scratch);
}

static void add_bias(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    bl__typed_of(s->half_y)->add_bias(bl__at(s->y, from * s->ys.c, s->half_y), s->b, to - from, s->ys.c);
}

static void forward(bl__step *s) {
    repack(s);
    if (!transposed(s)) {
        to_small(s, s->x[0], s->y, s->b, 0);
        return;
    }
    to_big(s, s->x[0], s->y, 0);
    if (s->b) bl_team_split(s->threads, bl__elements(s->ys) / s->ys.c, add_bias, s);
}

static void input_gradient(const bl__back *b) {
    bl__step *s = b->s;
    const conv *c = s->state;
    const int add = (int)(b->add & 1), aside = add && c->dnn;
    float *dx = aside ? s->scratch + s->scratch_floats - bl__elements(s->xs[0]) - 16 : b->dx[0];
    if (transposed(s))
        to_small(s, b->dy, dx, NULL, add);
    else
        to_big(s, b->dy, dx, add);
    if (aside) bl__cpu_accumulate(s->threads, b->dx[0], dx, bl__elements(s->xs[0]), bl__half_x(s, 0));
}

static void weight_gradient(const bl__back *b) {
    bl__step *s = b->s;
    const conv *c = s->state;
    const void *big = transposed(s) ? (const void *)b->dy : s->x[0],
               *small = transposed(s) ? s->x[0] : (const void *)b->dy;
    const int alone = !c->dnn || transposed(s); /* the bias's gradient is not made on the way */
    if (c->dnn)
        bl__conv_backward_weights(c->dnn, big, small, s->dw, alone ? NULL : s->db, s->scratch);
    else
        c->own->backward_weights(&c->spec, big, small, s->dw, s->scratch);
    if (s->db && alone)
        bl__typed_of(s->half_y)->bias_sums(s->db, b->dy, bl__elements(s->ys) / s->ys.c, s->ys.c);
}

static void backward(const bl__back *b) {
    bl__step *s = b->s;
    repack(s);
    if (s->node->act != BL_ACT_NONE && !transposed(s))
        bl__cpu_act_backward(s->threads, b->dy, b->dy, s->y, bl__elements(s->ys), s->node->act, 0, s->half_y);
    if (b->dx[0]) input_gradient(b);
    if (b->params) weight_gradient(b);
}

const bl__kernel bl__cpu_conv = {
    .half = BL__HALF_FREE, .plan = plan, .forward = forward, .backward = backward, .release = release};

/* Rows of all samples' outputs. */
static void depthwise_rows(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    const bl__node *n = s->node;
    for (int64_t r = from; r < to; r++) {
        const int64_t sample = r / s->ys.h;
        const int row = (int)(r % s->ys.h);
        bl__vector()->depthwise(s->y + sample * bl__plane(s->ys) * s->ys.c,
                                s->x[0] + sample * bl__plane(s->xs[0]) * s->xs[0].c, s->w, s->b, s->xs[0],
                                s->ys, n->kh, n->kw, n->sh, n->sw, s->pad, n->act, row, row + 1);
    }
}

static void depthwise_forward(bl__step *s) {
    bl_team_split(s->threads, (int64_t)s->ys.n * s->ys.h, depthwise_rows, s);
}

/* Rows of all samples' input gradients. */
static void depthwise_back_rows(const void *arg, int64_t from, int64_t to) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    const bl__node *n = s->node;
    for (int64_t r = from; r < to; r++) {
        const int64_t sample = r / s->xs[0].h;
        const int row = (int)(r % s->xs[0].h);
        bl__vector()->depthwise_back(b->dx[0] + sample * bl__plane(s->xs[0]) * s->xs[0].c,
                                     b->dy + sample * bl__plane(s->ys) * s->ys.c, s->w, s->xs[0], s->ys,
                                     n->kh, n->kw, n->sh, n->sw, s->pad, b->add & 1, row, row + 1);
    }
}

/* Only the landmark models use depthwise layers, and they are not trained: their weights' gradient is the
 * reference's, the input's (they serve as perceptual networks) is a vector kernel's. */
static void depthwise_backward(const bl__back *b) {
    bl__step *s = b->s;
    if (b->params) {
        bl__ref_kernel(BL__OP_conv2d)->backward(b);
        return;
    }
    bl__cpu_act_backward(s->threads, b->dy, b->dy, s->y, bl__elements(s->ys), s->node->act, 0, 0);
    bl_team_split(s->threads, (int64_t)s->xs[0].n * s->xs[0].h, depthwise_back_rows, b);
}

const bl__kernel bl__cpu_depthwise = {.forward = depthwise_forward, .backward = depthwise_backward};
