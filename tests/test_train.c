/* Training and transfer from end to end on a made-up clip with a small net. The person is not looked for: the
 * training folder is given the track and the masks that bl__stage_pose would leave. */
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "ballerino/eval.h"
#include "ballerino/safetensors.h"
#include "ballerino/transfer.h"
#include "ballerino/trial.h"
#include "page_check.h"
#include "scene_files.h"
#include "transfer/feed.h"
#include "transfer/still.h"

enum { FRAMES = 80, STEPS = 8 };
static const scene room = {.w = 192, .h = 256, .fps = 25, .parts = 1};
static char dir[64], clip[96], track_path[96];

static const char *in_dir(const char *name) {
    static char path[16][160];
    static int turn;
    char *p = path[turn++ & 15];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void make_clip(const char *path, int frames) {
    scene_clip(&room, path, frames);
}

static int begin(void **state) {
    (void)state;
    bl_err err = {0};
    snprintf(dir, sizeof dir, "/tmp/bl_train_%d", (int)getpid());
    if (bl_dir_make(dir, NULL) < 0) return -1;
    snprintf(clip, sizeof clip, "%s/clip.mp4", dir);
    snprintf(track_path, sizeof track_path, "%s/clip.track.json", dir);
    make_clip(clip, FRAMES);
    bl_track *t = scene_track(&room, FRAMES);
    assert_ok(bl_track_write(t, track_path, &err));
    bl_track_destroy(&t);
    bl_log_set_level(BL_LOG_ERROR);
    return 0;
}

static int end(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void give_poses(const char *model) {
    scene_poses(&room, model, FRAMES);
}

static bl_train_job job_for(const char *model) {
    bl_train_job j = bl_train_job_default();
    j.target = clip;
    j.output = model;
    j.consent = "made up, nobody is in it";
    j.steps = STEPS;
    j.holdout = 0.2;
    j.channels = 8;
    j.width = 64;
    j.height = 64;
    j.precision = 1;
    j.threads = 1;
    j.preview_every_s = 1e9;
    j.perceptual = "none"; /* quicker, and without the models */
    return j;
}

static char *slurp(const char *path, size_t *size) {
    char *data = NULL;
    bl_err err = {0};
    assert_ok(bl_file_read(&data, size, path, 1 << 28, &err));
    return data;
}

static void assert_same_files(const char *a, const char *b) {
    size_t na = 0, nb = 0;
    char *pa = slurp(a, &na), *pb = slurp(b, &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(pa, pb, na);
    bl_free(pa);
    bl_free(pb);
}

/* ---- an undisturbed run: the yardstick of the others ---- */
static void test_train(void **state) {
    (void)state;
    bl_err err = {0};
    const char *model = in_dir("plain.ballerino");
    bl_train_job j = job_for(model);
    bl_train_result r = {0}, again = {0};
    give_poses(model);
    assert_ok(bl_train_run(&j, &r, &err));
    assert_int_equal(r.steps, STEPS);
    assert_true(r.scores.valid && r.scores.frames == 16);
    assert_true(r.scores.plate_ssim > 0.3 && r.scores.plate_ssim < 0.999 && r.scores.plate_psnr > 5);
    assert_true(r.scores.nearest_ssim > -1 && r.scores.nearest_ssim < 1 && r.scores.ssim > -1 &&
                r.scores.ssim < 1);
    assert_true(r.verdict.usable && r.verdict.frames == FRAMES);
    assert_int_equal(access(in_dir("plain.ballerino.train/preview.png"), F_OK), 0);
    assert_int_equal(access(in_dir("plain.ballerino.train/log.jsonl"), F_OK), 0);
    assert_int_equal(access(in_dir("plain.ballerino.train/samples.bin"), F_OK), -1);
    /* done is done: the same command says so at once, with the same scores */
    assert_ok(bl_train_run(&j, &again, &err));
    assert_memory_equal(&again.scores, &r.scores, sizeof r.scores);
    /* another setting is refused, by name */
    j.seed = 2;
    assert_int_equal(bl_train_run(&j, &again, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "seed was 1, now 2"));
}

static void test_model_file(void **state) {
    (void)state;
    bl_err err = {0};
    bl_model *m = NULL;
    const char *model = in_dir("plain.ballerino"), *bad = in_dir("bad.ballerino");
    assert_ok(bl_model_open(&m, model, NULL, &err));
    assert_string_equal(bl_model_meta(m, "consent"), "made up, nobody is in it");
    assert_string_equal(bl_model_meta(m, "preset"), "draft");
    assert_string_equal(bl_model_meta(m, "net.width"), "64");
    assert_int_equal(strlen(bl_model_meta(m, "target_sha256")), 64);
    bl_model_close(&m);
    bl_model_close(&m);
    size_t size = 0;
    char *data = slurp(model, &size);
    bl_rng r;
    bl_rng_seed(&r, 3);
    for (int k = 0; k < 24; k++) { /* flipped bits: at the front, in the sha256 key, and anywhere */
        size_t at = k < 8 ? (size_t)(k * 5) : (size_t)bl_rng_below(&r, (int64_t)size);
        data[at] = (char)(data[at] ^ 4);
        assert_ok(bl_file_write(bad, data, size, &err));
        int rc = bl_model_open(&m, bad, NULL, &err);
        if (rc == 0) fail_msg("a flipped bit at %zu was not noticed", at);
        assert_true(rc == BL_E_FORMAT || rc == BL_E_UNSUPPORTED);
        data[at] = (char)(data[at] ^ 4);
    }
    for (int k = 0; k < 12; k++) {
        assert_ok(bl_file_write(bad, data, k * size / 12, &err));
        assert_int_equal(bl_model_open(&m, bad, NULL, &err), BL_E_FORMAT);
    }
    bl_free(data);
    assert_int_equal(bl_model_open(&m, "/no/such/file", NULL, &err), BL_E_NOT_FOUND);
    /* a safetensors file of another kind */
    assert_int_equal(bl_model_open(&m, in_dir("plain.ballerino.train/checkpoint.safetensors"), NULL, &err),
                     BL_E_FORMAT);
}

/* What `--refine none` leaves out, and that the refiners change the picture where the parts are and only
 * there. */
static void test_refiners(void **state) {
    (void)state;
    bl_err err = {0};
    const char *model = in_dir("coarse.ballerino");
    bl_train_job j = job_for(model);
    bl_model *with = NULL, *without = NULL;
    j.refine = "none";
    give_poses(model);
    assert_ok(bl_train_run(&j, NULL, &err));
    assert_ok(bl_model_open(&without, model, NULL, &err));
    assert_ok(bl_model_open(&with, in_dir("plain.ballerino"), NULL, &err));
    assert_string_equal(bl_model_meta(without, "face.on"), "0");
    assert_string_equal(bl_model_meta(with, "face.on"), "1");
    assert_string_equal(bl_model_meta(with, "hands.on"), "1");
    assert_int_equal(access(in_dir("plain.ballerino.train/preview-face.png"), F_OK), 0);
    assert_int_equal(access(in_dir("plain.ballerino.train/log-hands.jsonl"), F_OK), 0);
    assert_int_equal(access(in_dir("coarse.ballerino.train/log-face.jsonl"), F_OK), -1);
    bl_track *t = scene_track(&room, FRAMES);
    bl__render r;
    bl__painter a, b;
    bl__still *s = NULL;
    bl_frame *fa = NULL, *fb = NULL;
    assert_ok(bl__render_init(&r, with, t, -1, 1, &err));
    assert_ok(bl__painter_init(&a, without, &r.grid, 1, &err));
    assert_ok(bl__painter_init(&b, with, &r.grid, 1, &err));
    assert_ok(bl_frame_create(&fa, room.w, room.h, &err));
    assert_ok(bl_frame_create(&fb, room.w, room.h, &err));
    assert_ok(bl__still_make(&s, &r, 9, NULL, &err));
    assert_ok(bl__painter_paint(&a, s, fa, &err));
    assert_ok(bl__painter_paint(&b, s, fb, &err));
    int inside = 0;
    for (int y = 0; y < room.h; y++)
        for (int x = 0; x < room.w * 3; x++) {
            int in = 0;
            for (int k = 0; k < BL_REGIONS; k++)
                in |= fabsf((float)(x / 3) + 0.5f - s->box[k].cx) < s->box[k].side / 2 &&
                      fabsf((float)y + 0.5f - s->box[k].cy) < s->box[k].side / 2;
            const int same = fa->data[y * fa->stride + x] == fb->data[y * fb->stride + x];
            if (!in) assert_true(same);
            inside += !same;
        }
    assert_true(inside > 100);
    bl__still_free(&s);
    bl_frame_unref(&fa);
    bl_frame_unref(&fb);
    bl__painter_release(&a);
    bl__painter_release(&b);
    bl__render_release(&r);
    bl_track_destroy(&t);
    bl_model_close(&with);
    bl_model_close(&without);
}

/* A stage at half the size comes first; going on after a stop between the two, when the second one's
 * checkpoint is not there yet, gives the same. */
static void assert_begins_at_half(bl_train_job j, const char *name, const char *twin_name) {
    bl_err err = {0};
    char stage[160], checkpoint[160];
    snprintf(stage, sizeof stage, "%s.train/log-global.jsonl", in_dir(name));
    snprintf(checkpoint, sizeof checkpoint, "%s.train/checkpoint.safetensors", in_dir(twin_name));
    j.refine = "none";
    j.steps = 3;
    j.output = in_dir(name);
    give_poses(j.output);
    assert_ok(bl_train_run(&j, NULL, &err));
    assert_int_equal(access(stage, F_OK), 0);
    j.output = in_dir(twin_name);
    give_poses(j.output);
    assert_ok(bl_train_run(&j, NULL, &err));
    assert_int_equal(unlink(j.output), 0);
    assert_int_equal(unlink(checkpoint), 0);
    give_poses(j.output);
    assert_ok(bl_train_run(&j, NULL, &err));
    assert_same_files(in_dir(name), in_dir(twin_name));
}

/* Around the generator that began at half the size stands an enhancer, or it goes on itself. */
static void test_coarse_to_fine(void **state) {
    (void)state;
    bl_err err = {0};
    bl_train_job j = job_for("");
    bl_model *m = NULL;
    j.width = j.height = 128;
    assert_begins_at_half(j, "larger.ballerino", "larger2.ballerino");
    assert_ok(bl_model_open(&m, in_dir("larger.ballerino"), NULL, &err));
    assert_string_equal(bl_model_meta(m, "net.enhancer"), "0");
    bl_model_close(&m);
    j.preset = BL_PRESET_STANDARD;
    j.width = j.height = 0;
    assert_begins_at_half(j, "fine.ballerino", "fine2.ballerino");
    assert_ok(bl_model_open(&m, in_dir("fine.ballerino"), NULL, &err));
    assert_string_equal(bl_model_meta(m, "net.enhancer"), "1");
    bl_model_close(&m);
}

/* Judged by the landmark models: the loss is there, the network is not in the model, and the choice is a
 * setting.
 */
static void test_perceptual(void **state) {
    (void)state;
    bl_err err = {0};
    const char *model = in_dir("judged.ballerino");
    bl_train_job j = job_for(model);
    bl_tensors *file = NULL;
    size_t size = 0;
    j.steps = 12; /* the log has a line every ten */
    j.perceptual = "pose";
    j.refine = "none";
    give_poses(model);
    int rc = bl_train_run(&j, NULL, &err);
    if (rc == BL_E_MODELS) {
        printf("SKIP: %s\n", err.msg);
        skip();
    }
    assert_ok(rc);
    char *log = NULL;
    double value = 0;
    assert_ok(bl_file_read(&log, &size, in_dir("judged.ballerino.train/log.jsonl"), 1 << 20, &err));
    const char *at = strstr(log, "perceptual");
    assert_true(at && sscanf(at, "perceptual\":%lf", &value) == 1 && value > 0.01);
    bl_free(log);
    assert_ok(bl_tensors_read(&file, model, &err));
    for (int i = 0; i < bl_tensors_count(file); i++)
        assert_int_not_equal(strncmp(bl_tensors_at(file, i)->name, BL_PERCEPTUAL_PREFIX, 2), 0);
    bl_tensors_close(&file);
    j.perceptual = "none";
    assert_int_equal(bl_train_run(&j, NULL, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "perceptual was \"pose\", now \"none\""));
}

static void test_same_job_same_bits(void **state) {
    (void)state;
    bl_err err = {0};
    const char *model = in_dir("twin.ballerino");
    bl_train_job j = job_for(model);
    give_poses(model);
    assert_ok(bl_train_run(&j, NULL, &err));
    assert_same_files(model, in_dir("plain.ballerino"));
}

/* ---- the page for people ---- */
static void test_report(void **state) {
    (void)state;
    bl_err err = {0};
    const char *page = in_dir("plain.ballerino.train/report.html");
    size_t size = 0;
    char *text = slurp(page, &size), *again;
    assert_well_formed(text);
    assert_int_equal(count(text, "<img"), 4); /* three previews (two of refiners) and the room */
    assert_true(count(text, "<dt>") > 15);
    assert_int_equal(count(text, "num best"), 2); /* of SSIM and PSNR */
    assert_non_null(strstr(text, "Learning from clip.mp4"));
    assert_non_null(strstr(text, "in 80 frames (100 %)"));
    assert_non_null(strstr(text, "Refining the face"));
    assert_non_null(strstr(text, "made up, nobody is in it"));
    assert_null(strstr(text, "A picture is missing"));
    /* once more: nothing is touched; without the page: it is made again, the verdict as it was */
    bl_train_job j = job_for(in_dir("plain.ballerino"));
    assert_ok(bl_train_run(&j, NULL, &err));
    again = slurp(page, &size);
    assert_string_equal(text, again);
    bl_free(again);
    assert_int_equal(unlink(page), 0);
    assert_ok(bl_train_run(&j, NULL, &err));
    again = slurp(page, &size);
    assert_well_formed(again);
    assert_string_equal(strstr(text, "<main>"), strstr(again, "<main>"));
    bl_free(again);
    /* notes that are damaged or gone leave a page that is whole */
    static const char *const bad[] = {"", "{", "[1, 2]", "{\"verdict\": 3, \"seen\": [], \"laps\": \"x\"}"};
    for (size_t k = 0; k < BL_COUNT(bad); k++) {
        assert_ok(bl_file_write(in_dir("plain.ballerino.train/report.json"), bad[k], strlen(bad[k]), &err));
        assert_int_equal(unlink(page), 0);
        assert_ok(bl_train_run(&j, NULL, &err));
        again = slurp(page, &size);
        assert_well_formed(again);
        bl_free(again);
    }
    bl_free(text);
}

/* The model does not depend on whether the page can be written. */
static void test_report_cannot_be_written(void **state) {
    (void)state;
    bl_err err = {0};
    char page[192];
    const char *model = in_dir("unread.ballerino");
    bl_train_job j = job_for(model);
    give_poses(model);
    snprintf(page, sizeof page, "%s.train/report.html/in-the-way", model);
    assert_ok(bl_dir_make(page, &err));
    bl_log_set_level((bl_log_level)-1);
    assert_ok(bl_train_run(&j, NULL, &err));
    bl_log_set_level(BL_LOG_ERROR);
    assert_same_files(model, in_dir("plain.ballerino"));
}

/* ---- what it would take ---- */
static void test_estimate(void **state) {
    (void)state;
    bl_err err = {0};
    bl_train_needs small = {0}, large = {0};
    struct rusage before, after;
    bl_train_job j = job_for("unused");
    j.perceptual = "none";
    assert_ok(bl_train_estimate(&small, &j, &err));
    assert_true(small.width == 64 && small.height == 64);
    assert_near(small.frames, FRAMES, 2);
    assert_true(small.bytes > (50 << 20) && small.bytes < (500 << 20));
    assert_true(small.cache_bytes > small.frames * 64 * 64 * 4);
    assert_true(small.macs_step > 1e6 && small.step_seconds > 0);
    assert_true(small.seconds > (STEPS + 1) * small.step_seconds); /* the refiners take steps as well */
    j.refine = "none";
    assert_ok(bl_train_estimate(&small, &j, &err));
    assert_near(small.seconds / small.step_seconds, STEPS, 1e-6);
    j.refine = NULL;
    getrusage(RUSAGE_SELF, &before);
    j.target = NULL, j.preset = BL_PRESET_PAPER, j.scene = BL_SCENE_PAINT;
    j.channels = 0, j.width = 1024, j.height = 512, j.steps = 0;
    assert_ok(bl_train_estimate(&large, &j, &err));
    getrusage(RUSAGE_SELF, &after);
    assert_true(large.bytes > 6LL << 30 && large.frames == 1800);
    assert_true(large.macs_step > 100 * small.macs_step);
    assert_true(after.ru_maxrss - before.ru_maxrss < 512 << 10); /* KiB: nothing of that size was allocated */
    j.target = "/no/such/clip.mp4";
    assert_int_equal(bl_train_estimate(&large, &j, &err), BL_E_NOT_FOUND);
}

/* Another process, since one that is forked has OpenMP's threads no more. */
static pid_t train_in_child(const char *model, int steps) {
    char number[16];
    snprintf(number, sizeof number, "%d", steps);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "test_train", "--train", clip, model, number, (char *)NULL);
        _exit(9);
    }
    return child;
}

static int train_as_child(char **argv) {
    bl_err err = {0};
    bl_train_job j;
    snprintf(clip, sizeof clip, "%s", argv[2]);
    j = job_for(argv[3]);
    j.steps = (int)strtol(argv[4], NULL, 10);
    j.save_every_s = 1e-6; /* a checkpoint after every step */
    bl_log_set_level(BL_LOG_ERROR);
    bl_interrupt_install();
    alarm(100);
    int rc = bl_train_run(&j, NULL, &err);
    if (rc < 0 && rc != BL_E_INTERRUPTED) fprintf(stderr, "child: %s\n", err.msg);
    return bl_status_exit_code(rc);
}

static void pause_ms(int ms) {
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&wait, NULL);
}

