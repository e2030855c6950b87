/* The networks at the paper's settings: parameters and multiply-adds as worked out by hand (method 6); and
 * that an enhancer's and a residual net's gradients are right. */
#include <math.h>

#include "gan/net.h"
#include "support.h"

static bl_gan_net paper(void) {
    return (bl_gan_net){.scene = BL_SCENE_PAINT,
                        .arch = BL_ARCH_GLOBAL,
                        .width = 512,
                        .height = 256,
                        .label_channels = 3,
                        .previous = 1,
                        .ngf = 64,
                        .down = 4,
                        .blocks = 9,
                        .max_channels = 1024,
                        .ndf = 64,
                        .num_d = 2,
                        .layers_d = 3};
}

static bl_gan_net paper_local(void) {
    bl_gan_net n = paper();
    n.width = 1024;
    n.height = 512;
    n.enhancer = 1;
    n.ngf_local = 32;
    n.blocks_local = 3;
    n.num_d = 3;
    return n;
}

static bl_gan_net paper_face(void) {
    bl_gan_net n = paper();
    n.scene = BL_SCENE_RESIDUAL;
    n.width = n.height = 128;
    n.previous = 0;
    n.down = 3;
    n.blocks = 5;
    n.num_d = 1;
    n.norm_d = BL_D_NORM_AFFINE;
    return n;
}

static bl_params *declared(const bl_gan_net *net) {
    bl_err err = {0};
    bl_params *ps = NULL;
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_gan_declare(net, ps, 1, &err));
    return ps;
}

static int64_t count(const bl_gan_net *net, const char *prefix) {
    bl_params *ps = declared(net);
    int64_t n = bl_params_total(ps, prefix);
    bl_params_destroy(&ps);
    return n;
}

static void generators_have_the_papers_parameters(void **state) {
    (void)state; /* 6.1, 6.2, 6.4 */
    bl_gan_net global = paper(), local = paper_local(), face = paper_face();
    assert_int_equal(count(&global, "G."), 182452675);
    assert_int_equal(count(&local, "G."), 182715939);
    assert_int_equal(count(&local, "G.local."), 272675);
    assert_int_equal(count(&face, "G."), 26724291);
}

static void discriminators_have_the_papers_parameters(void **state) {
    (void)state; /* 6.3, 6.5; the pair's two labels and two pictures are 12 channels */
    bl_gan_net two = paper(), three = paper_local(), face = paper_face();
    two.label_channels = three.label_channels = 9;
    assert_int_equal(count(&two, "D0."), 2773953);
    assert_int_equal(count(&two, "D1."), 2773953);
    assert_int_equal(count(&two, "D"), 5547906);
    assert_int_equal(count(&three, "D"), 8321859);
    assert_int_equal(count(&face, "D"), 2769601);
}

/* 10^9 multiply-adds, from shapes alone: the large ones would take gigabytes to run. */
static double generator_gmacs(bl_gan_net net, int width, int height) {
    bl_err err = {0};
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    double macs = 0;
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_graph_create(&g, ps, &err));
    bl_value label = bl_input(g, "label", 3), plate = bl_input(g, "plate", 3),
             previous = net.previous ? bl_input(g, "previous", 3) : BL_NONE;
    bl_value image = bl__declare_generator(g, &net, label, plate, previous).image;
    bl_input_shape in[] = {
        {label, 1, height, width}, {plate, 1, height, width}, {previous, 1, height, width}};
    assert_ok(bl_graph_macs(
        g, &(bl_program_options){.inputs = in, .n_inputs = 3, .outputs = &image, .n_outputs = 1}, &macs,
        &err));
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
    return macs * 1e-9;
}

static double discriminator_gmacs(bl_gan_net net, int channels, int width, int height) {
    bl_err err = {0};
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    double macs = 0;
    bl_value scores[BL__MAX_SCALES];
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_graph_create(&g, ps, &err));
    bl_value x = bl_input(g, "x", channels);
    bl__verdicts v = bl__declare_discriminator(g, &net, x);
    for (int k = 0; k < v.scales; k++) scores[k] = v.layer[k][v.layers - 1];
    assert_ok(bl_graph_macs(g,
                            &(bl_program_options){.inputs = &(bl_input_shape){x, 1, height, width},
                                                  .n_inputs = 1,
                                                  .outputs = scores,
                                                  .n_outputs = v.scales},
                            &macs, &err));
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
    return macs * 1e-9;
}

