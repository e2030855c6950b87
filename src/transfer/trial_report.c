/* The trial's page for people. */
#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/report.h"
#include "trial.h"

#define BODY_HEIGHT 320 /* of a picture in a strip */
#define FACE_SIDE 200
#define GAP 4
#define MAX_COLUMNS (BL_METRICS + 2)

static const char *const titles[] = {
    "Body: likeness within the person's box", "Face: likeness within the face's box",
    "Pose distance: found again minus asked for, pixels", "Missed detections an image, and flicker"};

/* real and plate show what can be had and what is had for nothing; they do not compete. */
static int competes(const bl_eval_row *r) {
    return strcmp(r->name, "real") != 0 && strcmp(r->name, "plate") != 0;
}

static void table(bl_report *page, const bl_trial_result *r, int number) {
    bl_report_column columns[MAX_COLUMNS] = {{"", -1, 0}};
    bl_report_cell cells[BL_TRIAL_MAX_ROWS * MAX_COLUMNS];
    char starred[BL_TRIAL_MAX_ROWS][MAX_COLUMNS][24];
    int metric[MAX_COLUMNS], n = 1;
    for (int m = 0; m < BL_METRICS; m++) {
        if (bl_metric_infos[m].table != number) continue;
        metric[n] = m;
        columns[n++] = (bl_report_column){bl_metric_infos[m].heading, bl_metric_infos[m].decimals, 0};
    }
    for (int i = 0; i < r->n; i++) {
        cells[i * n] = (bl_report_cell){.text = r->rows[i].name};
        for (int k = 1; k < n; k++) {
            bl_report_cell *c = &cells[i * n + k];
            *c = (bl_report_cell){.value = r->rows[i].mean[metric[k]]};
            if (!competes(&r->rows[i]) || bl_eval_best(r->rows, r->n, (bl_metric)metric[k]) != i) continue;
            snprintf(starred[i][k], sizeof starred[i][k], "%.*f \xe2\x98\x85", columns[k].digits, c->value);
            c->text = starred[i][k];
        }
    }
    bl_report_table(page, titles[number - 1], columns, n, cells, r->n);
}

/* ---- pictures ---- */
static int cut_out(bl_frame **out, const bl_frame *f, const bl_box *b, int w, int h, bl_err *err) {
    bl_frame *part = NULL;
    int rc = bl_frame_create(&part, b->w, b->h, err);
    for (int y = 0; rc == 0 && y < b->h; y++)
        memcpy(part->data + y * part->stride, f->data + (b->y + y) * f->stride + (ptrdiff_t)b->x * 3,
               (size_t)b->w * 3);
    if (rc == 0) rc = bl_frame_resize(out, part, w, h, err);
    bl_frame_unref(&part);
    return rc;
}

/* What all methods show in a box of the k-th shown frame, side by side. */
static int strip(bl_frame **out, const bl__trial *t, int k, const bl_box *box, int w, int h, bl_err *err) {
    const bl_trial_result *r = t->result;
    int rc = bl_frame_create(out, r->n * (w + GAP) - GAP, h, err);
    for (int y = 0; rc == 0 && y < h; y++)
        memset((*out)->data + y * (*out)->stride, 255, (size_t)(*out)->width * 3);
    for (int i = 0; rc == 0 && i < r->n; i++) {
        bl_frame *f = NULL, *part = NULL;
        char path[4096];
        rc = bl__trial_picture(t, path, r->rows[i].name, k, err);
        if (rc == 0 && bl_png_read(&f, path, NULL) == 0 && box->x + box->w <= f->width &&
            box->y + box->h <= f->height) /* a picture that is gone leaves its place white */
            rc = cut_out(&part, f, box, w, h, err);
        for (int y = 0; part && y < h; y++)
            memcpy((*out)->data + y * (*out)->stride + (ptrdiff_t)i * (w + GAP) * 3,
                   part->data + y * part->stride, (size_t)w * 3);
        bl_frame_unref(&f);
        bl_frame_unref(&part);
    }
    if (rc < 0) bl_frame_unref(out);
    return rc;
}

static int pictures(bl_report *page, const bl__trial *t, bl_err *err) {
    char order[512] = "";
    size_t n = 0;
    int rc = 0;
    for (int i = 0; i < t->result->n && n < sizeof order; i++)
        n += (size_t)snprintf(order + n, sizeof order - n, "%s%s", i ? " | " : "", t->result->rows[i].name);
    bl_report_heading(page, "Held-out frames");
    bl_report_text(page, "From left to right: %s.", order);
    for (int k = 0; rc == 0 && k < t->n_shown; k++) {
        char caption[64];
        bl_frame *f = NULL;
        snprintf(caption, sizeof caption, "frame %lld", (long long)(t->result->from + t->shown[k]));
        if (t->body[k].w > 0) {
            const int w = BL_MAX(1, BODY_HEIGHT * t->body[k].w / t->body[k].h);
            rc = strip(&f, t, k, &t->body[k], w, BODY_HEIGHT, err);
            if (rc == 0) bl_report_picture(page, f, "the person as each method shows it", caption);
            bl_frame_unref(&f);
        }
        if (rc == 0 && t->face[k].w > 0) {
            const int w = BL_MAX(1, FACE_SIDE * t->face[k].w / t->face[k].h);
            rc = strip(&f, t, k, &t->face[k], w, FACE_SIDE, err);
            if (rc == 0) bl_report_picture(page, f, "the face as each method shows it", "its face");
            bl_frame_unref(&f);
        }
    }
    return rc;
}

