/*
 * Times the engine on random pictures; run.sh runs PyTorch doing the same beside it.
 *
 *     bench_nn peaks                                  what the machine can do at most
 *     bench_nn train|infer NET [RUNS] [fp32|bf16]     median of a training step, of a generated frame
 *     bench_nn ops NET [RUNS] [fp32|bf16]             where a training step's time goes, operator by operator
 *
 * With --device cuda[:N] it does so on a GPU; a step ends when its losses are known, a frame when it lies in
 * the host's memory.
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "ballerino/base.h"
#include "nets.h"
#include "peaks.h"

#define MAX_OPS 4000
#define WARM_UP 2
#define WARM_UP_THERE 6 /* on a device, which keeps what is queued as graphs */

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

/* ---- what is timed ---- */
typedef struct bench {
    bench_net what;
    int runs;
    bl_device *device;
    bl_trainer *trainer;
    bl_params *ps;
    bl_generator *generator;
    float *pictures; /* label, plate, made */
} bench;

static int start_training(bench *b, bl_err *err) {
    bl_gan_source src = {.ctx = &b->what.net, .count = 16, .run_before = no_run, .get = random_sample};
    return bl_trainer_create(&b->trainer, &b->what.net, &b->what.train, &src, err);
}

static int start_inference(bench *b, bl_err *err) {
    const bl_gan_net *n = &b->what.net;
    const size_t picture = (size_t)n->width * (size_t)n->height * 3;
    b->pictures = bl_alloc_array(4 * picture, sizeof(float));
    if (!b->pictures) return bl_fail(err, BL_E_NOMEM, "not enough memory for pictures");
    (void)random_sample(&b->what.net, 1, 0, b->pictures, b->pictures + picture, b->pictures + 2 * picture,
                        b->pictures + 3 * picture, err);
    int rc = bl_params_create(&b->ps, err);
    if (rc == 0) rc = bl_params_place(b->ps, b->device, err);
    if (rc == 0) rc = bl_gan_declare(n, b->ps, 0, err);
    if (rc == 0) rc = bl_params_seal(b->ps, 1, 0, err);
    return rc < 0 ? rc
                  : bl_generator_create(&b->generator, n, b->ps, BL_SLAB_WEIGHT, b->what.train.precision,
                                        b->what.train.threads, err);
}

static int once(bench *b, bl_err *err) {
    if (b->trainer) return bl_trainer_step(b->trainer, NULL, err);
    const size_t picture = (size_t)b->what.net.width * (size_t)b->what.net.height * 3;
    return bl_generator_run(b->generator, b->pictures, b->pictures + picture, 0, 0, b->pictures + 2 * picture,
                            NULL, err);
}

