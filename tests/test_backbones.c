/* Frozen parameters, and the backbones: sizes against what is published, names, shapes and refusals. Values
 * are held to PyTorch's by test_perceptual_parity. */
#include <math.h>

#include "ballerino/backbones.h"
#include "support.h"

typedef struct net {
    bl_params *ps;
    bl_graph *g;
    bl_value image, taps[BL_BACKBONE_MAX_TAPS];
    int n;
} net;

static void declare(net *t, bl_backbone which) {
    bl_err err = {0};
    *t = (net){0};
    assert_ok(bl_params_create(&t->ps, &err));
    assert_ok(bl_graph_create(&t->g, t->ps, &err));
    t->image = bl_input(t->g, "image", 3);
    t->n = bl_backbone_declare(t->g, which, "P.", t->image, t->taps, BL_BACKBONE_MAX_TAPS, &err);
    assert_true(t->n > 0);
    assert_ok(bl_params_freeze(t->ps, "P.", &err));
}

static void destroy(net *t) {
    bl_graph_destroy(&t->g);
    bl_params_destroy(&t->ps);
}

/* Multiply-adds at w x h, or of the shapes of the taps. */
static double macs(net *t, int w, int h, bl_shape *taps) {
    bl_err err = {0};
    bl_program *p = NULL;
    assert_ok(bl_params_seal(t->ps, 1, 0, &err));
    assert_ok(bl_program_compile(&p, t->g,
                                 &(bl_program_options){.inputs = &(bl_input_shape){t->image, 1, h, w},
                                                       .n_inputs = 1,
                                                       .outputs = t->taps,
                                                       .n_outputs = t->n,
                                                       .threads = 1},
                                 &err));
    double total = bl_program_macs(p);
    for (int i = 0; i < t->n; i++) taps[i] = bl_program_shape(p, t->taps[i]);
    bl_program_destroy(&p);
    return total;
}

static void vgg19_has_the_papers_size(void **state) {
    (void)state; /* method.md 8: 12,944,960 parameters; 47.34 G at 512x256, linear in the pixels */
    net t;
    bl_shape s[BL_BACKBONE_MAX_TAPS];
    declare(&t, BL_BACKBONE_VGG19);
    assert_int_equal(bl_params_total(t.ps, "P."), 12944960);
    double at_half_scale = macs(&t, 64, 32, s);
    assert_true(fabs(at_half_scale * 64 - 47.34e9) < 0.005e9);
    const int channels[5] = {64, 128, 256, 512, 512};
    for (int i = 0; i < 5; i++) assert_true(s[i].w == 64 >> i && s[i].h == 32 >> i && s[i].c == channels[i]);
    destroy(&t);
}

/* At 224x224, the size for which the papers give their maps. */
static void others_have_their_published_shapes(void **state) {
    (void)state;
    static const struct {
        bl_backbone which;
        int64_t params;
        int side[BL_BACKBONE_MAX_TAPS], channels[BL_BACKBONE_MAX_TAPS];
    } cases[] = {
        {BL_BACKBONE_ALEXNET, 2469696, {55, 27, 13, 13, 13}, {64, 192, 384, 256, 256}},
        {BL_BACKBONE_SQUEEZENET, 722496, {111, 55, 27, 13, 13, 13, 13}, {64, 128, 256, 384, 384, 512, 512}},
        {BL_BACKBONE_VGG16, 14714688, {224, 112, 56, 28, 14}, {64, 128, 256, 512, 512}},
    };
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        net t;
        bl_shape s[BL_BACKBONE_MAX_TAPS];
        int channels[BL_BACKBONE_MAX_TAPS];
        declare(&t, cases[k].which);
        assert_int_equal(bl_params_total(t.ps, "P."), cases[k].params);
        assert_int_equal(bl_backbone_taps(cases[k].which, channels), t.n);
        (void)macs(&t, 224, 224, s);
        for (int i = 0; i < t.n; i++) {
            assert_int_equal(s[i].w, cases[k].side[i]);
            assert_int_equal(s[i].c, cases[k].channels[i]);
            assert_int_equal(channels[i], s[i].c);
        }
        destroy(&t);
    }
}

static void frozen_parameters_stay(void **state) {
    (void)state;
    bl_err err = {0};
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    bl_program *p = NULL;
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_graph_create(&g, ps, &err));
    bl_value x = bl_input(g, "x", 3);
    bl_conv2d_args before =
                       {.name = "a", .out = 4, .kh = 3, .kw = 3, .init_scale = 0.5f, .init = BL_INIT_NORMAL},
                   frozen = before, after = before;
    frozen.name = "P.b", after.name = "c";
    bl_value y = bl_conv2d(g, bl_conv2d(g, bl_conv2d(g, x, &before), &frozen), &after);
    bl_value loss = bl_loss_mse_to(g, y, 1);
    assert_ok(bl_params_freeze(ps, "P.", &err));
    assert_ok(bl_params_seal(ps, 3, 1, &err));
    assert_int_equal(bl_params_freeze(ps, "c", &err), BL_E_INTERNAL); /* too late */
    assert_ok(bl_program_compile(&p, g,
                                 &(bl_program_options){.inputs = &(bl_input_shape){x, 1, 9, 9},
                                                       .n_inputs = 1,
                                                       .objectives = &(bl_objective){loss, ""},
                                                       .n_objectives = 1,
                                                       .threads = 1},
                                 &err));
    for (int i = 0; i < 9 * 9 * 3; i++) bl_program_buffer(p, x)[i] = sinf((float)i);
    int index = bl_params_find(ps, "P.b.weight");
    float *w = bl_params_data(ps, index, BL_SLAB_WEIGHT), copy[4 * 9 * 4];
    assert_int_equal(bl_params_size(ps, index), (int)BL_COUNT(copy));
    memcpy(copy, w, sizeof copy);
    assert_null(bl_params_data(ps, index, BL_SLAB_GRAD));
    assert_null(bl_params_data(ps, index, BL_SLAB_M));
    assert_ptr_equal(bl_params_data(ps, index, BL_SLAB_EMA), w);
    float first = 0;
    for (int step = 1; step <= 30; step++) {
        assert_ok(bl_program_forward(p, &err));
        assert_ok(bl_program_backward(p, 0, &err));
        if (step == 1) first = bl_program_buffer(p, loss)[0];
        if (step == 1) /* the gradient came through to what lies before */
            assert_true(fabsf(bl_params_data(ps, bl_params_find(ps, "a.bias"), BL_SLAB_GRAD)[0]) > 1e-6f);
        bl_params_adam(ps, "", &(bl_adam){0.01f, 0.9f, 0.999f, 1e-8f, 0.9f, 0}, step);
    }
    assert_true(bl_program_buffer(p, loss)[0] < 0.5f * first);
    assert_memory_equal(copy, w, sizeof copy);
    bl_program_destroy(&p);
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
}

