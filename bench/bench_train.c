/*
 * Times one training step of our engine on synthetic pictures: median milliseconds.
 * bench/run.sh runs PyTorch doing the same net beside it.
 *
 *     bench_train draft|reference|global [steps] [fp32|bf16]
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/gan.h"

typedef struct net_row {
    const char *name;
    bl_gan_net net;
    int temporal;
} net_row;

static const net_row rows[] = {
    {"reference",
     {.scene = BL_SCENE_PAINT,
      .arch = BL_ARCH_GLOBAL,
      .width = 256,
      .height = 144,
      .label_channels = 3,
      .previous = 1,
      .ngf = 32,
      .down = 3,
      .blocks = 6,
      .max_channels = 256,
      .ndf = 32,
      .num_d = 2,
      .layers_d = 3},
     1},
    {"global",
     {.scene = BL_SCENE_PAINT,
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
      .layers_d = 3},
     1},
};

static uint32_t noise(uint32_t *s) {
    return *s = *s * 1664525u + 1013904223u;
}

static int random_sample(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                         float *weight, bl_err *err) {
    const bl_gan_net *n = ctx;
    (void)augment, (void)err;
    uint32_t s = (uint32_t)index + 1;
    for (int i = 0; i < n->width * n->height; i++) {
        for (int c = 0; c < 3; c++) {
            label[3 * i + c] = (float)(noise(&s) >> 8) * 0x1p-24f;
            plate[3 * i + c] = (float)(noise(&s) >> 8) * 0x1p-23f - 1;
            real[3 * i + c] = (float)(noise(&s) >> 8) * 0x1p-23f - 1;
        }
        weight[i] = 1;
    }
    return 0;
}

static int64_t no_run(void *ctx, int64_t index) {
    (void)ctx;
    return index > 0;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int time_steps(const net_row *row, int steps, bl_precision precision, double *median_ms, bl_err *err) {
    bl_gan_train train = bl_gan_train_default();
    bl_gan_net net = row->net;
    train.temporal_d = row->temporal;
    train.max_rollout = 0;
    train.prev_real = train.prev_start = train.prev_shift = 0;
    train.precision = precision;
    bl_gan_source src = {.ctx = &net, .count = 16, .run_before = no_run, .get = random_sample};
    bl_trainer *t = NULL;
    double *ms = bl_alloc_array((size_t)steps, sizeof *ms);
    int rc =
        ms ? bl_trainer_create(&t, &net, &train, &src, err) : bl_fail(err, BL_E_NOMEM, "not enough memory");
    for (int i = -2; rc >= 0 && i < steps; i++) {
        double t0 = bl_now();
        rc = bl_trainer_step(t, NULL, err);
        if (i >= 0) ms[i] = (bl_now() - t0) * 1e3;
    }
    if (rc >= 0 && getenv("PROFILE")) {
        bl_program *p = bl_trainer_program(t);
        (void)bl_program_profile(p, err);
        for (int i = 0; i < steps; i++) bl_trainer_step(t, NULL, err);
        static bl_profile_row pr[2000];
        int n = bl_program_profile_rows(p, pr, 2000);
        double tf = 0, tb = 0;
        for (int i = 0; i < n; i++) {
            tf += pr[i].seconds[0];
            tb += pr[i].seconds[1];
            printf("%-18s %-16s %4dx%-4dx%-4d>%4dx%-4dx%-4d k%d s%d f %7.3f ms %6.0f GF/s | b %7.3f ms %6.0f "
                   "GF/s\n",
                   pr[i].op, pr[i].name, pr[i].x.w, pr[i].x.h, pr[i].x.c, pr[i].y.w, pr[i].y.h, pr[i].y.c,
                   pr[i].kernel, pr[i].stride, pr[i].seconds[0] * 1e3 / steps,
                   2e-9 * pr[i].macs[0] * steps / (pr[i].seconds[0] + 1e-9), pr[i].seconds[1] * 1e3 / steps,
                   2e-9 * pr[i].macs[1] * steps / (pr[i].seconds[1] + 1e-9));
        }
        printf("sum f %.1f b %.1f ms\n", tf * 1e3 / steps, tb * 1e3 / steps);
    }
    if (rc >= 0) {
        qsort(ms, (size_t)steps, sizeof *ms, by_value);
        *median_ms = ms[steps / 2];
    }
    bl_trainer_destroy(&t);
    bl_free(ms);
    return rc;
}

int main(int argc, char **argv) {
    const char *which = argc > 1 ? argv[1] : "draft";
    int steps = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 9;
    bl_precision precision = argc > 3 && !strcmp(argv[3], "bf16") ? BL_BF16 : BL_FP32;
    net_row row = {"draft", bl_gan_net_default(), 0};
    for (size_t i = 0; i < BL_COUNT(rows); i++)
        if (!strcmp(which, rows[i].name)) row = rows[i];
    if (strcmp(which, row.name) || steps < 1) {
        fprintf(stderr, "usage: bench_train draft|reference|global [steps] [fp32|bf16]\n");
        return 2;
    }
    bl_err err = {0};
    double ms = 0;
    if (time_steps(&row, steps, precision, &ms, &err) < 0) {
        fprintf(stderr, "bench_train: %s\n", err.msg);
        return bl_status_exit_code(err.code);
    }
    printf("ballerino train %s %dx%d %s: median %.1f ms (%s)\n", row.name, row.net.width, row.net.height,
           precision == BL_BF16 ? "bf16" : "fp32", ms, bl_cpu_backend_version());
    return 0;
}
