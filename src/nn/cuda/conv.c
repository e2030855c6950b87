/*
 * Convolution, transposed convolution and fully connected layer through cuDNN; depthwise from the definition.
 *
 * A side that cuDNN cannot take as it is stored (float32 where it computes in bfloat16, channels that do not
 * come in eights, more padding on one side than on the other) is copied into scratch memory on its way.
 */
#include "dnn.h"

#define EIGHT(c) (((c) + 7) & ~7)
#define ALIGNED(bytes) (((bytes) + 255) & ~(int64_t)255)

typedef struct side {
    bl_shape stored, seen; /* ours; and cuDNN's, with more channels or a border */
    int half, half_seen;
    int copied;
    int top, left; /* of the border */
    int64_t at;    /* bytes in scratch of the copy */
} side;

typedef struct conv {
    side big, small;
    bl__dnn *dnn;
    int packed; /* weights rounded by ourselves, in s->saved */
    int64_t gradient_at, sums_at, workspace_at;
} conv;

/* Transposed convolution is the adjoint: its output is the big side. */
static int transposed(const bl__step *s) {
    return s->node->op == BL__OP_conv_transpose2d;
}

static int taps(const bl__step *s) {
    return s->node->kh * s->node->kw;
}

/* ---- planning ---- */
static side side_of(bl_shape stored, int stored_half, int half) {
    side x = {.stored = stored, .seen = stored, .half = stored_half, .half_seen = half};
    if (half) x.seen.c = EIGHT(stored.c);
    x.copied = stored_half != half || x.seen.c != stored.c;
    return x;
}

/* Does padding alike on both sides see the same? Else the big side gets its border in the copy. */
static void choose_border(conv *c, const bl__step *s, bl__dnn_spec *spec) {
    const bl__node *n = s->node;
    const bl_shape b = c->big.stored, t = c->small.stored;
    const int alike = b.h + 2 * s->pad.top >= n->kh && b.w + 2 * s->pad.left >= n->kw &&
                      (b.h + 2 * s->pad.top - n->kh) / n->sh + 1 == t.h &&
                      (b.w + 2 * s->pad.left - n->kw) / n->sw + 1 == t.w;
    spec->pad_h = alike ? s->pad.top : 0;
    spec->pad_w = alike ? s->pad.left : 0;
    if (!alike) {
        c->big.copied = 1;
        c->big.top = s->pad.top;
        c->big.left = s->pad.left;
        c->big.seen.h = (t.h - 1) * n->sh + n->kh;
        c->big.seen.w = (t.w - 1) * n->sw + n->kw;
    }
}

static int64_t bytes_of(const side *x) {
    return x->copied ? ALIGNED(bl__elements(x->seen) * (int64_t)bl__size(x->half_seen)) : 0;
}

static void lay_out(conv *c, bl__step *s, int half) {
    const int64_t weights = (int64_t)c->small.seen.c * taps(s) * c->big.seen.c;
    const int64_t sums =
        s->want_dw ? bl__cuda_columns_scratch(1, bl__elements(s->ys) / s->ys.c, s->ys.c, 1) : 0;
    c->small.at = bytes_of(&c->big);
    c->gradient_at = c->small.at + bytes_of(&c->small);
    c->sums_at = c->gradient_at + (half && s->want_dw ? ALIGNED(2 * weights) : 0);
    c->workspace_at = c->sums_at + ALIGNED(sums * (int64_t)sizeof(float));
    s->scratch_floats = (c->workspace_at + bl__dnn_workspace(c->dnn)) / (int64_t)sizeof(float) + 64;
    c->packed =
        half && (!s->w_half || c->small.seen.c != c->small.stored.c || c->big.seen.c != c->big.stored.c);
    if (c->packed) s->saved_floats = (weights + 1) / 2;
}

static int plan(bl__step *s, bl_err *err) {
    const bl__node *n = s->node;
    const int t = transposed(s), half = s->precision == BL_BF16, dx = (int)(s->want_dx & 1);
    conv *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    s->state = c;
    c->big = t ? side_of(s->ys, s->half_y, half) : side_of(s->xs[0], bl__half_x(s, 0), half);
    c->small = t ? side_of(s->xs[0], bl__half_x(s, 0), half) : side_of(s->ys, s->half_y, half);
    bl__dnn_spec spec = {.kh = n->kh,
                         .kw = n->kw,
                         .sh = n->sh,
                         .sw = n->sw,
                         .half = half,
                         .wanted = {t ? dx : 1, t ? 1 : dx, s->want_dw}};
    choose_border(c, s, &spec);
    spec.big = c->big.seen;
    spec.small = c->small.seen;
    int rc = bl__dnn_create(&c->dnn, s->device, &spec, err);
    if (rc < 0) return bl_err_context(err, rc, "layer %s", n->name);
    lay_out(c, s, half);
    return 0;
}

