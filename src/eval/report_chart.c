/*
 * Line charts as SVG. The outer picture keeps its units, so that labels stay readable at any width; the lines
 * lie in an inner one that is stretched.
 */
#include <math.h>

#include "report_page.h"

#define HEIGHT 240   /* pixels */
#define COLOURS 8    /* classes s0..s7 of the style */
#define MAX_TICKS 16 /* an axis */
#define LIMIT 1e300  /* values beyond are drawn at it: differences must not overflow */

typedef struct axis {
    double lo, hi; /* what the edges mean; logarithms on a log scale */
    int log, n;
    double at[MAX_TICKS], value[MAX_TICKS]; /* ticks: place in lo..hi, and what is written there */
    double step;                            /* between ticks; 0 on a log scale */
} axis;

/* ---- values ---- */
static double x_of(const bl_report_series *s, int64_t i) {
    return s->x ? BL_CLAMP(s->x[i], -LIMIT, LIMIT) : (double)i;
}

static double y_of(const bl_report_series *s, int64_t i, int log_y) {
    return log_y ? BL_CLAMP(log10(s->y[i]), -300, 300) : BL_CLAMP(s->y[i], -LIMIT, LIMIT);
}

static int is_gap(const bl_report_series *s, int64_t i, int log_y) {
    return !isfinite(s->y[i]) || (log_y && s->y[i] <= 0) || (s->x && !isfinite(s->x[i]));
}

/* Whether there is anything to show. */
static int ranges(const bl_report_chart *c, axis *x, axis *y) {
    x->lo = y->lo = INFINITY;
    x->hi = y->hi = -INFINITY;
    for (int k = 0; k < c->n_series; k++)
        for (int64_t i = 0; i < c->series[k].n; i++) {
            if (is_gap(&c->series[k], i, c->log_y)) continue;
            const double vx = x_of(&c->series[k], i), vy = y_of(&c->series[k], i, c->log_y);
            x->lo = fmin(x->lo, vx), x->hi = fmax(x->hi, vx);
            y->lo = fmin(y->lo, vy), y->hi = fmax(y->hi, vy);
        }
    return x->lo <= x->hi;
}

/* ---- ticks ---- */
/* 1, 2 or 5 times a power of ten, about a fifth of the range. */
static double nice_step(double range) {
    const double power = pow(10, floor(log10(range / 5))), f = range / 5 / power;
    return power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
}

static void linear_ticks(axis *a) {
    a->step = nice_step(a->hi - a->lo);
    const double first = ceil(a->lo / a->step - 1e-9);
    for (a->n = 0; a->n < MAX_TICKS && (first + a->n) * a->step <= a->hi + 1e-9 * a->step; a->n++)
        a->at[a->n] = a->value[a->n] = (first + a->n) * a->step;
}

/* Decades; where there are few, 2 and 5 between them; where there are many, every second, third... */
static void log_ticks(axis *a) {
    static const double fine[] = {1, 2, 5};
    const int dense = a->hi - a->lo < 3 ? 3 : 1, stride = BL_MAX(1, (int)((a->hi - a->lo) / 7));
    a->n = 0;
    for (double decade = floor(a->lo); decade <= a->hi && a->n < MAX_TICKS; decade += stride)
        for (int k = 0; k < dense && a->n < MAX_TICKS; k++) {
            const double at = decade + log10(fine[k]);
            if (at < a->lo || at > a->hi) continue;
            a->at[a->n] = at;
            a->value[a->n++] = pow(10, at);
        }
}

static void make_ticks(axis *a, int pad) {
    const double least = 1e-9 * fmax(fabs(a->lo), fabs(a->hi)) + 1e-12;
    if (a->hi - a->lo < least) { /* all alike: some room around them */
        const double room = a->log ? 0.5 : fmax(0.5 * fabs(a->hi), 1e-3);
        a->lo -= room;
        a->hi += room;
    } else if (pad) {
        const double room = 0.04 * (a->hi - a->lo);
        a->hi += room;
        a->lo = !a->log && a->lo >= 0 && a->lo < 0.35 * a->hi ? 0 : a->lo - room; /* zero, where it is near */
    }
    if (!a->log) {
        linear_ticks(a);
        return;
    }
    log_ticks(a);
    if (a->n >= 2) return;
    a->n = 2; /* a short stretch without round numbers: its ends */
    a->at[0] = a->lo, a->at[1] = a->hi;
    a->value[0] = pow(10, a->lo), a->value[1] = pow(10, a->hi);
}

