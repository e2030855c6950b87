#include "parity.h"

#include <time.h>

#include "on_device.h"

#define ROWS_MAX 256

typedef struct cell {
    double error, limit; /* limit 0: nothing was noted */
} cell;

typedef struct row {
    char what[64], size[24];
    cell seen[2][2]; /* [precision][measure] */
    int failed;
} row;

static row rows[ROWS_MAX];
static int n_rows, beyond;

static row *row_of(const parity_seen *s) {
    for (int i = 0; i < n_rows; i++)
        if (!strcmp(rows[i].what, s->what)) return &rows[i];
    if (n_rows == ROWS_MAX) fail_msg("more than %d rows of parity", ROWS_MAX);
    row *r = &rows[n_rows++];
    snprintf(r->what, sizeof r->what, "%s", s->what);
    snprintf(r->size, sizeof r->size, "%s", s->size);
    return r;
}

void parity_note(const parity_seen *s) {
    row *r = row_of(s);
    cell *c = &r->seen[s->precision == BL_BF16][s->second];
    const int fits = s->error <= s->limit;
    if (s->error > c->error || !(s->error == s->error)) c->error = s->error;
    if (s->limit > c->limit) c->limit = s->limit;
    if (fits) return;
    r->failed = 1;
    beyond++;
    fprintf(stderr, "%s, %s: %s is off by %g, more than %g\n", s->what,
            s->precision == BL_BF16 ? "bf16" : "fp32", s->detail, s->error, s->limit);
}

void parity_expect(void) {
    const int n = beyond;
    beyond = 0;
    if (n) fail_msg("%d beyond their limits", n);
}

/* "3.1e-06, 8e-06 | 0.0001, 0.0002", the limit once where both have the same. */
static void print_cells(FILE *f, const cell c[2]) {
    if (c[0].limit <= 0 && c[1].limit <= 0) {
        fputs(" | - | -", f);
        return;
    }
    fprintf(f, " | %.2g", c[0].error);
    if (c[1].limit > 0) fprintf(f, ", %.2g", c[1].error);
    fprintf(f, " | %.2g", c[0].limit);
    if (c[1].limit > 0 && c[1].limit > c[0].limit) fprintf(f, ", %.2g", c[1].limit);
}

void parity_print(FILE *f, const bl_device *device) {
    bl_device_info info;
    bl_err err = {0};
    char date[16] = "";
    const time_t now = time(NULL);
    struct tm t;
    if (gmtime_r(&now, &t)) (void)strftime(date, sizeof date, "%Y-%m-%d", &t);
    const int known = bl_device_describe(&info, test_device_index(device), &err) == 0;
    fprintf(f, "\n%s, %s, %s. Two numbers each, the largest seen: operators: values, gradients;\n",
            bl_device_name(device), known ? info.versions : err.msg, date);
    fputs("networks: the gradient of all parameters together, the worst parameter's; trainings: the losses "
          "over "
          "the first steps, running means over all.\n\n"
          "| | size | fp32 | limit | bf16 | limit | |\n|---|---|---|---|---|---|---|\n",
          f);
    for (int i = 0; i < n_rows; i++) {
        fprintf(f, "| %s | %s", rows[i].what, rows[i].size);
        for (int k = 0; k < 2; k++) print_cells(f, rows[i].seen[k]);
        fprintf(f, " | %s |\n", rows[i].failed ? "FAILED" : "ok");
    }
}