static void release(bl__step *s) {
    conv *c = s->state;
    if (c) bl__dnn_destroy(&c->dnn);
    bl_free(c);
    s->state = NULL;
}

static void refresh(bl__step *s) {
    const conv *c = s->state;
    if (c->packed)
        bl__cuda_pack_weights(s->device, (uint16_t *)(void *)s->saved, s->w, c->small.seen.c, c->big.seen.c,
                              c->small.stored.c, c->big.stored.c, taps(s));
}

/* ---- running ---- */
static void *scratch(const bl__step *s, int64_t at) {
    return (unsigned char *)s->scratch + at;
}

static bl__cuda_picture stored(const side *x, const void *p) {
    return (bl__cuda_picture){.p = (void *)p, .half = x->half, .shape = x->stored, .pitch = x->stored.c};
}

static bl__cuda_picture copy_of(const bl__step *s, const side *x) {
    return (bl__cuda_picture){
        .p = scratch(s, x->at), .half = x->half_seen, .shape = x->seen, .pitch = x->seen.c};
}

/* As cuDNN reads it. */
static const void *enter(const bl__step *s, const side *x, const void *p) {
    if (!x->copied) return p;
    bl__cuda_copy(s->device, copy_of(s, x), stored(x, p),
                  (bl__cuda_copy_how){.top = x->top, .left = x->left});
    return scratch(s, x->at);
}

/* What cuDNN wrote into the copy, to where it belongs. */
static void leave(const bl__step *s, const side *x, void *p, bl__cuda_copy_how how) {
    if (x->copied) {
        how.top = -x->top;
        how.left = -x->left;
        bl__cuda_copy(s->device, stored(x, p), copy_of(s, x), how);
    } else if (how.bias || how.act != BL_ACT_NONE) {
        bl__cuda_bias_act(s->device, p, x->half, bl__elements(x->stored) / x->stored.c, x->stored.c, how.bias,
                          how.act);
    }
}

static const void *weights(const bl__step *s) {
    const conv *c = s->state;
    if (c->packed) return s->saved;
    return s->precision == BL_BF16 ? (const void *)s->w_half : s->w;
}

static bl__cuda_direct direct(const bl__step *s, const void *big, const void *small) {
    const conv *c = s->state;
    const bl__node *n = s->node;
    return (bl__cuda_direct){.big = stored(&c->big, big),
                             .small = stored(&c->small, small),
                             .w = s->w,
                             .kh = n->kh,
                             .kw = n->kw,
                             .sh = n->sh,
                             .sw = n->sw,
                             .pad = s->pad};
}

static void to_small(const bl__step *s, const void *big, void *small, bl__cuda_copy_how how) {
    const conv *c = s->state;
    if (bl__dnn_can(c->dnn, BL__TO_SMALL)) {
        const void *from = enter(s, &c->big, big);
        void *to = c->small.copied ? scratch(s, c->small.at) : small;
        if (bl__dnn_to_small(c->dnn, from, weights(s), to, how.add && !c->small.copied,
                             scratch(s, c->workspace_at))) {
            leave(s, &c->small, small, how);
            return;
        }
    }
    const bl__cuda_direct d = direct(s, big, small);
    bl__cuda_direct_small(s->device, &d, how);
}

static void to_big(const bl__step *s, const void *small, void *big, bl__cuda_copy_how how) {
    const conv *c = s->state;
    if (bl__dnn_can(c->dnn, BL__TO_BIG)) {
        const void *from = enter(s, &c->small, small);
        void *to = c->big.copied ? scratch(s, c->big.at) : big;
        if (bl__dnn_to_big(c->dnn, from, weights(s), to, how.add && !c->big.copied,
                           scratch(s, c->workspace_at))) {
            leave(s, &c->big, big, how);
            return;
        }
    }
    const bl__cuda_direct d = direct(s, big, small);
    bl__cuda_direct_big(s->device, &d, how);
}

static void forward(bl__step *s) {
    const bl__cuda_copy_how how = {.bias = s->b, .act = transposed(s) ? BL_ACT_NONE : s->node->act};
    (transposed(s) ? to_big : to_small)(s, s->x[0], s->y, how);
}

