/* The networks' sizes against the paper's, learning on synthetic samples, and going on bit-exactly. */
#include "gan_samples.h"
#include "support.h"

static const bl_gan_net tiny = {.scene = BL_SCENE_COMPOSITE,
                                .arch = BL_ARCH_UNET,
                                .width = 48,
                                .height = 64,
                                .label_channels = 3,
                                .previous = 1,
                                .ngf = 8,
                                .down = 3,
                                .blocks = 1,
                                .max_channels = 32,
                                .ndf = 8,
                                .num_d = 2,
                                .layers_d = 2};

static bl_gan_train quick(void) {
    bl_gan_train t = bl_gan_train_default();
    t.lr_g = 2e-3f;
    t.steps = 200;
    t.max_rollout = 2;
    t.ema = 0.9f;
    t.threads = 2;
    return t;
}

static int64_t count_params(const bl_gan_net *net, const char *prefix) {
    bl_err err = {0};
    bl_params *ps = NULL;
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_gan_declare(net, ps, 1, &err));
    int64_t n = bl_params_total(ps, prefix);
    bl_params_destroy(&ps);
    return n;
}

static void paper_networks_have_the_papers_sizes(void **state) {
    (void)state; /* method.md 6.1 and 6.3 */
    bl_gan_net net = {.scene = BL_SCENE_PAINT,
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
    assert_int_equal(count_params(&net, "G."), 182452675);
    net.label_channels = 9; /* the pair: two labels and two pictures are 12 channels */
    assert_int_equal(count_params(&net, "D"), 5547906);
}

static void learning_lowers_the_losses(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_gan_source src = samples_source(&s, 60);
    bl_gan_train train = quick();
    bl_trainer *t = NULL;
    bl_gan_losses losses;
    float first = 0, last = 0;
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    for (int i = 0; i < 120; i++) {
        assert_ok(bl_trainer_step(t, &losses, &err));
        if (i < 5) first += losses.l1 / 5;
        if (i >= 110) last += losses.l1 / 10;
    }
    if (!(last < 0.4f * first)) fail_msg("L1 went from %g to %g only", (double)first, (double)last);
    bl_trainer_destroy(&t);
}

static void temporal_pairs_and_painting_learn_too(void **state) {
    (void)state;
    bl_err err = {0};
    bl_gan_net net = tiny;
    net.scene = BL_SCENE_PAINT;
    net.arch = BL_ARCH_GLOBAL;
    net.down = 2;
    samples s = {net.width, net.height};
    bl_gan_source src = samples_source(&s, 60);
    bl_gan_train train = quick();
    train.temporal_d = 1;
    train.gan_loss = BL_GAN_HINGE;
    train.gan_from = 10;
    bl_trainer *t = NULL;
    bl_gan_losses losses;
    float first = 0;
    assert_ok(bl_trainer_create(&t, &net, &train, &src, &err));
    for (int i = 0; i < 60; i++) {
        assert_ok(bl_trainer_step(t, &losses, &err));
        if (i == 0) first = losses.l1;
    }
    if (!(losses.l1 < 0.7f * first)) fail_msg("L1 went from %g to %g only", (double)first, (double)losses.l1);
    assert_true(losses.d_fake > 0); /* the discriminators have joined */
    bl_trainer_destroy(&t);
}

static void resumed_run_equals_undisturbed_one(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_gan_source src = samples_source(&s, 60);
    bl_gan_train train = quick();
    bl_trainer *a = NULL, *b = NULL;
    char path[] = "/tmp/bl_gan_XXXXXX";
    close(mkstemp(path));
    assert_ok(bl_trainer_create(&a, &tiny, &train, &src, &err));
    for (int i = 0; i < 6; i++) assert_ok(bl_trainer_step(a, NULL, &err));
    assert_ok(bl_trainer_save(a, path, &err));
    assert_ok(bl_trainer_create(&b, &tiny, &train, &src, &err));
    assert_ok(bl_trainer_step(b, NULL, &err)); /* whatever it did before is gone after loading */
    assert_ok(bl_trainer_load(b, path, &err));
    assert_int_equal(bl_trainer_steps_done(b), 6);
    for (int i = 0; i < 6; i++) {
        assert_ok(bl_trainer_step(a, NULL, &err));
        assert_ok(bl_trainer_step(b, NULL, &err));
    }
    bl_params *pa = bl_trainer_params(a), *pb = bl_trainer_params(b);
    for (int i = 0; i < bl_params_count(pa); i++)
        for (int k = 0; k < 5; k++)
            assert_memory_equal(bl_params_data(pa, i, (bl_slab)k), bl_params_data(pb, i, (bl_slab)k),
                                sizeof(float) * (size_t)bl_params_size(pa, i));
    bl_gan_net other = tiny;
    bl_trainer *c = NULL;
    other.ngf = 12;
    assert_ok(bl_trainer_create(&c, &other, &train, &src, &err));
    assert_int_equal(bl_trainer_load(c, path, &err), BL_E_MISMATCH);
    bl_trainer_destroy(&c);
    bl_trainer_destroy(&b);
    bl_trainer_destroy(&a);
    unlink(path);
}

static void impossible_settings_are_refused(void **state) {
    (void)state;
    bl_err err = {0};
    bl_params *ps = NULL;
    assert_ok(bl_params_create(&ps, &err));
    bl_gan_net net = tiny;
    net.width = 50;
    assert_int_equal(bl_gan_declare(&net, ps, 1, &err), BL_E_USAGE);
    bl_params_destroy(&ps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_networks_have_the_papers_sizes),
        cmocka_unit_test(learning_lowers_the_losses),
        cmocka_unit_test(temporal_pairs_and_painting_learn_too),
        cmocka_unit_test(resumed_run_equals_undisturbed_one),
        cmocka_unit_test(impossible_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
