/*
 * What programs do with a device: training on it, saving there and going on on the CPU and back, the model
 * file, generators, estimates, a pose network. Without a GPU on the emulated device (tests/cuda_emulator), on
 * a real one with `test_device --device cuda:0`.
 */
#include <math.h>

#include "ballerino/lane.h"
#include "ballerino/media.h"
#include "gan/trainer.h"
#include "gan_samples.h"
#include "on_device.h"
#include "pose/tflite_net.h"
#include "support.h"
#include "tflite_make.h"
#include "transfer/model.h"

static bl_device *device;
static int on_gpu;

static const bl_gan_net tiny = SAMPLES_NET(32, 32);

static bl_gan_train quick(bl_device *where) {
    bl_gan_train t = bl_gan_train_default();
    t.steps = 200;
    t.max_rollout = 1;
    t.ema = 0.9f;
    t.threads = 2;
    t.device = where;
    return t;
}

static bl_trainer *trainer_on(bl_device *where, samples *s) {
    bl_err err = {0};
    bl_trainer *t = NULL;
    const bl_gan_train train = quick(where);
    const bl_gan_source src = samples_source(s, 20);
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    assert_ptr_equal(bl_params_device(bl_trainer_params(t)), where);
    return t;
}

static bl_gan_losses steps(bl_trainer *t, int n) {
    bl_err err = {0};
    bl_gan_losses l = {0};
    for (int i = 0; i < n; i++) assert_ok(bl_trainer_step(t, &l, &err));
    return l;
}

static const char *temporary(void) {
    static char path[32];
    snprintf(path, sizeof path, "/tmp/bl_device_XXXXXX");
    close(mkstemp(path));
    return path;
}

/* Weights, moments and average, bit for bit. */
static void same_state(bl_trainer *a, bl_trainer *b) {
    static const bl_slab slabs[] = {BL_SLAB_WEIGHT, BL_SLAB_M, BL_SLAB_V, BL_SLAB_EMA};
    bl_params *p = bl_trainer_params(a), *q = bl_trainer_params(b);
    assert_int_equal(bl_trainer_steps_done(a), bl_trainer_steps_done(b));
    for (size_t k = 0; k < BL_COUNT(slabs); k++)
        for (int i = 0; i < bl_params_count(p); i++)
            assert_memory_equal(bl_params_data(p, i, slabs[k]), bl_params_data(q, i, slabs[k]),
                                sizeof(float) * (size_t)bl_params_size(p, i));
}

static void expect_near(const char *what, float a, float b, float tolerance) {
    if (!(fabsf(a - b) <= tolerance * fmaxf(1e-2f, fabsf(b))))
        fail_msg("%s: %.9g on the device, %.9g on the CPU", what, (double)a, (double)b);
}

static void same_losses(const bl_gan_losses *a, const bl_gan_losses *b, float tolerance) {
    expect_near("total", a->total, b->total, tolerance);
    expect_near("l1", a->l1, b->l1, tolerance);
    expect_near("ssim", a->ssim, b->ssim, tolerance);
    expect_near("feature matching", a->fm, b->fm, tolerance);
    expect_near("d_real", a->d_real, b->d_real, tolerance);
    expect_near("d_fake", a->d_fake, b->d_fake, tolerance);
}

static void what_the_device_trained_goes_on_on_the_cpu(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *a = trainer_on(device, &s), *b = trainer_on(NULL, &s);
    const char *path = temporary();
    steps(a, 5);
    steps(b, 1); /* whatever it did before is gone after loading */
    assert_ok(bl_trainer_save(a, path, &err));
    assert_ok(bl_trainer_load(b, path, &err));
    same_state(a, b);
    const bl_gan_losses there = steps(a, 3), here = steps(b, 3);
    same_losses(&there, &here, 5e-3f);
    bl_trainer_destroy(&a);
    bl_trainer_destroy(&b);
    unlink(path);
}

