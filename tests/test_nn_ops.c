/*
 * Every operator: the CPU backend against the plain reference (values and gradients), and the reference's
 * gradients against finite differences along random directions.
 *
 * Inputs are made by a fully connected layer from the constant 1, so that its bias gradient is the input's
 * gradient. Tolerances, relative to the largest value: parity 2e-5 (noise seen: 3e-6; a wrong tap or border:
 * > 1e-2); finite differences 1e-2 (noise seen: 2e-3; a missing term: > 5e-2).
 */
#include <math.h>

#include "ballerino/nn.h"
#include "support.h"

typedef struct op_case {
    const char *name;
    int inputs;
    bl_shape in[3];
    bl_value (*build)(bl_graph *g, const bl_value *x);
} op_case;

typedef struct run {
    bl_params *ps;
    bl_graph *g;
    bl_program *p;
    bl_value one, y, loss;
} run;

static int threads = 2;

static void start(run *r, const op_case *c, int reference, bl_precision precision) {
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
    r->loss = bl_loss_mse_to(r->g, r->y, 0.3f);
    assert_ok(bl_params_freeze(r->ps, "frozen.", &err));
    assert_ok(bl_params_seal(r->ps, 1, 1, &err));
    bl_rng rng;
    bl_rng_seed(&rng, 99);
    for (int i = 0; i < bl_params_count(r->ps); i++) {
        float *w = bl_params_data(r->ps, i, BL_SLAB_WEIGHT);
        for (int64_t k = 0; k < bl_params_size(r->ps, i); k++) w[k] = (float)bl_rng_normal(&rng) * 0.5f;
        if (strstr(bl_params_name(r->ps, i), "in2")) /* third inputs are loss weights: positive */
            for (int64_t k = 0; k < bl_params_size(r->ps, i); k++) w[k] = fabsf(w[k]) + 0.1f;
    }
    bl_value outputs[1] = {r->y};
    assert_ok(bl_program_compile(&r->p, r->g,
                                 &(bl_program_options){.inputs = &(bl_input_shape){one, 1, 1, 1},
                                                       .n_inputs = 1,
                                                       .outputs = outputs,
                                                       .n_outputs = 1,
                                                       .objectives = &(bl_objective){r->loss, ""},
                                                       .n_objectives = 1,
                                                       .reference = reference,
                                                       .precision = precision,
                                                       .threads = threads},
                                 &err));
    bl_program_buffer(r->p, one)[0] = 1;
}

static double loss_of(run *r) {
    bl_err err = {0};
    bl_params_touch(r->ps);
    assert_ok(bl_program_forward(r->p, &err));
    return bl_program_buffer(r->p, r->loss)[0];
}

static void stop(run *r) {
    bl_program_destroy(&r->p);
    bl_graph_destroy(&r->g);
    bl_params_destroy(&r->ps);
}

/* The worst value, or the root of the squares' sum: with rounded operands some rectifiers switch. */
typedef enum measure { BY_WORST, BY_SQUARES } measure;

static void expect_close(const char *op, const char *what, const float *a, const float *b, int64_t n,
                         measure how, double tolerance) {
    double largest = 1e-3, /* inert biases have gradients of rounding only */ worst = 0, square = 0,
           error = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = isfinite(a[i]) ? fabs((double)a[i] - b[i]) : 1e9;
        largest = fmax(largest, fabs((double)b[i]));
        worst = fmax(worst, d);
        square += (double)b[i] * b[i];
        error += d * d;
    }
    if (how == BY_WORST && worst > tolerance * largest)
        fail_msg("%s: %s differs by %g (largest value %g)", op, what, worst, largest);
    if (how == BY_SQUARES && sqrt(error) > tolerance * fmax(sqrt(square), 1e-3 * (double)n))
        fail_msg("%s: %s differs by %g of its size", op, what, sqrt(error / square));
}

