/*
 * Every operator of the CUDA module against the plain reference: values and gradients, in float32 and
 * bfloat16, several channel counts, one sample and two; and what the module must do beside computing.
 *
 * Each program runs three times, the second time kept as a graph and from then on replayed, with whatever it
 * shall write filled with NaN before; then once more with the emulator's blocks and threads in the opposite
 * order, which must give the same bits. Tolerances: float32 1e-4 of the largest value (noise seen: 9e-6),
 * bfloat16 1e-2 of the root of the squares' sum (seen: 4e-3, of gradients 7e-3); inputs and weights are
 * numbers that bfloat16 holds, so that rectifiers and signs agree. A wrong tap, border or channel: > 5e-2.
 */
#include "nn_cases.h"
#include "on_device.h"
#include "parity.h"

#define ROUNDS 3

static bl_device *device;
static int real;

typedef struct errors {
    double worst, norm; /* relative to the largest value; of the root of the squares' sum */
} errors;

static errors compare(const float *a, const float *b, int64_t n) {
    const error_sums e = sum_errors(a, b, n);
    return (errors){e.worst / e.largest, sqrt(e.error) / fmax(sqrt(e.square), 1e-3 * sqrt((double)n))};
}

static void go(run *r) {
    bl_err err = {0};
    assert_ok(bl_program_forward(r->p, &err));
    assert_ok(bl_program_backward(r->p, 0, &err));
}

/* What the program made: its output and all gradients, one behind the other. */
static float *results(run *r, int64_t *n) {
    bl_shape s = bl_program_shape(r->p, r->y);
    const int64_t own = (int64_t)s.n * s.h * s.w * s.c;
    *n = own;
    for (int i = 0; i < bl_params_count(r->ps); i++)
        if (!bl_params_frozen(r->ps, i)) *n += bl_params_size(r->ps, i);
    float *all = bl_alloc_array((size_t)*n, sizeof *all), *to = all + own;
    assert_non_null(all);
    memcpy(all, bl_program_buffer(r->p, r->y), sizeof *all * (size_t)own);
    for (int i = 0; i < bl_params_count(r->ps); i++) {
        if (bl_params_frozen(r->ps, i)) continue;
        memcpy(to, bl_params_data(r->ps, i, BL_SLAB_GRAD), sizeof *to * (size_t)bl_params_size(r->ps, i));
        to += bl_params_size(r->ps, i);
    }
    return all;
}

static float *run_on_device(const op_case *c, run_as h, int backwards, int64_t *n) {
    run r;
    if (!real) setenv("BALLERINO_EMULATOR_ORDER", backwards ? "1" : "0", 1);
    h.device = device;
    h.poison = 1;
    start_as(&r, c, h);
    for (int i = 0; i < ROUNDS; i++) go(&r); /* every time adds to the gradients */
    float *all = results(&r, n);
    stop(&r);
    if (!real) setenv("BALLERINO_EMULATOR_ORDER", "0", 1);
    return all;
}

/* Notes how far values and gradients of one run are from another's, both as `results` gives them. */
static void note(const op_case *c, run *ref, const float *all, const float *expected, bl_precision precision,
                 int batch, double tolerance) {
    const bl_shape s = bl_program_shape(ref->p, ref->y);
    int64_t at = (int64_t)s.n * s.h * s.w * s.c;
    char size[32], detail[96];
    snprintf(size, sizeof size, "%dx%d", c->in[0].w, c->in[0].h);
    errors e = compare(all, expected, at);
    snprintf(detail, sizeof detail, "the value, batch of %d, %d channels", batch, c->in[0].c);
    parity_note(&(parity_seen){.what = c->name,
                               .size = size,
                               .detail = detail,
                               .precision = precision,
                               .error = precision == BL_BF16 ? e.norm : e.worst,
                               .limit = tolerance});
    for (int i = 0; i < bl_params_count(ref->ps); i++) {
        if (bl_params_frozen(ref->ps, i)) continue;
        e = compare(all + at, expected + at, bl_params_size(ref->ps, i));
        at += bl_params_size(ref->ps, i);
        snprintf(detail, sizeof detail, "gradient of %s, batch of %d, %d channels",
                 bl_params_name(ref->ps, i), batch, c->in[0].c);
        parity_note(&(parity_seen){.what = c->name,
                                   .size = size,
                                   .detail = detail,
                                   .precision = precision,
                                   .second = 1,
                                   .error = precision == BL_BF16 ? e.norm : e.worst,
                                   .limit = tolerance});
    }
}

