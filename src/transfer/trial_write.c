/* The trial's tables and results as files. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "trial.h"

static int write_text(const bl__trial *t, const char *name, const char *text, bl_err *err) {
    char path[4096];
    int rc = bl__trial_file(t, path, name, "", err);
    return rc < 0 ? rc : bl_file_write(path, text, strlen(text), err);
}

static json_t *row_object(const bl_eval_row *r) {
    json_t *means = json_object();
    for (int m = 0; means && m < BL_METRICS; m++)
        json_object_set_new(means, bl_metric_infos[m].key,
                            isnan(r->mean[m]) ? json_null() : json_real(r->mean[m]));
    return json_pack("{s:s, s:I, s:I, s:I, s:f, s:o}", "name", r->name, "frames", (json_int_t)r->n,
                     "no_body_box", (json_int_t)r->no_body_box, "no_face_box", (json_int_t)r->no_face_box,
                     "seconds", r->seconds, "mean", means);
}

static int write_results(const bl__trial *t, bl_err *err) {
    const bl_trial_result *r = t->result;
    const bl_train_job *j = &t->job->train;
    json_t *rows = json_array();
    for (int i = 0; rows && i < r->n; i++) json_array_append_new(rows, row_object(&r->rows[i]));
    json_t *root = json_pack("{s:s, s:i, s:s, s:I, s:I, s:f, s:I, s:b, s:o}", "format", "ballerino-trial",
                             "version", 1, "target_sha256", t->target_sha256, "from", (json_int_t)r->from,
                             "frames", (json_int_t)r->frames, "minutes", j->minutes, "steps",
                             (json_int_t)j->steps, "lpips", r->with_lpips, "rows", rows);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    int rc = text ? write_text(t, "results.json", text, err)
                  : bl_fail(err, BL_E_NOMEM, "not enough memory for the results");
    free(text);
    json_decref(root);
    return rc;
}

int bl__trial_write(const bl__trial *t, bl_err *err) {
    const bl_trial_result *r = t->result;
    char *text = NULL;
    int rc = bl_eval_tables_text(&text, r->rows, r->n, r->with_lpips, err);
    if (rc == 0) rc = write_text(t, "tables.txt", text, err);
    bl_free(text);
    text = NULL;
    if (rc == 0) rc = bl_eval_tables_csv(&text, r->rows, r->n, err);
    if (rc == 0) rc = write_text(t, "tables.csv", text, err);
    bl_free(text);
    return rc < 0 ? rc : write_results(t, err);
}
