/* One method's scores: frames, means, and its file. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/eval.h"

#define FORMAT "ballerino-eval-row"
#define MAX_SIZE (256u << 20)

const bl_metric_info bl_metric_infos[BL_METRICS] = {
#define BL_X(id, key, heading, better, decimals, table) {key, heading, better, decimals, table},
    BL_METRIC_TABLE(BL_X)
#undef BL_X
};

void bl_eval_row_release(bl_eval_row *r) {
    bl_free(r->frames);
    *r = (bl_eval_row){0};
}

int bl_eval_row_add(bl_eval_row *r, const bl_frame_scores *s, bl_err *err) {
    if (r->n == r->capacity) {
        const int64_t capacity = r->capacity ? 2 * r->capacity : 64;
        bl_frame_scores *more = r->n < BL_TRACK_MAX_FRAMES ? bl_realloc_array(r->frames, (size_t)r->n,
                                                                              (size_t)capacity, sizeof *more)
                                                           : NULL;
        if (!more) return bl_fail(err, BL_E_NOMEM, "not enough memory for the scores of so many frames");
        r->frames = more;
        r->capacity = capacity;
    }
    r->frames[r->n++] = *s;
    return 0;
}

void bl_eval_row_means(bl_eval_row *r) {
    double made = 0, real = 0;
    for (int m = 0; m < BL_METRICS; m++) {
        double sum = 0;
        r->count[m] = 0;
        for (int64_t i = 0; i < r->n; i++) {
            const double v = r->frames[i].v[m];
            if (isnan(v)) continue;
            sum += v;
            r->count[m]++;
        }
        r->mean[m] = r->count[m] ? sum / (double)r->count[m] : (double)NAN;
    }
    for (int64_t i = 0; i < r->n; i++) {
        const double *v = r->frames[i].v;
        if (isnan(v[BL_METRIC_FLICKER]) || isnan(v[BL_METRIC_FLICKER_REAL])) continue;
        made += v[BL_METRIC_FLICKER];
        real += v[BL_METRIC_FLICKER_REAL];
    }
    r->mean[BL_METRIC_FLICKER_EXCESS] = real > 0 ? made / real : (double)NAN;
}

/* ---- the file ---- */
static json_t *number(double v) {
    return isnan(v) ? json_null() : json_real(v);
}

static json_t *all_metrics(const double v[BL_METRICS]) {
    json_t *o = json_object();
    for (int m = 0; o && m < BL_METRICS; m++)
        if (json_object_set_new(o, bl_metric_infos[m].key, number(v[m])) < 0) {
            json_decref(o);
            return NULL;
        }
    return o;
}

static json_t *all_frames(const bl_eval_row *r) {
    json_t *list = json_array();
    for (int64_t i = 0; list && i < r->n; i++) {
        json_t *o = all_metrics(r->frames[i].v);
        if (!o || json_object_set_new(o, "i", json_integer(r->frames[i].i)) < 0 ||
            json_array_append(list, o) < 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(o);
    }
    return list;
}

int bl_eval_row_write(const bl_eval_row *r, const char *key, const char *path, bl_err *err) {
    double counts[BL_METRICS];
    for (int m = 0; m < BL_METRICS; m++) counts[m] = (double)r->count[m];
    json_t *root = json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:f, s:o, s:o, s:o}", "format", FORMAT,
                             "version", 1, "key", key, "name", r->name, "n", (json_int_t)r->n, "no_body_box",
                             (json_int_t)r->no_body_box, "no_face_box", (json_int_t)r->no_face_box, "seconds",
                             r->seconds, "mean", all_metrics(r->mean), "count", all_metrics(counts), "frames",
                             all_frames(r));
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
    int rc = text ? bl_file_write(path, text, strlen(text), err)
                  : bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    free(text);
    json_decref(root);
    return rc;
}

static double number_of(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static int64_t count_of(const json_t *o, const char *key) {
    const double v = number_of(o, key);
    return v >= 0 && v <= 1e15 ? (int64_t)v : 0;
}

static int take_row(bl_eval_row *r, const json_t *root, bl_err *err) {
    const char *name = json_string_value(json_object_get(root, "name"));
    const json_t *frames = json_object_get(root, "frames");
    snprintf(r->name, sizeof r->name, "%s", name ? name : "?");
    r->no_body_box = count_of(root, "no_body_box");
    r->no_face_box = count_of(root, "no_face_box");
    r->seconds = number_of(root, "seconds");
    for (size_t i = 0; i < json_array_size(frames); i++) {
        const json_t *o = json_array_get(frames, i);
        bl_frame_scores s = {.i = count_of(o, "i")};
        for (int m = 0; m < BL_METRICS; m++) s.v[m] = number_of(o, bl_metric_infos[m].key);
        int rc = bl_eval_row_add(r, &s, err);
        if (rc < 0) return rc;
    }
    bl_eval_row_means(r);
    return 0;
}

int bl_eval_row_read(bl_eval_row *r, const char *key, const char *path, bl_err *err) {
    char *text = NULL;
    size_t size = 0;
    *r = (bl_eval_row){0};
    int rc = bl_file_read(&text, &size, path, MAX_SIZE, err);
    if (rc < 0) return rc;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *format = json_string_value(json_object_get(root, "format")),
               *old = json_string_value(json_object_get(root, "key"));
    if (!format || strcmp(format, FORMAT) != 0 || !old)
        rc = bl_fail(err, BL_E_FORMAT, "%s does not hold the scores of a method; remove it", path);
    else if (strcmp(old, key) != 0)
        rc = bl_fail(err, BL_E_MISMATCH, "%s holds scores of another setting", path);
    else
        rc = take_row(r, root, err);
    json_decref(root);
    bl_free(text);
    if (rc < 0) bl_eval_row_release(r);
    return rc;
}