/* Relative to the largest value: `tolerance` for values, 2.5 times that for gradients. */
static void check_parity(const op_case *c, bl_precision precision, double tolerance) {
    bl_err err = {0};
    run cpu, ref;
    measure how = precision == BL_BF16 ? BY_SQUARES : BY_WORST;
    start(&cpu, c, 0, precision);
    start(&ref, c, 1, BL_FP32);
    for (int twice = 0; twice < 2; twice++) { /* the second time must add to the gradients */
        loss_of(&cpu), loss_of(&ref);
        assert_ok(bl_program_backward(cpu.p, 0, &err));
        assert_ok(bl_program_backward(ref.p, 0, &err));
    }
    bl_shape s = bl_program_shape(cpu.p, cpu.y);
    expect_close(c->name, "value", bl_program_buffer(cpu.p, cpu.y), bl_program_buffer(ref.p, ref.y),
                 (int64_t)s.n * s.h * s.w * s.c, how, tolerance);
    for (int i = 0; i < bl_params_count(cpu.ps); i++)
        if (!bl_params_frozen(cpu.ps, i))
            expect_close(c->name, bl_params_name(cpu.ps, i), bl_params_data(cpu.ps, i, BL_SLAB_GRAD),
                         bl_params_data(ref.ps, i, BL_SLAB_GRAD), bl_params_size(cpu.ps, i), how,
                         2.5 * tolerance);
    stop(&cpu);
    stop(&ref);
}

static void check_finite_differences(const op_case *c) {
    bl_err err = {0};
    run r;
    bl_rng rng;
    bl_rng_seed(&rng, 5);
    start(&r, c, 1, BL_FP32);
    loss_of(&r);
    assert_ok(bl_program_backward(r.p, 0, &err));
    for (int i = 0; i < bl_params_count(r.ps); i++) {
        if (bl_params_frozen(r.ps, i)) continue;
        int64_t n = bl_params_size(r.ps, i);
        float *w = bl_params_data(r.ps, i, BL_SLAB_WEIGHT), *g = bl_params_data(r.ps, i, BL_SLAB_GRAD);
        if (strstr(bl_params_name(r.ps, i), "in2") && strstr(c->name, "weighted"))
            continue; /* weights get no gradient */
        if (strstr(bl_params_name(r.ps, i), "in1") && strstr(c->name, "ssim"))
            continue; /* nor does the photo */
        if (strstr(bl_params_name(r.ps, i), "in1") &&
            (!strcmp(c->name, "translate") || !strcmp(c->name, "colour")))
            continue; /* nor do amounts */
        double expected = 0, norm = 0, step = 5e-4;
        float *d = bl_alloc_array((size_t)n, sizeof *d), *old = bl_alloc_array((size_t)n, sizeof *old);
        for (int64_t k = 0; k < n; k++) {
            d[k] = (float)bl_rng_normal(&rng) +
                   (g[k] > 0 ? 1.f : -1.f); /* leans along the gradient: no cancelling */
            old[k] = w[k];
            expected += (double)d[k] * g[k];
            norm += fabs((double)d[k] * g[k]);
        }
        for (int64_t k = 0; k < n; k++) w[k] = old[k] + (float)step * d[k];
        double up = loss_of(&r);
        for (int64_t k = 0; k < n; k++) w[k] = old[k] - (float)step * d[k];
        double measured = (up - loss_of(&r)) / (2 * step);
        for (int64_t k = 0; k < n; k++) w[k] = old[k];
        if (fabs(measured - expected) > 1e-2 * norm + 2e-4)
            fail_msg("%s: gradient of %s: %g, finite differences %g (scale %g)", c->name,
                     bl_params_name(r.ps, i), expected, measured, norm);
        bl_free(d);
        bl_free(old);
    }
    stop(&r);
}

#define BUILD(name, expression)                                                                              \
    static bl_value name(bl_graph *g, const bl_value *x) {                                                   \
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
BUILD(ssim_weighted, bl_loss_ssim(g, x[0], x[1], x[2], 2))

static bl_value residual_block(bl_graph *g,
                               const bl_value *x) { /* several consumers, views, shared weights */
    bl_conv2d_args a = {.name = "c", .out = 16, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1)};
    bl_value h = bl_norm_act(g, bl_conv2d(g, x[0], &a), BL_NONE, BL_ACT_RELU);
    h = bl_norm_act(g, bl_conv2d(g, h, &a), x[0], BL_ACT_NONE);
    return bl_add(g, h, bl_reshape(g, bl_reshape(g, h, 4, 12, 16), 8, 6, 16), BL_ACT_LRELU);
}

