/*
 * A transfer on a device beside the CPU's: stills, whole videos, what the report and side-by-side look at,
 * memory, failures. Without a GPU on the emulated device (tests/cuda_emulator), on a real one with
 * `test_transfer_device --device cuda:0`.
 *
 * The model is random: its pictures are no person, but all of colours, masks and residuals. Its networks take
 * bfloat16 on a device, which is what frames differ by, and each sees the one before, so that it adds up:
 * seen 4 of 255 at most and 0.2 on average where the generator starts afresh, 5 and 0.3 over all. What is
 * drawn, laid over and converted gives the same (test_cuda_parity).
 */
#include <math.h>

#include "gan_samples.h"
#include "media_clip.h"
#include "on_device.h"
#include "scene_files.h"
#include "transfer/estimate.h"
#include "transfer/still.h"

#define MOST 12.0
#define MEAN 0.6

enum { FRAMES = 14, WANDER = 12, FEW = 5 };
static const scene source = {.w = 130, .h = 96, .fps = 25, .parts = 1},
                   target = {.w = 121, .h = 151, .fps = 25, .parts = 1};
static bl_device *device;
static int on_gpu;

/* ---- a model of random weights ---- */
static const bl_gan_net painter = SAMPLES_NET(32, 48);

static bl_params *random_weights(const bl_gan_net *net, float times) {
    bl_err err = {0};
    bl_params *ps = NULL;
    assert_ok(bl_params_create(&ps, &err));
    assert_ok(bl_gan_declare(net, ps, 0, &err));
    assert_ok(bl_params_seal(ps, 5, 0, &err));
    for (int i = 0; i < bl_params_count(ps); i++) {
        float *w = bl_params_data(ps, i, BL_SLAB_WEIGHT);
        for (int64_t k = 0; k < bl_params_size(ps, i); k++) w[k] *= times;
    }
    bl_params_touch(ps);
    return ps;
}

static void write_model(const char *path, bl_scene kind) {
    bl_err err = {0};
    bl_frame *plate = NULL;
    bl_track *t = scene_track(&target, 40);
    bl__model_info info = {.net = painter,
                           .scale = 0.31,
                           .smooth = 5,
                           .steps = 5,
                           .consent = "made up, nobody is in it",
                           .preset = "draft",
                           .target_sha256 = "none"};
    bl__weights refine[BL__REFINERS];
    info.net.scene = kind;
    bl_params *main = random_weights(&info.net, kind == BL_SCENE_PAINT ? 1 : 2.5f), *part[BL__REFINERS];
    for (int k = 0; k < BL__REFINERS; k++) {
        info.refine[k].on = 1;
        info.refine[k].net = painter;
        info.refine[k].net.scene = BL_SCENE_RESIDUAL;
        info.refine[k].net.width = info.refine[k].net.height = 32;
        info.refine[k].net.previous = 0;
        part[k] = random_weights(&info.refine[k].net, 20);
        refine[k] = (bl__weights){part[k], BL_SLAB_WEIGHT};
    }
    assert_ok(bl_motion_stats(&info.stats, t, &err));
    assert_ok(bl_frame_create(&plate, target.w, target.h, &err));
    for (int y = 0; y < target.h; y++)
        for (int i = 0; i < target.w * 3; i++)
            plate->data[y * plate->stride + i] = scene_wall(i / 3, y, i % 3);
    assert_ok(bl__model_write(path, &info, (bl__weights){main, BL_SLAB_WEIGHT}, refine, plate, &err));
    bl_frame_unref(&plate);
    bl_track_destroy(&t);
    bl_params_destroy(&main);
    for (int k = 0; k < BL__REFINERS; k++) bl_params_destroy(&part[k]);
}

static int begin(void **state) {
    bl_err err = {0};
    assert_int_equal(set_up(state), 0);
    scene_clip(&source, in_dir("source.mp4"), FRAMES);
    bl_track *t = scene_track(&source, FRAMES);
    t->frames[4].has_person = 0;                                   /* bridged */
    t->frames[8].cut = 1;                                          /* the generator starts afresh */
    for (int k = 10; k < FRAMES; k++) t->frames[k].has_person = 0; /* fades away */
    assert_ok(bl_track_write(t, in_dir("source.json"), &err));
    bl_track_destroy(&t);
    scene_clip(&source, in_dir("few.mp4"), FEW);
    t = scene_track(&source, FEW);
    assert_ok(bl_track_write(t, in_dir("few.json"), &err));
    bl_track_destroy(&t);
    write_model(in_dir("composite.ballerino"), BL_SCENE_COMPOSITE);
    write_model(in_dir("paint.ballerino"), BL_SCENE_PAINT);
    bl_log_set_level(BL_LOG_ERROR);
    return 0;
}

/* ---- comparing ---- */
typedef struct difference {
    double most, sum, n;
} difference;