static void stop(bench *b) {
    bl_trainer_destroy(&b->trainer);
    bl_generator_destroy(&b->generator);
    bl_params_destroy(&b->ps);
    bl_device_close(&b->device);
    bl_free(b->pictures);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int warm_up(const bench *b) {
    return b->device ? WARM_UP_THERE : WARM_UP;
}

static int median_ms(bench *b, double *median, bl_err *err) {
    double *ms = bl_alloc_array((size_t)b->runs, sizeof *ms);
    int rc = ms ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory");
    for (int i = -warm_up(b); rc >= 0 && i < b->runs; i++) {
        double start = bl_now();
        rc = once(b, err);
        if (i >= 0) ms[i] = (bl_now() - start) * 1e3;
    }
    if (rc >= 0) {
        qsort(ms, (size_t)b->runs, sizeof *ms, by_value);
        *median = ms[b->runs / 2];
    }
    bl_free(ms);
    return rc;
}

static double gflop(const bench *b, bl_err *err) {
    int64_t bytes;
    double macs = 0;
    if (b->trainer) return 2e-9 * bl_program_training_macs(bl_trainer_program(b->trainer));
    return bl_generator_estimate(&b->what.net, b->what.train.precision, 0, NULL, &bytes, &macs, err) < 0
               ? 0
               : 2e-9 * macs;
}

/* Of the CPU; how much a GPU can do at most is not measured here. */
static bench_peaks peaks_of(const bench *b) {
    return b->device ? (bench_peaks){0} : bench_measure_peaks(omp_get_max_threads());
}

static double peak_of(const bench_peaks *p, bl_precision precision) {
    return precision == BL_FP32 ? p->fp32 : p->tiles > 0 ? p->tiles : p->bf16;
}

static int time_net(bench *b, const char *mode, const char *name, bl_err *err) {
    double ms = 0;
    int rc = !strcmp(mode, "infer") ? start_inference(b, err) : start_training(b, err);
    if (rc < 0 || (rc = median_ms(b, &ms, err)) < 0) return rc;
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    const double work = gflop(b, err), rate = work / ms * 1e3;
    const bench_peaks p = peaks_of(b);
    const double peak = peak_of(&p, b->what.train.precision);
    printf("ballerino %s %s %dx%d %s: median %.2f ms, %.1f Gflop, %.0f Gflop/s", mode, name,
           b->what.net.width, b->what.net.height, b->what.train.precision == BL_BF16 ? "bf16" : "fp32", ms,
           work, rate);
    if (peak > 0) printf(" = %.0f %% of the measured peak", 100 * rate / peak);
    if (b->what.train.precision == BL_BF16 && p.tiles > 0 && p.bf16 > 0)
        printf(" (%.0f %% of AVX512_BF16's)", 100 * rate / p.bf16);
    printf(", %.0f MB", (double)use.ru_maxrss / 1024);
    if (b->device) printf(", on %s", bl_device_name(b->device));
    puts("");
    return 0;
}

/* ---- operator by operator ---- */
static double seconds(const bl_profile_row *r) {
    return r->seconds[0] + r->seconds[1];
}

static int same_work(const bl_profile_row *a, const bl_profile_row *b) {
    return !strcmp(a->op, b->op) && !memcmp(&a->x, &b->x, sizeof a->x) &&
           !memcmp(&a->y, &b->y, sizeof a->y) && a->kernel == b->kernel && a->stride == b->stride;
}

static int by_time(const void *a, const void *b) {
    double x = seconds(a), y = seconds(b);
    return x > y ? -1 : x < y;
}

/* Layers of the same shape become one row. */
static int merge(bl_profile_row *rows, int n) {
    int kept = 0;
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < kept && !same_work(&rows[k], &rows[i])) k++;
        if (k == kept) {
            rows[kept++] = rows[i];
            continue;
        }
        for (int d = 0; d < 2; d++) {
            rows[k].seconds[d] += rows[i].seconds[d];
            rows[k].macs[d] += rows[i].macs[d];
            rows[k].bytes[d] += rows[i].bytes[d];
        }
    }
    qsort(rows, (size_t)kept, sizeof *rows, by_time);
    return kept;
}

static void print_row(const bl_profile_row *r, int runs, double total, double peak, double gbytes) {
    char shape[64];
    snprintf(shape, sizeof shape, "%dx%dx%d > %dx%dx%d", r->x.w, r->x.h, r->x.c, r->y.w, r->y.h, r->y.c);
    printf("%-17s %-28s", r->op, shape);
    for (int d = 0; d < 2; d++) {
        const double s = r->seconds[d] / runs, flops = 2e-9 * r->macs[d] / s, moved = 1e-9 * r->bytes[d] / s;
        if (s <= 0)
            printf(" |       -                     ");
        else if (r->macs[d] > 0)
            printf(" | %7.3f ms %6.0f Gflop/s %3.0f %%", 1e3 * s, flops, peak > 0 ? 100 * flops / peak : 0.0);
        else
            printf(" | %7.3f ms %6.1f GB/s    %3.0f %%", 1e3 * s, moved,
                   gbytes > 0 ? 100 * moved / gbytes : 0.0);
    }
    printf(" | %4.1f %%\n", 100 * seconds(r) / total);
}

