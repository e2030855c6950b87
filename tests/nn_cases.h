/*
 * Every operator in a small network of its own: for the tests that hold a backend to the plain reference.
 *
 * Inputs are made by a fully connected layer from the constant 1, so that its bias gradient is the input's
 * gradient.
 */
#ifndef BALLERINO_TEST_NN_CASES_H
#define BALLERINO_TEST_NN_CASES_H

#include <math.h>

#include "ballerino/nn.h"
#include "support.h"

typedef struct op_case {
    const char *name;
    int inputs;
    bl_shape in[3];
    bl_value (*build)(bl_graph *g, const bl_value *x);
} op_case;

typedef struct run_as {
    int reference;
    bl_precision precision;
    bl_device *device;
    int batch;  /* 0 = 1 */
    int exact;  /* all parameters are multiples of 1/16: bfloat16 holds them and the inputs they make */
    int hidden; /* the output is a copy, so that the operator's own value is stored as the backend likes */
    int poison;
    int threads; /* 0 = 2 */
} run_as;

typedef struct run {
    bl_params *ps;
    bl_graph *g;
    bl_program *p;
    bl_value one, y, loss;
} run;

/* How far n values are from what they should be. */
typedef struct error_sums {
    double largest; /* value that should be, at least 1e-3: inert biases have gradients of rounding only */
    double worst;   /* difference; no number at all counts as 1e9 */
    double square, error; /* sums: of what should be, squared; of the differences, squared */
} error_sums;

static inline error_sums sum_errors(const float *a, const float *b, int64_t n) {
    error_sums e = {.largest = 1e-3};
    for (int64_t i = 0; i < n; i++) {
        const double d = isfinite(a[i]) ? fabs((double)a[i] - b[i]) : 1e9;
        e.largest = fmax(e.largest, fabs((double)b[i]));
        e.worst = fmax(e.worst, d);
        e.square += (double)b[i] * b[i];
        e.error += d * d;
    }
    return e;
}

/* In a batch of two the second sample is made with -1/2. */
static inline float drawn(bl_rng *rng, int exact) {
    float x = (float)bl_rng_normal(rng) * 0.5f;
    return exact ? rintf(fminf(fmaxf(x, -2), 2) * 16) / 16 : x;
}

static inline void draw(run *r, const run_as *as) {
    bl_rng rng;
    bl_rng_seed(&rng, 99);
    for (int i = 0; i < bl_params_count(r->ps); i++) {
        float *w = bl_params_data(r->ps, i, BL_SLAB_WEIGHT);
        const char *name = bl_params_name(r->ps, i);
        for (int64_t k = 0; k < bl_params_size(r->ps, i); k++) {
            w[k] = drawn(&rng, as->exact);
            if (!strstr(name, "in2")) continue;
            w[k] = fabsf(w[k]) + (as->exact ? 0.125f : 0.1f); /* third inputs are loss weights: positive */
            if (as->batch > 1 && strstr(name, "weight")) w[k] = 0;
        }
    }
}

static inline void start_as(run *r, const op_case *c, run_as as) {
    bl_err err = {0};
    bl_value x[3], one;
    memset(r, 0, sizeof *r);
    assert_ok(bl_params_create(&r->ps, &err));
    assert_ok(bl_graph_create(&r->g, r->ps, &err));
    one = bl_input(r->g, "one", 1);
    for (int i = 0; i < c->inputs; i++) {
        char name[16];
        bl_shape s = c->in[i];
        snprintf(name, sizeof name, "in%d", i);
        x[i] = bl_reshape(r->g, bl_fully_connected(r->g, one, name, s.h * s.w * s.c, BL_ACT_NONE), s.h, s.w,
                          s.c);
    }
    r->y = c->build(r->g, x);
    if (as.hidden) r->y = bl_affine(r->g, r->y, 1, 0);
    r->loss = bl_loss_mse_to(r->g, r->y, 0.3f);
    assert_ok(bl_params_freeze(r->ps, "frozen.", &err));
    if (as.device) assert_ok(bl_params_place(r->ps, as.device, &err));
    assert_ok(bl_params_seal(r->ps, 1, 1, &err));
    draw(r, &as);
    bl_value outputs[1] = {r->y};
    assert_ok(
        bl_program_compile(&r->p, r->g,
                           &(bl_program_options){.inputs = &(bl_input_shape){one, as.batch > 1 ? 2 : 1, 1, 1},
                                                 .n_inputs = 1,
                                                 .outputs = outputs,
                                                 .n_outputs = 1,
                                                 .objectives = &(bl_objective){r->loss, ""},
                                                 .n_objectives = 1,
                                                 .reference = as.reference,
                                                 .precision = as.precision,
                                                 .poison = as.poison,
                                                 .threads = as.threads ? as.threads : 2},
                           &err));
    r->one = one;
    float *in = bl_program_buffer(r->p, one);
    in[0] = 1;
    if (as.batch > 1) in[1] = -0.5f;
}

