/* Learning on synthetic samples, starting from another stage's weights, and going on bit-exactly. */
#include <malloc.h>
#include <stdatomic.h>
#include <time.h>

#include "gan/trainer.h"
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

static void resume(const bl_gan_net *net, const bl_gan_train *asked) {
    bl_err err = {0};
    samples s = {net->width, net->height};
    bl_gan_source src = samples_source(&s, 60);
    bl_gan_train train = *asked;
    bl_trainer *a = NULL, *b = NULL;
    char path[] = "/tmp/bl_gan_XXXXXX";
    close(mkstemp(path));
    assert_ok(bl_trainer_create(&a, net, &train, &src, &err));
    for (int i = 0; i < 6; i++) assert_ok(bl_trainer_step(a, NULL, &err));
    assert_ok(bl_trainer_save(a, path, &err));
    assert_ok(bl_trainer_create(&b, net, &train, &src, &err));
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
    bl_gan_net other = *net;
    bl_trainer *c = NULL;
    other.ngf = 12;
    assert_ok(bl_trainer_create(&c, &other, &train, &src, &err));
    assert_int_equal(bl_trainer_load(c, path, &err), BL_E_MISMATCH);
    bl_trainer_destroy(&c);
    bl_trainer_destroy(&b);
    bl_trainer_destroy(&a);
    unlink(path);
}

/* ---- frames are fetched ahead ---- */
typedef struct watched {
    samples s;
    atomic_int calls, inside, most_inside; /* of get */
    int fails_at;                          /* this call; 0: none does */
} watched;

static int watched_get(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                       float *weight, bl_err *err) {
    watched *w = ctx;
    const int inside = atomic_fetch_add(&w->inside, 1) + 1, call = atomic_fetch_add(&w->calls, 1) + 1;
    if (inside > atomic_load(&w->most_inside)) atomic_store(&w->most_inside, inside);
    const int rc = call == w->fails_at ? bl_fail(err, BL_E_IO, "frame %lld is torn", (long long)index)
                                       : samples_get(&w->s, index, augment, label, plate, real, weight, err);
    (void)nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    atomic_fetch_sub(&w->inside, 1);
    return rc;
}

static bl_gan_source watched_source(watched *w) {
    bl_gan_source src = samples_source(&w->s, 60);
    src.ctx = w;
    src.get = watched_get;
    return src;
}

/* Each frame once, one at a time, nothing between steps, and nothing behind the last one. */
static void frames_are_fetched_once(void **state) {
    (void)state;
    bl_err err = {0};
    watched w = {.s = {tiny.width, tiny.height}};
    bl_gan_source src = watched_source(&w);
    bl_gan_net net = tiny;
    bl_gan_train train = quick();
    bl_trainer *t = NULL;
    net.previous = 0;
    train.temporal_d = 1;
    train.steps = 6;
    assert_ok(bl_trainer_create(&t, &net, &train, &src, &err));
    for (int i = 1; i <= 6; i++) {
        assert_ok(bl_trainer_step(t, NULL, &err));
        assert_int_equal(atomic_load(&w.inside), 0);
        assert_int_equal(atomic_load(&w.calls), 2 * BL_MIN(i + 1, 6)); /* the next unit's two as well */
    }
    assert_int_equal(atomic_load(&w.most_inside), 1);
    bl_trainer_destroy(&t);
}

/* What fails while it is fetched ahead fails the step that needs it, and says why. */
static void a_failed_fetch_fails_its_own_step(void **state) {
    (void)state;
    bl_err err = {0};
    watched w = {.s = {tiny.width, tiny.height}, .fails_at = 3};
    bl_gan_source src = watched_source(&w);
    bl_gan_net net = tiny;
    bl_gan_train train = quick();
    bl_trainer *t = NULL;
    net.previous = 0;
    assert_ok(bl_trainer_create(&t, &net, &train, &src, &err));
    assert_ok(bl_trainer_step(t, NULL, &err));
    assert_ok(bl_trainer_step(t, NULL, &err));
    assert_int_equal(bl_trainer_step(t, NULL, &err), BL_E_IO);
    assert_non_null(strstr(err.msg, "is torn"));
    assert_int_equal(bl_trainer_steps_done(t), 2);
    bl_trainer_destroy(&t);
}

