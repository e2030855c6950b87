/* Training in a group of processes (tests/mpi.sh): the mean of the ranks' gradients is what is learned,
 * weights stay equal bit for bit, and a saved training goes on as if it had never stopped. */
#include "gan/trainer.h"
#include "gan_samples.h"
#include "support.h"

static bl_dist *group;
static bl_device *device; /* TEST_DEVICE: everybody's; NULL: the CPU */
static samples source = {32, 32};

static const bl_gan_net tiny = {.scene = BL_SCENE_COMPOSITE,
                                .arch = BL_ARCH_UNET,
                                .width = 32,
                                .height = 32,
                                .label_channels = 3,
                                .previous = 1,
                                .ngf = 8,
                                .down = 2,
                                .blocks = 1,
                                .max_channels = 32,
                                .ndf = 8,
                                .num_d = 2,
                                .layers_d = 2};

static bl_trainer *trainer_of(bl_dist *dist) {
    bl_err err = {0};
    bl_trainer *t = NULL;
    bl_gan_train train = bl_gan_train_default();
    train.steps = 40;
    train.max_rollout = 2;
    train.temporal_d = 1;
    train.diffaug = 0.5f;
    train.threads = 1;
    train.dist = dist;
    train.device = device;
    const bl_gan_source src = samples_source(&source, 30);
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    return t;
}

static bl_gan_losses steps(bl_trainer *t, int n) {
    bl_err err = {0};
    bl_gan_losses l = {0};
    for (int i = 0; i < n; i++) assert_ok(bl_trainer_step(t, &l, &err));
    return l;
}

static double largest(const float *x, int64_t n) {
    double most = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
    return most;
}

/* After a first step Adam's first moment is (1 - beta1) times the gradient. So each rank also learns alone
 * from its own unit, and one process that averages those moments must have what the group has. */
static void one_step_learns_from_the_mean_of_all_units(void **state) {
    (void)state;
    bl_err err = {0};
    bl_trainer *together = trainer_of(group), *alone = trainer_of(NULL);
    bl_params *ps = bl_trainer_params(together), *own = bl_trainer_params(alone);
    alone->rng = together->rng;
    const bl_gan_losses mean = steps(together, 1), mine = steps(alone, 1);
    double total = (double)mine.total;
    assert_ok(bl_dist_sum_doubles(group, &total, 1, &err));
    assert_near(mean.total, total / bl_dist_size(group), 1e-6 * total);
    double moved = 0;
    for (int i = 0; i < bl_params_count(ps); i++) {
        const int64_t n = bl_params_size(ps, i);
        const float *m = bl_params_data(ps, i, BL_SLAB_M), *alone_m = bl_params_data(own, i, BL_SLAB_M);
        const double scale = largest(m, n) + 1e-12;
        float *sum = bl_alloc_array((size_t)n, sizeof *sum);
        memcpy(sum, alone_m, (size_t)n * sizeof *sum);
        assert_ok(bl_dist_sum_floats(group, sum, n, &err));
        for (int64_t k = 0; k < n; k++) {
            assert_near(m[k], sum[k] / (float)bl_dist_size(group), 1e-5 * scale);
            moved = fmax(moved, fabs((double)(m[k] - alone_m[k])) / scale);
        }
        bl_free(sum);
    }
    if (bl_dist_size(group) > 1) assert_true(moved > 0.1); /* units differ, so the test can fail */
    bl_trainer_destroy(&alone);
    bl_trainer_destroy(&together);
}