static inline double loss_of(run *r) {
    bl_err err = {0};
    bl_params_touch(r->ps);
    assert_ok(bl_program_forward(r->p, &err));
    return bl_program_buffer(r->p, r->loss)[0];
}

static inline void stop(run *r) {
    bl_program_destroy(&r->p);
    bl_graph_destroy(&r->g);
    bl_params_destroy(&r->ps);
}

#define BUILD(name, expression)                                                                              \
    static inline bl_value name(bl_graph *g, const bl_value *x) {                                            \
        return expression;                                                                                   \
    }

BUILD(conv3,
      bl_conv2d(g, x[0], &(bl_conv2d_args){.name = "c", .out = 5, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1)}))
BUILD(conv3_relu,
      bl_conv2d(g, x[0],
                &(bl_conv2d_args){
                    .name = "c", .out = 16, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1), .act = BL_ACT_RELU}))
BUILD(conv3_lrelu,
      bl_conv2d(g, x[0],
                &(bl_conv2d_args){
                    .name = "c", .out = 20, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1), .act = BL_ACT_LRELU}))
BUILD(conv4_stride2,
      bl_conv2d(g, x[0],
                &(bl_conv2d_args){
                    .name = "c", .out = 8, .kh = 4, .kw = 4, .sh = 2, .sw = 2, .pad = BL_PAD_SAME(2)}))
BUILD(conv7_tanh,
      bl_conv2d(g, x[0],
                &(bl_conv2d_args){
                    .name = "c", .out = 3, .kh = 7, .kw = 7, .pad = BL_PAD_SAME(3), .act = BL_ACT_TANH}))
BUILD(conv_same,
      bl_conv2d(
          g, x[0],
          &(bl_conv2d_args){
              .name = "c", .out = 4, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .tf_same = 1, .act = BL_ACT_RELU6}))
BUILD(conv1, bl_conv2d(g, x[0], &(bl_conv2d_args){.name = "c", .out = 17, .kh = 1, .kw = 1, .no_bias = 1}))
BUILD(depthwise3,
      bl_conv2d(g, x[0],
                &(bl_conv2d_args){
                    .name = "c", .kh = 3, .kw = 3, .depthwise = 1, .tf_same = 1, .act = BL_ACT_RELU6}))
BUILD(depthwise5,
      bl_conv2d(g, x[0],
                &(bl_conv2d_args){
                    .name = "c", .kh = 5, .kw = 5, .sh = 2, .sw = 2, .depthwise = 1, .tf_same = 1}))
#define DEPTHWISE(k, stride, activation)                                                                     \
    &(bl_conv2d_args) {                                                                                      \
        .name = "frozen.d", .depthwise = 1, .kh = k, .kw = k, .sh = stride, .sw = stride, .tf_same = 1,      \
        .act = activation                                                                                    \
    }