static void what_the_cpu_trained_goes_on_on_the_device(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *a = trainer_on(device, &s), *b = trainer_on(NULL, &s);
    const char *path = temporary();
    steps(b, 4);
    steps(a, 2); /* the device's copies are newer than the host's when it loads */
    assert_ok(bl_trainer_save(b, path, &err));
    assert_ok(bl_trainer_load(a, path, &err));
    same_state(a, b);
    bl_gan_losses there = steps(a, 2), here = steps(b, 2);
    same_losses(&there, &here, 5e-3f);
    const int taken = bl_trainer_warm_start(a, path, &err);
    assert_int_equal(taken, bl_params_count(bl_trainer_params(a)));
    assert_int_equal(bl_trainer_warm_start(b, path, &err), taken);
    same_state(a, b);
    there = steps(a, 1), here = steps(b, 1);
    assert_true(isfinite(there.total) && isfinite(here.total));
    bl_trainer_destroy(&a);
    bl_trainer_destroy(&b);
    unlink(path);
}

/* What is made of a fixed figure by weights in a slab, where they lie. */
static void picture(bl_params *ps, bl_slab slab, float *rgb) {
    bl_err err = {0};
    bl_generator *g = NULL;
    samples s = {tiny.width, tiny.height};
    static float label[32 * 32 * 3], plate[32 * 32 * 3], real[32 * 32 * 3], weight[32 * 32];
    assert_ok(bl_generator_create(&g, &tiny, ps, slab, BL_FP32, 2, &err));
    for (int k = 0; k < 2; k++) {
        (void)samples_get(&s, 7 + k, 0, label, plate, real, weight, &err);
        assert_ok(bl_generator_run(g, label, plate, 0, 0, rgb, NULL, &err));
    }
    bl_generator_destroy(&g);
}

static void same_picture(const float *a, const float *b) {
    float worst = 0;
    for (int i = 0; i < 32 * 32 * 3; i++) worst = fmaxf(worst, fabsf(a[i] - b[i]));
    if (!(worst < 2e-4f)) fail_msg("pictures differ by %g", (double)worst);
}

/* A preview is made from the average between two steps, and nobody asked for it on the host. */
static void the_average_is_seen_where_it_lies(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *a = trainer_on(device, &s), *b = trainer_on(NULL, &s);
    static float there[32 * 32 * 3], here[32 * 32 * 3], weights[32 * 32 * 3];
    const char *path = temporary();
    steps(a, 4);
    picture(bl_trainer_params(a), BL_SLAB_EMA, there);
    picture(bl_trainer_params(a), BL_SLAB_WEIGHT, weights);
    assert_ok(bl_trainer_save(a, path, &err));
    assert_ok(bl_trainer_load(b, path, &err));
    picture(bl_trainer_params(b), BL_SLAB_EMA, here);
    same_picture(there, here);
    picture(bl_trainer_params(b), BL_SLAB_WEIGHT, here);
    same_picture(weights, here);
    steps(a, 1);
    picture(bl_trainer_params(a), BL_SLAB_EMA, there);
    assert_true(memcmp(there, weights, sizeof there) != 0);
    bl_trainer_destroy(&a);
    bl_trainer_destroy(&b);
    unlink(path);
}

static int write_model(const char *path, bl_params *ps, bl_err *err) {
    bl_frame *plate = NULL;
    const bl__weights none[BL__REFINERS] = {0};
    bl__model_info info = {.net = tiny,
                           .stats = {.width = 64, .height = 48, .frames = 10},
                           .scale = 0.5,
                           .smooth = 5,
                           .steps = 5,
                           .consent = "made up, nobody is in it",
                           .preset = "draft",
                           .target_sha256 = "none"};
    assert_int_equal(bl_frame_create(&plate, 64, 48, err), 0);
    memset(plate->data, 128, (size_t)plate->stride * 48);
    int rc = bl__model_write(path, &info, (bl__weights){ps, BL_SLAB_EMA}, none, plate, err);
    bl_frame_unref(&plate);
    return rc;
}