/* ---- curves ---- */
static int curve(bl_report *page, const bl_trial_result *r, bl_metric m, const char *title, bl_err *err) {
    bl_report_series series[BL_TRIAL_MAX_ROWS];
    int64_t total = 0;
    int n = 0;
    for (int i = 0; i < r->n; i++) total += 2 * r->rows[i].n;
    double *v = bl_alloc_array((size_t)total, sizeof *v), *at = v;
    if (!v) return bl_fail(err, BL_E_NOMEM, "not enough memory for the curves");
    for (int i = 0; i < r->n; i++) {
        const bl_eval_row *row = &r->rows[i];
        if (row->count[m] == 0 || (!competes(row) && m == BL_METRIC_BODY_SSIM)) continue;
        for (int64_t k = 0; k < row->n; k++) {
            at[k] = (double)row->frames[k].i;
            at[row->n + k] = row->frames[k].v[m];
        }
        series[n++] = (bl_report_series){.name = row->name, .x = at, .y = at + row->n, .n = row->n};
        at += 2 * row->n;
    }
    const bl_report_chart c = {.title = title, .x_label = "frame", .series = series, .n_series = n};
    if (n > 0) bl_report_line_chart(page, &c);
    bl_free(v);
    return 0;
}

static void settings(bl_report *page, const bl__trial *t) {
    static const char *const presets[] = {"draft", "standard", "high", "paper"};
    const bl_train_job *j = &t->job->train;
    const bl_trial_result *r = t->result;
    bl_report_heading(page, "Settings and times");
    bl_report_facts_begin(page);
    bl_report_fact(page, "Clip", "%s", j->target);
    bl_report_fact(page, "Held out", "%lld frames, from frame %lld on", (long long)r->frames,
                   (long long)r->from);
    if (t->job->model)
        bl_report_fact(page, "Model", "%s", t->job->model);
    else if (j->steps > 0)
        bl_report_fact(page, "Training of each", "preset %s, %lld steps", presets[j->preset],
                       (long long)j->steps);
    else
        bl_report_fact(page, "Training of each", "preset %s, %g minutes (0: the preset's)",
                       presets[j->preset], j->minutes);
    bl_report_fact(page, "LPIPS", "%s", t->job->lpips ? t->job->lpips : "needs weights (--lpips)");
    for (int i = 0; i < r->n; i++)
        bl_report_fact(page, r->rows[i].name,
                       "made and judged in %.1f s; no body box in %lld, no face box in "
                       "%lld frames",
                       r->rows[i].seconds, (long long)r->rows[i].no_body_box,
                       (long long)r->rows[i].no_face_box);
    bl_report_end(page);
}

int bl__trial_report(const bl__trial *t, bl_err *err) {
    char path[4096];
    bl_report *page = NULL;
    int rc = bl__trial_file(t, path, "report.html", "", err);
    if (rc == 0) rc = bl_report_open(&page, path, "A trial", "made frames against filmed ones", err);
    if (rc < 0) return rc;
    bl_report_heading(page, "The paper's tables");
    for (int k = 1; k <= (int)BL_COUNT(titles); k++) table(page, t->result, k);
    bl_report_text(page,
                   "A star marks the best; real and plate do not compete. Flicker is the mean difference "
                   "to the frame before after it was carried along the limbs' motion; excess is its "
                   "ratio to that of the real frames. A blurred picture flickers little, so "
                   "the column that is judged is the last: how far the change from frame to frame is from "
                   "that of the real frames, pixel by pixel.");
    rc = pictures(page, t, err);
    bl_report_heading(page, "Frame by frame");
    if (rc == 0) rc = curve(page, t->result, BL_METRIC_BODY_SSIM, "SSIM of the body", err);
    if (rc == 0) rc = curve(page, t->result, BL_METRIC_FACE_SSIM, "SSIM of the face", err);
    if (rc == 0)
        rc = curve(page, t->result, BL_METRIC_DISTANCE_ALL, "Pose distance, all points, pixels", err);
    settings(page, t);
    if (rc == 0) return bl_report_close(&page, err);
    bl_report_abort(&page);
    return rc;
}