static void multiply_adds_are_those_of_the_table(void **state) {
    (void)state; /* 6.7, to the digits given there */
    bl_gan_net global = paper(), local = paper_local(), face = paper_face();
    assert_near(generator_gmacs(global, 512, 256), 110.00, 0.005);
    assert_near(generator_gmacs(global, 1024, 512), 440.0, 0.05);
    assert_near(generator_gmacs(global, 256, 128), 27.5, 0.05);
    assert_near(generator_gmacs(global, 256, 256), 55.0, 0.05);
    assert_near(generator_gmacs(global, 512, 512), 220, 0.5);
    assert_near(generator_gmacs(local, 512, 256), 37.50, 0.005);
    assert_near(generator_gmacs(local, 1024, 512), 149.99, 0.005);
    assert_near(generator_gmacs(face, 128, 128), 8.31, 0.005);
    assert_near(discriminator_gmacs(global, 12, 512, 256), 9.32, 0.005);
    assert_near(discriminator_gmacs(local, 12, 512, 256), 9.88, 0.005);
    assert_near(discriminator_gmacs(local, 12, 1024, 512), 37.75, 0.005);
    assert_near(discriminator_gmacs(face, 6, 128, 128), 1.00, 0.005);
}

/* ---- small nets that can be run ---- */
typedef struct small {
    bl_params *ps;
    bl_graph *g;
    bl_program *p;
    bl_value in[3], image, other, loss;
} small;

static const bl_gan_net small_net = {.scene = BL_SCENE_PAINT,
                                     .arch = BL_ARCH_UNET,
                                     .width = 48,
                                     .height = 32,
                                     .label_channels = 3,
                                     .previous = 1,
                                     .ngf = 8,
                                     .down = 2,
                                     .blocks = 1,
                                     .max_channels = 32,
                                     .ndf = 4,
                                     .num_d = 1,
                                     .layers_d = 1,
                                     .enhancer = 1,
                                     .ngf_local = 4,
                                     .blocks_local = 0};

static void start(small *s, const bl_gan_net *net, bl_value (*other)(small *s, const bl_gan_net *net)) {
    bl_err err = {0};
    *s = (small){0};
    assert_ok(bl_params_create(&s->ps, &err));
    assert_ok(bl_graph_create(&s->g, s->ps, &err));
    static const char *const names[] = {"label", "plate", "previous"};
    for (int i = 0; i < 3; i++) s->in[i] = bl_input(s->g, names[i], 3);
    s->image = bl__declare_generator(s->g, net, s->in[0], s->in[1], s->in[2]).image;
    s->other = other ? other(s, net) : s->image;
    s->loss = bl_loss_mse_to(s->g, s->image, 0.3f);
    assert_ok(bl_params_seal(s->ps, 5, 1, &err));
    bl_input_shape in[3];
    for (int i = 0; i < 3; i++) in[i] = (bl_input_shape){s->in[i], 1, net->height, net->width};
    assert_ok(bl_program_compile(&s->p, s->g,
                                 &(bl_program_options){.inputs = in,
                                                       .n_inputs = 3,
                                                       .outputs = (bl_value[]){s->image, s->other},
                                                       .n_outputs = 2,
                                                       .objectives = &(bl_objective){s->loss, "G."},
                                                       .n_objectives = 1,
                                                       .threads = 2},
                                 &err));
    bl_rng rng;
    bl_rng_seed(&rng, 17);
    for (int i = 0; i < 3; i++) {
        float *x = bl_program_buffer(s->p, s->in[i]);
        for (int k = 0; x && k < 3 * net->width * net->height; k++)
            x[k] = (float)(bl_rng_uniform(&rng) - 0.5);
    }
}

static double loss_of(small *s) {
    bl_err err = {0};
    bl_params_touch(s->ps);
    assert_ok(bl_program_forward(s->p, &err));
    return bl_program_buffer(s->p, s->loss)[0];
}

static void stop(small *s) {
    bl_program_destroy(&s->p);
    bl_graph_destroy(&s->g);
    bl_params_destroy(&s->ps);
}

/* What an enhancer whose own branch says nothing must give: the inner features, widened. */
static bl_value inner_only(small *s, const bl_gan_net *net) {
    bl_graph *g = s->g;
    bl_value x = bl_concat(g, (bl_value[]){s->in[0], s->in[2]}, 2);
    bl_value h = bl__declare_features(g, net, bl_avg_pool(g, x, 3, 2, 1));
    h = bl_conv2d(g, h, &(bl_conv2d_args){.name = "G.local.narrow", .out = 4, .kh = 1, .kw = 1});
    h = bl_conv2d(g, bl_upsample2(g, h),
                  &(bl_conv2d_args){
                      .name = "G.local.up", .out = 4, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1), .no_bias = 1});
    h = bl_norm_act(g, h, BL_NONE, BL_ACT_RELU);
    h = bl_conv2d(
        g, h, &(bl_conv2d_args){.name = "G.local.out", .out = 3, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1)});
    return bl_activation(g, h, BL_ACT_TANH);
}