/* A picture that is the plate but for the person, whose colours are off: what a residual is for. */
static int off_colour(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                      float *weight, bl_err *err) {
    const samples *s = ctx;
    int rc = samples_get(ctx, index, augment, label, plate, real, weight, err);
    for (int i = 0; i < 3 * s->w * s->h; i++) plate[i] = 0.6f * real[i] - 0.2f;
    return rc;
}

static void residual_starts_from_the_plate_and_learns_what_is_missing(void **state) {
    (void)state;
    bl_err err = {0};
    bl_gan_net net = tiny;
    net.scene = BL_SCENE_RESIDUAL;
    net.previous = 0;
    net.norm_d = BL_D_NORM_AFFINE;
    samples s = {net.width, net.height};
    bl_gan_source src = samples_source(&s, 60);
    src.get = off_colour;
    bl_gan_train train = quick();
    train.w_fm = 0;
    bl_trainer *t = NULL;
    bl_gan_losses losses;
    size_t n = (size_t)(net.width * net.height);
    float *buf = bl_alloc_array(n * 14, sizeof *buf), *label = buf, *plate = buf + 3 * n,
          *real = plate + 3 * n, *image = real + 3 * n, *weight = image + 3 * n, *mask = weight + n;
    assert_ok(bl_trainer_create(&t, &net, &train, &src, &err));
    bl_generator *g = NULL;
    assert_ok(bl_generator_create(&g, &net, bl_trainer_params(t), BL_SLAB_WEIGHT, BL_FP32, 2, &err));
    assert_ok(off_colour(&s, 7, 0, label, plate, real, weight, &err));
    assert_ok(bl_generator_run(g, label, plate, 0, 0, image, mask, &err));
    for (size_t i = 0; i < 3 * n; i++) assert_near(image[i], plate[i], 0.05);
    assert_true(mask[0] == 1 && mask[n - 1] == 1);
    float first = 0, last = 0;
    for (int i = 0; i < 60; i++) {
        assert_ok(bl_trainer_step(t, &losses, &err));
        assert_true(losses.fm == 0); /* asked not to be worked out */
        if (i < 5) first += losses.l1 / 5;
        if (i >= 50) last += losses.l1 / 10;
    }
    if (!(last < 0.5f * first)) fail_msg("L1 went from %g to %g only", (double)first, (double)last);
    bl_generator_destroy(&g);
    bl_trainer_destroy(&t);
    bl_free(buf);
}

static int same_data(bl_trainer *a, bl_trainer *b, const char *name, bl_slab slab) {
    bl_params *pa = bl_trainer_params(a), *pb = bl_trainer_params(b);
    int i = bl_params_find(pa, name), j = bl_params_find(pb, name);
    assert_true(i >= 0 && j >= 0);
    assert_int_equal(bl_params_size(pa, i), bl_params_size(pb, j));
    return !memcmp(bl_params_data(pa, i, slab), bl_params_data(pb, j, slab),
                   sizeof(float) * (size_t)bl_params_size(pa, i));
}

