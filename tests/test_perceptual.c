/* The perceptual loss in the trainer: it is what it says, is learned from, and leaves no trace in a saved
 * state.
 */
#include "ballerino/safetensors.h"
#include "gan_samples.h"
#include "support.h"

static const bl_gan_net tiny = {.scene = BL_SCENE_COMPOSITE,
                                .arch = BL_ARCH_UNET,
                                .width = 48,
                                .height = 64,
                                .label_channels = 3,
                                .ngf = 8,
                                .down = 3,
                                .blocks = 1,
                                .max_channels = 32,
                                .ndf = 8,
                                .num_d = 1,
                                .layers_d = 2};

/* Two layers with weights of their own. */
static int declare(void *ctx, bl_graph *g, bl_value image, bl_value *taps, float *weights, int max,
                   bl_err *err) {
    (void)ctx, (void)err;
    assert_true(max >= 2);
    const bl_conv2d_args a = {
        .name = "P.a", .out = 8, .kh = 3, .kw = 3, .pad = BL_PAD_SAME(1), .act = BL_ACT_RELU};
    bl_conv2d_args b = a;
    b.name = "P.b";
    taps[0] = bl_conv2d(g, image, &a);
    taps[1] = bl_conv2d(g, bl_max_pool(g, taps[0], 2, 2, 0), &b);
    weights[0] = 0.25f, weights[1] = 1;
    return 2;
}

static int load(void *ctx, bl_params *ps, bl_err *err) {
    bl_rng rng;
    (void)err;
    bl_rng_seed(&rng, 4);
    *(int *)ctx = 0;
    for (int i = 0; i < bl_params_count(ps); i++) {
        if (strncmp(bl_params_name(ps, i), BL_PERCEPTUAL_PREFIX, 2) != 0) continue;
        float *w = bl_params_data(ps, i, BL_SLAB_WEIGHT);
        for (int64_t k = 0; k < bl_params_size(ps, i); k++) w[k] = 0.3f * (float)bl_rng_normal(&rng);
        (*(int *)ctx)++;
    }
    return 0;
}

static bl_gan_train settings(const bl_perceptual *p) {
    bl_gan_train t = bl_gan_train_default();
    t.lr_g = 2e-3f;
    t.steps = 200;
    t.ema = 0.9f;
    t.threads = 2;
    t.w_l1 = 0.01f;
    t.w_ssim = 0;
    t.w_gan = 0.01f;
    t.gan_from = 20;
    t.perceptual = p;
    t.w_perceptual = 1;
    return t;
}

static bl_trainer *open_trainer(samples *s, const bl_gan_train *train) {
    bl_err err = {0};
    bl_trainer *t = NULL;
    *s = (samples){tiny.width, tiny.height};
    bl_gan_source src = samples_source(s, 60);
    assert_ok(bl_trainer_create(&t, &tiny, train, &src, &err));
    return t;
}

static void it_is_learned_from(void **state) {
    (void)state;
    bl_err err = {0};
    int loaded = 0;
    samples s;
    const bl_perceptual p = {&loaded, declare, load};
    bl_gan_train train = settings(&p);
    bl_trainer *t = open_trainer(&s, &train);
    bl_gan_losses losses;
    float first = 0;
    assert_int_equal(loaded, 4); /* once declared, twice used */
    for (int i = 0; i < 80; i++) {
        assert_ok(bl_trainer_step(t, &losses, &err));
        if (i == 0) first = losses.perceptual;
    }
    float sum = losses.perceptual + 0.01f * losses.l1 + 0.01f * losses.gan + losses.fm;
    assert_true(fabsf(sum - losses.total) < 1e-4f * losses.total);
    if (!(losses.perceptual < 0.6f * first))
        fail_msg("it went from %g to %g only", (double)first, (double)losses.perceptual);
    bl_trainer_destroy(&t);
}

static void without_weight_it_is_not_there(void **state) {
    (void)state;
    bl_err err = {0};
    int loaded = -1;
    samples s;
    const bl_perceptual p = {&loaded, declare, load};
    bl_gan_train train = settings(&p);
    train.w_perceptual = 0;
    bl_trainer *t = open_trainer(&s, &train);
    bl_gan_losses losses;
    assert_ok(bl_trainer_step(t, &losses, &err));
    assert_true(losses.perceptual == 0);
    assert_int_equal(loaded, -1);
    assert_int_equal(bl_params_total(bl_trainer_params(t), BL_PERCEPTUAL_PREFIX), 0);
    bl_trainer_destroy(&t);
}

static void saved_state_leaves_it_out(void **state) {
    (void)state;
    bl_err err = {0};
    int loaded = 0;
    samples s;
    const bl_perceptual p = {&loaded, declare, load};
    bl_gan_train train = settings(&p);
    bl_trainer *a = open_trainer(&s, &train), *b = open_trainer(&s, &train);
    char path[] = "/tmp/bl_perceptual_XXXXXX";
    bl_tensors *file = NULL;
    close(mkstemp(path));
    for (int i = 0; i < 4; i++) assert_ok(bl_trainer_step(a, NULL, &err));
    assert_ok(bl_trainer_save(a, path, &err));
    assert_ok(bl_tensors_read(&file, path, &err));
    assert_non_null(bl_tensors_find(file, "weight/G.in.weight"));
    for (int i = 0; i < bl_tensors_count(file); i++) assert_null(strstr(bl_tensors_at(file, i)->name, "P."));
    bl_tensors_close(&file);
    assert_ok(bl_trainer_load(b, path, &err));
    bl_gan_losses la, lb;
    for (int i = 0; i < 4; i++) {
        assert_ok(bl_trainer_step(a, &la, &err));
        assert_ok(bl_trainer_step(b, &lb, &err));
        assert_memory_equal(&la, &lb, sizeof la);
    }
    bl_trainer_destroy(&b);
    bl_trainer_destroy(&a);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_learned_from),
        cmocka_unit_test(without_weight_it_is_not_there),
        cmocka_unit_test(saved_state_leaves_it_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