BUILD(frozen_depthwise, bl_conv2d(g, x[0], DEPTHWISE(3, 1, BL_ACT_NONE)))
BUILD(frozen_depthwise_stride2, bl_conv2d(g, x[0], DEPTHWISE(5, 2, BL_ACT_RELU6)))
BUILD(frozen_depthwise_twice, bl_add(g, x[0], bl_conv2d(g, x[0], DEPTHWISE(3, 1, BL_ACT_RELU)), BL_ACT_NONE))
BUILD(frozen_conv, bl_conv2d(g, x[0], &(bl_conv2d_args){.name = "frozen.c", .out = 7, .kh = 1, .kw = 1}))
BUILD(frozen_prelu, bl_prelu(g, x[0], "frozen.p"))
BUILD(frozen_prelu_twice, bl_add(g, x[0], bl_prelu(g, x[0], "frozen.p"), BL_ACT_NONE))
BUILD(transposed,
      bl_conv_transpose2d(g, x[0],
                          &(bl_conv_transpose2d_args){
                              .name = "c", .out = 6, .k = 3, .stride = 2, .pad = 1, .out_pad = 1}))
BUILD(fully, bl_fully_connected(g, bl_mean(g, x[0]), "fc", 7, BL_ACT_SIGMOID))
BUILD(norm, bl_mul(g, bl_norm_act(g, x[0], BL_NONE, BL_ACT_NONE), x[1]))
BUILD(norm_lrelu, bl_norm_act(g, x[0], BL_NONE, BL_ACT_LRELU))
BUILD(norm_residual, bl_norm_act(g, x[0], x[1], BL_ACT_RELU))
BUILD(norm_affine, bl_norm_affine_act(g, x[0], "n", x[1], BL_ACT_LRELU))
BUILD(sigmoid, bl_activation(g, x[0], BL_ACT_SIGMOID))
BUILD(tanh_op, bl_activation(g, x[0], BL_ACT_TANH))
BUILD(prelu, bl_prelu(g, x[0], "p"))
BUILD(add_relu6, bl_add(g, x[0], x[1], BL_ACT_RELU6))
BUILD(add_itself, bl_add(g, x[0], x[0], BL_ACT_NONE))
BUILD(mul_same, bl_mul(g, x[0], x[1]))
BUILD(affine, bl_affine(g, x[0], -1.5f, 0.25f))
BUILD(concat, bl_concat(g, x, 3))
BUILD(concat_rows, bl_concat_rows(g, x, 2))
BUILD(slice, bl_slice(g, x[0], 2, 3))
BUILD(pad_zero, bl_pad_zero(g, x[0], ((bl_pad){1, 2, 3, 0}), 2))
BUILD(pad_reflect, bl_pad_reflect(g, x[0], ((bl_pad){3, 2, 1, 3})))
BUILD(resize, bl_resize_bilinear(g, x[0], 13, 9))
BUILD(upsample, bl_upsample2(g, x[0]))
BUILD(max_pool, bl_max_pool(g, x[0], 2, 2, 0))
BUILD(max_pool_same, bl_max_pool(g, x[0], 2, 2, 1))
BUILD(max_pool_overlapping, bl_max_pool(g, x[0], 3, 2, 0))
BUILD(max_pool_ceil, bl_max_pool_ceil(g, x[0], 3, 2))
BUILD(avg_pool, bl_avg_pool(g, x[0], 3, 2, 1))
BUILD(mean, bl_mean(g, x[0]))
BUILD(depth_to_space, bl_depth_to_space(g, x[0], 2))
BUILD(blend, bl_blend(g, x[0], x[1], x[2]))
BUILD(translate, bl_translate(g, x[0], bl_affine(g, x[1], 4, 0)))
BUILD(colour, bl_colour(g, x[0], x[1]))
BUILD(l1, bl_loss_l1(g, x[0], x[1], BL_NONE))
BUILD(l1_weighted, bl_loss_l1(g, x[0], x[1], x[2]))
BUILD(mse, bl_loss_mse_to(g, x[0], 1))
BUILD(hinge, bl_loss_hinge(g, x[0], -1))
BUILD(ssim, bl_loss_ssim(g, x[0], x[1], BL_NONE, 2))
BUILD(ssim_weighted, bl_loss_ssim(g, x[0], x[1], x[2], 2))