static int profile(bench *b, bl_err *err) {
    static bl_profile_row rows[MAX_OPS];
    double total = 0, start;
    int rc = start_training(b, err);
    for (int i = 0; rc >= 0 && i < warm_up(b); i++) rc = once(b, err);
    if (rc < 0 || (rc = bl_program_profile(bl_trainer_program(b->trainer), err)) < 0) return rc;
    start = bl_now();
    for (int i = 0; rc >= 0 && i < b->runs; i++) rc = once(b, err);
    if (rc < 0) return rc;
    const double whole = bl_now() - start;
    int n = bl_program_profile_rows(bl_trainer_program(b->trainer), rows, MAX_OPS);
    if (n > MAX_OPS) return bl_fail(err, BL_E_UNSUPPORTED, "the network has more than %d operators", MAX_OPS);
    for (int i = 0; i < n; i++) total += seconds(&rows[i]);
    n = merge(rows, n);
    const bench_peaks p = peaks_of(b);
    printf("%-17s %-28s | %-29s | %-29s | step\n", "operator", "input > output", "forward, share of peak",
           "backward, share of peak");
    for (int i = 0; i < n; i++)
        if (seconds(&rows[i]) > 0.002 * whole)
            print_row(&rows[i], b->runs, whole, peak_of(&p, b->what.train.precision), p.gbytes);
    printf("step %.1f ms; operators %.1f, optimisers and the rest %.1f\n", 1e3 * whole / b->runs,
           1e3 * total / b->runs, 1e3 * (whole - total) / b->runs);
    return 0;
}

static void print_peaks(void) {
    const int threads = omp_get_max_threads();
    const bench_peaks p = bench_measure_peaks(threads);
    printf("%d threads: fp32 %.0f Gflop/s", threads, p.fp32);
    if (p.bf16 > 0) printf(", AVX512_BF16 %.0f Gflop/s", p.bf16);
    if (p.tiles > 0) printf(", tiles (AMX) %.0f Gflop/s", p.tiles);
    printf(", memory %.1f GB/s; %s, %s vectors\n", p.gbytes, bl_cpu_backend_version(), bl_cpu_vector_isa());
}

/* Takes --device and its value out of the arguments. */
static const char *device_asked(int *argc, char **argv) {
    for (int i = 1; i + 1 < *argc; i++) {
        if (strcmp(argv[i], "--device") != 0) continue;
        const char *device = argv[i + 1];
        *argc -= 2;
        memmove(argv + i, argv + i + 2, (size_t)(*argc - i + 1) * sizeof *argv); /* and the NULL at the end */
        return device;
    }
    return "cpu";
}

int main(int argc, char **argv) {
    bl_err err = {0};
    const char *device = device_asked(&argc, argv);
    bench b = {.runs = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 9};
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "peaks")) {
        print_peaks();
        return 0;
    }
    const int known = !strcmp(mode, "train") || !strcmp(mode, "infer") || !strcmp(mode, "ops");
    if (!known || argc < 3 || !bench_net_of(argv[2], &b.what) || b.runs < 1) {
        fprintf(stderr, "usage: bench_nn peaks | train|infer|ops "
                        "reference|paper|paper-full|draft|standard|half|face|hands [RUNS] "
                        "[fp32|bf16] [--device cpu|cuda:N]\n");
        return 2;
    }
    int rc = bl_device_open(&b.device, device, &err);
    b.what.train.device = b.device;
    b.what.train.precision =
        argc > 4 ? (strcmp(argv[4], "bf16") ? BL_FP32 : BL_BF16) : bl_device_faster_precision(b.device);
    if (rc == 0) rc = !strcmp(mode, "ops") ? profile(&b, &err) : time_net(&b, mode, argv[2], &err);
    stop(&b);
    if (rc < 0) fprintf(stderr, "bench_nn: %s\n", err.msg);
    return rc < 0 ? bl_status_exit_code(err.code) : 0;
}