/* Killed without warning, at several moments, and started again each time: the model is the same, bit for
 * bit. The delays are short on purpose: some kills strike before, some within, some after the training. */
static void test_killed_and_resumed(void **state) {
    (void)state;
    bl_err err = {0};
    const char *model = in_dir("killed.ballerino");
    bl_train_job j = job_for(model);
    give_poses(model);
    int killed = 0;
    for (int k = 0; k < 12 && !bl_file_exists(model); k++) {
        pid_t child = train_in_child(model, STEPS);
        pause_ms(30 + 25 * k);
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_true(killed >= 1);
    assert_ok(bl_train_run(&j, NULL, &err));
    assert_same_files(model, in_dir("plain.ballerino"));
}

static void test_interrupted(void **state) {
    (void)state;
    const char *model = in_dir("stopped.ballerino");
    give_poses(model);
    const char *log = in_dir("stopped.ballerino.train/log.jsonl");
    pid_t child = train_in_child(model, 1000000);
    for (int k = 0; k < 600 && !bl_file_exists(log); k++) pause_ms(50);
    pause_ms(100);
    kill(child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), bl_status_exit_code(BL_E_INTERRUPTED));
    assert_int_equal(access(model, F_OK), -1);
    assert_int_equal(access(in_dir("stopped.ballerino.train/checkpoint.safetensors"), F_OK), 0);
}