/* allowed: times the tolerances of one operator. */
static void check_within(const op_case *c, bl_precision precision, int batch, double allowed) {
    int64_t n, m;
    run ref;
    const double tolerance = allowed * (precision == BL_BF16 ? 1e-2 : 1e-4);
    const run_as h = {.precision = precision, .batch = batch, .exact = precision == BL_BF16, .hidden = 1};
    float *all = run_on_device(c, h, 0, &n), *again = run_on_device(c, h, 1, &m);
    run_as plain = h;
    plain.reference = 1;
    plain.precision = BL_FP32;
    start_as(&ref, c, plain);
    for (int i = 0; i < ROUNDS; i++) go(&ref);
    float *expected = results(&ref, &m);
    assert_int_equal(n, m);
    if (memcmp(all, again, sizeof *all * (size_t)n) != 0) fail_msg("%s: another order, other bits", c->name);
    note(c, &ref, all, expected, precision, batch, tolerance);
    bl_free(all);
    bl_free(again);
    bl_free(expected);
    stop(&ref);
}

static void check(const op_case *c, bl_precision precision, int batch) {
    check_within(c, precision, batch, 1);
}

static void check_all_ways(const op_case *c, double allowed_bf16) {
    for (int batch = 1; batch <= 2; batch++) {
        check(c, BL_FP32, batch);
        check_within(c, BL_BF16, batch, allowed_bf16);
    }
}

static void every_operator(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(cases); i++) check_all_ways(&cases[i], 1);
    parity_expect();
}

static const op_case wide[] = {{"wide conv 3x3", 1, {S(13, 9, 3)}, wide_conv3},
                               {"wide conv 3x3 without padding", 1, {S(9, 11, 3)}, wide_conv3_valid},
                               {"wide conv 4x4 pad 2", 1, {S(9, 7, 3)}, wide_conv4},
                               {"wide conv 1x1", 1, {S(5, 6, 3)}, wide_conv1},
                               {"wide conv 7x7", 1, {S(9, 8, 3)}, wide_conv7},
                               {"wide conv 3x3 stride 2", 1, {S(12, 16, 3)}, wide_down3},
                               {"wide conv 3x3 stride 2, odd size", 1, {S(11, 15, 3)}, wide_down3},
                               {"wide conv 4x4 stride 2", 1, {S(17, 9, 3)}, wide_down4},
                               {"wide conv 2x2 stride 2, a row left over", 1, {S(13, 9, 3)}, wide_down2},
                               {"wide conv transposed", 1, {S(5, 7, 3)}, wide_up},
                               {"features between layers", 1, {S(8, 10, 3)}, wide_net}};

/* Features that several layers round on their way differ more than one operator's, and rectifiers between
 * them switch: seen: 3.3e-2 of the gradients. */
#define SEVERAL_LAYERS 4
static void layers_on_stored_features(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(wide); i++) check_all_ways(&wide[i], SEVERAL_LAYERS);
    parity_expect();
}

BUILD(mul_channel, bl_mul(g, x[0], bl_mean(g, x[1])))
BUILD(stride2_lrelu, bl_conv2d(g, x[0],
                               &(bl_conv2d_args){.name = "c",
                                                 .out = 16,
                                                 .kh = 4,
                                                 .kw = 4,
                                                 .sh = 2,
                                                 .sw = 2,
                                                 .pad = BL_PAD_SAME(1),
                                                 .act = BL_ACT_LRELU}))
