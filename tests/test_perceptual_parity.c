/*
 * The backbones, the perceptual loss with its gradient, and LPIPS against PyTorch's on random weights.
 * tests/torch/perceptual_peer.py makes the numbers; where there is no PyTorch, this is skipped.
 * Tolerances: loss and LPIPS 1e-4 of their value; gradient 1e-3 in the mean and, since a sign may turn where
 * two features are equal but for rounding, 5e-3 of the largest at one place (seen: 4e-6). A wrong tap,
 * weight, border or layout changes all of them by far more than 1e-2.
 */
#include <math.h>

#include "ballerino/backbones.h"
#include "ballerino/lpips.h"
#include "support.h"

#ifndef PEER_SCRIPT
#error "PEER_SCRIPT: path of perceptual_peer.py"
#endif

static char folder[] = "/tmp/bl_peer_XXXXXX";
static char path[128];

static const char *file_of(const char *name) {
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    return path;
}

static const float *array(const bl_tensors *t, const char *name, int *h, int *w) {
    const bl_tensor *x = bl_tensors_find(t, name);
    assert_non_null(x);
    assert_int_equal(x->dtype, BL_DT_F32);
    if (h) *h = (int)x->dims[0], *w = (int)x->dims[1];
    float *copy = bl_alloc(x->bytes);
    memcpy(copy, x->data, x->bytes);
    return copy;
}

static void compare_gradient(const char *name, const float *ours, const float *theirs, int64_t n) {
    double largest = 0, worst = 0, sum = 0, difference = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)ours[i] - (double)theirs[i]);
        largest = fmax(largest, fabs((double)theirs[i]));
        worst = fmax(worst, isfinite(ours[i]) ? d : 1e9);
        sum += fabs((double)theirs[i]);
        difference += d;
    }
    printf("%s: gradient differs by %.2g of the largest, %.2g in the mean\n", name, worst / largest,
           difference / sum);
    if (worst > 5e-3 * largest || difference > 1e-3 * sum) fail_msg("%s: the gradient is another", name);
}

static void loss_is_pytorchs(const char *name, bl_backbone which, const float *weights) {
    bl_err err = {0};
    bl_tensors *file = NULL;
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    bl_program *p = NULL;
    int h, w;
    assert_ok(bl_tensors_read(&file, file_of(name), &err));
    assert_int_equal(bl_backbone_detect(file, &err), which);
    const float *fake = array(file, "peer.fake", &h, &w), *real = array(file, "peer.real", NULL, NULL);
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_graph_create(&g, ps, &err));
    /* the generated picture is a parameter: one times it, so that its gradient can be read */
    bl_value one = bl_input(g, "one", 1), photo = bl_input(g, "photo", 3);
    bl_value made = bl_reshape(g, bl_fully_connected(g, one, "picture", w * h * 3, BL_ACT_NONE), h, w, 3);
    bl_value a[BL_BACKBONE_MAX_TAPS], b[BL_BACKBONE_MAX_TAPS], terms[BL_BACKBONE_MAX_TAPS];
    int n = bl_backbone_declare(g, which, "P.", made, a, BL_BACKBONE_MAX_TAPS, &err);
    assert_int_equal(bl_backbone_declare(g, which, "P.", photo, b, BL_BACKBONE_MAX_TAPS, &err), n);
    for (int i = 0; i < n; i++) terms[i] = bl_loss_l1(g, a[i], bl_stop_gradient(g, b[i]), BL_NONE);
    bl_value loss = bl_weighted_sum(g, terms, weights, n);
    assert_ok(bl_params_freeze(ps, "P.", &err));
    assert_ok(bl_params_seal(ps, 1, 1, &err));
    assert_ok(bl_backbone_load(ps, which, "P.", file, &err));
    bl_input_shape in[2] = {{one, 1, 1, 1}, {photo, 1, h, w}};
    assert_ok(bl_program_compile(&p, g,
                                 &(bl_program_options){.inputs = in,
                                                       .n_inputs = 2,
                                                       .objectives = &(bl_objective){loss, "picture"},
                                                       .n_objectives = 1,
                                                       .threads = 2},
                                 &err));
    const int64_t values = (int64_t)h * w * 3;
    int bias = bl_params_find(ps, "picture.bias"), weight = bl_params_find(ps, "picture.weight");
    memset(bl_params_data(ps, weight, BL_SLAB_WEIGHT), 0, sizeof(float) * (size_t)values);
    memcpy(bl_params_data(ps, bias, BL_SLAB_WEIGHT), fake, sizeof(float) * (size_t)values);
    bl_params_touch(ps);
    memcpy(bl_program_buffer(p, photo), real, sizeof(float) * (size_t)values);
    bl_program_buffer(p, one)[0] = 1;
    assert_ok(bl_program_forward(p, &err));
    assert_ok(bl_program_backward(p, 0, &err));
    const float *theirs = array(file, "peer.loss", NULL, NULL), ours = bl_program_buffer(p, loss)[0];
    printf("%s: loss %.7g, PyTorch %.7g\n", name, (double)ours, (double)*theirs);
    if (!(fabsf(ours - *theirs) <= 1e-4f * *theirs)) fail_msg("%s: the loss is another", name);
    const float *gradient = array(file, "peer.gradient", NULL, NULL);
    compare_gradient(name, bl_params_data(ps, bias, BL_SLAB_GRAD), gradient, values);
    const void *copies[] = {fake, real, theirs, gradient};
    for (size_t i = 0; i < BL_COUNT(copies); i++) bl_free((void *)(uintptr_t)copies[i]);
    bl_program_destroy(&p);
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
    bl_tensors_close(&file);
}