static void test_refusals(void **state) {
    (void)state;
    bl_err err = {0};
    bl_train_job j = job_for(in_dir("no.ballerino"));
    j.consent = " ";
    assert_int_equal(bl_train_run(&j, NULL, &err), BL_E_CONSENT);
    j = job_for(in_dir("no.ballerino"));
    j.holdout = 0.9;
    assert_int_equal(bl_train_run(&j, NULL, &err), BL_E_USAGE);
    j = job_for(in_dir("no.ballerino"));
    j.target = "/no/such/clip.mp4";
    assert_int_equal(bl_train_run(&j, NULL, &err), BL_E_NOT_FOUND);
    j = job_for(in_dir("clip.mp4/me.ballerino")); /* a file is in the way */
    assert_int_equal(bl_train_run(&j, NULL, &err), BL_E_IO);
    assert_int_equal(access(in_dir("no.ballerino"), F_OK), -1);
    assert_int_equal(access(in_dir("no.ballerino.train"), F_OK), -1);
}

/* ---- the held-out part, made again ---- */
typedef struct seen {
    int64_t n, last;
    double plate; /* made minus the wall, summed over the top rows where nobody is */
    double real;  /* made minus real, summed */
} seen;

static int on_replay(void *ctx, bl_frame *made, bl_frame *real, const bl_track_frame *pose, bl_err *err) {
    seen *s = ctx;
    (void)err;
    assert_int_equal(pose->i, real->index);
    assert_int_equal(made->index, real->index);
    assert_true(s->n == 0 || pose->i == s->last + 1);
    s->last = pose->i;
    s->n++;
    for (int y = 0; y < room.h; y++)
        for (int x = 0; x < room.w * 3; x++) {
            const int m = made->data[y * made->stride + x];
            if (y < 20) s->plate += abs(m - scene_wall(x / 3, y, x % 3));
            s->real += abs(m - real->data[y * real->stride + x]);
        }
    return 0;
}