/* Between a projection in and one out, so that what lies between is stored as the backend likes. */
static bl_value projected(bl_graph *g, bl_value x, const char *name, int out) {
    return bl_conv2d(g, x, &(bl_conv2d_args){.name = name, .out = out, .kh = 1, .kw = 1, .init_scale = 0.2f});
}

static bl_value wide_conv(bl_graph *g, const bl_value *x, int k, int stride, int pad, bl_act act) {
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

BUILD(wide_conv3, wide_conv(g, x, 3, 1, 1, BL_ACT_NONE))
BUILD(wide_conv3_valid, wide_conv(g, x, 3, 1, 0, BL_ACT_RELU))
BUILD(wide_conv4, wide_conv(g, x, 4, 1, 2, BL_ACT_LRELU))
BUILD(wide_conv1, wide_conv(g, x, 1, 1, 0, BL_ACT_NONE))
BUILD(wide_conv7, wide_conv(g, x, 7, 1, 3, BL_ACT_NONE))
BUILD(wide_down3, wide_conv(g, x, 3, 2, 1, BL_ACT_NONE))
BUILD(wide_down4, wide_conv(g, x, 4, 2, 2, BL_ACT_LRELU))
BUILD(wide_down2, wide_conv(g, x, 2, 2, 0, BL_ACT_NONE))

/* Weights enough to be brought to another layout in slices. */
static bl_value wide_many(bl_graph *g, const bl_value *x) {
    bl_conv2d_args a = {
        .name = "c", .out = 256, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1), .init_scale = 0.05f};
    return projected(g, bl_conv2d(g, projected(g, x[0], "in", 64), &a), "out", 3);
}

static bl_value wide_up(bl_graph *g, const bl_value *x) {
    bl_value h = projected(g, x[0], "in", 64);
    h = bl_conv_transpose2d(
        g, h,
        &(bl_conv_transpose2d_args){
            .name = "c", .out = 32, .k = 3, .stride = 2, .pad = 1, .out_pad = 1, .init_scale = 0.05f});
    return projected(g, h, "out", 3);
}

/* Padding, norms, skips and losses on stored features; the conv's input has several users. */
static bl_value wide_net(bl_graph *g, const bl_value *x) {
    bl_conv2d_args a = {.name = "c", .out = 32, .kh = 3, .kw = 3, .init_scale = 0.05f};
    bl_value h = projected(g, x[0], "in", 32), skip = h;
    h = bl_norm_act(g, bl_conv2d(g, bl_pad_reflect(g, h, BL_PAD_SAME(1)), &a), BL_NONE, BL_ACT_RELU);
    h = bl_norm_act(g, bl_conv2d(g, bl_pad_reflect(g, h, BL_PAD_SAME(1)), &a), skip, BL_ACT_NONE);
    h = bl_add(g, bl_upsample2(g, h), bl_upsample2(g, skip), BL_ACT_LRELU);
    bl_value out = projected(g, h, "out", 3);
    return bl_add(g, out, bl_upsample2(g, x[0]), BL_ACT_NONE);
}

#define S(h, w, c)                                                                                           \
    { 1, h, w, c }
static const op_case cases[] = {
    {"conv 3x3", 1, {S(9, 7, 6)}, conv3},
    {"conv 3x3 relu", 1, {S(9, 7, 16)}, conv3_relu},
    {"conv 3x3 lrelu, odd channels", 1, {S(10, 11, 9)}, conv3_lrelu},
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
};

/* More rows than bands want, left-over rows at the bottom, several blocks of channels. */
static const op_case tall[] = {
    {"tall conv 3x3", 1, {S(37, 9, 6)}, conv3},
    {"tall conv 3x3 relu", 1, {S(38, 9, 16)}, conv3_relu},
    {"tall conv 4x4 stride 2 pad 2", 1, {S(41, 10, 12)}, conv4_stride2},
    {"tall conv 7x7 tanh", 1, {S(33, 10, 8)}, conv7_tanh},
    {"tall conv SAME stride 2", 1, {S(39, 8, 3)}, conv_same},
    {"tall conv 1x1", 1, {S(40, 6, 16)}, conv1},
    {"tall conv transposed", 1, {S(21, 6, 16)}, transposed},
    {"tall wide conv 3x3", 1, {S(34, 9, 3)}, wide_conv3},
    {"tall wide conv 2x2 stride 2", 1, {S(37, 9, 3)}, wide_down2},
    {"tall wide conv 4x4 stride 2", 1, {S(37, 9, 3)}, wide_down4},
    {"tall wide conv 3x3 to 256 channels", 1, {S(17, 7, 3)}, wide_many},
};