static void a_model_file_does_not_depend_on_the_device(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *a = trainer_on(device, &s), *b = trainer_on(NULL, &s);
    bl_model *m = NULL;
    char state_path[32], ours[32], *one = NULL, *two = NULL;
    size_t n_one = 0, n_two = 0;
    static float there[32 * 32 * 3], here[32 * 32 * 3];
    steps(a, 3);
    snprintf(ours, sizeof ours, "%s", temporary());
    assert_ok(write_model(ours, bl_trainer_params(a), &err)); /* nothing was asked of the host before */
    assert_ok(bl_file_read(&one, &n_one, ours, 1 << 24, &err));
    snprintf(state_path, sizeof state_path, "%s", temporary());
    assert_ok(bl_trainer_save(a, state_path, &err));
    assert_ok(bl_trainer_load(b, state_path, &err));
    assert_ok(write_model(ours, bl_trainer_params(b), &err));
    assert_ok(bl_file_read(&two, &n_two, ours, 1 << 24, &err));
    assert_int_equal(n_one, n_two);
    assert_memory_equal(one, two, n_one);
    assert_ok(bl_model_open(&m, ours, device, &err));
    assert_ptr_equal(bl_params_device(m->params), device);
    picture(m->params, BL_SLAB_WEIGHT, there);
    bl_model_close(&m);
    assert_ok(bl_model_open(&m, ours, NULL, &err));
    picture(m->params, BL_SLAB_WEIGHT, here);
    bl_model_close(&m);
    same_picture(there, here);
    bl_free(one);
    bl_free(two);
    bl_trainer_destroy(&a);
    bl_trainer_destroy(&b);
    unlink(state_path);
    unlink(ours);
}

static void half_precision_learns_there(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *t = NULL, *full = trainer_on(device, &s);
    bl_gan_train train = quick(device);
    const bl_gan_source src = samples_source(&s, 20);
    train.precision = bl_device_faster_precision(device);
    assert_int_equal(train.precision, BL_BF16);
    assert_ok(bl_trainer_create(&t, &tiny, &train, &src, &err));
    const bl_gan_losses half = steps(t, 6), whole = steps(full, 6);
    expect_near("l1", half.l1, whole.l1, 0.05f);
    bl_trainer_destroy(&t);
    bl_trainer_destroy(&full);
}

static void a_plan_takes_nothing_of_the_device(void **state) {
    (void)state;
    bl_err err = {0};
    int64_t bytes = 0;
    double macs = 0;
    const int64_t before = bl_device_memory_free(device);
    const bl_gan_train train = quick(device);
    assert_ok(bl_gan_estimate(&tiny, &train, &bytes, &macs, &err));
    assert_true(bytes > 1 << 20 && macs > 1e6);
    assert_true(bl_device_memory_free(device) > 0);
    if (!on_gpu) assert_int_equal(bl_device_memory_free(device), before);
    assert_ok(bl_device_check(device, &err));
}

/* The emulator can be told to fail. */
static void nothing_is_saved_from_a_failed_device(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_device *other = NULL;
    const char *path = temporary();
    if (on_gpu) return;
    assert_ok(bl_device_open(&other, "cuda:1", &err));
    bl_trainer *t = trainer_on(other, &s);
    steps(t, 2);
    assert_int_equal(setenv("BALLERINO_EMULATOR_BROKEN", "1", 1), 0);
    assert_int_equal(bl_trainer_step(t, NULL, &err), BL_E_DEVICE);
    assert_int_equal(unsetenv("BALLERINO_EMULATOR_BROKEN"), 0);
    unlink(path);
    assert_int_equal(bl_trainer_save(t, path, &err), BL_E_DEVICE);
    assert_int_equal(write_model(path, bl_trainer_params(t), &err), BL_E_DEVICE);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(bl_trainer_step(t, NULL, &err), BL_E_DEVICE);
    bl_trainer_destroy(&t);
    bl_device_close(&other);
}

static void too_little_memory_there_is_said_and_forgotten(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *t = NULL;
    const bl_gan_train train = quick(device);
    const bl_gan_source src = samples_source(&s, 20);
    if (on_gpu) return;
    assert_int_equal(setenv("BALLERINO_EMULATOR_MB", "1", 1), 0);
    assert_int_equal(bl_trainer_create(&t, &tiny, &train, &src, &err), BL_E_NOMEM);
    assert_int_equal(unsetenv("BALLERINO_EMULATOR_MB"), 0);
    assert_null(t);
    assert_ok(bl_device_check(device, &err));
    t = trainer_on(device, &s);
    steps(t, 1);
    bl_trainer_destroy(&t);
}