static seen replay(bl_replay what) {
    bl_err err = {0};
    seen s = {0};
    char model[160];
    snprintf(model, sizeof model, "%s", in_dir("plain.ballerino"));
    bl_heldout_job j = {.what = what, .model = model, .target = clip, .track = track_path, .threads = 1};
    assert_ok(bl_heldout_replay(&j, on_replay, &s, &err));
    assert_int_equal(s.n, 16);
    assert_int_equal(s.last, FRAMES - 1);
    s.plate /= 16.0 * 20 * room.w * 3;
    s.real /= 16.0 * room.h * room.w * 3;
    return s;
}

static void test_heldout(void **state) {
    (void)state;
    bl_err err = {0};
    const seen real = replay(BL_REPLAY_REAL), plate = replay(BL_REPLAY_PLATE),
               model = replay(BL_REPLAY_MODEL);
    assert_near(real.real, 0, 0);
    assert_true(plate.plate < 6 && model.plate < 6); /* the wall, but for the video's compression */
    assert_true(plate.real > 1);
    assert_true(fabs(model.real - plate.real) > 0.05); /* something was put over the plate */
    bl_heldout_job j = {.model = in_dir("plain.ballerino"), .target = track_path};
    assert_int_equal(bl_heldout_replay(&j, on_replay, NULL, &err), BL_E_MISMATCH); /* another clip */
    bl_train_job whole = job_for(in_dir("whole.ballerino"));
    whole.holdout = 0;
    whole.steps = 2;
    give_poses(whole.output);
    assert_ok(bl_train_run(&whole, NULL, &err));
    j = (bl_heldout_job){.model = in_dir("whole.ballerino"), .target = clip};
    assert_int_equal(bl_heldout_replay(&j, on_replay, NULL, &err), BL_E_USAGE);
    assert_non_null(strstr(err.msg, "--holdout"));
}