static inline bl_value residual_block(bl_graph *g,
                                      const bl_value *x) { /* several consumers, views, shared weights */
    bl_conv2d_args a = {.name = "c", .out = 16, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1)};
    bl_value h = bl_norm_act(g, bl_conv2d(g, x[0], &a), BL_NONE, BL_ACT_RELU);
    h = bl_norm_act(g, bl_conv2d(g, h, &a), x[0], BL_ACT_NONE);
    return bl_add(g, h, bl_reshape(g, bl_reshape(g, h, 4, 12, 16), 8, 6, 16), BL_ACT_LRELU);
}

/* Between a projection in and one out, so that what lies between is stored as the backend likes. */
static inline bl_value projected(bl_graph *g, bl_value x, const char *name, int out) {
    return bl_conv2d(g, x, &(bl_conv2d_args){.name = name, .out = out, .kh = 1, .kw = 1, .init_scale = 0.2f});
}

static inline bl_value wide_conv(bl_graph *g, const bl_value *x, int k, int stride, int pad, bl_act act) {
    bl_value h = projected(g, x[0], "in", 32);
    bl_value y = bl_conv2d(g, h,
                           &(bl_conv2d_args){.name = "c",
                                             .out = 64,
                                             .kh = k,
                                             .kw = k,
                                             .sh = stride,
                                             .sw = stride,
                                             .pad = BL_PAD_SAME(pad),
                                             .act = act,
                                             .init_scale = 0.05f});
    return projected(g, y, "out", 3);
}

/* Into few channels, as a last layer does. */
static inline bl_value narrow_conv(bl_graph *g, const bl_value *x, int k, int pad, int out, bl_act act) {
    bl_conv2d_args a = {
        .name = "c", .out = out, .kh = k, .kw = k, .pad = BL_PAD_SAME(pad), .act = act, .init_scale = 0.1f};
    return bl_conv2d(g, projected(g, x[0], "in", 24), &a);
}
BUILD(narrow_conv3, narrow_conv(g, x, 3, 1, 4, BL_ACT_LRELU))
BUILD(narrow_conv4, narrow_conv(g, x, 4, 2, 1, BL_ACT_NONE))
BUILD(narrow_conv7, narrow_conv(g, x, 7, 3, 3, BL_ACT_RELU))

BUILD(wide_conv3, wide_conv(g, x, 3, 1, 1, BL_ACT_NONE))
BUILD(wide_conv3_valid, wide_conv(g, x, 3, 1, 0, BL_ACT_RELU))
BUILD(wide_conv4, wide_conv(g, x, 4, 1, 2, BL_ACT_LRELU))
BUILD(wide_conv1, wide_conv(g, x, 1, 1, 0, BL_ACT_NONE))
BUILD(wide_conv7, wide_conv(g, x, 7, 1, 3, BL_ACT_NONE))
BUILD(wide_down3, wide_conv(g, x, 3, 2, 1, BL_ACT_NONE))
BUILD(wide_down4, wide_conv(g, x, 4, 2, 2, BL_ACT_LRELU))
BUILD(wide_down2, wide_conv(g, x, 2, 2, 0, BL_ACT_NONE))

/* Weights enough to be brought to another layout in slices. */
static inline bl_value wide_to_256(bl_graph *g, const bl_value *x, int stride) {
    bl_conv2d_args a = {.name = "c",
                        .out = 256,
                        .kh = 3,
                        .kw = 3,
                        .sh = stride,
                        .sw = stride,
                        .pad = BL_PAD_SAME(1),
                        .init_scale = 0.05f};
    return projected(g, bl_conv2d(g, projected(g, x[0], "in", 64), &a), "out", 3);
}
BUILD(wide_many, wide_to_256(g, x, 1))
BUILD(wide_down_many, wide_to_256(g, x, 2))

