/* The landmark models' feature maps: taps where they should be, at any size, differentiable, with weights
 * that make them count alike. Skips where the models are not installed. */
#include <math.h>

#include "ballerino/pose.h"
#include "ballerino/pose_features.h"
#include "support.h"

static int missing(bl_err *err, int rc) {
    if (rc != BL_E_MODELS) return 0;
    printf("SKIP: %s\n", err->msg);
    return 1;
}

typedef struct net {
    bl_pose_features *f;
    bl_params *ps;
    bl_graph *g;
    bl_program *p;
    bl_value image, other, one, taps[BL_POSE_FEATURES_TAPS], loss;
    float weights[BL_POSE_FEATURES_TAPS];
} net;

/* mean |f(image) - f(other)| over taps; image is a parameter, so that its gradient can be read. */
static int open_net(net *t, bl_pose_features_net which, int w, int h, int reference) {
    bl_err err = {0};
    *t = (net){0};
    int rc = bl_pose_features_open(&t->f, which, "P.", NULL, &err);
    if (missing(&err, rc)) return -1;
    assert_ok(rc);
    assert_ok(bl_params_create(&t->ps, &err));
    assert_ok(bl_graph_create(&t->g, t->ps, &err));
    t->one = bl_input(t->g, "one", 1);
    t->image = bl_reshape(t->g, bl_fully_connected(t->g, t->one, "image", w * h * 3, BL_ACT_NONE), h, w, 3);
    t->other = bl_input(t->g, "other", 3);
    bl_value b[BL_POSE_FEATURES_TAPS], terms[BL_POSE_FEATURES_TAPS];
    const int n = BL_POSE_FEATURES_TAPS;
    assert_int_equal(bl_pose_features_declare(t->f, t->g, t->image, t->taps, t->weights, n, &err), n);
    assert_int_equal(bl_pose_features_declare(t->f, t->g, t->other, b, t->weights, n, &err), n);
    for (int i = 0; i < n; i++)
        terms[i] = bl_loss_l1(t->g, t->taps[i], bl_stop_gradient(t->g, b[i]), BL_NONE);
    t->loss = bl_weighted_sum(t->g, terms, t->weights, n);
    assert_ok(bl_params_freeze(t->ps, "P.", &err));
    assert_ok(bl_params_seal(t->ps, 1, 1, &err));
    assert_ok(bl_pose_features_load(t->f, t->ps, &err));
    bl_input_shape in[2] = {{t->one, 1, 1, 1}, {t->other, 1, h, w}};
    assert_ok(bl_program_compile(&t->p, t->g,
                                 &(bl_program_options){.inputs = in,
                                                       .n_inputs = 2,
                                                       .outputs = t->taps,
                                                       .n_outputs = n,
                                                       .objectives = &(bl_objective){t->loss, "image"},
                                                       .n_objectives = 1,
                                                       .reference = reference,
                                                       .threads = 2},
                                 &err));
    bl_program_buffer(t->p, t->one)[0] = 1;
    float *x = bl_params_data(t->ps, bl_params_find(t->ps, "image.bias"), BL_SLAB_WEIGHT);
    memset(bl_params_data(t->ps, bl_params_find(t->ps, "image.weight"), BL_SLAB_WEIGHT), 0,
           sizeof(float) * (size_t)(w * h * 3));
    for (int i = 0; i < w * h * 3; i++) {
        int px = i / 3 % w, py = i / 3 / w, c = i % 3;
        x[i] = 0.6f * sinf(0.11f * (float)px + (float)c) * cosf(0.07f * (float)py);
        bl_program_buffer(t->p, t->other)[i] = x[i] + (px > w / 2 ? 0.3f : 0) + (py % 16 < 4 ? -0.2f : 0);
    }
    bl_params_touch(t->ps);
    return 0;
}

static void close_net(net *t) {
    bl_program_destroy(&t->p);
    bl_graph_destroy(&t->g);
    bl_params_destroy(&t->ps);
    bl_pose_features_close(&t->f);
}

static const bl_pose_features_net both[] = {BL_FEATURES_POSE, BL_FEATURES_FACE};