/* ---- transfer ---- */
/* Noted times are the reader's, without a second decoding. */
static void feed_gives_the_times_again(void **state) {
    (void)state;
    bl_err err = {0};
    bl__feed noted = {0}, read = {0};
    bl_reader *r = NULL;
    bl_frame *f = NULL, *g = NULL;
    int n = 0;
    assert_ok(bl__feed_look(&noted, clip, &err));
    assert_ok(bl__feed_look(&read, clip, &err));
    assert_ok(bl_reader_open(&r, clip, NULL, &err));
    while (bl_reader_next(r, &f, &err) > 0) {
        assert_ok(bl__feed_note(&noted, f, &err));
        bl_frame_unref(&f);
    }
    bl_reader_close(&r);
    const bl_reader_options reading = bl_reader_options_default();
    assert_ok(bl__feed_start(&noted, clip, NULL, &reading, &err));
    assert_ok(bl__feed_start(&read, clip, NULL, &reading, &err));
    assert_null(noted.reader);
    assert_non_null(read.reader);
    for (; bl__feed_next(&read, &f, &err) > 0; n++) {
        assert_int_equal(bl__feed_next(&noted, &g, &err), 1);
        assert_true(f->pts == g->pts && f->index == g->index && f->time_base.den == g->time_base.den);
        assert_true(!f->data && !g->data);
        bl_frame_unref(&f);
        bl_frame_unref(&g);
    }
    assert_int_equal(n, FRAMES);
    assert_int_equal(bl__feed_next(&noted, &g, &err), 0);
    bl__feed_close(&noted);
    bl__feed_close(&read);
}