/* The same filters on two sizes: each size may want its own packing of them. */
static inline bl_value wide_shared(bl_graph *g, const bl_value *x) {
    bl_conv2d_args a = {.name = "c", .out = 32, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1), .init_scale = 0.05f};
    bl_value h = projected(g, x[0], "in", 32), half = bl_avg_pool(g, h, 2, 2, 0);
    h = bl_add(g, bl_conv2d(g, h, &a), bl_upsample2(g, bl_conv2d(g, half, &a)), BL_ACT_NONE);
    return projected(g, h, "out", 3);
}

static inline bl_value wide_up(bl_graph *g, const bl_value *x) {
    bl_value h = projected(g, x[0], "in", 64);
    h = bl_conv_transpose2d(
        g, h,
        &(bl_conv_transpose2d_args){
            .name = "c", .out = 32, .k = 3, .stride = 2, .pad = 1, .out_pad = 1, .init_scale = 0.05f});
    return projected(g, h, "out", 3);
}

/* Padding, norms, skips and losses on stored features; the conv's input has several users. */
static inline bl_value wide_net(bl_graph *g, const bl_value *x) {
    bl_conv2d_args a = {.name = "c", .out = 32, .kh = 3, .kw = 3, .init_scale = 0.05f};
    bl_value h = projected(g, x[0], "in", 32), skip = h;
    h = bl_norm_act(g, bl_conv2d(g, bl_pad_reflect(g, h, BL_PAD_SAME(1)), &a), BL_NONE, BL_ACT_RELU);
    h = bl_norm_act(g, bl_conv2d(g, bl_pad_reflect(g, h, BL_PAD_SAME(1)), &a), skip, BL_ACT_NONE);
    h = bl_add(g, bl_upsample2(g, h), bl_upsample2(g, skip), BL_ACT_LRELU);
    bl_value out = projected(g, h, "out", 3);
    return bl_add(g, out, bl_upsample2(g, x[0]), BL_ACT_NONE);
}

/* One value that comes in twice: its gradients are added in the right order. */
BUILD(norm_itself, bl_norm_act(g, x[0], x[0], BL_ACT_RELU))
BUILD(mul_itself, bl_mul(g, x[0], x[0]))
BUILD(blend_itself, bl_blend(g, x[0], x[1], x[1]))
BUILD(blend_foreground, bl_blend(g, x[0], x[1], x[0]))
BUILD(concat_itself, bl_concat(g, (const bl_value[]){x[0], x[1], x[0]}, 3))

#define S(h, w, c)                                                                                           \
    { 1, h, w, c }
