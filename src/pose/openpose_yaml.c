/* OpenPose's YAML, as OpenCV's FileStorage writes it: one matrix a file, one file a part and frame.
 *
 *     %YAML:1.0
 *     ---
 *     pose: !!opencv-nd-matrix
 *        sizes: [ 1, 25, 3 ]
 *        dt: f
 *        data: [ 4.12e+02, 1.5e+02, 9.1e-01, ... ]
 *
 * Nobody: an !!opencv-matrix with rows and cols 0. That is all of YAML that is understood. */
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "openpose.h"

enum { WORD = 48, COORDINATES = 3 };

typedef struct scan {
    const char *text;
    size_t size, at;
    const char *name; /* for messages */
} scan;

typedef struct matrix {
    int people, points;
    float (*xyc)[COORDINATES]; /* people * points */
} matrix;

/* ---- characters and words ---- */
static int peek(scan *s) {
    while (s->at < s->size && memchr(" \t\r\n", s->text[s->at], 4)) s->at++;
    return s->at < s->size ? (unsigned char)s->text[s->at] : -1;
}

static int wrong(const scan *s, const char *wanted, bl_err *err) {
    int line = 1;
    for (size_t i = 0; i < s->at && i < s->size; i++) line += s->text[i] == '\n';
    if (s->at >= s->size)
        return bl_fail(err, BL_E_FORMAT, "%s ends too early: %s was expected in line %d; is it cut off?",
                       s->name, wanted, line);
    return bl_fail(err, BL_E_FORMAT, "%s is not OpenPose's YAML: %s was expected in line %d", s->name, wanted,
                   line);
}

/* Takes `word` if it comes next. */
static int took(scan *s, const char *word) {
    size_t n = strlen(word);
    (void)peek(s);
    if (s->size - s->at < n || memcmp(s->text + s->at, word, n) != 0) return 0;
    s->at += n;
    return 1;
}

static int take(scan *s, const char *word, bl_err *err) {
    return took(s, word) ? 0 : wrong(s, word, err);
}

static void skip_line(scan *s) {
    while (s->at < s->size && s->text[s->at] != '\n') s->at++;
}

static int number(scan *s, double least, double most, const char *wanted, double *out, bl_err *err) {
    char word[WORD], *end;
    size_t n = 0;
    (void)peek(s);
    while (s->at + n < s->size && n + 1 < sizeof word && s->text[s->at + n] &&
           strchr("+-.0123456789eE", s->text[s->at + n])) {
        word[n] = s->text[s->at + n];
        n++;
    }
    word[n] = 0;
    double v = strtod(word, &end);
    if (n == 0 || *end || !(v >= least && v <= most)) return wrong(s, wanted, err);
    s->at += n;
    *out = v;
    return 0;
}

static int count(scan *s, int most, int *out, bl_err *err) {
    double v = 0;
    int rc = number(s, 0, most, "a sane size", &v, err);
    if (rc == 0 && v != floor(v)) rc = wrong(s, "a whole number before this", err);
    *out = (int)v;
    return rc;
}

/* ---- the matrix ---- */
/* Up to its type: 1 an n-dimensional one, 0 a flat one. */
static int head(scan *s, bl_err *err) {
    if (took(s, "%YAML")) skip_line(s);
    (void)took(s, "---");
    if (peek(s) < 0) return wrong(s, "a matrix", err);
    while (s->at < s->size && s->text[s->at] != '\n' && s->text[s->at] != ':') s->at++; /* any name */
    int rc = take(s, ":", err);
    if (rc < 0) return rc;
    if (took(s, "!!opencv-nd-matrix")) return 1;
    rc = take(s, "!!opencv-matrix", err);
    return rc < 0 ? rc : 0;
}

static int nd_sizes(matrix *m, scan *s, bl_err *err) {
    int last = 0;
    int rc = take(s, "sizes:", err);
    if (rc == 0) rc = take(s, "[", err);
    if (rc == 0) rc = count(s, BL__OPENPOSE_PEOPLE, &m->people, err);
    if (rc == 0 && m->people == 0 && took(s, "]")) return 0;
    if (rc == 0) rc = take(s, ",", err);
    if (rc == 0) rc = count(s, BL_OPENPOSE_FACE, &m->points, err);
    if (rc == 0) rc = take(s, ",", err);
    if (rc == 0) rc = count(s, COORDINATES, &last, err);
    if (rc == 0) rc = take(s, "]", err);
    if (rc == 0 && last != COORDINATES && m->people * m->points > 0)
        rc = bl_fail(err, BL_E_FORMAT, "%s has %d numbers a point; OpenPose writes x, y and confidence",
                     s->name, last);
    return rc;
}

/* A flat matrix is what OpenCV makes of nothing. */
static int flat_sizes(scan *s, bl_err *err) {
    int rows = 0, columns = 0;
    int rc = take(s, "rows:", err);
    if (rc == 0) rc = count(s, INT_MAX, &rows, err);
    if (rc == 0) rc = take(s, "cols:", err);
    if (rc == 0) rc = count(s, INT_MAX, &columns, err);
    if (rc == 0 && rows > 0 && columns > 0)
        rc = bl_fail(err, BL_E_FORMAT, "%s holds a matrix of %d x %d, not people, points and 3", s->name,
                     rows, columns);
    return rc;
}