static void compare(difference *d, const bl_frame *a, const bl_frame *b) {
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        for (int i = 0; i < a->width * 3; i++) {
            const double e = abs(a->data[y * a->stride + i] - b->data[y * b->stride + i]);
            d->most = fmax(d->most, e);
            d->sum += e;
            d->n++;
        }
}

static void expect_alike(const char *what, const difference *d, double part) {
    printf("%s: %g at most, %.3f on average\n", what, d->most, d->sum / d->n);
    if (!(d->n > 0 && d->most <= part * MOST && d->sum / d->n <= part * MEAN))
        fail_msg("%s: off by %g at most, %g on average", what, d->most, d->sum / d->n);
}

/* ---- stills ---- */
typedef struct making {
    bl_model *model;
    bl__render render;
    bl__painter painter;
} making;

static void make_ready(making *m, const char *model, const bl_track *t, bl_device *where) {
    bl_err err = {0};
    assert_ok(bl_model_open(&m->model, model, where, &err));
    assert_ok(bl__render_init(&m->render, m->model, t, -1, 1, &err));
    assert_ok(bl__painter_init(&m->painter, m->model, &m->render.grid, 1, &err));
}

static void make_gone(making *m) {
    bl__painter_release(&m->painter);
    bl__render_release(&m->render);
    bl_model_close(&m->model);
}

static bl_frame *frame_of(making *m, int64_t k) {
    bl_err err = {0};
    bl__still *s = NULL;
    bl_frame *f = NULL;
    assert_ok(bl_frame_create(&f, target.w, target.h, &err));
    assert_ok(bl__still_make(&s, &m->render, k, NULL, &err));
    assert_ok(bl__painter_paint(&m->painter, s, f, &err));
    bl__still_free(&s);
    return f;
}

/* Somebody who walks beyond the frame's edges, so that windows hang over them. */
static bl_track *wandering(void) {
    bl_track *t = scene_track(&target, WANDER);
    for (int i = 0; i < WANDER; i++)
        for (int k = 0; k < BL_LANDMARKS; k++) {
            t->frames[i].person.landmarks[k].x += 0.1f * (float)(i - WANDER / 2);
            t->frames[i].person.landmarks[k].y += 0.02f * (float)(i % 7);
        }
    t->frames[7].cut = 1;
    return t;
}

static void stills_are_the_cpus(void **state) {
    (void)state;
    static const char *const models[] = {"composite.ballerino", "paint.ballerino"};
    bl_track *t = wandering();
    for (size_t i = 0; i < BL_COUNT(models); i++) {
        making there, here;
        difference d = {0}, fresh = {0}, moved = {0};
        make_ready(&there, in_dir(models[i]), t, device);
        make_ready(&here, in_dir(models[i]), t, NULL);
        for (int64_t k = 0; k < t->n; k++) {
            bl_frame *a = frame_of(&there, k), *b = frame_of(&here, k);
            compare(&d, a, b);
            if (k == 0 || t->frames[k].cut) compare(&fresh, a, b);
            compare(&moved, b, here.model->plate);
            bl_frame_unref(&a);
            bl_frame_unref(&b);
        }
        expect_alike("afresh", &fresh, 0.5);
        expect_alike(models[i], &d, 1);
        assert_true(moved.most > 60 && moved.sum / moved.n > 5); /* there was something to see */
        make_gone(&there);
        make_gone(&here);
    }
    bl_track_destroy(&t);
}

static void refined_parts_differ_from_unrefined(void **state) {
    (void)state;
    bl_err err = {0};
    making m;
    bl_track *t = scene_track(&target, 4);
    bl__still *s = NULL;
    difference d = {0};
    bl_frame *f[2] = {NULL};
    make_ready(&m, in_dir("composite.ballerino"), t, device);
    assert_ok(bl__still_make(&s, &m.render, 2, NULL, &err));
    for (int k = 0; k < 2; k++) {
        assert_ok(bl_frame_create(&f[k], target.w, target.h, &err));
        assert_ok(bl__painter_paint(&m.painter, s, f[k], &err));
        s->opacity = 0; /* boxes fade with it */
    }
    compare(&d, f[0], f[1]);
    assert_true(d.most > 10);
    bl__still_free(&s);
    bl_frame_unref(&f[0]);
    bl_frame_unref(&f[1]);
    make_gone(&m);
    bl_track_destroy(&t);
}

