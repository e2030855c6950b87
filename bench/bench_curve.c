/*
 * Does the fast engine learn as the plain one does? The same small net, samples and seed for some hundred
 * steps with the reference kernels in float32, the CPU's kernels in float32, and those in bfloat16: the
 * losses side by side, as an SVG and as numbers.
 *
 *     bench_curve OUT.svg [STEPS]
 */
#include <stdlib.h>

#include "gan_samples.h"

#define WAYS 3
#define WINDOW 25 /* steps a mean is taken over */
#define SIZE 64

static const struct {
    const char *name, *colour;
    bl_precision precision;
    int reference;
} ways[WAYS] = {{"plain reference operators, fp32", "#222222", BL_FP32, 1},
                {"CPU kernels, fp32", "#1f77b4", BL_FP32, 0},
                {"CPU kernels, bf16", "#d62728", BL_BF16, 0}};

static const char *const names[2] = {"generator's total loss", "L1 to the photo"};

static int train(int way, int steps, double *total, double *l1, bl_err *err) {
    bl_gan_net net = bl_gan_net_default();
    bl_gan_train t = bl_gan_train_default();
    samples s = {SIZE, SIZE};
    bl_gan_source src = samples_source(&s, 64);
    bl_trainer *trainer = NULL;
    net.width = net.height = SIZE;
    net.ngf = 16;
    net.down = 2;
    net.max_channels = 64;
    net.num_d = 1;
    t.steps = steps;
    t.precision = ways[way].precision;
    t.reference = ways[way].reference;
    int rc = bl_trainer_create(&trainer, &net, &t, &src, err);
    for (int i = 0; rc >= 0 && i < steps; i++) {
        bl_gan_losses losses;
        rc = bl_trainer_step(trainer, &losses, err);
        if (rc >= 0) total[i] = (double)losses.total, l1[i] = (double)losses.l1;
    }
    bl_trainer_destroy(&trainer);
    return rc;
}

/* The mean of the last WINDOW values up to i. */
static double smooth(const double *v, int i) {
    double sum = 0;
    int from = BL_MAX(0, i - WINDOW + 1);
    for (int k = from; k <= i; k++) sum += v[k];
    return sum / (i - from + 1);
}

static void panel(FILE *f, double *const v[WAYS], int steps, double top, const char *name) {
    const double left = 60, width = 660, height = 200;
    double lo = 1e30, hi = 0;
    for (int w = 0; w < WAYS; w++)
        for (int i = 0; v[w] && i < steps; i++) {
            lo = BL_MIN(lo, smooth(v[w], i));
            hi = BL_MAX(hi, smooth(v[w], i));
        }
    const double a = log10(lo), b = log10(hi);
    fprintf(f, "<text x='%g' y='%g' font-weight='bold'>%s (logarithmic)</text>\n", left, top - 8, name);
    fprintf(f, "<rect x='%g' y='%g' width='%g' height='%g' fill='none' stroke='#aaa'/>\n", left, top, width,
            height);
    fprintf(f, "<text x='4' y='%g'>%.3g</text><text x='4' y='%g'>%.3g</text>\n", top + 12, hi, top + height,
            lo);
    for (int w = 0; w < WAYS; w++) {
        if (!v[w]) continue;
        fprintf(f, "<path fill='none' stroke='%s' stroke-width='%g' d='", ways[w].colour, w ? 1.3 : 2.6);
        for (int i = 0; i < steps; i++)
            fprintf(f, "%c%.1f,%.1f", i ? 'L' : 'M', left + width * i / (steps - 1),
                    top + height * (b - log10(smooth(v[w], i))) / (b - a));
        fprintf(f, "'/>\n");
    }
}

static void draw(FILE *f, double *const total[WAYS], double *const l1[WAYS], int steps) {
    fprintf(f, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 740 560' font-family='sans-serif' "
               "font-size='13'>\n<rect width='740' height='560' fill='white'/>\n");
    panel(f, total, steps, 40, names[0]);
    panel(f, l1, steps, 280, names[1]);
    fprintf(f, "<text x='60' y='500'>step 0</text><text x='720' y='500' text-anchor='end'>step %d</text>\n",
            steps);
    for (int w = 0; w < WAYS; w++)
        if (total[w])
            fprintf(f, "<text x='%d' y='530' fill='%s'>%s</text>\n", 60 + 240 * w, ways[w].colour,
                    ways[w].name);
    fprintf(f, "</svg>\n");
}

/* Relative distance of the last fifth's means. */
static double apart(const double *a, const double *b, int steps) {
    double x = 0, y = 0;
    for (int i = steps - steps / 5; i < steps; i++) x += a[i], y += b[i];
    return fabs(x / y - 1);
}

int main(int argc, char **argv) {
    bl_err err = {0};
    const int steps = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 500;
    double *total[WAYS] = {0}, *l1[WAYS] = {0};
    if (argc < 2 || steps < 10) {
        fprintf(stderr, "usage: bench_curve OUT.svg [STEPS]\n");
        return 2;
    }
    int rc = 0;
    for (int w = 0; rc >= 0 && w < WAYS; w++) {
        if (ways[w].precision == BL_BF16 && !bl_cpu_has_bf16()) {
            puts("SKIP: this CPU has no bfloat16 instructions");
            continue;
        }
        total[w] = bl_alloc_array((size_t)steps, sizeof(double));
        l1[w] = bl_alloc_array((size_t)steps, sizeof(double));
        const double start = bl_now();
        rc = total[w] && l1[w] ? train(w, steps, total[w], l1[w], &err)
                               : bl_fail(&err, BL_E_NOMEM, "no memory");
        if (rc >= 0)
            printf("%-34s %6.1f s; last fifth: total %.3f %% and L1 %.3f %% from the reference\n",
                   ways[w].name, bl_now() - start, 100 * apart(total[w], total[0], steps),
                   100 * apart(l1[w], l1[0], steps));
    }
    FILE *f = rc >= 0 ? fopen(argv[1], "w") : NULL;
    if (f) {
        draw(f, total, l1, steps);
        if (fclose(f) != 0) rc = bl_fail(&err, BL_E_IO, "%s cannot be written", argv[1]);
    } else if (rc >= 0)
        rc = bl_fail(&err, BL_E_IO, "%s cannot be written", argv[1]);
    for (int w = 0; w < WAYS; w++) {
        bl_free(total[w]);
        bl_free(l1[w]);
    }
    if (rc < 0) fprintf(stderr, "bench_curve: %s\n", err.msg);
    return rc < 0 ? bl_status_exit_code(err.code) : 0;
}