static void write_tick(bl__html *h, const axis *a, int k) {
    const double v = a->value[k], most = fmax(fabs(a->value[0]), fabs(a->value[a->n - 1]));
    if (a->step > 0 && most < 1e6 && a->step >= 1e-4)
        bl__html_raw(h, "%.*f", BL_MAX(0, (int)ceil(-log10(a->step) - 1e-6)), v == 0 ? 0 : v);
    else if (a->step > 0 && most >= 1e6 && most < 1e10 && a->step >= 1e3)
        bl__html_raw(h, a->step >= 1e6 ? "%.0fM" : "%.4gM", v / 1e6);
    else
        bl__html_raw(h, "%.3g", v);
}

static double share(const axis *a, double v) {
    return BL_CLAMP((v - a->lo) / (a->hi - a->lo), 0, 1);
}

static void draw_axes(bl__html *h, const axis *x, const axis *y) {
    for (int k = 0; k < y->n; k++) {
        const double at = 100 * (1 - share(y, y->at[k]));
        bl__html_raw(h, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%.2f%%\" y2=\"%.2f%%\"/>", at, at);
        bl__html_raw(h, "<text class=\"ty\" x=\"0\" y=\"%.2f%%\" dx=\"-8\" dy=\"4\">", at);
        write_tick(h, y, k);
        bl__html_raw(h, "</text>");
    }
    bl__html_raw(h, "<line class=\"base\" x1=\"0\" x2=\"100%%\" y1=\"100%%\" y2=\"100%%\"/>");
    for (int k = 0; k < x->n; k++) {
        bl__html_raw(h, "<text class=\"tx\" x=\"%.2f%%\" y=\"100%%\" dy=\"18\">", 100 * share(x, x->at[k]));
        write_tick(h, x, k);
        bl__html_raw(h, "</text>");
    }
}

/* ---- lines ---- */
typedef struct pen {
    bl__html *h;
    const axis *x, *y;
    int colour, faint, down;
} pen;

static const char *faint_class(const pen *p) {
    return p->faint ? " faint" : "";
}

static void pen_up(pen *p) {
    if (p->down) bl__html_raw(p->h, "\"/>");
    p->down = 0;
}

static void pen_to(pen *p, double x, double y) {
    if (!p->down) bl__html_raw(p->h, "<polyline class=\"s%d%s\" points=\"", p->colour, faint_class(p));
    bl__html_raw(p->h, "%s%.1f,%.1f", p->down ? " " : "", 1000 * share(p->x, x), 1000 * (1 - share(p->y, y)));
    p->down = 1;
}

/* Of the values from..to-1, those that show: first, least, greatest, last, in their order. Returns how many.
 */
static int extremes(const bl_report_series *s, int64_t from, int64_t to, int log_y, int64_t pick[4]) {
    int64_t first = -1, last = -1, least = -1, most = -1;
    for (int64_t i = from; i < to; i++) {
        if (is_gap(s, i, log_y)) continue;
        if (first < 0) first = least = most = i;
        if (s->y[i] < s->y[least]) least = i;
        if (s->y[i] > s->y[most]) most = i;
        last = i;
    }
    if (first < 0) return 0;
    const int64_t ordered[4] = {first, BL_MIN(least, most), BL_MAX(least, most), last};
    int n = 0;
    for (int k = 0; k < 4; k++)
        if (n == 0 || ordered[k] != pick[n - 1]) pick[n++] = ordered[k];
    return n;
}