/* Whole small trainings, of two kinds. */
static int train_a_little(int temporal, bl_err *err) {
    samples s = {tiny.width, tiny.height};
    bl_trainer *t = NULL;
    bl_gan_train train = quick(device);
    const bl_gan_source src = samples_source(&s, 20);
    train.temporal_d = temporal;
    train.gan_from = 1;
    int rc = bl_trainer_create(&t, &tiny, &train, &src, err);
    for (int i = 0; i < 3 && rc == 0; i++) rc = bl_trainer_step(t, NULL, err);
    bl_trainer_destroy(&t);
    return rc;
}

static int train_plainly(bl_err *err) {
    return train_a_little(0, err);
}

static void training_without_any_allocation_is_said(void **state) {
    (void)state;
    bl_err err = {0};
    if (on_gpu) return;
    assert_true(every_allocation_fails(train_plainly) > 20);
    assert_ok(bl_device_check(device, &err));
}

static void training_takes_what_was_reckoned(void **state) {
    (void)state;
    bl_err err = {0};
    if (on_gpu) return;
    for (int temporal = 0; temporal < 3; temporal++) {
        bl_gan_train train = quick(device);
        int64_t bytes = 0;
        double macs = 0;
        struct bl__emulated *e = emulated();
        const int64_t before = e->most = e->used;
        train.temporal_d = temporal;
        train.gan_from = 1;
        assert_ok(bl_gan_estimate(&tiny, &train, &bytes, &macs, &err));
        assert_ok(train_a_little(temporal, &err));
        expect_reckoned("a training", bytes, e->most - before);
    }
}

/* Of a real device, whose driver gives memory out in pieces and has room for kernels taken when they first
 * run: so the second time, and large. */
static void a_large_training_takes_what_was_reckoned(void **state) {
    (void)state;
    bl_err err = {0};
    bl_gan_net net = bl_gan_net_default();
    bl_gan_train train = quick(device);
    int64_t bytes = 0;
    double macs = 0;
    if (!on_gpu) return;
    net.width = net.height = 512;
    samples s = {net.width, net.height};
    const bl_gan_source src = samples_source(&s, 20);
    train.precision = bl_device_faster_precision(device);
    assert_ok(bl_gan_estimate(&net, &train, &bytes, &macs, &err));
    for (int round = 0; round < 2; round++) {
        bl_trainer *t = NULL;
        const int64_t before = bl_device_memory_free(device);
        assert_ok(bl_trainer_create(&t, &net, &train, &src, &err));
        steps(t, 3);
        if (round) expect_reckoned("a large training", bytes, before - bl_device_memory_free(device));
        bl_trainer_destroy(&t);
    }
}

static int open_pose_network(bl_device *where, bl_err *err) {
    static fb example;
    bl__net *net = NULL;
    const bl__net_options o = {.outputs = 3, .batch = 2, .device = where};
    tfl_example(&example);
    int rc = bl__net_open(&net, example.data + example.at, FB_MAX - example.at, "example", &o, err);
    if (rc == 0) bl__net_use(net, 2);
    if (rc == 0) rc = bl__net_run(net, err);
    bl__net_close(&net);
    return rc;
}

static int open_it_there(bl_err *err) {
    return open_pose_network(device, err);
}

static void a_pose_network_takes_what_was_reckoned(void **state) {
    (void)state;
    bl_err err = {0};
    bl_device *plan = NULL;
    if (on_gpu) return;
    struct bl__emulated *e = emulated();
    const int64_t before = e->most = e->used;
    assert_ok(bl_device_plan(&plan, device, &err));
    assert_ok(open_pose_network(plan, &err));
    assert_int_equal(e->most, before);
    assert_ok(open_pose_network(device, &err));
    expect_reckoned("a pose network", bl_device_planned(plan), e->most - before);
    bl_device_close(&plan);
    assert_true(every_allocation_fails(open_it_there) > 5);
}