static void test_transfer(void **state) {
    (void)state;
    bl_err err = {0};
    bl_transfer_job j = bl_transfer_job_default();
    bl_transfer_result r = {0};
    bl_track *t = scene_track(&room, FRAMES);
    for (int i = 10; i < 32; i++) t->frames[i] = (bl_track_frame){.i = i, .t_ms = i * 40}; /* nobody */
    assert_ok(bl_track_write(t, in_dir("gap.json"), &err));
    bl_track_destroy(&t);
    j.model = in_dir("plain.ballerino");
    j.source = clip;
    j.track = in_dir("gap.json");
    j.output = in_dir("out.mp4");
    j.overlay = in_dir("overlay.png");
    j.threads = 1;
    j.report = in_dir("out.html");
    char overlay[160], output[160], gap[160], page[160];
    snprintf(page, sizeof page, "%s", j.report), j.report = page;
    snprintf(overlay, sizeof overlay, "%s", j.overlay), j.overlay = overlay;
    snprintf(output, sizeof output, "%s", j.output), j.output = output;
    snprintf(gap, sizeof gap, "%s", j.track), j.track = gap;
    assert_ok(bl_transfer_run(&j, &r, &err));
    assert_int_equal(r.frames, FRAMES);
    assert_int_equal(r.without_person, 22);
    char value[256];
    assert_int_equal(bl_media_metadata(output, "Iptc4xmpExt:DigitalSourceType", value, sizeof value, &err),
                     1);
    assert_string_equal(value, "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia");
    assert_int_equal(bl_media_metadata(output, "comment", value, sizeof value, &err), 1);
    assert_non_null(strstr(value, "Ballerino"));
    bl_reader *reader = NULL;
    bl_frame *f = NULL, *over = NULL;
    int n = 0;
    assert_ok(bl_reader_open(&reader, output, NULL, &err));
    while (bl_reader_next(reader, &f, &err) > 0) {
        assert_int_equal(f->width, room.w);
        assert_near(bl_frame_seconds(f), n / 25.0, 1e-3);
        if (n == 21) /* the middle of the gap: the wall alone */
            for (int x = 0; x < room.w; x++)
                assert_near(f->data[80 * f->stride + x * 3 + 1], scene_wall(x, 80, 1), 40);
        bl_frame_unref(&f);
        n++;
    }
    bl_reader_close(&reader);
    assert_int_equal(n, FRAMES);
    assert_ok(bl_png_read(&over, overlay, &err));
    assert_int_equal(over->width, 2 * room.w);
    bl_frame_unref(&over);
    size_t size = 0;
    char *text = slurp(page, &size);
    assert_well_formed(text);
    assert_int_equal(count(text, "<img"), 6); /* the moments, the fitting, and the training's four */
    assert_non_null(strstr(text, "The dance of clip.mp4"));
    assert_non_null(strstr(text, "What it learned"));
    bl_free(text);
    /* without what looks at the source's pictures: the same file */
    char before[65], after[65];
    assert_ok(bl_sha256_file(output, before, &err));
    j.report = j.overlay = NULL;
    assert_ok(bl_transfer_run(&j, &r, &err));
    assert_ok(bl_sha256_file(output, after, &err));
    assert_string_equal(after, before);
    /* three pictures side by side */
    j.side_by_side = 1;
    assert_ok(bl_transfer_run(&j, &r, &err));
    assert_ok(bl_reader_open(&reader, output, NULL, &err));
    assert_int_equal(bl_reader_info(reader)->width, 3 * room.w);
    bl_reader_close(&reader);
}

/* ---- memory does not grow with the clip ---- */
static double resident_mib(void) {
    long whole = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &whole, &resident) != 2) resident = 0;
    if (f) fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void see_most(void *ctx, const bl_progress_event *e) {
    double *most = ctx;
    (void)e;
    *most = fmax(*most, resident_mib());
}

/* The most memory that a transfer held, MiB. */
static double most_of_transfer(const char *source, const char *track) {
    bl_err err = {0};
    char output[160];
    double most = 0;
    bl_transfer_job j = bl_transfer_job_default();
    snprintf(output, sizeof output, "%s", in_dir("flat.mp4"));
    j.model = in_dir("plain.ballerino");
    j.source = source;
    j.track = track;
    j.output = output;
    j.threads = 1;
    malloc_trim(0);
    bl_progress_sink(see_most, &most);
    assert_ok(bl_transfer_run(&j, NULL, &err));
    bl_progress_sink(NULL, NULL);
    unlink(output);
    return most;
}