static void draw_series(bl__html *h, const bl_report_series *s, const axis *x, const axis *y, int colour) {
    pen p = {.h = h, .x = x, .y = y, .colour = colour, .faint = s->faint};
    const int64_t shares = s->n > BL_REPORT_MAX_VERTICES ? BL_REPORT_MAX_VERTICES / 4 : s->n;
    for (int64_t b = 0; b < shares; b++) {
        int64_t pick[4];
        const int64_t from = b * (s->n / shares) + b * (s->n % shares) / shares,
                      to = (b + 1) * (s->n / shares) + (b + 1) * (s->n % shares) / shares;
        const int n = extremes(s, from, to, y->log, pick);
        if (n == 0) pen_up(&p);
        for (int k = 0; k < n; k++) pen_to(&p, x_of(s, pick[k]), y_of(s, pick[k], y->log));
    }
    pen_up(&p);
}

/* Values between two gaps have no line; few of them are shown as dots. */
static void draw_dots(bl__html *h, const bl_report_series *s, const axis *x, const axis *y, int colour) {
    for (int64_t i = 0; s->n <= BL_REPORT_MAX_VERTICES && i < s->n; i++) {
        if (is_gap(s, i, y->log) || (i > 0 && !is_gap(s, i - 1, y->log)) ||
            (i + 1 < s->n && !is_gap(s, i + 1, y->log)))
            continue;
        bl__html_raw(h, "<circle class=\"s%d%s\" cx=\"%.2f%%\" cy=\"%.2f%%\" r=\"2.5\"/>", colour,
                     s->faint ? " faint" : "", 100 * share(x, x_of(s, i)),
                     100 * (1 - share(y, y_of(s, i, y->log))));
    }
}

static void draw(bl__html *h, const bl_report_chart *c, const axis *x, const axis *y) {
    draw_axes(h, x, y);
    for (int turn = 0; turn < 2; turn++) {
        int colour = 0;
        if (turn == 0) bl__html_raw(h, "\n<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\">");
        for (int k = 0; k < c->n_series; k++) {
            (turn == 0 ? draw_series : draw_dots)(h, &c->series[k], x, y, colour % COLOURS);
            colour += !c->series[k].faint;
        }
        if (turn == 0) bl__html_raw(h, "</svg>");
    }
}

static void text_in(bl__html *h, const char *before, const char *text, const char *after) {
    if (!text) return;
    bl__html_raw(h, "%s", before);
    bl__html_text(h, text);
    bl__html_raw(h, "%s", after);
}

static void legend(bl__html *h, const bl_report_chart *c) {
    int colour = 0, n = 0;
    for (int k = 0; k < c->n_series; k++) {
        if (c->series[k].name) {
            bl__html_raw(h, "%s<li class=\"s%d\">", n++ ? "" : "<ul class=\"legend\">", colour % COLOURS);
            text_in(h, "<span>", c->series[k].name, "</span></li>");
        }
        colour += !c->series[k].faint;
    }
    if (n > 0) bl__html_raw(h, "</ul>");
}

void bl_report_line_chart(bl_report *r, const bl_report_chart *c) {
    if (!r) return;
    axis x = {0}, y = {.log = c->log_y};
    bl__html *h = &r->html;
    bl__html_raw(h, "<figure class=\"chart\">");
    text_in(h, "<p class=\"name\">", c->title, "</p>");
    text_in(h, "<p class=\"unit\">", c->y_label, "</p>");
    legend(h, c);
    if (ranges(c, &x, &y)) {
        make_ticks(&x, 0);
        make_ticks(&y, 1);
        bl__html_raw(h, "<div class=\"plot\"><svg width=\"100%%\" height=\"%d\" role=\"img\">", HEIGHT);
        text_in(h, "<title>", c->title ? c->title : "chart", "</title>");
        draw(h, c, &x, &y);
        bl__html_raw(h, "</svg>");
        text_in(h, "<p class=\"x-name\">", c->x_label, "</p>");
        bl__html_raw(h, "</div>");
    } else {
        bl__html_raw(h, "<p class=\"empty\">Nothing was measured.</p>");
    }
    bl__html_raw(h, "</figure>\n");
}