/* ---- memory ---- */
static void memory_does_not_grow(void **state) {
    (void)state;
    bl_err err = {0};
    making m;
    bl_track *t = wandering();
    bl_frame *f = NULL;
    const int64_t before = bl_device_memory_free(device);
    int64_t left[2] = {0};
    make_ready(&m, in_dir("composite.ballerino"), t, device);
    assert_ok(bl_frame_create(&f, target.w, target.h, &err));
    for (int round = 0; round < 2; round++) {
        for (int64_t k = 0; k < t->n; k++) {
            bl__still *s = NULL;
            assert_ok(bl__still_make(&s, &m.render, k, NULL, &err));
            assert_ok(bl__painter_print(&m.painter, s, k % 3 ? NULL : f, &err));
            bl__still_free(&s);
        }
        left[round] = bl_device_memory_free(device);
        bl_generator_reset(m.render.generator);
    }
    bl_frame_unref(&f);
    make_gone(&m);
    bl_track_destroy(&t);
    if (on_gpu) return; /* others may use it */
    assert_int_equal(left[0], left[1]);
    assert_int_equal(bl_device_memory_free(device), before);
}

/* ---- videos ---- */
static bl_transfer_job job_on(bl_device *where, const char *output) {
    bl_transfer_job j = bl_transfer_job_default();
    j.model = in_dir("composite.ballerino");
    j.source = in_dir("source.mp4");
    j.track = in_dir("source.json");
    j.output = output;
    j.crf = 0; /* nothing is lost */
    j.threads = 1;
    j.device = where;
    j.hw = BL_HW_OFF;
    return j;
}

static difference between(const char *a, const char *b) {
    bl_err err = {0};
    bl_reader *r[2] = {NULL};
    bl_frame *f[2] = {NULL};
    difference d = {0};
    int frames = 0;
    assert_ok(bl_reader_open(&r[0], a, NULL, &err));
    assert_ok(bl_reader_open(&r[1], b, NULL, &err));
    for (;; frames++) {
        const int more = bl_reader_next(r[0], &f[0], &err);
        assert_int_equal(bl_reader_next(r[1], &f[1], &err), more);
        if (more <= 0) break;
        assert_int_equal(f[0]->pts, f[1]->pts);
        compare(&d, f[0], f[1]);
        bl_frame_unref(&f[0]);
        bl_frame_unref(&f[1]);
    }
    assert_int_equal(frames, FRAMES);
    bl_reader_close(&r[0]);
    bl_reader_close(&r[1]);
    return d;
}

static void videos_are_the_cpus(void **state) {
    (void)state;
    bl_err err = {0};
    for (int side = 0; side < 2; side++) {
        char there[128], here[128];
        snprintf(there, sizeof there, "%s", in_dir("there.mp4"));
        snprintf(here, sizeof here, "%s", in_dir("here.mp4"));
        for (int k = 0; k < 2; k++) {
            bl_transfer_job j = job_on(k ? NULL : device, k ? here : there);
            bl_transfer_result done = {0};
            j.side_by_side = side;
            if (!side) j.report = k ? NULL : in_dir("there.html");
            assert_ok(bl_transfer_run(&j, &done, &err));
            assert_int_equal(done.frames, FRAMES);
        }
        const difference d = between(there, here);
        expect_alike(side ? "side by side" : "video", &d, 1);
    }
    char *page = NULL;
    size_t size = 0;
    assert_ok(bl_file_read(&page, &size, in_dir("there.html"), 1 << 24, &err));
    assert_non_null(strstr(page, "data:image/png"));
    bl_free(page);
    assert_ok(bl_device_check(device, &err));
}

/* ---- failures ---- */
static void a_failed_device_leaves_no_video(void **state) {
    (void)state;
    bl_err err = {0};
    bl_device *other = NULL;
    if (on_gpu) return;
    assert_ok(bl_device_open(&other, "cuda:1", &err));
    making m;
    bl__still *s = NULL;
    bl_track *t = scene_track(&target, 4);
    make_ready(&m, in_dir("composite.ballerino"), t, other);
    assert_ok(bl__still_make(&s, &m.render, 1, NULL, &err));
    assert_int_equal(setenv("BALLERINO_EMULATOR_BROKEN", "1", 1), 0);
    assert_int_equal(bl__painter_print(&m.painter, s, NULL, &err), BL_E_DEVICE);
    assert_non_null(strstr(err.msg, "the GPU failed"));
    assert_int_equal(unsetenv("BALLERINO_EMULATOR_BROKEN"), 0);
    bl__still_free(&s);
    assert_int_equal(bl__still_make(&s, &m.render, 2, NULL, &err), BL_E_DEVICE); /* it lasts */
    make_gone(&m);
    bl_track_destroy(&t);
    const bl_transfer_job j = job_on(other, in_dir("never.mp4"));
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_DEVICE);
    assert_false(bl_file_exists(in_dir("never.mp4")));
    bl_device_close(&other);
}