static void transfer_stays_flat(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    puts("SKIP: the sanitizer holds back what was freed");
    skip();
#endif
    enum { LONG = 8 * FRAMES };
    bl_err err = {0};
    char source[160], track[160];
    snprintf(source, sizeof source, "%s", in_dir("long.mp4"));
    snprintf(track, sizeof track, "%s", in_dir("long.json"));
    make_clip(source, LONG);
    bl_track *t = scene_track(&room, LONG);
    assert_ok(bl_track_write(t, track, &err));
    bl_track_destroy(&t);
    const double few = most_of_transfer(clip, track_path), many = most_of_transfer(source, track),
                 frames = (LONG - FRAMES) * 3.0 * room.w * room.h / (1 << 20);
    unlink(source);
    assert_true(frames > 70); /* about 10 more were seen, for tracks */
    if (many - few > frames / 2)
        fail_msg("%.0f MiB more; the frames themselves are %.0f", many - few, frames);
}

/* Its own dance, put together from its own frames: nearly the clip itself. */
static void test_retrieval(void **state) {
    (void)state;
    bl_err err = {0};
    char output[160], value[256];
    bl_transfer_result r = {0};
    bl_clip_scores scores = {0};
    bl_transfer_job j = bl_transfer_job_default();
    snprintf(output, sizeof output, "%s", in_dir("retrieved.mp4"));
    j.method = BL_METHOD_RETRIEVE;
    j.target = j.source = clip;
    j.track = track_path;
    j.output = output;
    j.normalise = BL_NORMALISE_NONE;
    j.threads = 1;
    assert_int_equal(bl_transfer_run(&j, &r, &err), BL_E_CONSENT);
    assert_int_equal(access(output, F_OK), -1);
    j.consent = "made up, nobody is in it";
    give_poses(output);
    assert_ok(bl_transfer_run(&j, &r, &err));
    assert_int_equal(r.frames, FRAMES);
    assert_ok(bl_eval_clips(&scores, output, clip, &err));
    if (scores.ssim < 0.9) fail_msg("SSIM %g", scores.ssim);
    assert_int_equal(bl_media_metadata(output, "consent", value, sizeof value, &err), 1);
    assert_string_equal(value, j.consent);
    assert_int_equal(bl_media_metadata(output, "Iptc4xmpExt:DigitalSourceType", value, sizeof value, &err),
                     1);
    assert_string_equal(value, "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture");
    assert_int_equal(access(in_dir("retrieved.mp4.train/cutouts.bin"), F_OK), -1);
    j.target = NULL;
    assert_int_equal(bl_transfer_run(&j, &r, &err), BL_E_USAGE);
}

/* ---- a trial: rows, files, and nothing is done twice ---- */
static int has_pose_models(void) {
    int count = 0;
    const bl_model_file *m = bl_models_table(&count);
    for (int k = 0; k < count; k++)
        if (bl_models_check(&m[k], NULL, NULL) != 1) return 0;
    return 1;
}

static void test_trial(void **state) {
    (void)state;
    bl_err err = {0};
    bl_trial_result r = {0}, again = {0};
    char folder[160];
    const char *const names[] = {"real", "plate", "retrieve", "frame"};
    if (!has_pose_models()) {
        fprintf(stderr, "SKIP: the pose models are not installed\n");
        skip();
    }
    snprintf(folder, sizeof folder, "%s", in_dir("trial"));
    bl_trial_job j = {.train = job_for(NULL), .output = folder, .methods = "frame,retrieve"};
    give_poses(in_dir("trial/target"));
    assert_ok(bl_trial_run(&j, &r, &err));
    assert_int_equal(r.n, 4);
    assert_int_equal(r.frames, 16);
    assert_int_equal(r.from, FRAMES - 16);
    for (int k = 0; k < 4; k++) {
        assert_string_equal(r.rows[k].name, names[k]);
        assert_int_equal(r.rows[k].n, 16);
        assert_int_equal(r.rows[k].count[BL_METRIC_FLICKER], 15);
    }
    const double *real = r.rows[0].mean, *plate = r.rows[1].mean, *retrieve = r.rows[2].mean;
    assert_near(real[BL_METRIC_BODY_SSIM], 1, 1e-6);
    assert_near(real[BL_METRIC_FLICKER_EXCESS], 1, 1e-9);
    assert_true(retrieve[BL_METRIC_BODY_SSIM] > plate[BL_METRIC_BODY_SSIM] + 0.05);
    static const char *const files[] = {"tables.txt",  "tables.csv",     "results.json",
                                        "report.html", "frame.row.json", "frame.ballerino"};
    for (size_t k = 0; k < BL_COUNT(files); k++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, files[k]);
        if (!bl_file_exists(path)) fail_msg("%s is missing", path);
    }
    assert_ok(bl_trial_run(&j, &again, &err)); /* from the files */
    for (int k = 0; k < 4; k++) assert_near(again.rows[k].seconds, r.rows[k].seconds, 1e-6);
    bl_trial_result_release(&again);
    j.methods = "frame,fullest";
    assert_int_equal(bl_trial_run(&j, &again, &err), BL_E_USAGE);
    assert_non_null(strstr(err.msg, "'fullest'"));
    j.train.consent = NULL;
    assert_int_equal(bl_trial_run(&j, &again, &err), BL_E_CONSENT);
    bl_trial_result_release(&r);
}