static void features_of_the_half_size_reach_the_picture(void **state) {
    (void)state;
    small s;
    start(&s, &small_net, inner_only);
    static const char *const own[] = {"G.local.in.weight", "G.local.in.bias", "G.local.down.weight"};
    loss_of(&s);
    const float *a = bl_program_buffer(s.p, s.image), *b = bl_program_buffer(s.p, s.other);
    double differs = 0, spread = 0;
    for (int i = 0; i < 3 * 48 * 32; i++) differs = fmax(differs, fabs((double)a[i] - (double)b[i]));
    assert_true(differs > 1e-3); /* the branch does say something */
    for (size_t i = 0; i < BL_COUNT(own); i++) {
        int k = bl_params_find(s.ps, own[i]);
        assert_true(k >= 0);
        memset(bl_params_data(s.ps, k, BL_SLAB_WEIGHT), 0, sizeof(float) * (size_t)bl_params_size(s.ps, k));
    }
    loss_of(&s);
    for (int i = 0; i < 3 * 48 * 32; i++) {
        assert_near(a[i], b[i], 1e-6);
        spread = fmax(spread, fabs((double)a[i] - (double)a[i % 3]));
    }
    assert_true(spread > 1e-3); /* a picture, not a colour */
    stop(&s);
}

/* Every parameter along a direction that leans to its gradient. Noise seen: 4 % of the scale, from the
 * activations' kinks. */
static void check_gradients(const bl_gan_net *net) {
    bl_err err = {0};
    small s;
    bl_rng rng;
    bl_rng_seed(&rng, 23);
    start(&s, net, NULL);
    const int out = bl_params_find(s.ps, "G.local.out.weight") >= 0
                        ? bl_params_find(s.ps, "G.local.out.weight")
                        : bl_params_find(s.ps, "G.out.weight");
    for (int64_t k = 0; net->scene == BL_SCENE_RESIDUAL && k < bl_params_size(s.ps, out); k++)
        bl_params_data(s.ps, out, BL_SLAB_WEIGHT)[k] *= 40; /* from near zero to what others start with */
    loss_of(&s);
    assert_ok(bl_program_backward(s.p, 0, &err));
    int checked = 0;
    for (int i = 0; i < bl_params_count(s.ps); i++) {
        const int64_t n = bl_params_size(s.ps, i);
        float *w = bl_params_data(s.ps, i, BL_SLAB_WEIGHT), *g = bl_params_data(s.ps, i, BL_SLAB_GRAD);
        float *d = bl_alloc_array((size_t)n, sizeof *d), *old = bl_alloc_array((size_t)n, sizeof *old);
        double expected = 0, norm = 0;
        for (int64_t k = 0; k < n; k++) {
            d[k] = (float)bl_rng_normal(&rng) * 0.3f + (g[k] > 0 ? 1.f : -1.f);
            old[k] = w[k];
            expected += (double)d[k] * (double)g[k];
            norm += fabs((double)d[k] * (double)g[k]);
        }
        const double step = fmin(2e-4, 2e-5 / norm);
        for (int64_t k = 0; k < n; k++) w[k] = old[k] + (float)step * d[k];
        double up = loss_of(&s);
        for (int64_t k = 0; k < n; k++) w[k] = old[k] - (float)step * d[k];
        double measured = (up - loss_of(&s)) / (2 * step);
        for (int64_t k = 0; k < n; k++) w[k] = old[k];
        if (norm > 1e-3) checked++;
        if (fabs(measured - expected) > 0.06 * norm + 2e-4)
            fail_msg("gradient of %s: %g, finite differences %g (scale %g)", bl_params_name(s.ps, i),
                     expected, measured, norm);
        bl_free(d);
        bl_free(old);
    }
    assert_true(checked >= 9); /* inert biases aside */
    stop(&s);
}

static void gradients_flow_through_enhancer_and_residual(void **state) {
    (void)state;
    bl_gan_net net = small_net;
    net.blocks_local = 1;
    net.scene = BL_SCENE_COMPOSITE;
    check_gradients(&net);
    net.ngf_local = 6; /* other widths: a 1x1 convolution joins them */
    net.arch = BL_ARCH_GLOBAL;
    net.scene = BL_SCENE_RESIDUAL;
    check_gradients(&net);
    net.enhancer = 0;
    check_gradients(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_have_the_papers_parameters),
        cmocka_unit_test(discriminators_have_the_papers_parameters),
        cmocka_unit_test(multiply_adds_are_those_of_the_table),
        cmocka_unit_test(features_of_the_half_size_reach_the_picture),
        cmocka_unit_test(gradients_flow_through_enhancer_and_residual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