static void too_little_memory_is_a_sentence(void **state) {
    (void)state;
    bl_err err = {0};
    making m = {0};
    bl_track *t = scene_track(&target, 4);
    if (on_gpu) {
        bl_track_destroy(&t);
        return;
    }
    assert_ok(bl_model_open(&m.model, in_dir("composite.ballerino"), device, &err));
    assert_ok(bl__render_init(&m.render, m.model, t, -1, 1, &err));
    assert_int_equal(setenv("BALLERINO_EMULATOR_MB", "1", 1), 0);
    bl__still *s = NULL;
    assert_int_equal(bl__painter_init(&m.painter, m.model, &m.render.grid, 1, &err), BL_E_NOMEM);
    assert_int_equal(bl__still_make(&s, &m.render, 1, NULL, &err), BL_E_NOMEM);
    assert_non_null(strstr(err.msg, "not enough memory on the GPU"));
    assert_null(s);
    assert_int_equal(unsetenv("BALLERINO_EMULATOR_MB"), 0);
    assert_ok(bl__still_make(&s, &m.render, 1, NULL, &err));
    bl__still_free(&s);
    make_gone(&m);
    bl_track_destroy(&t);
}

/* All that a transfer can allocate: the report looks at frames too. */
static int transfer_it(bl_err *err) {
    static const char *const names[] = {"short.mp4", "short.html", "paint.ballerino", "few.mp4", "few.json"};
    char path[BL_COUNT(names)][128];
    for (size_t i = 0; i < BL_COUNT(names); i++) snprintf(path[i], sizeof path[i], "%s", in_dir(names[i]));
    (void)unlink(path[0]);
    bl_transfer_job j = job_on(device, path[0]);
    j.report = path[1];
    j.model = path[2]; /* its window is the model's */
    j.source = path[3];
    j.track = path[4];
    int rc = bl_transfer_run(&j, NULL, err);
    assert_int_equal(bl_file_exists(path[0]), rc == 0);
    assert_false(bl_file_exists(in_dir("short.mp4.part")));
    return rc;
}

static void a_transfer_without_any_allocation_is_said(void **state) {
    (void)state;
    bl_err err = {0};
    if (on_gpu) return;
    assert_true(every_allocation_fails(transfer_it) > 40);
    assert_ok(bl_device_check(device, &err));
}

static void a_transfer_takes_what_was_reckoned(void **state) {
    (void)state;
    bl_err err = {0};
    bl_model *m = NULL;
    int64_t bytes = 0;
    if (on_gpu) return;
    struct bl__emulated *e = emulated();
    const int64_t before = e->most = e->used;
    assert_ok(bl_model_open(&m, in_dir("paint.ballerino"), NULL, &err));
    assert_ok(bl__estimate_transfer(&bytes, &m->info, m->info.net.width, m->info.net.height, NULL, 1, device,
                                    &err));
    bl_model_close(&m);
    assert_int_equal(e->most, before); /* a plan takes nothing */
    assert_ok(transfer_it(&err));
    expect_reckoned("a transfer", bytes, e->most - before);
}

/* The window has grown, and is reckoned with as it is. */
static void a_wide_dance_takes_what_was_reckoned(void **state) {
    (void)state;
    bl_err err = {0};
    making m;
    int64_t bytes = 0;
    int w, h;
    if (on_gpu) return;
    bl_track *t = wandering();
    struct bl__emulated *e = emulated();
    const int64_t before = e->most = e->used;
    make_ready(&m, in_dir("composite.ballerino"), t, device);
    const int64_t taken = e->most - before;
    bl__render_widest(&m.model->info.net, &w, &h);
    assert_true(m.render.w <= w && m.render.h <= h && w > m.model->info.net.width);
    assert_ok(bl__estimate_transfer(&bytes, &m.model->info, m.render.w, m.render.h, NULL, 1, device, &err));
    printf("without frames: %lld of %lld bytes\n", (long long)taken, (long long)bytes);
    assert_true(taken <= bytes); /* nothing has been rendered yet */
    for (int64_t k = 0; k < t->n; k++) {
        bl_frame *f = frame_of(&m, k);
        bl_frame_unref(&f);
    }
    assert_true(e->most - before <= bytes);
    make_gone(&m);
    bl_track_destroy(&t);
}

int main(int argc, char **argv) {
    const int rc = open_test_device(&device, &on_gpu, &argc, argv);
    if (rc) return rc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stills_are_the_cpus),
        cmocka_unit_test(refined_parts_differ_from_unrefined),
        cmocka_unit_test(memory_does_not_grow),
        cmocka_unit_test(videos_are_the_cpus),
        cmocka_unit_test(a_failed_device_leaves_no_video),
        cmocka_unit_test(too_little_memory_is_a_sentence),
        cmocka_unit_test(a_transfer_without_any_allocation_is_said),
        cmocka_unit_test(a_transfer_takes_what_was_reckoned),
        cmocka_unit_test(a_wide_dance_takes_what_was_reckoned),
    };
    const int failed = cmocka_run_group_tests(tests, begin, tear_down);
    bl_device_close(&device);
    return failed;
}