static const op_case cases[] = {
    {"conv 3x3", 1, {S(9, 7, 6)}, conv3},
    {"conv 3x3 relu", 1, {S(9, 7, 16)}, conv3_relu},
    {"conv 3x3 lrelu, odd channels", 1, {S(10, 11, 9)}, conv3_lrelu},
    {"conv 3x3 lrelu, many rows", 1, {S(45, 33, 9)}, conv3_lrelu},
    {"conv 4x4 stride 2 pad 2", 1, {S(12, 10, 12)}, conv4_stride2},
    {"conv 7x7 tanh", 1, {S(10, 10, 8)}, conv7_tanh},
    {"conv SAME stride 2", 1, {S(9, 8, 3)}, conv_same},
    {"conv 1x1 without bias", 1, {S(5, 6, 16)}, conv1},
    {"depthwise 3x3", 1, {S(8, 9, 20)}, depthwise3},
    {"depthwise 5x5 stride 2", 1, {S(9, 9, 16)}, depthwise5},
    {"frozen depthwise", 1, {S(8, 9, 20)}, frozen_depthwise},
    {"frozen depthwise 5x5 stride 2 relu6", 1, {S(9, 8, 17)}, frozen_depthwise_stride2},
    {"frozen depthwise added to another gradient", 1, {S(6, 7, 16)}, frozen_depthwise_twice},
    {"frozen conv 1x1", 1, {S(6, 7, 16)}, frozen_conv},
    {"frozen prelu", 1, {S(4, 5, 6)}, frozen_prelu},
    {"frozen prelu added to another gradient", 1, {S(4, 5, 17)}, frozen_prelu_twice},
    {"conv transposed", 1, {S(5, 6, 16)}, transposed},
    {"fully connected", 1, {S(3, 3, 10)}, fully},
    {"instance norm", 2, {S(9, 8, 17), S(9, 8, 17)}, norm},
    {"instance norm lrelu", 1, {S(9, 8, 16)}, norm_lrelu},
    {"instance norm residual relu", 2, {S(6, 6, 32), S(6, 6, 32)}, norm_residual},
    {"instance norm affine", 2, {S(6, 6, 8), S(6, 6, 8)}, norm_affine},
    {"sigmoid", 1, {S(4, 5, 3)}, sigmoid},
    {"tanh", 1, {S(4, 5, 3)}, tanh_op},
    {"prelu", 1, {S(4, 5, 6)}, prelu},
    {"add relu6", 2, {S(4, 5, 6), S(4, 5, 6)}, add_relu6},
    {"add a value to itself", 1, {S(4, 5, 6)}, add_itself},
    {"mul same shape", 2, {S(4, 5, 6), S(4, 5, 6)}, mul_same},
    {"mul map", 2, {S(4, 5, 6), S(4, 5, 1)}, mul_same},
    {"mul channel", 2, {S(4, 5, 6), S(1, 1, 6)}, mul_same},
    {"affine", 1, {S(4, 5, 6)}, affine},
    {"concat", 3, {S(4, 5, 6), S(4, 5, 1), S(4, 5, 3)}, concat},
    {"concat rows", 2, {S(4, 5, 6), S(2, 5, 6)}, concat_rows},
    {"slice", 1, {S(4, 5, 6)}, slice},
    {"pad zero", 1, {S(4, 5, 3)}, pad_zero},
    {"pad reflect", 1, {S(5, 5, 3)}, pad_reflect},
    {"resize bilinear", 1, {S(6, 7, 5)}, resize},
    {"upsample", 1, {S(4, 5, 6)}, upsample},
    {"max pool", 1, {S(6, 6, 4)}, max_pool},
    {"max pool SAME", 1, {S(7, 5, 4)}, max_pool_same},
    {"max pool, overlapping windows", 1, {S(9, 8, 5)}, max_pool_overlapping},
    {"max pool, incomplete windows", 1, {S(8, 9, 4)}, max_pool_ceil},
    {"average pool", 1, {S(7, 8, 3)}, avg_pool},
    {"mean", 1, {S(4, 5, 6)}, mean},
    {"depth to space", 1, {S(3, 4, 12)}, depth_to_space},
    {"blend", 3, {S(4, 5, 3), S(4, 5, 1), S(4, 5, 3)}, blend},
    {"translate", 2, {S(6, 5, 3), S(1, 1, 2)}, translate},
    {"colour", 2, {S(6, 5, 3), S(1, 1, 3)}, colour},
    {"L1", 2, {S(6, 5, 3), S(6, 5, 3)}, l1},
    {"L1 weighted", 3, {S(6, 5, 3), S(6, 5, 3), S(6, 5, 1)}, l1_weighted},
    {"mean square to a constant", 1, {S(4, 4, 1)}, mse},
    {"hinge", 1, {S(4, 4, 1)}, hinge},
    {"ssim weighted", 3, {S(16, 14, 3), S(16, 14, 3), S(16, 14, 1)}, ssim_weighted},
    {"residual block", 1, {S(8, 6, 16)}, residual_block},
    {"norm, its input as the residual", 1, {S(6, 8, 16)}, norm_itself},
    {"mul by itself", 1, {S(4, 5, 6)}, mul_itself},
    {"blend, the mask as the background", 2, {S(4, 5, 1), S(4, 5, 1)}, blend_itself},
    {"blend, the foreground as the background", 2, {S(4, 5, 3), S(4, 5, 1)}, blend_foreground},
    {"concat, first and last", 2, {S(4, 5, 3), S(4, 5, 2)}, concat_itself},
};

#endif