/* ---- frames that are sent ahead ---- */
static void streams_run(const char *how, int deaf) {
    assert_int_equal(setenv("BALLERINO_EMULATOR_STREAMS", how, 1), 0);
    assert_int_equal(setenv("BALLERINO_EMULATOR_DEAF", deaf ? "1" : "0", 1), 0);
}

enum { SIDE = 6 };

static void send(bl_lane *l, float x) {
    bl_err err = {0};
    float *at = bl_lane_slot(l, &err);
    assert_non_null(at);
    for (int i = 0; i < SIDE * SIDE; i++) at[i] = x + (float)i;
    assert_ok(bl_lane_send(l, &err));
}

/* Of what was sent through a lane, one behind the other, how many arrived as they should. */
static int arrivals(int n) {
    bl_err err = {0};
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    bl_program *p = NULL;
    bl_lane *l = NULL;
    int right = 0;
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_params_place(ps, device, &err));
    assert_ok(bl_graph_create(&g, ps, &err));
    const bl_value a = bl_input(g, "a", 1), b = bl_input(g, "b", 1), sum = bl_add(g, a, b, BL_ACT_NONE);
    assert_ok(bl_params_seal(ps, 1, 0, &err));
    assert_ok(bl_program_compile(
        &p, g,
        &(bl_program_options){.inputs = (bl_input_shape[]){{a, 1, SIDE, SIDE}, {b, 1, SIDE, SIDE}},
                              .n_inputs = 2,
                              .outputs = &sum,
                              .n_outputs = 1},
        &err));
    assert_ok(bl_lane_create(&l, device, SIDE * SIDE, &err));
    send(l, 0);
    for (int k = 0; k < n; k++) {
        int wrong = 0;
        for (int i = 0; i < SIDE * SIDE; i++) bl_program_buffer(p, b)[i] = 1000;
        bl_lane_take(l, p, a, 0);
        bl_lane_taken(l);
        send(l, (float)(100 * (k + 1)));
        assert_ok(bl_program_forward(p, &err));
        for (int i = 0; i < SIDE * SIDE; i++)
            wrong += bl_program_buffer(p, sum)[i] != (float)(1000 + 100 * k + i);
        right += !wrong;
    }
    bl_lane_destroy(&l);
    bl_program_destroy(&p);
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
    return right;
}

static void what_is_sent_arrives_in_time(void **state) {
    (void)state;
    if (on_gpu) {
        assert_int_equal(arrivals(100), 100);
        return;
    }
    for (int early = 0; early < 2; early++) {
        streams_run(early ? "early" : "late", 0);
        assert_int_equal(arrivals(6), 6);
        streams_run(early ? "early" : "late", 1); /* without waits each of them is missed */
        assert_int_equal(arrivals(6), 0);
    }
    streams_run("late", 0);
}

/* A few steps; `directly`: what was fetched ahead is never what is wanted. Negative: they went wrong. */
static int train_for(bl_trainer **out, samples *s, int temporal, int directly) {
    bl_err err = {0};
    bl_gan_train train = quick(device);
    const bl_gan_source src = samples_source(s, 20);
    const bl__unit other = {3, 0};
    train.temporal_d = temporal;
    train.gan_from = 3;
    assert_ok(bl_trainer_create(out, &tiny, &train, &src, &err));
    int rc = 0;
    for (int i = 0; i < 8 && rc == 0; i++) {
        if (directly) {
            bl__ahead_ask((*out)->ahead, &other);
            bl__ahead_settle((*out)->ahead);
        }
        rc = bl_trainer_step(*out, NULL, &err);
    }
    return rc;
}