/* The same step by hand: Adam on the averaged gradients gives the group's weights. */
static void weights_follow_from_the_averaged_gradients(void **state) {
    (void)state;
    bl_err err = {0};
    bl_trainer *together = trainer_of(group), *by_hand = trainer_of(NULL);
    bl_params *ps = bl_trainer_params(together), *own = bl_trainer_params(by_hand);
    const bl_gan_train *o = &together->train;
    steps(together, 1);
    for (int i = 0; i < bl_params_count(ps); i++)
        for (int64_t k = 0; k < bl_params_size(ps, i); k++)
            bl_params_data(own, i, BL_SLAB_GRAD)[k] = bl_params_data(ps, i, BL_SLAB_M)[k] / (1 - o->beta1);
    bl_params_touch(own);
    bl_adam a = {.lr = o->lr_g / 50, .beta1 = o->beta1, .beta2 = o->beta2, .eps = 1e-8f, .threads = 1};
    bl_params_adam(own, "G.", &a, 1);
    a.lr = o->lr_d / 50;
    bl_params_adam(own, "D", &a, 1);
    for (int i = 0; i < bl_params_count(ps); i++)
        for (int64_t k = 0; k < bl_params_size(ps, i); k++)
            assert_near(bl_params_data(ps, i, BL_SLAB_WEIGHT)[k], bl_params_data(own, i, BL_SLAB_WEIGHT)[k],
                        1e-6);
    assert_ok(bl_dist_barrier(group, &err));
    bl_trainer_destroy(&by_hand);
    bl_trainer_destroy(&together);
}

static void weights_stay_equal_on_all(void **state) {
    (void)state;
    bl_err err = {0};
    bl_trainer *t = trainer_of(group);
    bl_params *ps = bl_trainer_params(t);
    const bl_gan_losses first = steps(t, 1);
    bl_gan_losses last = steps(t, 24);
    assert_ok(bl_dist_check_params(group, ps, &err));
    for (int i = 0; i < bl_params_count(ps); i++) { /* the check itself, byte by byte */
        const size_t bytes = (size_t)bl_params_size(ps, i) * sizeof(float);
        float *w = bl_alloc(bytes);
        memcpy(w, bl_params_data(ps, i, BL_SLAB_WEIGHT), bytes);
        assert_ok(bl_dist_broadcast(group, w, bytes, &err));
        assert_memory_equal(w, bl_params_data(ps, i, BL_SLAB_WEIGHT), bytes);
        bl_free(w);
    }
    assert_true(last.l1 < first.l1);
    bl_gan_losses told = last;
    assert_ok(bl_dist_broadcast(group, &told, sizeof told, &err));
    assert_memory_equal(&told, &last, sizeof told);
    bl_trainer_destroy(&t);
}

/* One path for all: the first process's. */
static void temporary(char path[64]) {
    bl_err err = {0};
    snprintf(path, 64, "/tmp/bl_gan_dist_%d", (int)getpid());
    assert_ok(bl_dist_broadcast(group, path, 64, &err));
}

static void assert_same_state(bl_trainer *a, bl_trainer *b) {
    bl_params *pa = bl_trainer_params(a), *pb = bl_trainer_params(b);
    assert_int_equal(bl_trainer_steps_done(a), bl_trainer_steps_done(b));
    assert_memory_equal(&a->rng, &b->rng, sizeof a->rng);
    for (int s = 0; s < 5; s++)
        for (int i = 0; i < bl_params_count(pa); i++)
            assert_memory_equal(bl_params_data(pa, i, (bl_slab)s), bl_params_data(pb, i, (bl_slab)s),
                                (size_t)bl_params_size(pa, i) * sizeof(float));
}

static void a_saved_training_goes_on_bit_for_bit(void **state) {
    (void)state;
    bl_err err = {0};
    char path[64];
    bl_trainer *t = trainer_of(group), *again = trainer_of(group);
    temporary(path);
    steps(t, 5);
    assert_ok(bl_trainer_save(t, path, &err));
    assert_ok(bl_dist_barrier(group, &err));
    steps(t, 7);
    assert_ok(bl_trainer_load(again, path, &err));
    assert_int_equal(bl_trainer_steps_done(again), 5);
    steps(again, 7);
    assert_same_state(t, again);
    bl_trainer_destroy(&again);
    bl_trainer_destroy(&t);
    assert_ok(bl_dist_barrier(group, &err));
    if (bl_dist_rank(group) == 0) unlink(path);
}

