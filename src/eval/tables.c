/* The paper's four tables from the rows' means: text and CSV. */
#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/eval.h"

#define MAX_TEXT (1u << 20)
#define TABLES 4
#define COLUMN 10

static const char *const titles[TABLES] = {"Body: likeness within the person's box",
                                           "Face: likeness within the face's box",
                                           "Pose distance: found again minus asked for, pixels",
                                           "Missed detections an image; flicker along the pose's motion"};

static int competes(const bl_eval_row *r) {
    return strcmp(r->name, "real") != 0 && strcmp(r->name, "plate") != 0;
}

int bl_eval_best(const bl_eval_row *rows, int n, bl_metric m) {
    int best = -1;
    const int better = bl_metric_infos[m].better;
    for (int i = 0; i < n; i++) {
        if (!competes(&rows[i]) || isnan(rows[i].mean[m])) continue;
        if (best < 0 || better * (rows[i].mean[m] - rows[best].mean[m]) > 0) best = i;
    }
    return better ? best : -1;
}

static int is_lpips(int m) {
    return m == BL_METRIC_BODY_LPIPS || m == BL_METRIC_FACE_LPIPS;
}

/* A number and its star take a column. The widths are in bytes, so the text is ASCII. */
static void put_value(bl_buf *b, double v, int decimals, int star) {
    char text[32];
    if (isnan(v))
        snprintf(text, sizeof text, "-");
    else
        snprintf(text, sizeof text, "%.*f", decimals, v);
    bl_buf_addf(b, "%*s%c", COLUMN, text, star ? '*' : ' ');
}

static void put_table(bl_buf *b, int table, const bl_eval_row *rows, int n, int with_lpips) {
    bl_buf_addf(b, "%sTable %d. %s\n%-12s", table > 1 ? "\n" : "", table, titles[table - 1], "");
    for (int m = 0; m < BL_METRICS; m++)
        if (bl_metric_infos[m].table == table) bl_buf_addf(b, "%*s ", COLUMN, bl_metric_infos[m].heading);
    bl_buf_addf(b, "%*s\n", 8, "frames");
    for (int i = 0; i < n; i++) {
        int64_t most = 0;
        bl_buf_addf(b, "%-12.12s", rows[i].name);
        for (int m = 0; m < BL_METRICS; m++) {
            if (bl_metric_infos[m].table != table) continue;
            if (rows[i].count[m] > most) most = rows[i].count[m];
            if (is_lpips(m) && !with_lpips)
                bl_buf_addf(b, "%*s ", COLUMN, "no weights");
            else
                put_value(b, rows[i].mean[m], bl_metric_infos[m].decimals,
                          bl_eval_best(rows, n, (bl_metric)m) == i);
        }
        bl_buf_addf(b, "%*lld\n", 8, (long long)most);
    }
}

static int hand_over(char **out, bl_buf *b, bl_err *err) {
    if (b->failed) {
        bl_buf_release(b);
        return bl_fail(err, BL_E_NOMEM, "not enough memory for the tables");
    }
    *out = b->data;
    return 0;
}

int bl_eval_tables_text(char **out, const bl_eval_row *rows, int n, int with_lpips, bl_err *err) {
    bl_buf b;
    bl_buf_init(&b, MAX_TEXT);
    for (int t = 1; t <= TABLES; t++) put_table(&b, t, rows, n, with_lpips);
    bl_buf_addf(&b, "\n* the best of the column; real and plate do not compete\n");
    return hand_over(out, &b, err);
}

static void put_quoted(bl_buf *b, const char *s) {
    bl_buf_add(b, "\"", 1);
    for (; *s; s++) {
        if (*s == '"') bl_buf_add(b, "\"", 1);
        bl_buf_add(b, s, 1);
    }
    bl_buf_add(b, "\"", 1);
}

int bl_eval_tables_csv(char **out, const bl_eval_row *rows, int n, bl_err *err) {
    bl_buf b;
    bl_buf_init(&b, MAX_TEXT);
    bl_buf_addf(&b, "name,frames");
    for (int m = 0; m < BL_METRICS; m++) bl_buf_addf(&b, ",%s", bl_metric_infos[m].key);
    bl_buf_addf(&b, ",no_body_box,no_face_box,seconds\r\n");
    for (int i = 0; i < n; i++) {
        put_quoted(&b, rows[i].name);
        bl_buf_addf(&b, ",%lld", (long long)rows[i].n);
        for (int m = 0; m < BL_METRICS; m++)
            if (isnan(rows[i].mean[m]))
                bl_buf_addf(&b, ",");
            else
                bl_buf_addf(&b, ",%.6f", rows[i].mean[m]);
        bl_buf_addf(&b, ",%lld,%lld,%.3f\r\n", (long long)rows[i].no_body_box, (long long)rows[i].no_face_box,
                    rows[i].seconds);
    }
    return hand_over(out, &b, err);
}