/* Half the size without an enhancer, two scales; then with an enhancer, three scales. */
static void next_stage_starts_from_the_last(void **state) {
    (void)state;
    bl_err err = {0};
    bl_gan_net coarse = tiny, fine = tiny;
    fine.width *= 2;
    fine.height *= 2;
    fine.enhancer = 1;
    fine.ngf_local = 6;
    fine.blocks_local = 1;
    fine.num_d = 3;
    samples small = {coarse.width, coarse.height}, large = {fine.width, fine.height};
    bl_gan_source a_src = samples_source(&small, 60), b_src = samples_source(&large, 60);
    bl_gan_train train = quick();
    bl_trainer *a = NULL, *b = NULL, *fresh = NULL;
    char path[] = "/tmp/bl_gan_XXXXXX";
    close(mkstemp(path));
    assert_ok(bl_trainer_create(&a, &coarse, &train, &a_src, &err));
    for (int i = 0; i < 4; i++) assert_ok(bl_trainer_step(a, NULL, &err));
    assert_ok(bl_trainer_save(a, path, &err));
    assert_ok(bl_trainer_create(&b, &fine, &train, &b_src, &err));
    assert_ok(bl_trainer_create(&fresh, &fine, &train, &b_src, &err));
    assert_ok(bl_trainer_step(b, NULL, &err)); /* whatever it had done before is gone */
    int taken = bl_trainer_warm_start(b, path, &err);
    assert_int_equal(taken, bl_params_count(bl_trainer_params(a)) - 2); /* all but G.out */
    assert_int_equal(bl_trainer_steps_done(b), 0);
    static const char *const kept[] = {"G.in.weight",  "G.down3.weight",   "G.block0.b.weight",
                                       "G.up0.weight", "D0.layer0.weight", "D1.layer3.bias"};
    for (size_t i = 0; i < BL_COUNT(kept); i++)
        for (int k = 0; k < 2; k++) assert_true(same_data(a, b, kept[i], k ? BL_SLAB_EMA : BL_SLAB_WEIGHT));
    assert_false(same_data(a, fresh, "G.in.weight", BL_SLAB_WEIGHT));
    assert_false(same_data(a, b, "G.in.weight", BL_SLAB_M)); /* a's have moved, b's are clear */
    assert_true(same_data(b, fresh, "G.in.weight", BL_SLAB_M));
    assert_ok(bl_trainer_step(b, NULL, &err));
    assert_int_equal(bl_trainer_warm_start(b, "/dev/null", &err) < 0, 1);
    bl_trainer_destroy(&fresh);
    bl_trainer_destroy(&b);
    bl_trainer_destroy(&a);
    unlink(path);
}

static void previous_frames_are_drawn_in_the_asked_shares(void **state) {
    (void)state;
    enum { N = 20000 };
    bl_gan_train train = quick();
    bl_rng rng;
    int kinds[3] = {0}, shifted = 0, lengths[3] = {0}, moves[5] = {0};
    bl_rng_seed(&rng, 3);
    train.prev_real = 0.2f;
    train.prev_start = 0.3f;
    train.prev_shift = 0.25f;
    for (int i = 0; i < N; i++) {
        bl__previous p = bl__draw_previous(&rng, &train, 9);
        kinds[p.kind]++;
        shifted += p.dx || p.dy;
        moves[p.dx + 2]++;
        if (p.kind == BL__PREVIOUS_OWN) lengths[p.length]++;
    }
    /* lengths 0, 1, 2 are equally likely; 0 is a start. Three standard deviations are 0.011. */
    assert_near((double)kinds[BL__PREVIOUS_REAL] / N, 0.2, 0.011);
    assert_near((double)kinds[BL__PREVIOUS_START] / N, 0.3 + 0.5 / 3, 0.011);
    assert_near((double)lengths[1] / N, 0.5 / 3, 0.011);
    assert_near((double)lengths[2] / N, 0.5 / 3, 0.011);
    assert_near((double)shifted / N, 0.25 * 24 / 25, 0.011);
    assert_near((double)moves[0] / N, 0.25 / 5, 0.011);
    assert_near((double)moves[4] / N, 0.25 / 5, 0.011);
    for (int i = 0; i < 200; i++) /* nothing comes before the first frame */
        assert_int_equal(bl__draw_previous(&rng, &train, 0).kind, BL__PREVIOUS_START);
    train.prev_real = train.prev_start = train.prev_shift = 0;
    for (int i = 0; i < 200; i++) {
        bl__previous p = bl__draw_previous(&rng, &train, 9);
        assert_true(p.kind != BL__PREVIOUS_REAL && p.dx == 0 && p.dy == 0);
    }
}

