/*
 * Report: one web page for people, in one file. It loads nothing (no network, fonts or scripts), follows the
 * reader's light or dark setting, and can be read on a phone or printed.
 *
 *     bl_report *r = NULL;
 *     int rc = bl_report_open(&r, "report.html", "A training", "12 May 2025", &err);
 *     bl_report_heading(r, "What was found");
 *     bl_report_facts_begin(r);
 *     bl_report_fact(r, "Frames", "%lld", frames);
 *     bl_report_end(r);
 *     bl_report_picture_file(r, "preview.png", 1600, "preview strip", "What the model makes of it.");
 *     if (rc == 0) rc = bl_report_close(&r, &err);
 *
 * Nobody checks after each call: the first failure (no memory, full disk) is kept, what follows is dropped,
 * and bl_report_close tells. Every call takes a NULL report. Any text may be given, file names and other
 * people's words included: it is escaped, bytes that are not UTF-8 and characters that steer the reader's
 * screen (controls, changes of direction) become U+FFFD. The page is also well-formed XML. It is written
 * while it is made, so memory does not grow with it, and appears under its name only when it is whole.
 */
#ifndef BALLERINO_REPORT_H
#define BALLERINO_REPORT_H

#include <stdint.h>

#include "ballerino/media.h"
#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_report bl_report;

/* `subtitle`: a line under the title, or NULL. */
int bl_report_open(bl_report **out, const char *path, const char *title, const char *subtitle, bl_err *err);
/* Ends what is open, writes the file and frees. The first failure of any call so far, or 0. */
int bl_report_close(bl_report **r, bl_err *err);
void bl_report_abort(bl_report **r); /* nothing is written; NULL inside is fine, as after bl_report_close */

/* ---- text ---- */
#define BL__REPORT_TEXT(n) __attribute__((format(printf, n, n + 1)))
void bl_report_heading(bl_report *r, const char *text);
void bl_report_text(bl_report *r, const char *fmt, ...) BL__REPORT_TEXT(2); /* a paragraph */
typedef enum bl_report_mood { BL_REPORT_PLAIN, BL_REPORT_GOOD, BL_REPORT_WARN, BL_REPORT_BAD } bl_report_mood;
/* A paragraph in a box, with a colour and a sign that tell its mood. */
void bl_report_note(bl_report *r, bl_report_mood mood, const char *fmt, ...) BL__REPORT_TEXT(3);

/* ---- containers: begin, items, bl_report_end; up to 8 within each other ---- */
void bl_report_end(bl_report *r); /* of the container begun last */
void bl_report_list_begin(bl_report *r);
void bl_report_item(bl_report *r, const char *fmt, ...) BL__REPORT_TEXT(2);
void bl_report_facts_begin(bl_report *r); /* names and values */
void bl_report_fact(bl_report *r, const char *name, const char *fmt, ...) BL__REPORT_TEXT(3);
void bl_report_tiles_begin(bl_report *r); /* a few important values, large */
void bl_report_tile(bl_report *r, const char *name, const char *fmt, ...) BL__REPORT_TEXT(3);
void bl_report_bars_begin(bl_report *r); /* a bar a line; `share` of the full width, clamped to 0..1 */
void bl_report_bar(bl_report *r, const char *name, double share, const char *fmt, ...) BL__REPORT_TEXT(4);
void bl_report_gallery_begin(bl_report *r);                      /* pictures and charts side by side */
void bl_report_details_begin(bl_report *r, const char *summary); /* folded away until asked for */

/* ---- tables ---- */
typedef struct bl_report_column {
    const char *title;
    int digits; /* -1: text, to the left; else numbers, to the right, with so many decimals */
    int best;   /* 1: the largest number is marked, -1: the smallest, 0: none */
} bl_report_column;
typedef struct bl_report_cell {
    const char *text; /* shown where not NULL, else: */
    double value;     /* NaN or infinite: a dash */
} bl_report_cell;
/* `cells`: n_rows x n_columns, row after row. `caption` may be NULL. */
void bl_report_table(bl_report *r, const char *caption, const bl_report_column *columns, int n_columns,
                     const bl_report_cell *cells, int n_rows);

/* ---- line charts ---- */
typedef struct bl_report_series {
    const char *name; /* for the legend; NULL: not in it */
    const double *x;  /* NULL: 0, 1, 2... */
    const double *y;  /* NaN or infinite (and on a log scale: not positive): a gap */
    int64_t n;
    int faint; /* 1: pale, in the colour of the series after it (raw values beneath smoothed ones) */
} bl_report_series;
typedef struct bl_report_chart {
    const char *title, *x_label, *y_label; /* each may be NULL */
    const bl_report_series *series;
    int n_series;
    int log_y;
} bl_report_chart;
#define BL_REPORT_MAX_VERTICES 1600 /* a series: longer ones are thinned, keeping each stretch's extremes */
void bl_report_line_chart(bl_report *r, const bl_report_chart *c);

/* ---- pictures, inside the page as PNG; `caption` may be NULL ---- */
void bl_report_picture(bl_report *r, const bl_frame *f, const char *alt, const char *caption);
/* Larger ones are reduced to `max_side` (0: never). A file that is missing or damaged is said so in the page
 * and is no failure. */
void bl_report_picture_file(bl_report *r, const char *png, int max_side, const char *alt,
                            const char *caption);

/* The same for pictures that hold many small ones: on a phone they keep a readable height and are moved
 * sideways with the finger. */
void bl_report_strip(bl_report *r, const bl_frame *f, const char *alt, const char *caption);
void bl_report_strip_file(bl_report *r, const char *png, int max_side, const char *alt, const char *caption);

#ifdef __cplusplus
}
#endif
#endif
