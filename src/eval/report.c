/* The page, its texts and its tables. */
#include <math.h>
#include <string.h>

#include "report_page.h"
#include "report_style.h"

int bl_report_open(bl_report **out, const char *path, const char *title, const char *subtitle, bl_err *err) {
    bl_report *r = bl_alloc(sizeof *r);
    if (!r) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    int rc = bl__html_begin(&r->html, path, err);
    if (rc < 0) {
        bl_free(r);
        return rc;
    }
    bl__html *h = &r->html;
    bl__html_raw(h, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head>"
                    "<meta charset=\"utf-8\"/>"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'; img-src data:\"/>"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    bl__html_text(h, title);
    bl__html_raw(
        h, "</title>\n<style>%s%s%s%s</style></head>\n<body><header><p class=\"mark\">Ballerino</p><h1>",
        bl__report_colours, bl__report_text_style, bl__report_data_style, bl__report_picture_style);
    bl__html_text(h, title);
    bl__html_raw(h, "</h1>");
    if (subtitle) {
        bl__html_raw(h, "<p>");
        bl__html_text(h, subtitle);
        bl__html_raw(h, "</p>");
    }
    bl__html_raw(h, "</header>\n<main>\n");
    *out = r;
    return 0;
}

int bl_report_close(bl_report **rp, bl_err *err) {
    bl_report *r = *rp;
    if (!r) return 0;
    while (r->depth > 0) bl_report_end(r);
    bl__html_raw(&r->html, "</main>\n<footer>Made by Ballerino. Everything on this page is in this one file; "
                           "nothing is loaded from anywhere.</footer></body></html>\n");
    int rc = bl__html_commit(&r->html, err);
    bl_free(r);
    *rp = NULL;
    return rc;
}

void bl_report_abort(bl_report **rp) {
    if (!*rp) return;
    bl__html_abort(&(*rp)->html);
    bl_free(*rp);
    *rp = NULL;
}

/* ---- text ---- */
/* BEFORE formatted text AFTER, markup in front and behind. */
#define FORMATTED(r, before, fmt, after)                                                                     \
    do {                                                                                                     \
        va_list ap_;                                                                                         \
        if (!(r)) return;                                                                                    \
        bl__html_raw(&(r)->html, "%s", before);                                                              \
        va_start(ap_, fmt);                                                                                  \
        bl__html_vtext(&(r)->html, fmt, ap_);                                                                \
        va_end(ap_);                                                                                         \
        bl__html_raw(&(r)->html, "%s", after);                                                               \
    } while (0)

static void named(bl_report *r, const char *before, const char *name) {
    if (!r) return;
    bl__html_raw(&r->html, "%s", before);
    bl__html_text(&r->html, name);
}

void bl_report_heading(bl_report *r, const char *text) {
    named(r, "<h2>", text);
    if (r) bl__html_raw(&r->html, "</h2>\n");
}

void bl_report_text(bl_report *r, const char *fmt, ...) {
    FORMATTED(r, "<p>", fmt, "</p>\n");
}

void bl_report_note(bl_report *r, bl_report_mood mood, const char *fmt, ...) {
    static const char *const begin[] = {"<p class=\"note\">", "<p class=\"note good\">",
                                        "<p class=\"note warn\">", "<p class=\"note bad\">"};
    FORMATTED(r, begin[mood], fmt, "</p>\n");
}

/* ---- containers ---- */
static void begin(bl_report *r, const char *open, const char *close) {
    bl_err err = {0};
    if (!r) return;
    if (r->depth == BL__REPORT_DEPTH) {
        (void)bl_fail(&err, BL_E_INTERNAL, "a report has more than %d things open", BL__REPORT_DEPTH);
        bl__html_fail(&r->html, &err);
        return;
    }
    r->open[r->depth++] = close;
    bl__html_raw(&r->html, "%s", open);
}

void bl_report_end(bl_report *r) {
    if (r && r->depth > 0) bl__html_raw(&r->html, "%s\n", r->open[--r->depth]);
}

void bl_report_list_begin(bl_report *r) {
    begin(r, "<ul class=\"list\">", "</ul>");
}
void bl_report_facts_begin(bl_report *r) {
    begin(r, "<dl>", "</dl>");
}
void bl_report_tiles_begin(bl_report *r) {
    begin(r, "<div class=\"tiles\">", "</div>");
}
void bl_report_bars_begin(bl_report *r) {
    begin(r, "<div class=\"bars\">", "</div>");
}
void bl_report_gallery_begin(bl_report *r) {
    begin(r, "<div class=\"gallery\">", "</div>");
}

void bl_report_details_begin(bl_report *r, const char *summary) {
    begin(r, "<details><summary>", "</details>");
    named(r, "", summary);
    if (r) bl__html_raw(&r->html, "</summary>\n");
}

void bl_report_item(bl_report *r, const char *fmt, ...) {
    FORMATTED(r, "<li>", fmt, "</li>");
}

void bl_report_fact(bl_report *r, const char *name, const char *fmt, ...) {
    named(r, "<dt>", name);
    FORMATTED(r, "</dt><dd>", fmt, "</dd>\n");
}

void bl_report_tile(bl_report *r, const char *name, const char *fmt, ...) {
    FORMATTED(r, "<div class=\"tile\"><b>", fmt, "</b>");
    named(r, "<span>", name);
    bl__html_raw(&r->html, "</span></div>\n");
}

void bl_report_bar(bl_report *r, const char *name, double share, const char *fmt, ...) {
    const double percent = share > 0 ? 100 * BL_MIN(share, 1) : 0; /* 0 for NaN */
    named(r, "<div><span>", name);
    if (r) bl__html_raw(&r->html, "</span><i><b style=\"width:%.2f%%\"></b></i>", percent);
    FORMATTED(r, "<span class=\"num\">", fmt, "</span></div>\n");
}

/* ---- tables ---- */
/* The number that is best in its column, or NaN. */
static double best_of(const bl_report_column *c, const bl_report_cell *cells, int column, int n_columns,
                      int n_rows) {
    double best = NAN;
    for (int i = 0; c->best && c->digits >= 0 && i < n_rows; i++) {
        const bl_report_cell *cell = &cells[i * n_columns + column];
        if (cell->text || !isfinite(cell->value)) continue;
        if (isnan(best) || c->best * (cell->value - best) > 0) best = cell->value;
    }
    return best;
}

static void number(bl__html *h, double v, int digits, double best) {
    if (!isfinite(v))
        bl__html_raw(h, "<td class=\"num\">\xE2\x80\x93</td>");
    else
        bl__html_raw(h, "<td class=\"num%s\">%.*f</td>", v == best ? " best" : "", BL_MIN(digits, 17), v);
}

void bl_report_table(bl_report *r, const char *caption, const bl_report_column *columns, int n_columns,
                     const bl_report_cell *cells, int n_rows) {
    if (!r) return;
    bl__html *h = &r->html;
    bl__html_raw(h, "<div class=\"scroll\"><table>");
    if (caption) {
        named(r, "<caption>", caption);
        bl__html_raw(h, "</caption>");
    }
    bl__html_raw(h, "<thead><tr>");
    for (int j = 0; j < n_columns; j++) {
        bl__html_raw(h, "<th%s>", columns[j].digits < 0 ? "" : " class=\"num\"");
        bl__html_text(h, columns[j].title);
        bl__html_raw(h, "</th>");
    }
    bl__html_raw(h, "</tr></thead>\n<tbody>");
    for (int i = 0; i < n_rows; i++) {
        bl__html_raw(h, "<tr>");
        for (int j = 0; j < n_columns; j++) {
            const bl_report_cell *cell = &cells[i * n_columns + j];
            if (cell->text || columns[j].digits < 0) {
                named(r, columns[j].digits < 0 ? "<td>" : "<td class=\"num\">", cell->text);
                bl__html_raw(h, "</td>");
            } else {
                number(h, cell->value, columns[j].digits, best_of(&columns[j], cells, j, n_columns, n_rows));
            }
        }
        bl__html_raw(h, "</tr>\n");
    }
    bl__html_raw(h, "</tbody></table></div>\n");
}