static void taps_lie_after_each_halving(void **state) {
    (void)state;
    for (size_t k = 0; k < BL_COUNT(both); k++) {
        net t;
        bl_err err = {0};
        if (open_net(&t, both[k], 144, 192, 0) < 0) skip();
        assert_ok(bl_program_forward(t.p, &err));
        int before = 0;
        for (int i = 0; i < BL_POSE_FEATURES_TAPS; i++) {
            bl_shape s = bl_program_shape(t.p, t.taps[i]);
            const float *f = bl_program_buffer(t.p, t.taps[i]);
            double largest = 0;
            assert_true(s.h == 192 >> (i + 1) && s.w == 144 >> (i + 1) && s.c >= before);
            before = s.c;
            for (int v = 0; v < s.h * s.w * s.c; v++) largest = fmax(largest, fabs((double)f[v]));
            assert_true(largest > 0.01 && largest < 1e4);
            printf("net %zu tap %d: %dx%dx%d, weight %.3g\n", k, i, s.w, s.h, s.c, (double)t.weights[i]);
        }
        printf("net %zu: %.1f M multiply-adds for two pictures, %lld parameters, loss %.3f\n", k,
               bl_program_macs(t.p) / 1e6, (long long)bl_params_total(t.ps, "P."),
               (double)bl_program_buffer(t.p, t.loss)[0]);
        close_net(&t);
    }
}

/* The kernels' gradient against the reference's, and a finite difference along it. Rectifiers and the signs
 * of differences switch here and there when sums come in another order: the reference's own gradients change
 * by 0.012 and 0.037 when the picture moves by 1e-7. A layer's wrong gradient gives more than 0.1. */
static void the_gradient_reaches_the_picture(void **state) {
    (void)state;
    for (size_t k = 0; k < BL_COUNT(both); k++) {
        enum { W = 48, H = 32, N = W * H * 3 };
        net t, r;
        bl_err err = {0};
        if (open_net(&t, both[k], W, H, 0) < 0 || open_net(&r, both[k], W, H, 1) < 0) skip();
        assert_ok(bl_program_forward(t.p, &err));
        assert_ok(bl_program_backward(t.p, 0, &err));
        assert_ok(bl_program_forward(r.p, &err));
        assert_ok(bl_program_backward(r.p, 0, &err));
        int bias = bl_params_find(t.ps, "image.bias");
        const float *g = bl_params_data(t.ps, bias, BL_SLAB_GRAD),
                    *q = bl_params_data(r.ps, bias, BL_SLAB_GRAD);
        double sum = 0, difference = 0, square = 0;
        for (int i = 0; i < N; i++) {
            sum += fabs((double)q[i]);
            difference += fabs((double)g[i] - (double)q[i]);
            square += (double)g[i] * (double)g[i];
        }
        assert_true(sum > 0);
        if (difference > 0.06 * sum) fail_msg("net %zu: gradients differ by %g", k, difference / sum);
        float *x = bl_params_data(t.ps, bias, BL_SLAB_WEIGHT), loss[2];
        const float step = 1e-3f / (float)sqrt(square);
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < N; i++) x[i] += (side ? -2 : 1) * step * g[i];
            bl_params_touch(t.ps);
            assert_ok(bl_program_forward(t.p, &err));
            loss[side] = bl_program_buffer(t.p, t.loss)[0];
        }
        double measured = ((double)loss[0] - (double)loss[1]) / (2 * (double)step);
        printf("net %zu: slope along the gradient %.4g, expected %.4g\n", k, measured, square);
        assert_true(fabs(measured - square) < 0.05 * square);
        close_net(&t);
        close_net(&r);
    }
}

static void a_missing_model_says_what_to_do(void **state) {
    (void)state;
    bl_err err = {0};
    bl_pose_features *f = NULL;
    assert_int_equal(bl_pose_features_open(&f, BL_FEATURES_POSE, "P.", "/nonexistent", &err), BL_E_MODELS);
    assert_non_null(strstr(err.msg, "models fetch"));
    assert_null(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taps_lie_after_each_halving),
        cmocka_unit_test(the_gradient_reaches_the_picture),
        cmocka_unit_test(a_missing_model_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