static void resumed_run_equals_undisturbed_one(void **state) {
    (void)state;
    bl_gan_train train = quick();
    resume(&tiny, &train);
}

static void so_it_does_with_every_option(void **state) {
    (void)state;
    bl_gan_net net = tiny;
    bl_gan_train train = quick();
    train.prev_real = train.prev_start = 0.3f;
    train.prev_shift = train.diffaug = 0.5f;
    train.temporal_d = 2;
    train.gan_from = 3;
    resume(&net, &train);
    net.enhancer = 1;
    net.norm_d = BL_D_NORM_AFFINE;
    net.ngf_local = 4;
    net.blocks_local = 1;
    train.temporal_d = 1;
    train.w_fm = 0;
    resume(&net, &train);
    net.scene = BL_SCENE_RESIDUAL;
    net.previous = 0;
    train.temporal_d = 2;
    resume(&net, &train);
}

/* Every picture says which frame it is of: real = index / 100; what is still lies still while the window
 * moves one pixel to the right a frame, so that column x shows x + index. */
static int numbered(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                    float *weight, bl_err *err) {
    const samples *s = ctx;
    (void)augment, (void)err;
    for (int i = 0; i < s->w * s->h; i++) {
        weight[i] = 1;
        for (int c = 0; c < 3; c++) {
            label[3 * i + c] = (float)index / 100;
            plate[3 * i + c] = -0.5f;
            real[3 * i + c] = c == 0 ? (float)index / 100 : (float)(i % s->w + (int)index) / 200;
        }
    }
    return 0;
}

static void right_by_one(void *ctx, int64_t index, float *dx, float *dy) {
    (void)ctx, (void)index;
    *dx = 1;
    *dy = 0;
}

static void expect_frame(const bl_trainer *t, const float *p, int frame, int now) {
    assert_non_null(p);
    for (int x = 0; x + now - frame < t->net.width; x++) { /* the right edge was not in the window then */
        assert_near(p[3 * x], frame / 100.0, 1e-6);
        assert_near(p[3 * x + 1], (x + now) / 200.0, 1e-6);
    }
}

static void what_came_before_is_what_it_is_called(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_gan_source src = samples_source(&s, 40);
    src.get = numbered;
    src.window_shift = right_by_one;
    bl_gan_train train = quick();
    bl_trainer *t = NULL;
    train.temporal_d = 2;
    train.prev_real = 1;
    train.prev_start = train.prev_shift = 0;
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    for (int i = 0; i < 5; i++) {
        assert_ok(bl_trainer_step(t, NULL, &err));
        const int now = (int)lrintf(bl_program_buffer(t->full, t->label[0])[0] * 100);
        assert_true(now >= 4);
        expect_frame(t, bl_program_buffer(t->full, t->previous), now - 1, now);
        expect_frame(t, bl_program_buffer(t->full, t->past_real[0]), now - 1, now);
        expect_frame(t, bl_program_buffer(t->full, t->past_real[1]), now - 2, now);
        expect_frame(t, bl_program_buffer(t->full, t->past_real[2]), now - 4, now);
        const float *own = bl_program_buffer(t->full, t->past_own[0]);
        assert_true(isfinite(own[0]) && own[0] != 0 && fabsf(own[0]) < 1);
    }
    assert_true(bl_params_find(bl_trainer_params(t), "DT1.layer0.weight") >= 0);
    bl_trainer_destroy(&t);
    train.prev_real = 0;
    train.prev_start = 1;
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    assert_ok(bl_trainer_step(t, NULL, &err));
    assert_near(bl_program_buffer(t->full, t->previous)[0], -0.5, 1e-6); /* the plate */
    bl_trainer_destroy(&t);
    src.count = 4; /* never four frames before one: does without */
    bl_log_set_level(BL_LOG_ERROR);
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    assert_ok(bl_trainer_step(t, NULL, &err));
    assert_int_equal(bl_params_find(bl_trainer_params(t), "DT0.layer0.weight"), -1);
    bl_trainer_destroy(&t);
}

