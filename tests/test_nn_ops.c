/*
 * Every operator: the CPU backend against the plain reference (values and gradients), and the reference's
 * gradients against finite differences along random directions.
 *
 * Tolerances, relative to the largest value: parity 2e-5 (noise seen: 3e-6; a wrong tap or border:
 * > 1e-2); finite differences 1e-2 (noise seen: 2e-3; a missing term: > 5e-2).
 */
#include "nn_cases.h"

static int threads = 2, batch = 1;

static void start(run *r, const op_case *c, int reference, bl_precision precision) {
    start_as(r, c,
             (run_as){.reference = reference, .precision = precision, .threads = threads, .batch = batch});
}

/* The worst value, or the root of the squares' sum: with rounded operands some rectifiers switch. */
typedef enum measure { BY_WORST, BY_SQUARES } measure;

static void expect_close(const char *op, const char *what, const float *a, const float *b, int64_t n,
                         measure how, double tolerance) {
    const error_sums e = sum_errors(a, b, n);
    if (how == BY_WORST && e.worst > tolerance * e.largest)
        fail_msg("%s: %s differs by %g (largest value %g)", op, what, e.worst, e.largest);
    if (how == BY_SQUARES && sqrt(e.error) > tolerance * fmax(sqrt(e.square), 1e-3 * (double)n))
        fail_msg("%s: %s differs by %g of its size", op, what, sqrt(e.error / e.square));
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
    {"conv 3x3 in larger tiles", 1, {S(31, 18, 3)}, wide_conv3},
    {"conv 3x3 in larger tiles without padding", 1, {S(23, 21, 3)}, wide_conv3_valid},
    {"conv 3x3 in larger tiles to 256 channels", 1, {S(35, 30, 3)}, wide_many},
    {"one conv at two sizes", 1, {S(20, 18, 3)}, wide_shared},
    {"tall wide conv 4x4 pad 2", 1, {S(31, 17, 3)}, wide_conv4},
    {"tall wide conv 3x3 stride 2", 1, {S(37, 9, 3)}, wide_down3},
    {"conv 3x3 stride 2 in larger tiles", 1, {S(26, 29, 3)}, wide_down3},
    {"conv 3x3 stride 2 to 256 channels", 1, {S(30, 23, 3)}, wide_down_many},
    {"tall wide conv transposed", 1, {S(21, 9, 3)}, wide_up},
    {"conv transposed in larger tiles", 1, {S(13, 16, 3)}, wide_up},
    {"conv 3x3 to four channels", 1, {S(17, 11, 3)}, narrow_conv3},
    {"conv 4x4 to one channel", 1, {S(9, 5, 3)}, narrow_conv4},
    {"conv 7x7 to three channels", 1, {S(12, 7, 3)}, narrow_conv7},
    {"wide ssim", 2, {S(31, 38, 2), S(31, 38, 2)}, ssim},
    {"wide ssim weighted", 3, {S(29, 40, 3), S(29, 40, 3), S(29, 40, 1)}, ssim_weighted},
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

static void several_samples_equal_reference(void **state) {
    (void)state;
    batch = 2;
    for (size_t i = 0; i < BL_COUNT(tall); i++) check_parity(&tall[i], BL_FP32, 2e-5);
    batch = 1;
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
                                    {"one wide conv at two sizes", 1, {S(20, 18, 3)}, wide_shared},
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
        cmocka_unit_test(several_samples_equal_reference),
        cmocka_unit_test(same_threads_same_bits),
        cmocka_unit_test(bfloat16_is_near_the_reference),
        cmocka_unit_test(a_profile_has_every_operator),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(augmentation_changes_what_it_says),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