/* ---- files ---- */
enum { ALEX = 10 };
static const char *const alex_names[ALEX] = {
    "features.0.weight", "features.0.bias",   "features.3.weight", "features.3.bias",    "features.6.weight",
    "features.6.bias",   "features.8.weight", "features.8.bias",   "features.10.weight", "features.10.bias"};
static const int64_t alex_dims[ALEX][4] = {{64, 3, 11, 11},  {64},  {192, 64, 5, 5},  {192},
                                           {384, 192, 3, 3}, {384}, {256, 384, 3, 3}, {256},
                                           {256, 256, 3, 3}, {256}};

/* Writes AlexNet with value i + 1 (as float16) at the i-th place, `skip` left out, `wrong` transposed. */
static void write_alexnet(const char *path, int skip, int wrong) {
    bl_err err = {0};
    bl_tensor t[ALEX] = {0};
    uint16_t *half = bl_alloc_array(256 * 384 * 9, 2);
    for (int i = 0; i < 256 * 384 * 9; i++) half[i] = (uint16_t)(0x3c00 + i % 1024); /* 1 + i/1024 */
    int n = 0;
    for (int i = 0; i < ALEX; i++) {
        if (i == skip) continue;
        t[n] = (bl_tensor){.name = alex_names[i], .dtype = BL_DT_F16, .rank = i % 2 ? 1 : 4, .data = half};
        t[n].bytes = 2;
        for (int k = 0; k < t[n].rank; k++) {
            t[n].dims[k] = alex_dims[i][i == wrong ? t[n].rank - 1 - k : k];
            t[n].bytes *= (size_t)t[n].dims[k];
        }
        n++;
    }
    bl_tensor_meta meta = {"format", "test"};
    assert_ok(bl_tensors_write(path, t, n, &meta, 1, &err));
    bl_free(half);
}

static int load(const char *path, bl_backbone which, float *sample, bl_err *out) {
    bl_err err = {0};
    net t;
    bl_tensors *file = NULL;
    declare(&t, which);
    assert_ok(bl_params_seal(t.ps, 1, 0, &err));
    assert_ok(bl_tensors_read(&file, path, &err));
    int rc = bl_backbone_load(t.ps, which, "P.", file, out);
    int index = bl_params_find(t.ps, "P.features.0.weight");
    if (sample) *sample = bl_params_data(t.ps, index, BL_SLAB_WEIGHT)[((1 * 11 + 2) * 11 + 3) * 3 + 1];
    bl_tensors_close(&file);
    destroy(&t);
    return rc;
}

static void files_are_checked(void **state) {
    (void)state;
    char path[] = "/tmp/bl_backbone_XXXXXX";
    bl_err err = {0};
    float w = 0;
    close(mkstemp(path));
    write_alexnet(path, -1, -1);
    assert_ok(load(path, BL_BACKBONE_ALEXNET, &w, &err));
    int at = ((1 * 3 + 1) * 11 + 2) * 11 + 3; /* [out 1][in 1][2][3] in the file */
    assert_true(w == 1 + (float)(at % 1024) / 1024);
    bl_tensors *file = NULL;
    assert_ok(bl_tensors_read(&file, path, &err));
    assert_int_equal(bl_backbone_detect(file, &err), BL_BACKBONE_ALEXNET);
    bl_tensors_close(&file);
    assert_int_equal(load(path, BL_BACKBONE_VGG19, NULL, &err), BL_E_MISMATCH);
    write_alexnet(path, 4, -1);
    assert_int_equal(load(path, BL_BACKBONE_ALEXNET, &w, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "features.6.weight"));
    assert_true(w == 0); /* nothing was written */
    write_alexnet(path, -1, 2);
    assert_int_equal(load(path, BL_BACKBONE_ALEXNET, NULL, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "192x64x5x5"));
    write_alexnet(path, 0, -1);
    assert_ok(bl_tensors_read(&file, path, &err));
    assert_int_equal(bl_backbone_detect(file, &err), BL_E_MISMATCH);
    bl_tensors_close(&file);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vgg19_has_the_papers_size),
        cmocka_unit_test(others_have_their_published_shapes),
        cmocka_unit_test(frozen_parameters_stay),
        cmocka_unit_test(files_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