static void own_outputs_are_those_that_the_generator_gives(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_gan_source src = samples_source(&s, 6);
    bl_gan_train train = quick();
    bl_trainer *t = NULL;
    bl_generator *g = NULL;
    const size_t n = (size_t)(s.w * s.h);
    float *buf = bl_alloc_array(n * 13, sizeof *buf), *plate = buf + 3 * n, *real = plate + 3 * n,
          *image = real + 3 * n;
    train.max_rollout = 1; /* the frame before, from a clip's start, or a clip's start */
    train.prev_real = train.prev_start = train.prev_shift = 0;
    train.lr_g = train.lr_d = 1e-30f; /* nothing moves */
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    assert_ok(bl_generator_create(&g, &tiny, bl_trainer_params(t), BL_SLAB_WEIGHT, BL_FP32, 2, &err));
    int starts = 0, owns = 0;
    for (int i = 0; i < 24; i++) {
        assert_ok(bl_trainer_step(t, NULL, &err));
        const float *fed = bl_program_buffer(t->full, t->previous);
        int start = !memcmp(fed, bl_program_buffer(t->full, t->plate[0]), n * 3 * sizeof(float)), own = 0;
        for (int64_t k = 0; k < 5 && !start; k++) {
            bl_generator_reset(g);
            assert_ok(samples_get(&s, k, 0, buf, plate, real, image + 3 * n, &err));
            assert_ok(bl_generator_run(g, buf, plate, 0, 0, image, NULL, &err));
            own += !memcmp(fed, image, n * 3 * sizeof(float));
        }
        assert_int_equal(start + own, 1);
        starts += start;
        owns += own;
    }
    assert_true(starts > 3 && owns > 3);
    bl_generator_destroy(&g);
    bl_trainer_destroy(&t);
    bl_free(buf);
}

static void discriminators_see_real_and_generated_augmented_alike(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_gan_source src = samples_source(&s, 60);
    bl_gan_train train = quick();
    bl_trainer *t = NULL;
    bl_gan_losses losses;
    enum { N = 60 };
    int moved = 0;
    train.diffaug = 0.5f;
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    for (int i = 0; i < N; i++) {
        assert_ok(bl_trainer_step(t, &losses, &err));
        const float *colour = bl_program_buffer(t->full, t->aug_colour),
                    *move = bl_program_buffer(t->full, t->aug_move),
                    *mask = bl_program_buffer(t->full, t->aug_cut);
        int on = colour[0] != 0, holes = 0;
        for (int k = 0; k < s.w * s.h; k++) holes += mask[k] == 0;
        moved += on;
        if (!on) assert_true(colour[1] == 1 && colour[2] == 1 && move[0] == 0 && move[1] == 0 && holes == 0);
        if (on) assert_true(holes > 0 && holes <= s.w * s.h / 4);
        assert_true(fabsf(colour[0]) <= 0.5f && colour[1] >= 0 && colour[1] <= 2 && colour[2] >= 0.5f &&
                    colour[2] <= 1.5f && fabsf(move[0]) <= (float)s.w / 8 &&
                    fabsf(move[1]) <= (float)s.h / 8);
    }
    assert_true(moved > N / 4 && moved < 3 * N / 4);
    bl_trainer_destroy(&t);
}

#ifdef __SANITIZE_ADDRESS__
#define COUNTS_MEMORY 0 /* the sanitizer's allocator keeps no such numbers */
#else
#define COUNTS_MEMORY 1
#endif

