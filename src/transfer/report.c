/* What both pages say alike, the laps, and the training's own notes and page. */
#include "report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train.h"

#define NOTES_MAX (1 << 20) /* bytes of report.json */

static const char *const lap_names[BL__LAPS] = {"pose", "samples", "train", "evaluate", "patches"};

/* ---- small things ---- */
void bl__laps_begin(bl__laps *l) {
    *l = (bl__laps){.last = bl_now()};
}

void bl__lap_end(bl__laps *l, bl__lap which) {
    const double now = bl_now();
    l->seconds[which] += now - l->last;
    l->last = now;
}

void bl__report_duration(char out[32], double s) {
    const long long whole = (long long)(BL_CLAMP(s, 0, 1e12) + 0.5);
    if (whole >= 3600)
        snprintf(out, 32, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(out, 32, "%lld min %02lld s", whole / 60, whole % 60);
    else
        snprintf(out, 32, "%.1f s", BL_MAX(s, 0));
}

const char *bl__report_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

void bl__report_date(char out[32]) {
    const time_t now = time(NULL);
    struct tm parts;
    if (!localtime_r(&now, &parts) || strftime(out, 32, "%Y-%m-%d, %H:%M", &parts) == 0) out[0] = 0;
}

static double percent(int64_t part, int64_t all) {
    return all > 0 ? 100.0 * (double)part / (double)all : 0;
}

void bl__report_verdict(bl_report *r, const bl_verdict *v, bl_purpose purpose) {
    const char *what = purpose == BL_PURPOSE_TARGET ? "target" : "source";
    if (!v->usable)
        bl_report_note(r, BL_REPORT_BAD, "This clip cannot be used as the %s.", what);
    else if (v->n_reasons)
        bl_report_note(r, BL_REPORT_WARN, "This clip can be used as the %s, with remarks.", what);
    else
        bl_report_note(r, BL_REPORT_GOOD, "This clip is good footage for the %s.", what);
    if (v->n_reasons) {
        bl_report_list_begin(r);
        for (int k = 0; k < v->n_reasons; k++) bl_report_item(r, "%s", v->reasons[k]);
        bl_report_end(r);
    }
    bl_report_facts_begin(r);
    bl_report_fact(r, "Length", "%lld frames, %.1f seconds", (long long)v->frames, v->seconds);
    bl_report_fact(r, "Person found", "in %lld frames (%.0f %%)", (long long)v->found,
                   percent(v->found, v->frames));
    bl_report_fact(r, "Whole, head to feet", "in %lld frames (%.0f %%)", (long long)v->whole,
                   percent(v->whole, v->frames));
    if (v->camera_motion >= 0)
        bl_report_fact(r, "Camera", "moves %.1f thousandths of the width a frame", v->camera_motion);
    bl_report_fact(r, "Variety of poses", "%.2f of 1", v->variety);
    bl_report_end(r);
}

/* ---- report.json: notes ---- */
static json_t *notes_read(const char *path) {
    char *text = NULL;
    size_t size = 0;
    if (!bl_file_exists(path) || bl_file_read(&text, &size, path, NOTES_MAX, NULL) < 0) return NULL;
    json_t *root = json_loadb(text, size, 0, NULL);
    bl_free(text);
    return root;
}

static json_t *verdict_json(const bl_verdict *v) {
    json_t *reasons = json_array();
    for (int k = 0; k < v->n_reasons; k++) json_array_append_new(reasons, json_string(v->reasons[k]));
    return json_pack("{s:b, s:I, s:I, s:I, s:f, s:f, s:f, s:o}", "usable", v->usable, "frames",
                     (json_int_t)v->frames, "found", (json_int_t)v->found, "whole", (json_int_t)v->whole,
                     "seconds", v->seconds, "camera_motion", v->camera_motion, "variety", v->variety,
                     "reasons", reasons);
}

/* Shares of the frames with a person in which hands and face are seen, and left and right hand alike. */
static json_t *seen_json(const bl_track *t) {
    int64_t n = 0, left = 0, right = 0, face = 0;
    for (int64_t i = 0; i < t->n; i++) {
        const bl_track_frame *f = &t->frames[i];
        n += f->has_person;
        left += f->has_person && f->person.left_hand.score > 0;
        right += f->has_person && f->person.right_hand.score > 0;
        face += f->has_person && f->person.face.score > 0;
    }
    const double all = (double)BL_MAX(n, 1);
    return json_pack("{s:f, s:f, s:f}", "left_hand", (double)left / all, "right_hand", (double)right / all,
                     "face", (double)face / all);
}

static json_t *laps_json(const bl__laps *l, const json_t *before) {
    json_t *o = json_object();
    const json_t *old = json_object_get(before, "laps");
    for (int k = 0; k < BL__LAPS; k++)
        json_object_set_new(o, lap_names[k],
                            json_real(l->seconds[k] + json_number_value(json_object_get(old, lap_names[k]))));
    return o;
}

void bl__report_note(bl__training *t) {
    char path[4096];
    bl_err err = {0};
    if (bl__job_file(&t->state, path, "report.json", &err) < 0) return;
    json_t *before = notes_read(path);
    json_t *root = json_pack("{s:s, s:i, s:o, s:o, s:o, s:[i, i], s:[i, i], s:f, s:[I, I]}", "format",
                             "ballerino-report", "version", 1, "laps", laps_json(&t->laps, before), "verdict",
                             verdict_json(&t->verdict), "seen", seen_json(t->track), "picture",
                             t->track->width, t->track->height, "window", bl__main_net(t)->width,
                             bl__main_net(t)->height, "scale", t->grid.scale, "samples",
                             (json_int_t)t->data.n_train, (json_int_t)(t->data.n - t->data.n_train));
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    int rc = text ? bl_file_write(path, text, strlen(text), &err)
                  : bl_fail(&err, BL_E_NOMEM, "not enough memory to write %s", path);
    if (rc < 0) bl_log(BL_LOG_WARN, "train", "%s", err.msg);
    free(text);
    json_decref(root);
    json_decref(before);
    bl__laps_begin(&t->laps);
}

/* ---- report.html ---- */
void bl__report_train(const bl__job *state, const bl_train_job *job, int anew) {
    char path[4096], title[512], subtitle[600], date[32];
    bl_err err = {0};
    bl_report *r = NULL;
    bl__report_date(date);
    snprintf(title, sizeof title, "Learning from %.400s", bl__report_name(job->target));
    snprintf(subtitle, sizeof subtitle, "%s. The model is %.500s.", date, bl__report_name(job->output));
    int rc = bl__job_file(state, path, "report.html", &err);
    if (rc == 0 && !anew && bl_file_exists(path)) return;
    if (rc == 0) rc = bl_report_open(&r, path, title, subtitle, &err);
    if (rc == 0) {
        bl__report_sections(r, state->dir);
        rc = bl_report_close(&r, &err);
    }
    if (rc < 0) bl_log(BL_LOG_WARN, "train", "there is no report: %s", err.msg);
}