/* Saved by all, gone on with by each alone, and the reverse: the weights are the saved ones, and random
 * numbers of processes that were not there are new ones. */
static void the_number_of_processes_may_change(void **state) {
    (void)state;
    bl_err err = {0};
    char path[64], own[80];
    if (bl_dist_size(group) == 1) skip();
    bl_trainer *t = trainer_of(group), *alone = trainer_of(NULL), *again = trainer_of(group);
    temporary(path);
    snprintf(own, sizeof own, "%s.%d", path, bl_dist_rank(group));
    steps(t, 3);
    assert_ok(bl_trainer_save(t, path, &err));
    assert_ok(bl_dist_barrier(group, &err));
    assert_ok(bl_trainer_load(alone, path, &err));
    assert_int_equal(bl_trainer_steps_done(alone), 3);
    assert_memory_equal(bl_params_data(bl_trainer_params(alone), 0, BL_SLAB_WEIGHT),
                        bl_params_data(bl_trainer_params(t), 0, BL_SLAB_WEIGHT), 4);
    uint64_t rngs[3] = {0};
    assert_ok(bl_dist_gather(group, rngs, &alone->rng.s[0], 8, &err));
    if (bl_dist_rank(group) == 0) assert_true(rngs[0] == rngs[1]); /* each is the first one now */
    assert_ok(bl_trainer_save(alone, own, &err));
    assert_ok(bl_trainer_load(again, own, &err));
    assert_ok(bl_dist_gather(group, rngs, &again->rng.s[0], 8, &err));
    if (bl_dist_rank(group) == 0) assert_true(rngs[0] != rngs[1]);
    steps(again, 2);
    bl_trainer_destroy(&again);
    bl_trainer_destroy(&alone);
    bl_trainer_destroy(&t);
    unlink(own);
    if (bl_dist_rank(group) == 0) unlink(path);
}

/* A process that cannot read its samples ends the training of all, with its own sentence. */
static int fails_soon(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                      float *weight, bl_err *err) {
    static int calls;
    if (++calls > 40 && bl_dist_rank(group) == bl_dist_size(group) - 1)
        return bl_fail(err, BL_E_NOT_FOUND, "the disk is gone");
    return samples_get(ctx, index, augment, label, plate, real, weight, err);
}

static void a_failure_of_one_ends_all(void **state) {
    (void)state;
    bl_err err = {0};
    bl_trainer *t = trainer_of(group);
    t->src.get = fails_soon;
    int rc = 0;
    for (int i = 0; i < 100 && rc == 0; i++) rc = bl_trainer_step(t, NULL, &err);
    assert_int_equal(rc, BL_E_NOT_FOUND);
    assert_int_equal(bl_dist_tell(group, rc, &err), bl_dist_rank(group) == bl_dist_size(group) - 1);
    assert_non_null(strstr(err.msg, "the disk is gone"));
    bl_trainer_destroy(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_learns_from_the_mean_of_all_units),
        cmocka_unit_test(weights_follow_from_the_averaged_gradients),
        cmocka_unit_test(weights_stay_equal_on_all),
        cmocka_unit_test(a_saved_training_goes_on_bit_for_bit),
        cmocka_unit_test(the_number_of_processes_may_change),
        cmocka_unit_test(a_failure_of_one_ends_all),
    };
    bl_err err = {0};
    bl_log_set_level(BL_LOG_WARN);
    int rc = bl_dist_open(&group, NULL, &err);
    if (rc == 0 && getenv("TEST_DEVICE")) rc = bl_device_open(&device, getenv("TEST_DEVICE"), &err);
    if (rc == 0) rc = bl_dist_use_device(group, device, &err);
    if (rc < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed) bl_dist_abort(group, 1);
    bl_device_close(&device);
    bl_dist_close(&group);
    return failed;
}
