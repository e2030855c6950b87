/* What this machine offers, and what is missing. */
#include <string.h>

#include "ballerino/dist.h"
#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "ballerino/pose.h"
#include "ballerino/transfer.h"
#include "commands.h"

static double gib(int64_t bytes) {
    return (double)bytes / (1 << 30);
}

static int models_line(const bl__options *o, bl_err *err) {
    char path[4096];
    int count = 0, missing = 0, damaged = 0, rc = bl_path_models(path, sizeof path, err);
    if (rc < 0) return rc;
    const char *dir = bl__models_dir(o) ? bl__models_dir(o) : path;
    const bl_model_file *m = bl_models_table(&count);
    for (int i = 0; i < count; i++) {
        bl_err why = {0};
        int state = bl_models_check(&m[i], dir, &why);
        missing += state == 0;
        damaged += state < 0;
    }
    printf("pose models  %s: %d of %d", dir, count - missing - damaged, count);
    if (missing + damaged == 0) return puts(""), 0;
    printf(" (%d missing, %d damaged)\n", missing, damaged);
    return bl_fail(err, BL_E_MODELS, "pose models are missing or damaged; run 'ballerino models fetch'");
}

static void print_time(double seconds) {
    if (seconds >= 2 * 86400)
        printf("%.1f days", seconds / 86400);
    else if (seconds >= 2 * 3600)
        printf("%.1f hours", seconds / 3600);
    else
        printf("%.0f minutes", seconds / 60 + 0.5);
}

static int estimate(const bl__options *o, bl_err *err) {
    bl_train_job job = bl_train_job_default();
    bl_train_needs n;
    const int here = bl_dist_launched_here();
    job.preset = (bl_preset)bl__option_choice(o, BL__OPT_preset);
    job.scene = (bl_scene)bl__option_choice(o, BL__OPT_scene);
    bl__option_size(o, BL__OPT_size, &job.width, &job.height);
    job.models_dir = bl__models_dir(o);
    job.device = o->device;
    int rc = bl_train_estimate(&n, &job, err);
    if (rc < 0) return rc;
    const int64_t left = bl_device_memory_free(o->device);
    const int64_t together = o->device ? n.bytes : here * n.bytes; /* a GPU is one process's */
    printf("preset       %s, a window of %dx%d, a clip of %lld frames\n", bl__option_text(o, BL__OPT_preset),
           n.width, n.height, (long long)n.frames);
    printf("memory       %.2f GiB%s, and %.2f GiB of samples that stay in memory where there is room\n",
           gib(n.bytes), o->device ? " of the GPU's" : "", gib(n.cache_bytes));
    if (here > 1)
        printf("processes    %d on this machine, each as much: %.2f GiB%s\n", here, gib(here * n.bytes),
               o->device ? " where they share a GPU" : "");
    if (o->device)
        printf("a transfer   %.2f GiB of the GPU's, up to %.2f where the dance reaches further than the "
               "target's\n",
               gib(n.transfer_bytes), gib(n.transfer_most_bytes));
    printf("a step       %.1f thousand million multiply-adds, about %.2f s here and now\n",
           n.macs_step * 1e-9, n.step_seconds);
    printf("training     ");
    print_time(n.seconds);
    puts("");
    if (left > 0 && BL_MAX(together, n.transfer_bytes) > left)
        printf("note         only %.2f GiB of memory are free; a smaller --size would fit\n", gib(left));
    return 0;
}

/* The GPUs, or in one sentence why there are none; and which device `auto` takes. */
static void devices_lines(const bl__options *o) {
    bl_err why = {0};
    const int n = bl_device_count(&why);
    printf("devices      cpu%s\n", o->device ? "" : " (used)");
    for (int i = 0; i < n; i++) {
        bl_device_info d;
        char name[192];
        if (bl_device_describe(&d, i, &why) < 0) {
            printf("             cuda:%d: %s\n", i, why.msg);
            continue;
        }
        snprintf(name, sizeof name, "cuda:%d (%s)", i, d.name);
        printf("             %s, compute capability %d.%d, %.1f of %.1f GiB free%s\n", name, d.major, d.minor,
               gib(d.memory_free), gib(d.memory), !strcmp(name, bl_device_name(o->device)) ? " (used)" : "");
        printf("             %s\n", d.versions);
    }
    if (n <= 0) printf("             no GPU: %s\n", n < 0 ? why.msg : "none is here");
}

/* What several processes on several GPUs or machines would go by. */
static void processes_lines(void) {
    char text[160];
    bl_err why = {0};
    printf("processes    ");
    if (bl_dist_describe(text, sizeof text, &why) == 0)
        printf("MPI: %s\n", text);
    else
        printf("one: %s\n", why.msg);
    printf("             %s\n", bl_device_group_describe(text, sizeof text, &why) == 0 ? text : why.msg);
}

int bl__cmd_doctor(const bl__options *o, bl_err *err) {
    char media[1024] = "";
    int rc = bl__no_words(o, err);
    if (rc < 0) return rc;
    if (bl__option_flag(o, BL__OPT_estimate)) return bl_dist_launched_rank() > 0 ? 0 : estimate(o, err);
    printf("cores        %d\n", bl_cpu_count());
    printf("memory       %.1f GiB free\n", gib(bl_mem_available()));
    printf("CPU kernels  %s, vector kernels for %s\n", bl_cpu_backend_version(), bl_cpu_vector_isa());
    printf("bfloat16     %s\n", !bl_cpu_has_bf16() ? "not offered by the CPU"
                                : bl_cpu_faster_precision() == BL_BF16
                                    ? "offered by the CPU, and used"
                                    : "offered by the CPU; fp32 is faster");
    devices_lines(o);
    processes_lines();
    rc = bl_media_describe(media, sizeof media, err);
    printf("media        ");
    for (const char *s = media; *s; s++) {
        putchar(*s);
        if (*s == '\n' && s[1]) printf("             ");
    }
    bl_err models = {0};
    int rc2 = models_line(o, &models);
    if (rc == 0 && rc2 < 0) rc = bl_fail(err, rc2, "%s", models.msg);
    if (rc == 0) puts("all is well");
    return rc;
}
