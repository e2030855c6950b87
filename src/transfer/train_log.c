#include <errno.h>
#include <string.h>

#include "train.h"

#define EVERY 10 /* steps a line */
#define MAX_LOG (1 << 28)

/* Lines of steps that a resumed run will do again would be there twice. */
static int drop_after(const char *path, int64_t step, bl_err *err) {
    char *text = NULL;
    size_t size = 0, kept = 0;
    int rc = bl_file_read(&text, &size, path, MAX_LOG, err);
    if (rc < 0) return rc;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) + 1 : size - at;
        long long n = 0;
        if (end && sscanf(text + at, "{\"step\":%lld", &n) == 1 && n <= step) {
            memmove(text + kept, text + at, length);
            kept += length;
        }
        at += length;
    }
    rc = bl_file_write(path, text, kept, err);
    bl_free(text);
    return rc;
}

int bl__train_log_open(bl__train_log *l, const char *path, int64_t step, bl_err *err) {
    *l = (bl__train_log){0};
    int rc = bl_file_exists(path) ? drop_after(path, step, err) : 0;
    if (rc < 0) return rc;
    l->f = fopen(path, "a");
    return l->f ? 0 : bl_fail(err, BL_E_IO, "cannot write %s: %s", path, strerror(errno));
}

void bl__train_log_add(bl__train_log *l, int64_t step, const bl_gan_losses *x, double seconds) {
    float *sum = (float *)&l->sum;
    const float *add = (const float *)x;
    const size_t n = sizeof *x / sizeof *add;
    for (size_t i = 0; i < n; i++) sum[i] += add[i];
    l->count++;
    if (step % EVERY != 0) return;
    const double k = 1.0 / l->count, rate = seconds > l->since ? l->count / (seconds - l->since) : 0;
    fprintf(l->f,
            "{\"step\":%lld,\"seconds\":%.2f,\"steps_per_s\":%.3f,\"loss\":%.5g,\"l1\":%.5g,\"ssim\":%.5g,"
            "\"gan\":%.5g,\"fm\":%.5g,\"d_real\":%.5g,\"d_fake\":%.5g,\"perceptual\":%.5g}\n",
            (long long)step, seconds, rate, k * (double)l->sum.total, k * (double)l->sum.l1,
            k * (double)l->sum.ssim, k * (double)l->sum.gan, k * (double)l->sum.fm, k * (double)l->sum.d_real,
            k * (double)l->sum.d_fake, k * (double)l->sum.perceptual);
    fflush(l->f);
    l->sum = (bl_gan_losses){0};
    l->count = 0;
    l->since = seconds;
}

void bl__train_log_close(bl__train_log *l) {
    if (l->f) fclose(l->f);
    l->f = NULL;
}