static double in_use(void) {
    struct mallinfo2 m = mallinfo2();
    return (double)m.uordblks + (double)m.hblkhd;
}

/* Against what the allocator really hands out, and the steps really done. */
static void check_estimate(const bl_gan_net *net, const bl_gan_train *train) {
    bl_err err = {0};
    samples s = {net->width, net->height};
    bl_gan_source src = samples_source(&s, 60);
    int64_t bytes = 0;
    double macs = 0, before = in_use();
    bl_trainer *t = NULL;
    assert_ok(bl_gan_estimate(net, train, &bytes, &macs, &err));
    const double planning = in_use() - before;
    if (COUNTS_MEMORY && planning > 0.05 * (double)bytes)
        fail_msg("planning left %g of %g bytes behind", planning, (double)bytes);
    before = in_use();
    assert_ok(bl_trainer_create(&t, net, train, &src, &err));
    for (int i = 0; i < 2; i++) assert_ok(bl_trainer_step(t, NULL, &err));
    const double taken = in_use() - before, off = (double)bytes / taken - 1;
    if (COUNTS_MEMORY && fabs(off) > 0.1)
        fail_msg("estimated %g bytes, taken %g: off by %.1f %%", (double)bytes, taken, 100 * off);
    double least = bl_program_training_macs(t->full);
    assert_true(least > 3 * bl_program_macs(t->full) * 0.5);
    assert_true(macs >= least && macs < 3 * least);
    bl_trainer_destroy(&t);
}

static void estimate_is_what_is_taken(void **state) {
    (void)state;
    bl_gan_net net = bl_gan_net_default();
    bl_gan_train train = bl_gan_train_default();
    train.threads = 2;
    check_estimate(&net, &train);
    net.previous = 1;
    train.temporal_d = 2;
    train.diffaug = 0.5f;
    train.gan_from = 1;
    check_estimate(&net, &train);
    net.scene = BL_SCENE_PAINT;
    net.arch = BL_ARCH_GLOBAL;
    net.down = 2;
    net.width = 128;
    net.height = 64;
    net.enhancer = 1;
    net.ngf_local = 16;
    net.blocks_local = 1;
    train.temporal_d = 1;
    train.gan_from = 0;
    check_estimate(&net, &train);
}

static void impossible_settings_are_refused(void **state) {
    (void)state;
    bl_err err = {0};
    bl_params *ps = NULL;
    assert_ok(bl_params_create(&ps, &err));
    bl_gan_net net = tiny;
    net.width = 50;
    assert_int_equal(bl_gan_declare(&net, ps, 1, &err), BL_E_USAGE);
    net = tiny; /* 48x64 halves to 24x32: with an enhancer 16 must divide both */
    net.enhancer = 1;
    net.ngf_local = 4;
    assert_ok(bl_gan_declare(&net, ps, 0, &err));
    net.height = 72;
    assert_int_equal(bl_gan_declare(&net, ps, 0, &err), BL_E_USAGE);
    bl_params_destroy(&ps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learning_lowers_the_losses),
        cmocka_unit_test(temporal_pairs_and_painting_learn_too),
        cmocka_unit_test(frames_are_fetched_once),
        cmocka_unit_test(a_failed_fetch_fails_its_own_step),
        cmocka_unit_test(residual_starts_from_the_plate_and_learns_what_is_missing),
        cmocka_unit_test(next_stage_starts_from_the_last),
        cmocka_unit_test(previous_frames_are_drawn_in_the_asked_shares),
        cmocka_unit_test(resumed_run_equals_undisturbed_one),
        cmocka_unit_test(so_it_does_with_every_option),
        cmocka_unit_test(what_came_before_is_what_it_is_called),
        cmocka_unit_test(own_outputs_are_those_that_the_generator_gives),
        cmocka_unit_test(discriminators_see_real_and_generated_augmented_alike),
        cmocka_unit_test(estimate_is_what_is_taken),
        cmocka_unit_test(impossible_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
