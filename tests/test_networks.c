/* The networks at the paper's settings: parameters and multiply-adds as worked out by hand (method 6). */
#include "ballerino/gan.h"
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
    n.affine_d = 1;
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_have_the_papers_parameters),
        cmocka_unit_test(discriminators_have_the_papers_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
