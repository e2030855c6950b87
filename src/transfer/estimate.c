#include "estimate.h"

#include <math.h>

#include "ballerino/base.h"
#include "dataset.h"
#include "perceptual.h"
#include "render.h"
#include "window.h"

#define BASE (96LL << 20) /* the program, its libraries and threads; measured */
#define FRAMES_AT_ONCE 3  /* of the video's size: plate, window grid, one at work */

/* Without a clip: a minute of this. */
#define USUAL_WIDTH 1280
#define USUAL_HEIGHT 720
#define USUAL_FRAMES 1800

/* ---- memory ---- */
typedef struct cost {
    int64_t trainer, shown; /* bytes of the trainer, and of the generator that draws previews */
    double macs;
} cost;

static int stage_cost(cost *c, const bl__stage_plan *p, int threads, bl_precision precision,
                      bl_device *device, bl_err *err) {
    bl_gan_train train = p->train;
    double unused;
    *c = (cost){0};
    if (!p->on) return 0;
    train.threads = threads;
    train.precision = precision;
    train.device = device;
    int rc = bl_gan_estimate(&p->net, &train, &c->trainer, &c->macs, err);
    if (rc == 0) rc = bl_generator_estimate(&p->net, precision, threads, device, &c->shown, &unused, err);
    return rc;
}

int bl__estimate(int64_t *bytes, double macs[BL__STAGES], const bl__preset *preset, int frame_w, int frame_h,
                 int threads, bl_precision precision, bl_device *device, bl_err *err) {
    cost c[BL__STAGES];
    int64_t most = 0, refiners = 0;
    for (int k = 0; k < BL__STAGES; k++) {
        int rc = stage_cost(&c[k], &preset->stage[k], threads, precision, device, err);
        if (rc < 0) return rc;
    }
    for (int k = 0; k < BL__STAGES; k++) {
        const int refiner = k == BL__STAGE_FACE || k == BL__STAGE_HANDS;
        if (refiner) refiners += c[k].trainer; /* both are kept until the model is written */
        most = BL_MAX(most, (refiner ? refiners : c[k].trainer) + c[k].shown);
        macs[k] = c[k].macs;
    }
    *bytes = most;
    if (!device) *bytes += BASE + FRAMES_AT_ONCE * (int64_t)frame_w * frame_h * 3;
    return 0;
}

void bl__estimate_warn(const bl__preset *preset, int frame_w, int frame_h, int threads,
                       bl_precision precision, bl_device *device, int processes) {
    double macs[BL__STAGES];
    int64_t needs = 0;
    const int64_t left = bl_device_memory_free(device);
    if (left <= 0 ||
        bl__estimate(&needs, macs, preset, frame_w, frame_h, threads, precision, device, NULL) < 0)
        return;
    if (!device) needs *= processes; /* a GPU is one process's */
    if (needs > left)
        bl_log(BL_LOG_WARN, "train",
               "this will take about %.1f GB of %s and only %.1f GB are free; close other programs, or "
               "choose a smaller --size%s",
               (double)needs * 1e-9, device ? "the GPU's memory" : "memory", (double)left * 1e-9,
               processes > 1 && !device ? " or fewer processes" : "");
}

/* ---- speed: a small training, timed ---- */
#define TRIAL_SIDE 64
#define TRIAL_SIDE_THERE 256 /* of a GPU: smaller pictures would not keep it busy */
#define TRIAL_STEPS 4
#define TRIAL_WARM_UP 3

static int made_up(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                   float *weight, bl_err *err) {
    const bl_gan_net *net = ctx;
    (void)index, (void)augment, (void)err;
    for (int i = 0; i < net->width * net->height; i++) {
        for (int k = 3 * i; k < 3 * i + 3; k++) {
            label[k] = (float)(i % 7) / 7;
            plate[k] = real[k] = (float)(i % 5) / 5;
        }
        weight[i] = 1;
    }
    return 0;
}
static int64_t none_before(void *ctx, int64_t index) {
    (void)ctx, (void)index;
    return 0;
}

/* Multiply-adds a second on this machine, now. */
static int speed(double *out, int threads, bl_precision precision, bl_device *device, bl_err *err) {
    bl_gan_net net = bl_gan_net_default();
    bl_gan_train train = bl_gan_train_default();
    const bl_gan_source src = {.ctx = &net, .count = 4, .run_before = none_before, .get = made_up};
    bl_trainer *t = NULL;
    int64_t bytes;
    double macs = 0, t0 = 0;
    net.width = net.height = device ? TRIAL_SIDE_THERE : TRIAL_SIDE;
    train.threads = threads, train.precision = precision, train.device = device;
    train.gan_from = 0, train.steps = 1000;
    int rc = bl_gan_estimate(&net, &train, &bytes, &macs, err);
    if (rc == 0) rc = bl_trainer_create(&t, &net, &train, &src, err);
    for (int k = 0; k < TRIAL_WARM_UP && rc == 0; k++) rc = bl_trainer_step(t, NULL, err);
    t0 = bl_now();
    for (int k = 0; k < TRIAL_STEPS && rc == 0; k++) rc = bl_trainer_step(t, NULL, err);
    *out = macs * TRIAL_STEPS / fmax(bl_now() - t0, 1e-6);
    bl_trainer_destroy(&t);
    return rc;
}