static void frames_sent_ahead_change_nothing(void **state) {
    (void)state;
    samples s = {tiny.width, tiny.height};
    for (int temporal = 0; temporal < 3; temporal++) {
        bl_trainer *direct = NULL;
        assert_int_equal(train_for(&direct, &s, temporal, 1), 0);
        for (int early = 0; early < 2; early++) {
            bl_trainer *ahead = NULL;
            streams_run(early ? "early" : "late", 0);
            assert_int_equal(train_for(&ahead, &s, temporal, 0), 0);
            same_state(ahead, direct);
            bl_trainer_destroy(&ahead);
        }
        bl_trainer_destroy(&direct);
    }
    streams_run("late", 0);
}

static void a_missing_wait_spoils_a_training(void **state) {
    (void)state;
    bl_trainer *t = NULL;
    samples s = {tiny.width, tiny.height};
    if (on_gpu) return;
    streams_run("late", 1);
    assert_int_equal(train_for(&t, &s, 0, 0), BL_E_INTERNAL); /* it learns from what is not there */
    streams_run("late", 0);
    bl_trainer_destroy(&t);
}

/* In the long run the host waits once a step: for its losses. */
static void a_step_waits_once(void **state) {
    (void)state;
    bl_err err = {0};
    samples s = {tiny.width, tiny.height};
    bl_trainer *t = NULL;
    bl_gan_net net = tiny;
    const bl_gan_train train = quick(device);
    const bl_gan_source src = samples_source(&s, 20);
    if (on_gpu) return;
    net.previous = 0; /* its own outputs would come home */
    assert_ok(bl_trainer_create(&t, &net, &train, &src, &err));
    steps(t, 4);
    const int64_t before = emulated()->waits;
    steps(t, 5);
    assert_int_equal(emulated()->waits - before, 5);
    bl_trainer_destroy(&t);
}

static void a_pose_network_gives_the_same_there(void **state) {
    (void)state;
    bl_err err = {0};
    bl__net *net[2] = {0};
    static fb example;
    tfl_example(&example);
    for (int k = 0; k < 2; k++) {
        const bl__net_options o = {.outputs = 3, .batch = 2, .device = k ? NULL : device};
        assert_ok(bl__net_open(&net[k], example.data + example.at, FB_MAX - example.at, "example", &o, &err));
        bl__net_use(net[k], 2);
        for (int i = 0; i < 64; i++) bl__net_input(net[k])[i] = sinf((float)i);
        assert_ok(bl__net_run(net[k], &err));
    }
    for (int o = 0; o < 2; o++)
        for (int i = 0; i < 2 * bl__net_output_count(net[0], o); i++)
            expect_near("output", bl__net_output(net[0], o)[i], bl__net_output(net[1], o)[i], 1e-4f);
    bl__net_close(&net[0]);
    bl__net_close(&net[1]);
}

int main(int argc, char **argv) {
    const int rc = open_test_device(&device, &on_gpu, &argc, argv);
    if (rc) return rc;
    if (argc > 1) {
        fprintf(stderr, "usage: test_device [--device cuda:N]\n");
        bl_device_close(&device);
        return 2;
    }
    printf("%s\n", bl_device_name(device));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_device_trained_goes_on_on_the_cpu),
        cmocka_unit_test(what_the_cpu_trained_goes_on_on_the_device),
        cmocka_unit_test(the_average_is_seen_where_it_lies),
        cmocka_unit_test(a_model_file_does_not_depend_on_the_device),
        cmocka_unit_test(half_precision_learns_there),
        cmocka_unit_test(a_plan_takes_nothing_of_the_device),
        cmocka_unit_test(nothing_is_saved_from_a_failed_device),
        cmocka_unit_test(too_little_memory_there_is_said_and_forgotten),
        cmocka_unit_test(training_without_any_allocation_is_said),
        cmocka_unit_test(training_takes_what_was_reckoned),
        cmocka_unit_test(a_large_training_takes_what_was_reckoned),
        cmocka_unit_test(a_pose_network_takes_what_was_reckoned),
        cmocka_unit_test(what_is_sent_arrives_in_time),
        cmocka_unit_test(frames_sent_ahead_change_nothing),
        cmocka_unit_test(a_missing_wait_spoils_a_training),
        cmocka_unit_test(a_step_waits_once),
        cmocka_unit_test(a_pose_network_gives_the_same_there),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    bl_device_close(&device);
    return failed;
}