/* Float32 is added in place; a rounded gradient is made beside and then added. */
static int weights_by_cudnn(const bl__step *s, const void *big, const void *small) {
    const conv *c = s->state;
    const int half = s->precision == BL_BF16;
    if (!bl__dnn_can(c->dnn, BL__TO_WEIGHTS)) return 0;
    const void *b = enter(s, &c->big, big), *t = enter(s, &c->small, small);
    void *to = half ? scratch(s, c->gradient_at) : s->dw;
    if (!bl__dnn_to_weights(c->dnn, b, t, to, !half, scratch(s, c->workspace_at))) return 0;
    if (half)
        bl__cuda_unpack_weights(s->device, s->dw, to, c->big.seen.c, c->small.stored.c, c->big.stored.c,
                                taps(s));
    return 1;
}

static void weight_gradient(const bl__step *s, const void *big, const void *small) {
    if (weights_by_cudnn(s, big, small)) return;
    const bl__cuda_direct d = direct(s, big, small);
    bl__cuda_direct_weights(s->device, &d, s->dw);
}

static void bias_gradient(const bl__back *b, int64_t sums_at) {
    const bl__step *s = b->s;
    if (s->db)
        bl__cuda_bias_grad(s->device, s->db, b->dy, s->half_y, bl__elements(s->ys) / s->ys.c, s->ys.c,
                           scratch(s, sums_at));
}

static void backward(const bl__back *b) {
    const bl__step *s = b->s;
    const conv *c = s->state;
    const int t = transposed(s);
    const bl__cuda_copy_how how = {.add = (int)(b->add & 1)};
    if (!t && s->node->act != BL_ACT_NONE)
        bl__cuda_act_back(s->device, b->dy, s->y, s->half_y, bl__elements(s->ys), s->node->act);
    if (b->params) {
        weight_gradient(s, t ? (const void *)b->dy : s->x[0], t ? s->x[0] : (const void *)b->dy);
        bias_gradient(b, c->sums_at);
    }
    if (b->dx[0]) (t ? to_small : to_big)(s, b->dy, b->dx[0], how);
}

const bl__kernel bl__cuda_conv = {.half = BL__HALF_FREE,
                                  .plan = plan,
                                  .forward = forward,
                                  .backward = backward,
                                  .refresh = refresh,
                                  .release = release};

/* ---- depthwise ---- */
static bl__cuda_direct depthwise(const bl__step *s, const void *x, const void *y) {
    const bl__node *n = s->node;
    return (bl__cuda_direct){
        .big = {.p = (void *)x, .half = bl__half_x(s, 0), .shape = s->xs[0], .pitch = s->xs[0].c},
        .small = {.p = (void *)y, .half = s->half_y, .shape = s->ys, .pitch = s->ys.c},
        .w = s->w,
        .kh = n->kh,
        .kw = n->kw,
        .sh = n->sh,
        .sw = n->sw,
        .pad = s->pad,
        .depthwise = 1};
}

static int depthwise_plan(bl__step *s, bl_err *err) {
    (void)err;
    s->scratch_floats =
        s->want_dw ? bl__cuda_columns_scratch(1, bl__elements(s->ys) / s->ys.c, s->ys.c, 1) : 0;
    return 0;
}

static void depthwise_forward(bl__step *s) {
    const bl__cuda_direct d = depthwise(s, s->x[0], s->y);
    bl__cuda_direct_small(s->device, &d, (bl__cuda_copy_how){.bias = s->b, .act = s->node->act});
}

static void depthwise_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (s->node->act != BL_ACT_NONE)
        bl__cuda_act_back(s->device, b->dy, s->y, s->half_y, bl__elements(s->ys), s->node->act);
    if (b->params) {
        const bl__cuda_direct d = depthwise(s, s->x[0], b->dy);
        bl__cuda_direct_weights(s->device, &d, s->dw);
        bias_gradient(b, 0);
    }
    if (b->dx[0]) {
        const bl__cuda_direct d = depthwise(s, b->dx[0], b->dy);
        bl__cuda_direct_big(s->device, &d, (bl__cuda_copy_how){.add = (int)(b->add & 1)});
    }
}

const bl__kernel bl__cuda_depthwise = {.half = BL__HALF_FREE,
                                       .plan = depthwise_plan,
                                       .forward = depthwise_forward,
                                       .backward = depthwise_backward};