BUILD(two_slices, bl_slice(g, bl_concat(g, x, 2), x[0] < 0 ? 1 : 0, 1))

/* Operators that take any number of channels, with odd and with wide ones. */
static void every_channel_count(void **state) {
    (void)state;
    static const op_case any[] = {
        {"conv 3x3", 1, {S(7, 5, 0)}, conv3},
        {"conv 3x3 relu", 1, {S(6, 8, 0)}, conv3_relu},
        {"conv 4x4 stride 2 lrelu", 1, {S(9, 8, 0)}, stride2_lrelu},
        {"conv SAME stride 2", 1, {S(6, 7, 0)}, conv_same},
        {"depthwise 3x3", 1, {S(5, 7, 0)}, depthwise3},
        {"depthwise 5x5 stride 2", 1, {S(8, 6, 0)}, depthwise5},
        {"conv transposed", 1, {S(3, 4, 0)}, transposed},
        {"instance norm lrelu", 1, {S(7, 5, 0)}, norm_lrelu},
        {"instance norm residual relu", 2, {S(4, 8, 0), S(4, 8, 0)}, norm_residual},
        {"instance norm affine", 2, {S(5, 4, 0), S(5, 4, 0)}, norm_affine},
        {"sigmoid", 1, {S(4, 5, 0)}, sigmoid},
        {"prelu", 1, {S(4, 5, 0)}, prelu},
        {"add relu6", 2, {S(4, 5, 0), S(4, 5, 0)}, add_relu6},
        {"mul same shape", 2, {S(4, 5, 0), S(4, 5, 0)}, mul_same},
        {"mul map", 2, {S(4, 5, 0), S(4, 5, 1)}, mul_same},
        {"mul channel", 2, {S(4, 5, 0), S(2, 2, 0)}, mul_channel},
        {"affine", 1, {S(4, 5, 0)}, affine},
        {"concat", 3, {S(4, 5, 0), S(4, 5, 1), S(4, 5, 0)}, concat},
        {"concat rows", 2, {S(4, 5, 0), S(2, 5, 0)}, concat_rows},
        {"slice", 2, {S(4, 5, 0), S(4, 5, 0)}, two_slices},
        {"pad zero", 1, {S(4, 5, 0)}, pad_zero},
        {"pad reflect", 1, {S(5, 5, 0)}, pad_reflect},
        {"resize bilinear", 1, {S(6, 7, 0)}, resize},
        {"upsample", 1, {S(3, 5, 0)}, upsample},
        {"max pool SAME", 1, {S(7, 5, 0)}, max_pool_same},
        {"max pool, overlapping windows", 1, {S(9, 8, 0)}, max_pool_overlapping},
        {"average pool", 1, {S(7, 8, 0)}, avg_pool},
        {"mean", 1, {S(7, 5, 0)}, mean},
        {"blend", 3, {S(4, 5, 0), S(4, 5, 1), S(4, 5, 0)}, blend},
        {"translate", 2, {S(6, 5, 0), S(1, 1, 2)}, translate},
        {"colour", 2, {S(6, 5, 0), S(1, 1, 3)}, colour},
        {"L1 weighted", 3, {S(6, 5, 0), S(6, 5, 0), S(6, 5, 1)}, l1_weighted},
        {"hinge", 1, {S(5, 7, 0)}, hinge},
        {"ssim weighted", 3, {S(13, 12, 0), S(13, 12, 0), S(13, 12, 1)}, ssim_weighted},
    };
    static const int channels[] = {1, 3, 6, 12, 16, 64};
    for (size_t i = 0; i < BL_COUNT(any); i++)
        for (size_t k = 0; k < BL_COUNT(channels); k++) {
            op_case c = any[i];
            for (int j = 0; j < c.inputs; j++)
                if (c.in[j].c == 0) c.in[j].c = channels[k];
            check(&c, BL_FP32, 1 + (int)(k % 2));
            check(&c, BL_BF16, 2 - (int)(k % 2));
        }
    parity_expect();
}

