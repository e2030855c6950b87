/* One convolution described to oneDNN: which of its primitives do what we want. */
#include <string.h>

#include "onednn_inside.h"

static dnnl_status_t add_eltwise(dnnl_primitive_attr_t attr, bl_act act) {
    dnnl_post_ops_t ops;
    dnnl_alg_kind_t kind = act == BL_ACT_TANH      ? dnnl_eltwise_tanh
                           : act == BL_ACT_SIGMOID ? dnnl_eltwise_logistic
                           : act == BL_ACT_RELU6   ? dnnl_eltwise_clip
                                                   : dnnl_eltwise_relu;
    float alpha = act == BL_ACT_LRELU ? 0.2f : 0, beta = act == BL_ACT_RELU6 ? 6.f : 0;
    dnnl_status_t st = dnnl_post_ops_create(&ops);
    if (st) return st;
#if NEW_API
    st = dnnl_post_ops_append_eltwise(ops, kind, alpha, beta);
#else
    st = dnnl_post_ops_append_eltwise(ops, 1.f, kind, alpha, beta);
#endif
    if (!st) st = dnnl_primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    return st;
}

/* What describes one convolution to oneDNN. */
typedef struct descs {
    bl__desc big, from, small, read, weights, bias;
} descs;

static dnnl_status_t describe_side(bl__desc *d, bl_shape x, int half) {
    dnnl_dims_t dims = {x.n, x.c, x.h, x.w},
                strides = {(dnnl_dim_t)x.h * x.w * x.c, 1, (dnnl_dim_t)x.w * x.c, x.c};
    return bl__desc_strided(d, dims, strides, half ? dnnl_bf16 : dnnl_f32);
}

static dnnl_status_t describe_weights(bl__desc *d, const bl__conv_spec *s, int half) {
    return bl__desc_any(d, (dnnl_dims_t){s->small.c, s->big.c, s->kh, s->kw}, half ? dnnl_bf16 : dnnl_f32);
}

/* What is read is bfloat16; what is written is as it is stored, weight gradients float32. */
static dnnl_status_t describe(descs *d, const bl__conv_spec *s, int stage, int half) {
    dnnl_status_t st = describe_side(&d->big, s->big, half && (stage != 1 || s->big_half));
    if (!st) st = describe_side(&d->from, s->big, half);
    if (!st) st = describe_side(&d->small, s->small, half && (stage || s->small_half));
    if (!st) st = describe_weights(&d->read, s, half);
    if (!st) st = describe_weights(&d->weights, s, half && stage != 2);
    if (!st) st = bl__desc_vector(&d->bias, s->small.c);
    return st;
}

static void release_descs(descs *d) {
    bl__desc_free(&d->big);
    bl__desc_free(&d->from);
    bl__desc_free(&d->small);
    bl__desc_free(&d->read);
    bl__desc_free(&d->weights);
    bl__desc_free(&d->bias);
}

/* stage 0 forward, 1 backward data, 2 backward weights; half: what is read is bfloat16 */
static dnnl_status_t create_pd(dnnl_engine_t e, const bl__conv_spec *s, int stage, int half,
                               bl__desc_ref layout, dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *pd) {
    descs all = {0};
    dnnl_dims_t stride = {s->sh, s->sw}, dilate = {0, 0}, pl = {s->pad.top, s->pad.left};
    dnnl_dims_t pr = {(dnnl_dim_t)(s->small.h - 1) * s->sh + s->kh - s->big.h - s->pad.top,
                      (dnnl_dim_t)(s->small.w - 1) * s->sw + s->kw - s->big.w - s->pad.left};
    dnnl_prop_kind_t prop =
        s->backward_data || s->backward_weights ? dnnl_forward_training : dnnl_forward_inference;
    int bias = stage == 0 ? s->bias : stage == 2;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t st = describe(&all, s, stage, half);
    if (st) goto done;
    bl__desc_ref weights = layout ? layout : DESC(all.weights);
#if NEW_API
    st = dnnl_convolution_forward_primitive_desc_create(stage ? &hint : pd, e, prop, dnnl_convolution_direct,
                                                        all.from, all.read, bias ? all.bias : NULL, all.small,
                                                        stride, dilate, pl, pr, stage ? NULL : attr);
    if (st || !stage) goto done;
    if (stage == 1)
        st = dnnl_convolution_backward_data_primitive_desc_create(
            pd, e, dnnl_convolution_direct, all.big, weights, all.small, stride, dilate, pl, pr, hint, attr);
    else
        st = dnnl_convolution_backward_weights_primitive_desc_create(pd, e, dnnl_convolution_direct, all.big,
                                                                     weights, all.bias, all.small, stride,
                                                                     dilate, pl, pr, hint, attr);
#else
    dnnl_convolution_desc_t d, hint_d;
    st = dnnl_dilated_convolution_forward_desc_init(
        &hint_d, prop, dnnl_convolution_direct, DESC(all.from), stage ? DESC(all.read) : weights,
        bias ? DESC(all.bias) : NULL, DESC(all.small), stride, dilate, pl, pr);
    if (!st) st = dnnl_primitive_desc_create(stage ? &hint : pd, &hint_d, stage ? NULL : attr, e, NULL);
    if (st || !stage) goto done;
    if (stage == 1)
        st = dnnl_dilated_convolution_backward_data_desc_init(
            &d, dnnl_convolution_direct, DESC(all.big), weights, DESC(all.small), stride, dilate, pl, pr);
    else
        st = dnnl_dilated_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, DESC(all.big),
                                                                 weights, DESC(all.bias), DESC(all.small),
                                                                 stride, dilate, pl, pr);
    if (!st) st = dnnl_primitive_desc_create(pd, &d, attr, e, hint);
#endif
done:
    if (hint) dnnl_primitive_desc_destroy(hint);
    release_descs(&all);
    return st;
}

static dnnl_status_t create_attr(const bl__conv_spec *s, int stage, dnnl_primitive_attr_t *attr) {
    dnnl_status_t st = dnnl_primitive_attr_create(attr);
    if (!st) st = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (!st && stage == 0 && s->act != BL_ACT_NONE) st = add_eltwise(*attr, s->act);
    return st;
}

/* Some shapes (few channels) have no bfloat16 kernel of their own, only oneDNN's slow general one: those stay
 * float32. */
static int keep_native(dnnl_primitive_desc_t *pd) {
    const char *kernel = NULL;
    dnnl_status_t st = dnnl_primitive_desc_query(*pd, dnnl_query_impl_info_str, 0, &kernel);
    if (!st && kernel && strstr(kernel, "bf16")) return 1;
    dnnl_primitive_desc_destroy(*pd);
    *pd = NULL;
    return 0;
}

/* oneDNN 2.6's 1x1 kernels without tiles give wrong gradients in bfloat16 where channels do not come in
 * sixteens (64 to 3 channels, 12x40 pixels: off by a third). */
static int trusted(const bl__conv_spec *s) {
    return s->kh * s->kw > 1 || (s->big.c % 16 == 0 && s->small.c % 16 == 0);
}

dnnl_status_t bl__conv_describe(dnnl_primitive_desc_t *pd, dnnl_engine_t e, const bl__conv_spec *s, int stage,
                                int half, bl__desc_ref layout) {
    dnnl_primitive_attr_t attr = NULL;
    if (half && !trusted(s)) return dnnl_unimplemented;
    dnnl_status_t st = create_attr(s, stage, &attr);
    if (!st) st = create_pd(e, s, stage, half, layout, attr, pd);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return !st && half && !keep_native(pd) ? dnnl_unimplemented : st;
}
