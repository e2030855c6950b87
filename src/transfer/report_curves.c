/* A training's log as charts: every value that it holds, whatever the losses are called. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "report.h"

#define MAX_KEYS 24
#define MAX_ROWS (4 << 20)
#define SMOOTH_SHARE 40 /* the average goes over this part of all rows */

typedef struct curves {
    char keys[MAX_KEYS][32];
    int n_keys;
    int64_t n, capacity;
    double *step, *value[MAX_KEYS]; /* NaN where a row lacks the key */
} curves;

static void release(curves *c) {
    bl_free(c->step);
    for (int k = 0; k < c->n_keys; k++) bl_free(c->value[k]);
}

static int grow_one(double **p, int64_t n, int64_t capacity) {
    double *q = bl_realloc_array(*p, (size_t)n, (size_t)capacity, sizeof *q);
    if (q) *p = q;
    return q ? 0 : -1;
}

static int grow(curves *c) {
    const int64_t more = BL_MAX(1024, 2 * c->capacity);
    if (c->n < c->capacity) return 0;
    if (c->n >= MAX_ROWS || grow_one(&c->step, c->n, more) < 0) return -1;
    for (int k = 0; k < c->n_keys; k++)
        if (grow_one(&c->value[k], c->n, more) < 0) return -1;
    c->capacity = more;
    return 0;
}

/* The key's place; a new one gets a column of gaps. -1: not a loss, or no room. */
static int place_of(curves *c, const char *key) {
    static const char *const others[] = {"step", "seconds", "steps_per_s"};
    for (size_t k = 0; k < BL_COUNT(others); k++)
        if (!strcmp(key, others[k])) return -1;
    for (int k = 0; k < c->n_keys; k++)
        if (!strcmp(key, c->keys[k])) return k;
    if (c->n_keys == MAX_KEYS || strlen(key) >= sizeof c->keys[0]) return -1;
    double *column = bl_alloc_array((size_t)c->capacity, sizeof *column);
    if (!column) return -1;
    for (int64_t i = 0; i < c->n; i++) column[i] = NAN;
    snprintf(c->keys[c->n_keys], sizeof c->keys[0], "%s", key);
    c->value[c->n_keys] = column;
    return c->n_keys++;
}

static int add_row(curves *c, const json_t *row) {
    const char *key;
    json_t *v;
    if (!json_is_number(json_object_get(row, "step"))) return 0;
    if (grow(c) < 0) return -1;
    c->step[c->n] = json_number_value(json_object_get(row, "step"));
    for (int k = 0; k < c->n_keys; k++) c->value[k][c->n] = NAN;
    json_object_foreach((json_t *)(uintptr_t)row, key, v) {
        const int k = json_is_number(v) ? place_of(c, key) : -1;
        if (k >= 0) c->value[k][c->n] = json_number_value(v);
    }
    c->n++;
    return 0;
}

static int load(curves *c, const char *path) {
    char line[4096];
    int rc = 0;
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    while (rc == 0 && fgets(line, sizeof line, f)) {
        json_t *row = json_loads(line, 0, NULL); /* a torn last line is none */
        if (row) rc = add_row(c, row);
        json_decref(row);
    }
    fclose(f);
    return rc;
}

/* Mean of the values from i - half to i + half that are there. `sum` and `count`: of n + 1 doubles. */
static void smooth(double *out, const double *in, int64_t n, double *sum, double *count) {
    const int64_t half = BL_MAX(1, n / (2 * SMOOTH_SHARE));
    for (int64_t i = 0; i < n; i++) {
        sum[i + 1] = sum[i] + (isfinite(in[i]) ? in[i] : 0);
        count[i + 1] = count[i] + isfinite(in[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t reach = BL_MIN(half, BL_MIN(i, n - 1 - i)); /* even on both sides: no lag at the ends */
        const double m = count[i + reach + 1] - count[i - reach];
        out[i] = m > 0 ? (sum[i + reach + 1] - sum[i - reach]) / m : NAN;
    }
}

static int is_total(const char *key) {
    return !strcmp(key, "loss");
}
static int is_discriminator(const char *key) {
    return !strncmp(key, "d_", 2);
}
static int is_part(const char *key) {
    return !is_total(key) && !is_discriminator(key);
}

static const char *name_of(const char *key) {
    static const char *const names[][2] = {
        {"loss", "all together, weighted"}, {"l1", "L1 (difference of colours)"},
        {"ssim", "1 - SSIM (structure)"},   {"gan", "GAN (fooling the discriminator)"},
        {"fm", "feature matching"},         {"vgg", "perceptual"},
        {"perceptual", "perceptual"},       {"d_real", "on real pictures"},
        {"d_fake", "on made pictures"}};
    for (size_t k = 0; k < BL_COUNT(names); k++)
        if (!strcmp(names[k][0], key)) return names[k][1];
    return key;
}

/* One that is zero throughout is not in use. */
static int in_use(const curves *c, int k) {
    for (int64_t i = 0; i < c->n; i++)
        if (isfinite(c->value[k][i]) && c->value[k][i] != 0) return 1;
    return 0;
}

/* Raw values pale, their running mean on top. */
static void chart(bl_report *r, const curves *c, int (*wanted)(const char *), bl_report_chart *out,
                  double *scratch) {
    bl_report_series s[2 * MAX_KEYS];
    double *sum = scratch, *count = scratch + c->n + 1, *smoothed = count + c->n + 1;
    int n = 0;
    for (int k = 0; k < c->n_keys; k++) {
        if (!wanted(c->keys[k]) || !in_use(c, k)) continue;
        double *mean = smoothed + (n / 2) * c->n;
        smooth(mean, c->value[k], c->n, sum, count);
        s[n++] = (bl_report_series){.x = c->step, .y = c->value[k], .n = c->n, .faint = 1};
        s[n++] = (bl_report_series){.name = name_of(c->keys[k]), .x = c->step, .y = mean, .n = c->n};
    }
    if (n == 0) return;
    out->series = s;
    out->n_series = n;
    out->x_label = "training step";
    bl_report_line_chart(r, out);
}

void bl__report_curves(bl_report *r, const char *path) {
    curves c = {0};
    double *scratch = NULL;
    if (load(&c, path) == 0 && c.n > 1 && c.n_keys > 0)
        scratch = bl_alloc_array((size_t)(c.n + 1), sizeof(double) * (size_t)(c.n_keys + 2));
    if (scratch) {
        chart(r, &c, is_total, &(bl_report_chart){.title = "The generator's loss"}, scratch);
        bl_report_gallery_begin(r);
        chart(r, &c, is_part, &(bl_report_chart){.title = "Its parts, unweighted", .log_y = 1}, scratch);
        chart(r, &c, is_discriminator, &(bl_report_chart){.title = "The discriminators' losses"}, scratch);
        bl_report_end(r);
    } else if (bl_file_exists(path)) {
        bl_report_text(r, "It was too short to draw curves.");
    }
    bl_free(scratch);
    release(&c);
}