/* ---- from a job ---- */
static void window_of(bl_train_needs *n, bl__preset *p, const bl_train_job *job, int frame_w, int frame_h) {
    bl_gan_net *net = &p->stage[BL__STAGE_MAIN].net;
    const int step = bl__preset_step(p);
    const bl__extent person = {.width = 3.0f * (float)frame_w, .height = 4.0f * (float)frame_w};
    const bl__window v = job->scene == BL_SCENE_PAINT
                             ? bl__window_whole(frame_w, frame_h, p->area, step, job->width, job->height)
                             : bl__window_fit(&person, p->area, step, job->width, job->height);
    n->width = net->width = v.w;
    n->height = net->height = v.h;
    bl__preset_coarse(p);
}

/* With the model that will come out; a window is at least as high as the person, and that is all that is
 * known of its scale here. */
static int plan_transfer(bl_train_needs *n, const bl__preset *p, const bl_train_job *job, int frame_w,
                         int frame_h, int threads, bl_err *err) {
    const bl_gan_net *net = &p->stage[BL__STAGE_MAIN].net;
    bl_pose_options poses = bl_pose_options_default();
    bl__model_info info = {.net = *net,
                           .stats = {.width = frame_w, .height = frame_h},
                           .scale = fmin(1, (double)net->height / frame_h)};
    static const bl__stage stages[BL__REFINERS] = {BL__STAGE_FACE, BL__STAGE_HANDS};
    int w, h;
    if (!job->device) return 0;
    for (int k = 0; k < BL__REFINERS; k++)
        info.refine[k] = (bl__refine_info){p->stage[stages[k]].on, p->stage[stages[k]].net};
    poses.models_dir = job->models_dir;
    poses.threads = threads;
    int rc = bl__estimate_transfer(&n->transfer_bytes, &info, net->width, net->height, &poses, threads,
                                   job->device, err);
    bl__render_widest(net, &w, &h);
    return rc < 0 ? rc
                  : bl__estimate_transfer(&n->transfer_most_bytes, &info, w, h, &poses, threads, job->device,
                                          err);
}

static int look_at_clip(const char *path, int *w, int *h, int64_t *frames, bl_err *err) {
    bl_reader *r = NULL;
    int rc = bl_reader_open(&r, path, NULL, err);
    if (rc < 0) return rc;
    *w = bl_reader_info(r)->width;
    *h = bl_reader_info(r)->height;
    *frames = bl_reader_info(r)->frames;
    bl_reader_close(&r);
    return 0;
}

static void plan_time(bl_train_needs *n, const double macs[BL__STAGES], const bl__preset *p,
                      const bl_train_job *job, double macs_a_second) {
    const double minutes = job->minutes > 0 ? job->minutes : p->minutes;
    double by_steps = 0;
    n->macs_step = macs[BL__STAGE_MAIN];
    n->step_seconds = n->macs_step / macs_a_second;
    for (int k = 0; k < BL__STAGES; k++)
        if (p->stage[k].on)
            by_steps += macs[k] / macs_a_second *
                        (double)(job->steps > 0 ? job->steps : p->stage[k].epochs * n->frames);
    n->seconds = job->steps == 0 && minutes > 0 ? 60 * minutes : by_steps;
}

int bl_train_estimate(bl_train_needs *out, const bl_train_job *job, bl_err *err) {
    bl_train_needs n = {.frames = USUAL_FRAMES};
    bl__preset preset = bl__preset_for(job);
    bl__perceptual judge = {0};
    const int threads = job->threads > 0 ? job->threads : bl_cpu_count();
    const bl_precision precision = bl__precision_for(job);
    int frame_w = USUAL_WIDTH, frame_h = USUAL_HEIGHT;
    double macs_a_second = 0, macs[BL__STAGES];
    int rc = job->target ? look_at_clip(job->target, &frame_w, &frame_h, &n.frames, err) : 0;
    if (rc < 0) return rc;
    window_of(&n, &preset, job, frame_w, frame_h);
    rc = bl__perceptual_open(&judge, &preset, job->perceptual, job->models_dir, err);
    if (rc == 0)
        rc = bl__estimate(&n.bytes, macs, &preset, frame_w, frame_h, threads, precision, job->device, err);
    if (rc == 0) rc = plan_transfer(&n, &preset, job, frame_w, frame_h, threads, err);
    if (rc == 0) rc = speed(&macs_a_second, threads, precision, job->device, err);
    bl__perceptual_close(&judge);
    if (rc < 0) return rc;
    n.cache_bytes = n.frames * (int64_t)bl__dataset_record(n.width, n.height);
    plan_time(&n, macs, &preset, job, macs_a_second);
    *out = n;
    return 0;
}