static void any_number_of_threads_equals_reference(void **state) {
    (void)state;
    static const int numbers[] = {1, 2, 3, 7, 16};
    for (size_t k = 0; k < BL_COUNT(numbers); k++) {
        threads = numbers[k];
        for (size_t i = 0; i < BL_COUNT(tall); i++) check_parity(&tall[i], BL_FP32, 2e-5);
    }
    threads = 2;
}

/* One gradient slab after two passes. */
static float *gradients_of(const op_case *c, int64_t *n) {
    bl_err err = {0};
    run r;
    start(&r, c, 0, bl_cpu_has_bf16() ? BL_BF16 : BL_FP32);
    for (int twice = 0; twice < 2; twice++) {
        loss_of(&r);
        assert_ok(bl_program_backward(r.p, 0, &err));
    }
    *n = 0;
    for (int i = 0; i < bl_params_count(r.ps); i++) *n += bl_params_size(r.ps, i);
    float *all = bl_alloc_array((size_t)*n, sizeof *all);
    assert_non_null(all);
    for (int64_t i = 0, at = 0; i < bl_params_count(r.ps); at += bl_params_size(r.ps, (int)i), i++)
        memcpy(all + at, bl_params_data(r.ps, (int)i, BL_SLAB_GRAD),
               sizeof *all * (size_t)bl_params_size(r.ps, (int)i));
    stop(&r);
    return all;
}

static void same_threads_same_bits(void **state) {
    (void)state;
    for (threads = 2; threads < 8; threads += 3)
        for (size_t i = 0; i < BL_COUNT(tall); i++) {
            int64_t n, m;
            float *once = gradients_of(&tall[i], &n), *again = gradients_of(&tall[i], &m);
            assert_int_equal(n, m);
            assert_memory_equal(once, again, sizeof *once * (size_t)n);
            bl_free(once);
            bl_free(again);
        }
    threads = 2;
}

static void cpu_equals_reference(void **state) {
    (void)state;
    static const op_case wide[] = {{"wide conv", 1, {S(13, 9, 3)}, wide_down3},
                                   {"wide transposed", 1, {S(9, 7, 3)}, wide_up},
                                   {"features between layers", 1, {S(10, 14, 3)}, wide_net}};
    for (size_t i = 0; i < BL_COUNT(cases); i++) check_parity(&cases[i], BL_FP32, 2e-5);
    for (size_t i = 0; i < BL_COUNT(wide); i++) check_parity(&wide[i], BL_FP32, 2e-5);
}

/* Operands rounded to 8 bits: values differ by up to 1 % and gradients by 3 % of their size; with a wrong tap
 * or border, by a tenth and more. */
static void bfloat16_is_near_the_reference(void **state) {
    (void)state;
    static const op_case convs[] = {{"conv 3x3 relu, bf16", 1, {S(9, 7, 16)}, conv3_relu},
                                    {"conv 3x3 lrelu, odd channels, bf16", 1, {S(10, 11, 9)}, conv3_lrelu},
                                    {"conv 4x4 stride 2 pad 2, bf16", 1, {S(12, 10, 12)}, conv4_stride2},
                                    {"conv transposed, bf16", 1, {S(5, 6, 16)}, transposed},
                                    {"conv 3x3, bf16", 1, {S(16, 12, 32)}, conv3},
                                    {"wide conv 3x3", 1, {S(13, 19, 3)}, wide_conv3},
                                    {"wide conv 3x3 without padding", 1, {S(18, 11, 3)}, wide_conv3_valid},
                                    {"wide conv 4x4 pad 2", 1, {S(9, 7, 3)}, wide_conv4},
                                    {"wide conv 1x1", 1, {S(5, 6, 3)}, wide_conv1},
                                    {"wide conv 7x7", 1, {S(12, 40, 3)}, wide_conv7},
                                    {"wide conv 3x3 stride 2", 1, {S(22, 36, 3)}, wide_down3},
                                    {"wide conv 3x3 stride 2, odd size", 1, {S(21, 35, 3)}, wide_down3},
                                    {"wide conv 4x4 stride 2", 1, {S(37, 17, 3)}, wide_down4},
                                    {"wide conv 2x2 stride 2, a row left over", 1, {S(13, 9, 3)}, wide_down2},
                                    {"wide conv transposed", 1, {S(9, 14, 3)}, wide_up},
                                    {"features between layers", 1, {S(24, 30, 3)}, wide_net}};
    if (!bl_cpu_has_bf16()) {
        puts("SKIP: this CPU has no bfloat16 instructions");
        skip();
    }
    for (size_t i = 0; i < BL_COUNT(convs); i++) check_parity(&convs[i], BL_BF16, 1.6e-2);
    run half, full;
    start(&half, &convs[0], 0, BL_BF16);
    start(&full, &convs[0], 0, BL_FP32);
    loss_of(&half), loss_of(&full);
    assert_memory_not_equal(bl_program_buffer(half.p, half.y), bl_program_buffer(full.p, full.y),
                            sizeof(float) * 9 * 7); /* it was really used */
    stop(&half);
    stop(&full);
}