static void vgg19(void **state) {
    (void)state;
    loss_is_pytorchs("vgg19", BL_BACKBONE_VGG19, (float[]){1 / 32.f, 1 / 16.f, 1 / 8.f, 1 / 4.f, 1});
}

static void the_others(void **state) {
    (void)state;
    const float ones[] = {1, 1, 1, 1, 1, 1, 1};
    loss_is_pytorchs("vgg16", BL_BACKBONE_VGG16, ones);
    loss_is_pytorchs("alexnet", BL_BACKBONE_ALEXNET, ones);
    loss_is_pytorchs("squeezenet", BL_BACKBONE_SQUEEZENET, ones);
}

static void lpips(void **state) {
    static const char *const names[] = {"alexnet", "squeezenet", "vgg16"};
    (void)state;
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        bl_err err = {0};
        bl_tensors *file = NULL;
        bl_lpips *l = NULL;
        int h, w;
        double d = 0;
        assert_ok(bl_tensors_read(&file, file_of(names[i]), &err));
        const float *fake = array(file, "peer.fake", &h, &w), *real = array(file, "peer.real", NULL, NULL);
        const float *theirs = array(file, "peer.lpips", NULL, NULL);
        assert_ok(bl_lpips_open(&l, file_of(names[i]), NULL, NULL, 2, &err));
        assert_ok(bl_lpips_distance(l, fake, fake, w, h, &d, &err));
        assert_true(d == 0);
        assert_ok(bl_lpips_distance(l, fake, real, w, h, &d, &err));
        printf("%s (%s): LPIPS %.7g, PyTorch %.7g\n", names[i], bl_lpips_backbone(l), d, (double)*theirs);
        if (!(fabs(d - (double)*theirs) <= 1e-4 * (double)*theirs))
            fail_msg("%s: LPIPS is another", names[i]);
        assert_int_equal(bl_lpips_distance(l, fake, real, 63, 80, &d, &err), BL_E_USAGE);
        bl_lpips_close(&l);
        bl_tensors_close(&file);
        const void *copies[] = {fake, real, theirs};
        for (size_t k = 0; k < BL_COUNT(copies); k++) bl_free((void *)(uintptr_t)copies[k]);
    }
    bl_err err = {0};
    bl_lpips *l = NULL;
    assert_int_equal(bl_lpips_open(&l, file_of("vgg19"), NULL, NULL, 2, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "VGG19"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vgg19),
        cmocka_unit_test(the_others),
        cmocka_unit_test(lpips),
    };
    char command[512];
    if (!mkdtemp(folder)) return 1;
    /* Debian's Python first: another one in the PATH does not see Debian's packages */
    snprintf(command, sizeof command,
             "for p in /usr/bin/python3 python3; do \"$p\" '%s' '%s' && exit 0; done; exit 77", PEER_SCRIPT,
             folder);
    int rc = system(command) == 0 ? cmocka_run_group_tests(tests, NULL, NULL) : TEST_SKIPPED;
    static const char *const names[] = {"vgg19", "vgg16", "alexnet", "squeezenet"};
    for (size_t i = 0; i < BL_COUNT(names); i++) unlink(file_of(names[i]));
    rmdir(folder);
    return rc;
}