static int values(matrix *m, scan *s, bl_err *err) {
    const size_t n = (size_t)m->people * (size_t)m->points;
    if (n > (s->size - s->at) / (2 * COORDINATES)) /* a digit and a comma each, at least */
        return bl_fail(err, BL_E_FORMAT, "%s is too short for %d people of %d points", s->name, m->people,
                       m->points);
    if (!(m->xyc = bl_alloc_array(BL_MAX(n, 1), sizeof *m->xyc)))
        return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", s->name);
    for (size_t i = 0; i < COORDINATES * n; i++) {
        double v = 0;
        int rc = i ? take(s, ",", err) : 0;
        if (rc == 0) rc = number(s, -BL__OPENPOSE_SANE, BL__OPENPOSE_SANE, "a sane number", &v, err);
        if (rc < 0) return rc;
        m->xyc[i / COORDINATES][i % COORDINATES] = (float)v;
    }
    return 0;
}

/* The caller bl_free()s m->xyc, also after a failure. */
static int read_matrix(matrix *m, const bl_openpose_text *file, bl_err *err) {
    scan s = {.text = file->text, .size = file->size, .name = file->name};
    *m = (matrix){0};
    if (!file->text) return 0;
    int rc = head(&s, err);
    if (rc >= 0) rc = rc ? nd_sizes(m, &s, err) : flat_sizes(&s, err);
    if (rc == 0) rc = take(&s, "dt:", err);
    if (rc == 0 && !took(&s, "f") && !took(&s, "d") && m->people * m->points > 0)
        rc = wrong(&s, "f or d, a float type,", err);
    if (rc == 0) { /* what an empty matrix is made of does not matter */
        skip_line(&s);
        rc = take(&s, "data:", err);
    }
    if (rc == 0) rc = take(&s, "[", err);
    if (rc == 0) rc = values(m, &s, err);
    if (rc == 0) rc = take(&s, "]", err);
    if (rc == 0) (void)took(&s, "...");
    return rc < 0 || peek(&s) < 0 ? rc : wrong(&s, "the end", err);
}

/* ---- people ---- */
static int check_part(const matrix *m, const matrix *body, int points, const bl_openpose_text *file,
                      bl_err *err) {
    if (m->people == 0 || m->points == 0) return 0;
    if (m->points != points)
        return bl_fail(err, BL_E_FORMAT, "%s has %d points a person instead of %d", file->name, m->points,
                       points);
    if (m->people != body->people)
        return bl_fail(err, BL_E_FORMAT, "%s holds %d people, but its file of bodies %d", file->name,
                       m->people, body->people);
    return 0;
}

static void copy_part(float (*to)[3], const matrix *m, int person) {
    if (m->people && m->points)
        memcpy(to, m->xyc + (ptrdiff_t)person * m->points, (size_t)m->points * sizeof *to);
}

static int largest(bl_openpose_person *out, const matrix m[BL_OPENPOSE_FILES], const char *name,
                   bl_err *err) {
    const matrix *body = &m[BL_OPENPOSE_BODY];
    int chosen = -1;
    float best = -1;
    for (int i = 0; i < body->people; i++) {
        bl_openpose_person p = {0};
        if (bl__openpose_body(&p, (const float(*)[3])body->xyc + (ptrdiff_t)i * body->points, body->points) <
            0)
            return bl_fail(err, BL_E_FORMAT,
                           "%s has %d joints a person; " BL__OPENPOSE_BODIES " are understood", name,
                           body->points);
        if (bl__openpose_extent(&p) > best) best = bl__openpose_extent(&p), *out = p, chosen = i;
    }
    if (chosen < 0) return 0;
    copy_part(out->face, &m[BL_OPENPOSE_FACE_FILE], chosen);
    copy_part(out->left_hand, &m[BL_OPENPOSE_LEFT], chosen);
    copy_part(out->right_hand, &m[BL_OPENPOSE_RIGHT], chosen);
    return 1;
}

int bl_openpose_parse_yaml(bl_openpose_person *out, const bl_openpose_text files[BL_OPENPOSE_FILES],
                           bl_err *err) {
    static const int points[BL_OPENPOSE_FILES] = {0, BL_OPENPOSE_FACE, BL_HAND_POINTS, BL_HAND_POINTS};
    matrix m[BL_OPENPOSE_FILES] = {{0}};
    int rc = 0;
    if (!files[BL_OPENPOSE_BODY].text)
        return bl_fail(err, BL_E_USAGE, "OpenPose's YAML needs a file of bodies");
    for (int k = 0; rc == 0 && k < BL_OPENPOSE_FILES; k++) {
        rc = read_matrix(&m[k], &files[k], err);
        if (rc == 0 && k > 0) rc = check_part(&m[k], &m[BL_OPENPOSE_BODY], points[k], &files[k], err);
    }
    if (rc == 0) rc = largest(out, m, files[BL_OPENPOSE_BODY].name, err);
    for (int k = 0; k < BL_OPENPOSE_FILES; k++) bl_free(m[k].xyc);
    return rc;
}