static void gradients_equal_finite_differences(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(cases); i++) check_finite_differences(&cases[i]);
}

static void known_values(void **state) {
    (void)state; /* the reference itself, against numbers worked out by hand */
    static const op_case c = {"mean", 1, {S(2, 2, 1)}, conv_same};
    run r;
    start(&r, &c, 1, BL_FP32);
    bl_params *ps = r.ps;
    float *x = bl_params_data(ps, bl_params_find(ps, "in0.bias"), BL_SLAB_WEIGHT),
          *w = bl_params_data(ps, bl_params_find(ps, "c.weight"), BL_SLAB_WEIGHT);
    float *bias = bl_params_data(ps, bl_params_find(ps, "c.bias"), BL_SLAB_WEIGHT);
    memset(bl_params_data(ps, bl_params_find(ps, "in0.weight"), BL_SLAB_WEIGHT), 0, 4 * sizeof(float));
    for (int i = 0; i < 4; i++) x[i] = (float)(i + 1), bias[i] = (float)i;
    for (int o = 0; o < 4; o++)
        for (int k = 0; k < 9; k++) w[o * 9 + k] = k == 3 * (o / 2) + o % 2 ? 1.f : 0.f;
    loss_of(&r); /* SAME, 3x3, stride 2 on 2x2: padding after only, one output: tap (i, j) sees x[i][j] */
    const float *y = bl_program_buffer(r.p, r.y);
    assert_true(y[0] == 1 && y[1] == 3 && y[2] == 5 && y[3] == 6); /* 4 + 3 = 7, cut at 6 */
    stop(&r);
}

static const float *with_amounts(run *r, const op_case *c, const float *amounts) {
    start(r, c, 1, BL_FP32);
    float *x = bl_params_data(r->ps, bl_params_find(r->ps, "in0.bias"), BL_SLAB_WEIGHT);
    float *a = bl_params_data(r->ps, bl_params_find(r->ps, "in1.bias"), BL_SLAB_WEIGHT);
    for (int i = 0; i < 2; i++) {
        int k = bl_params_find(r->ps, i ? "in1.weight" : "in0.weight");
        memset(bl_params_data(r->ps, k, BL_SLAB_WEIGHT), 0, sizeof(float) * (size_t)bl_params_size(r->ps, k));
    }
    for (int i = 0; i < 6; i++) x[i] = (float)(i + 1);
    memcpy(a, amounts, sizeof(float) * (size_t)c->in[1].c);
    loss_of(r);
    return bl_program_buffer(r->p, r->y);
}