/* More than one block, part of a block, and more values than blocks take at once. */
static void large_pictures(void **state) {
    (void)state;
    static const op_case large[] = {
        {"instance norm lrelu, large", 1, {S(37, 33, 16)}, norm_lrelu},
        {"instance norm residual relu, large", 2, {S(33, 35, 24), S(33, 35, 24)}, norm_residual},
        {"L1 weighted, large", 3, {S(51, 67, 3), S(51, 67, 3), S(51, 67, 1)}, l1_weighted},
        {"colour, large", 2, {S(37, 41, 3), S(1, 1, 3)}, colour},
        {"mean, large", 1, {S(37, 61, 12)}, mean},
    };
    for (size_t i = 0; i < BL_COUNT(large); i++) {
        check(&large[i], BL_FP32, 1);
        check(&large[i], BL_BF16, 2);
    }
    parity_expect();
}

/* What the module must do when CUDA or cuDNN refuse: run eagerly, and convolve by the definition. */
static void without_graphs_and_without_cudnn(void **state) {
    (void)state;
    static const char *const lacking[][2] = {{"BALLERINO_EMULATOR_NO_GRAPHS", "1"},
                                             {"BALLERINO_EMULATOR_NO_CUDNN", "1"},
                                             {"BALLERINO_EMULATOR_NO_CUDNN", "late"}};
    static const op_case convs[] = {{"conv 3x3 relu", 1, {S(9, 7, 16)}, conv3_relu},
                                    {"conv 3x3 lrelu, odd channels", 1, {S(6, 7, 9)}, conv3_lrelu},
                                    {"conv SAME stride 2", 1, {S(9, 8, 3)}, conv_same},
                                    {"conv transposed", 1, {S(5, 6, 16)}, transposed},
                                    {"fully connected", 1, {S(3, 3, 10)}, fully},
                                    {"features between layers", 1, {S(6, 8, 3)}, wide_net}};
    if (real) {
        puts("SKIP: a real device cannot be told to refuse");
        skip();
    }
    bl_log_set_level(BL_LOG_ERROR); /* it says so, once a layer */
    for (size_t k = 0; k < BL_COUNT(lacking); k++) {
        setenv(lacking[k][0], lacking[k][1], 1);
        for (size_t i = 0; i < BL_COUNT(convs); i++) {
            check(&convs[i], BL_FP32, 2);
            check_within(&convs[i], BL_BF16, 1, SEVERAL_LAYERS);
        }
        unsetenv(lacking[k][0]);
    }
    bl_log_set_level(BL_LOG_INFO);
    parity_expect();
}

/* ---- parameters ---- */
static bl_value small_net(bl_graph *g, const bl_value *x) {
    bl_value h = projected(g, x[0], "a.in", 16);
    h = bl_norm_act(g, wide_conv(g, &h, 3, 1, 1, BL_ACT_LRELU), BL_NONE, BL_ACT_LRELU);
    return projected(g, h, "b.out", 3);
}

static void steps(run *r, int n, int from) {
    const bl_adam a = {.lr = 0.01f, .beta1 = 0.5f, .beta2 = 0.999f, .eps = 1e-8f, .ema = 0.9f};
    for (int t = from; t < from + n; t++) {
        go(r);
        bl_params_adam(r->ps, "a.", &a, t);
        bl_params_adam(r->ps, "c", &a, t);
        bl_params_adam(r->ps, "in", &(bl_adam){.lr = 0.01f, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-8f},
                       t); /* without an average */
    }
}

/* Adam moves a value whose gradient is nearly nothing by its full step, whichever way: so not all are
 * compared. */
static void expect_same_slabs(run *a, run *b, double tolerance) {
    for (int i = 0; i < bl_params_count(a->ps); i++)
        for (int k = 0; k < 5; k++) {
            errors e = compare(bl_params_data(a->ps, i, (bl_slab)k), bl_params_data(b->ps, i, (bl_slab)k),
                               bl_params_size(a->ps, i));
            if (e.norm > tolerance)
                fail_msg("slab %d of %s is off by %g after training", k, bl_params_name(a->ps, i), e.norm);
        }
}