static void test_transfer_refusals(void **state) {
    (void)state;
    bl_err err = {0};
    bl_transfer_job j = bl_transfer_job_default();
    char model[160], track[160];
    snprintf(model, sizeof model, "%s", in_dir("plain.ballerino"));
    snprintf(track, sizeof track, "%s", in_dir("nobody.json"));
    bl_track *t = scene_track(&room, FRAMES);
    for (int i = 0; i < FRAMES; i++) t->frames[i] = (bl_track_frame){.i = i, .t_ms = i * 40};
    assert_ok(bl_track_write(t, track, &err));
    bl_track_destroy(&t);
    j.model = model, j.source = clip, j.track = track, j.output = "/tmp/bl_never.mp4";
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_FOOTAGE);
    assert_non_null(strstr(err.msg, clip));
    assert_int_equal(access(j.output, F_OK), -1);
    j.track = track_path, j.output = "/dev/null/folder/out.mp4";
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_IO);
    j.output = "/tmp/bl_never.mp4", j.source = "/no/such/clip.mp4";
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_NOT_FOUND);
    j.source = clip, j.smooth = 4;
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_USAGE);
}

/* Copies a model without the metadata keys that contain `without`, as an older program would have written it.
 */
static void write_older_model(const char *from, const char *to, const char *without) {
    bl_err err = {0};
    bl_tensors *file = NULL;
    size_t size = 0;
    char *data = NULL;
    bl_tensor_meta meta[256];
    int n = 0;
    assert_ok(bl_file_read(&data, &size, from, 1 << 28, &err));
    char *at = strstr(data + 8, "\"__metadata__\"");
    assert_non_null(at);
    for (at = strchr(at, '{'); *at != '}' && n < 256;) { /* {"key":"value","key":"value"} without escapes */
        char *key = at + 2, *key_end = strchr(key, '"'), *value = key_end + 3, *end = strchr(value, '"');
        *key_end = *end = 0;
        if (!strstr(key, without) && strcmp(key, "sha256") != 0) meta[n++] = (bl_tensor_meta){key, value};
        at = end + 1;
    }
    assert_ok(bl_tensors_read(&file, from, &err));
    bl_tensor all[128];
    assert_true(bl_tensors_count(file) <= 128);
    for (int k = 0; k < bl_tensors_count(file); k++) all[k] = *bl_tensors_at(file, k);
    assert_ok(bl_tensors_write(to, all, bl_tensors_count(file), meta, n, &err));
    bl_tensors_close(&file);
    bl_free(data);
}

static void test_transfer_by_limbs(void **state) {
    (void)state;
    bl_err err = {0};
    bl_transfer_job j = bl_transfer_job_default();
    bl_frame *over = NULL;
    char model[160], old[160], output[160], overlay[160];
    snprintf(model, sizeof model, "%s", in_dir("plain.ballerino"));
    snprintf(old, sizeof old, "%s", in_dir("old.ballerino"));
    snprintf(output, sizeof output, "%s", in_dir("limbs.mp4"));
    snprintf(overlay, sizeof overlay, "%s", in_dir("limbs.png"));
    assert_int_equal(j.retarget, BL_RETARGET_GLOBAL);
    j.model = model, j.source = clip, j.track = track_path, j.output = output, j.overlay = overlay;
    j.threads = 1, j.retarget = BL_RETARGET_LIMBS;
    assert_ok(bl_transfer_run(&j, NULL, &err));
    assert_ok(bl_png_read(&over, overlay, &err));
    assert_int_equal(over->width, 3 * room.w); /* source, normalised, retargeted */
    bl_frame_unref(&over);
    write_older_model(model, old, "limb_");
    j.model = old, j.overlay = NULL;
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "--retarget global"));
    j.retarget = BL_RETARGET_GLOBAL;
    assert_ok(bl_transfer_run(&j, NULL, &err));
    write_older_model(model, old, "stats.far"); /* what was always there is still demanded */
    assert_int_equal(bl_transfer_run(&j, NULL, &err), BL_E_FORMAT);
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "--train") == 0) return train_as_child(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),
        cmocka_unit_test(test_model_file),
        cmocka_unit_test(test_refiners),
        cmocka_unit_test(test_coarse_to_fine),
        cmocka_unit_test(test_same_job_same_bits),
        cmocka_unit_test(test_perceptual),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_report_cannot_be_written),
        cmocka_unit_test(test_killed_and_resumed),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_heldout),
        cmocka_unit_test(feed_gives_the_times_again),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(transfer_stays_flat),
        cmocka_unit_test(test_retrieval),
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_transfer_refusals),
        cmocka_unit_test(test_transfer_by_limbs),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