static void augmentation_changes_what_it_says(void **state) {
    (void)state;
    static const op_case move = {"translate", 2, {S(2, 3, 1), S(1, 1, 2)}, translate},
                         tint = {"colour", 2, {S(1, 2, 3), S(1, 1, 3)}, colour};
    run r;
    const float *y = with_amounts(&r, &move, (float[]){0.25f, 0}); /* times 4: one to the right */
    assert_true(y[0] == 0 && y[1] == 1 && y[2] == 2 && y[3] == 0 && y[4] == 4 && y[5] == 5);
    stop(&r);
    y = with_amounts(&r, &move, (float[]){-0.5f, -0.25f}); /* two to the left, one up */
    assert_true(y[0] == 6 && y[1] == 0 && y[2] == 0 && y[3] == 0 && y[4] == 0 && y[5] == 0);
    stop(&r);
    y = with_amounts(&r, &move, (float[]){1e9f, 0});
    for (int i = 0; i < 6; i++) assert_true(y[i] == 0);
    stop(&r);
    y = with_amounts(&r, &tint, (float[]){0.5f, 0, 1}); /* grey, a little brighter */
    for (int i = 0; i < 6; i++) assert_near(y[i], i < 3 ? 2.5 : 5.5, 1e-5);
    stop(&r);
    y = with_amounts(&r, &tint, (float[]){0, 1, 2}); /* twice as far from 3.5 */
    for (int i = 0; i < 6; i++) assert_near(y[i], 2 * (i + 1) - 3.5, 1e-5);
    stop(&r);
    y = with_amounts(&r, &tint, (float[]){0, 1, 1});
    for (int i = 0; i < 6; i++) assert_near(y[i], i + 1, 1e-6);
    stop(&r);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    for (int nth = 1; nth < 60; nth++) {
        bl_err err = {0};
        bl_params *ps = NULL;
        bl_graph *g = NULL;
        bl_program *p = NULL;
        bl_mem_fail_at(nth);
        int rc = bl_params_create(&ps, &err);
        if (rc == 0) rc = bl_graph_create(&g, ps, &err);
        if (rc == 0) {
            bl_value x = bl_input(g, "x", 16), y = residual_block(g, &x);
            bl_value loss = bl_loss_mse_to(g, y, 0);
            rc = bl_params_seal(ps, 1, 1, &err);
            if (rc == 0)
                rc = bl_program_compile(&p, g,
                                        &(bl_program_options){.inputs = &(bl_input_shape){x, 1, 8, 6},
                                                              .n_inputs = 1,
                                                              .objectives = &(bl_objective){loss, "c"},
                                                              .n_objectives = 1},
                                        &err);
        }
        bl_mem_fail_at(0);
        if (rc < 0) assert_int_equal(rc, BL_E_NOMEM);
        bl_program_destroy(&p);
        bl_graph_destroy(&g);
        bl_params_destroy(&ps);
    }
}

/* Every operator has a row, and what it spends grows with every run. */
static void a_profile_has_every_operator(void **state) {
    (void)state;
    static const op_case net = {"features between layers", 1, {S(10, 14, 3)}, wide_net};
    bl_err err = {0};
    bl_profile_row once[32], twice[32];
    run r;
    start(&r, &net, 0, BL_FP32);
    assert_ok(bl_program_profile(r.p, &err));
    loss_of(&r);
    assert_ok(bl_program_backward(r.p, 0, &err));
    int n = bl_program_profile_rows(r.p, once, 32);
    assert_in_range(n, 12, 32);
    loss_of(&r);
    assert_ok(bl_program_backward(r.p, 0, &err));
    assert_int_equal(bl_program_profile_rows(r.p, twice, 32), n);
    double macs = 0, training = 0, first = 0, second = 0;
    for (int i = 0; i < n; i++) {
        assert_true(twice[i].seconds[0] >= once[i].seconds[0] && twice[i].seconds[1] >= once[i].seconds[1]);
        for (int d = 0; d < 2; d++) first += once[i].seconds[d], second += twice[i].seconds[d];
        assert_true(once[i].bytes[0] > 0 && once[i].bytes[1] > 0);
        macs += once[i].macs[0];
        training += once[i].macs[0] + once[i].macs[1];
    }
    assert_true(first > 0 && second > first);
    assert_near(macs, bl_program_macs(r.p), 0.5);
    assert_near(training, bl_program_training_macs(r.p), 0.5);
    stop(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(cpu_equals_reference),
        cmocka_unit_test(any_number_of_threads_equals_reference),
        cmocka_unit_test(same_threads_same_bits),
        cmocka_unit_test(bfloat16_is_near_the_reference),
        cmocka_unit_test(a_profile_has_every_operator),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(augmentation_changes_what_it_says),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