static void training_moves_the_same_weights(void **state) {
    (void)state;
    static const op_case net = {"small net", 1, {S(9, 8, 3)}, small_net};
    bl_err err = {0};
    run gpu, cpu;
    start_as(&gpu, &net, (run_as){.device = device});
    start_as(&cpu, &net, (run_as){0});
    steps(&gpu, 3, 1), steps(&cpu, 3, 1);
    expect_same_slabs(&gpu, &cpu, 2e-3);
    for (int i = 0; i < bl_params_count(cpu.ps);
         i++) /* written from outside: both go on from the same place */
        for (int k = 0; k < 5; k++)
            memcpy(bl_params_data(gpu.ps, i, (bl_slab)k), bl_params_data(cpu.ps, i, (bl_slab)k),
                   sizeof(float) * (size_t)bl_params_size(cpu.ps, i));
    bl_params_touch(gpu.ps), bl_params_touch(cpu.ps);
    steps(&gpu, 2, 4), steps(&cpu, 2, 4);
    expect_same_slabs(&gpu, &cpu, 2e-3);
    assert_ok(bl_params_to_host(gpu.ps, &err));
    assert_near(bl_program_buffer(gpu.p, gpu.loss)[0], bl_program_buffer(cpu.p, cpu.loss)[0], 1e-3);
    stop(&gpu);
    stop(&cpu);
}

/* Rounded weights follow the optimiser and what is written from outside, packed ones too. */
static void rounded_weights_stay_fresh(void **state) {
    (void)state;
    static const op_case net = {"small net", 1, {S(9, 8, 3)}, small_net};
    run gpu, cpu;
    start_as(&gpu, &net, (run_as){.device = device, .precision = BL_BF16});
    start_as(&cpu, &net, (run_as){0});
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < bl_params_count(cpu.ps); i++) {
            float *w = bl_params_data(gpu.ps, i, BL_SLAB_WEIGHT);
            for (int64_t j = 0; j < bl_params_size(gpu.ps, i); j++) w[j] *= -1.25f;
            memcpy(bl_params_data(cpu.ps, i, BL_SLAB_WEIGHT), w,
                   sizeof *w * (size_t)bl_params_size(cpu.ps, i));
        }
        bl_params_touch(gpu.ps), bl_params_touch(cpu.ps);
        go(&gpu), go(&cpu);
        bl_shape s = bl_program_shape(cpu.p, cpu.y);
        errors e = compare(bl_program_buffer(gpu.p, gpu.y), bl_program_buffer(cpu.p, cpu.y),
                           (int64_t)s.n * s.h * s.w * s.c);
        if (e.norm > 2e-2) fail_msg("after change %d the value is off by %g", k, e.norm);
        steps(&gpu, 1, k + 1);
    }
    stop(&gpu);
    stop(&cpu);
}

/* A program that reads the running average, beside one that trains. */
static void the_average_can_be_read(void **state) {
    (void)state;
    static const op_case net = {"small net", 1, {S(9, 8, 3)}, small_net};
    for (int half = 0; half < 2; half++) {
        bl_err err = {0};
        bl_program *p[2] = {NULL, NULL};
        run r[2];
        for (int k = 0; k < 2; k++) {
            start_as(&r[k], &net,
                     (run_as){.device = k ? NULL : device, .precision = half ? BL_BF16 : BL_FP32});
            steps(&r[k], 2, 1);
            bl_value y = r[k].y;
            assert_ok(bl_program_compile(&p[k], r[k].g,
                                         &(bl_program_options){.inputs = &(bl_input_shape){r[k].one, 1, 1, 1},
                                                               .n_inputs = 1,
                                                               .outputs = &y,
                                                               .n_outputs = 1,
                                                               .weights = BL_SLAB_EMA,
                                                               .precision = half ? BL_BF16 : BL_FP32},
                                         &err));
            bl_program_buffer(p[k], r[k].one)[0] = 1;
            assert_ok(bl_program_forward(p[k], &err));
        }
        bl_shape s = bl_program_shape(p[0], r[0].y);
        const int64_t n = (int64_t)s.n * s.h * s.w * s.c;
        errors e = compare(bl_program_buffer(p[0], r[0].y), bl_program_buffer(p[1], r[1].y), n);
        if (e.norm > (half ? 3e-2 : 1e-3)) fail_msg("the average's value is off by %g", e.norm);
        for (int k = 0; k < 2; k++) {
            bl_program_destroy(&p[k]);
            stop(&r[k]);
        }
    }
}

/* ---- failures ---- */
static void a_full_device_says_so(void **state) {
    (void)state;
    bl_err err = {0};
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    bl_program *p = NULL;
    if (real) {
        puts("SKIP: the memory of a real device is not filled here");
        skip();
    }
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_graph_create(&g, ps, &err));
    bl_value x = bl_input(g, "x", 16);
    bl_value loss = bl_loss_mse_to(g, bl_norm_affine_act(g, x, "n", BL_NONE, BL_ACT_RELU), 0);
    assert_ok(bl_params_place(ps, device, &err));
    assert_ok(bl_params_seal(ps, 1, 1, &err));
    setenv("BALLERINO_EMULATOR_MB", "1", 1);
    int rc = bl_program_compile(
        &p, g,
        &(bl_program_options){
            .inputs = &(bl_input_shape){x, 1, 256, 256}, .n_inputs = 1, .outputs = &loss, .n_outputs = 1},
        &err);
    unsetenv("BALLERINO_EMULATOR_MB");
    assert_int_equal(rc, BL_E_NOMEM);
    assert_non_null(strstr(err.msg, "not enough memory on the GPU"));
    assert_null(p);
    assert_ok(bl_program_compile(
        &p, g, /* and it works again when there is room */
        &(bl_program_options){
            .inputs = &(bl_input_shape){x, 1, 256, 256}, .n_inputs = 1, .outputs = &loss, .n_outputs = 1},
        &err));
    assert_ok(bl_program_forward(p, &err));
    bl_program_destroy(&p);
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
}

static void a_device_that_is_not_there(void **state) {
    (void)state;
    bl_err err = {0};
    bl_device *d = NULL;
    assert_int_equal(bl_device_open(&d, "cuda:99", &err), BL_E_DEVICE);
    assert_non_null(strstr(err.msg, "there is no device cuda:99"));
    assert_int_equal(bl_device_open(&d, "gpu", &err), BL_E_USAGE);
    assert_ok(bl_device_open(&d, "cpu", &err));
    assert_null(d);
    assert_string_equal(bl_device_name(d), "cpu");
    assert_ok(bl_device_open(&d, "auto", &err));
    assert_non_null(d);
    bl_device_close(&d);
    if (!real) {
        assert_ok(bl_device_open(&d, "cuda:1", &err));
        assert_non_null(strstr(bl_device_name(d), "cuda:1"));
        bl_device_close(&d);
    }
}

static void nothing_is_left_on_the_device(void **state) {
    (void)state;
    expect_nothing_left(real);
}

int cuda_ops_tests(bl_device *where, int is_real) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator),
        cmocka_unit_test(layers_on_stored_features),
        cmocka_unit_test(every_channel_count),
        cmocka_unit_test(large_pictures),
        cmocka_unit_test(without_graphs_and_without_cudnn),
        cmocka_unit_test(training_moves_the_same_weights),
        cmocka_unit_test(rounded_weights_stay_fresh),
        cmocka_unit_test(the_average_can_be_read),
        cmocka_unit_test(a_full_device_says_so),
        cmocka_unit_test(a_device_that_is_not_there),
        cmocka_unit_test(nothing_is_left_on_the_device),
    };
    device = where;
    real = is_real;
    return cmocka_run_group_tests_name("operators", tests, NULL, NULL);
}
