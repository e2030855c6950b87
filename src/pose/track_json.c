/* The track file: docs/formats/track.md describes it byte for byte. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/media.h"
#include "ballerino/track.h"
#include "json_scan.h"

#define FORMAT_NAME "ballerino-track"
#define FORMAT_VERSION 1
#define LET_GO ((size_t)1 << 24) /* of a file, bytes that were read */
#define COORDINATE_LIMIT 1e6     /* far outside any frame: beyond it a number is damage */
#define TIME_LIMIT_MS 1e12

/* ---- reading ---- */

typedef struct reader {
    bl__json j;
    int has_format, has_version, has_frames;
    char *video;
    int width, height;
    double fps;
    bl_track *frames;   /* collects the frames until the header is known */
    const bl_map *file; /* NULL: the text is the caller's memory */
    size_t let_go;      /* of the file, up to here */
} reader;

static int damaged(const reader *r, int64_t frame, const char *what, bl_err *err) {
    return bl_fail(err, BL_E_FORMAT, "%s is damaged: entry %lld of \"frames\" has no usable \"%s\"",
                   r->j.name, (long long)frame, what);
}

/* A minute of hands and face is tens of megabytes of text: what was read need not stay. */
static void let_go(reader *r) {
    if (!r->file || r->j.at < r->let_go + LET_GO) return;
    bl_map_forget(r->file, r->let_go, r->j.at - r->let_go);
    r->let_go = r->j.at;
}

static int read_floats(const json_t *v, float *out, int n) {
    if (!json_is_array(v) || json_array_size(v) != (size_t)n) return -1;
    for (int k = 0; k < n; k++) {
        double x;
        if (bl__json_number(json_array_get(v, (size_t)k), -COORDINATE_LIMIT, COORDINATE_LIMIT, &x) < 0)
            return -1;
        out[k] = (float)x;
    }
    return 0;
}

static int read_landmarks(const json_t *v, bl_landmark *out) {
    if (!json_is_array(v) || json_array_size(v) != BL_LANDMARKS) return -1;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        float x[4];
        if (read_floats(json_array_get(v, (size_t)k), x, 4) < 0) return -1;
        out[k] = (bl_landmark){.x = x[0], .y = x[1], .z = x[2], .visibility = x[3]};
    }
    return 0;
}

static int read_roi(const json_t *v, bl_roi *out) {
    static const char *const key[] = {"cx", "cy", "w", "h", "rotation"};
    float *const field[] = {&out->cx, &out->cy, &out->w, &out->h, &out->rotation};
    for (size_t k = 0; k < BL_COUNT(key); k++) {
        double x;
        if (bl__json_number(json_object_get(v, key[k]), -COORDINATE_LIMIT, COORDINATE_LIMIT, &x) < 0)
            return -1;
        *field[k] = (float)x;
    }
    return 0;
}

/* A hand or a face: absent or null when it was not seen. */
static int read_points(const json_t *v, float *score, bl_point3 *out, int n) {
    double x;
    if (!v || json_is_null(v)) return 0;
    const json_t *points = json_object_get(v, "points");
    if (bl__json_number(json_object_get(v, "score"), 0, 1, &x) < 0 || !json_is_array(points) ||
        json_array_size(points) != (size_t)n)
        return -1;
    for (int k = 0; k < n; k++) {
        float p[3];
        if (read_floats(json_array_get(points, (size_t)k), p, 3) < 0) return -1;
        out[k] = (bl_point3){p[0], p[1], p[2]};
    }
    *score = (float)x;
    return 0;
}

static int read_person(const reader *r, const json_t *v, int64_t n, bl_track_frame *f, bl_err *err) {
    double score;
    if (json_is_null(v)) return 0;
    if (!json_is_object(v)) return damaged(r, n, "person", err);
    if (bl__json_number(json_object_get(v, "score"), 0, 1, &score) < 0) return damaged(r, n, "score", err);
    if (read_landmarks(json_object_get(v, "landmarks"), f->person.landmarks) < 0)
        return damaged(r, n, "landmarks", err);
    if (read_landmarks(json_object_get(v, "world"), f->person.world) < 0) return damaged(r, n, "world", err);
    if (read_roi(json_object_get(v, "roi"), &f->person.roi) < 0) return damaged(r, n, "roi", err);
    bl_hand *left = &f->person.left_hand, *right = &f->person.right_hand;
    bl_face *face = &f->person.face;
    if (read_points(json_object_get(v, "left_hand"), &left->score, left->points, BL_HAND_POINTS) < 0)
        return damaged(r, n, "left_hand", err);
    if (read_points(json_object_get(v, "right_hand"), &right->score, right->points, BL_HAND_POINTS) < 0)
        return damaged(r, n, "right_hand", err);
    if (read_points(json_object_get(v, "face"), &face->score, face->points, BL_FACE_POINTS) < 0)
        return damaged(r, n, "face", err);
    f->person.score = (float)score;
    f->has_person = 1;
    return 0;
}

static int read_frame(reader *r, const json_t *v, bl_err *err) {
    bl_track_frame f = {0};
    const json_t *i = json_object_get(v, "i");
    if (!json_is_integer(i)) return damaged(r, r->frames->n, "i", err);
    f.i = json_integer_value(i);
    if (bl__json_number(json_object_get(v, "t_ms"), -TIME_LIMIT_MS, TIME_LIMIT_MS, &f.t_ms) < 0)
        return damaged(r, r->frames->n, "t_ms", err);
    f.cut = json_is_true(json_object_get(v, "cut"));
    int rc = read_person(r, json_object_get(v, "person"), r->frames->n, &f, err);
    if (rc < 0) return rc;
    rc = bl_track_append(r->frames, &f, err);
    return rc < 0 ? bl_err_context(err, rc, "%s", r->j.name) : 0;
}

static int read_frames(reader *r, bl_err *err) {
    if (r->has_frames) return bl_fail(err, BL_E_FORMAT, "%s has \"frames\" twice", r->j.name);
    r->has_frames = 1;
    int rc = bl__json_enter(&r->j, '[', err);
    while (rc == 0 && (rc = bl__json_more(&r->j, err)) > 0) {
        json_t *v = NULL;
        rc = bl__json_value(&r->j, &v, err);
        if (rc < 0) return rc;
        rc = read_frame(r, v, err);
        json_decref(v);
        let_go(r);
    }
    return rc;
}

static int read_format(reader *r, const char *key, const json_t *v, bl_err *err) {
    if (strcmp(key, "format") == 0) {
        const char *s = json_string_value(v);
        if (!s || strcmp(s, FORMAT_NAME) != 0)
            return bl_fail(err, BL_E_FORMAT,
                           "%s is not a pose track: its \"format\" is not \"" FORMAT_NAME "\"", r->j.name);
        r->has_format = 1;
        return 0;
    }
    if (!json_is_integer(v) || json_integer_value(v) != FORMAT_VERSION)
        return bl_fail(err, BL_E_MISMATCH,
                       "%s is a pose track of another version; this build reads version %d: make it again",
                       r->j.name, FORMAT_VERSION);
    r->has_version = 1;
    return 0;
}

static int read_side(const reader *r, const char *key, const json_t *v, int *out, bl_err *err) {
    double x;
    if (!json_is_integer(v) || bl__json_number(v, 1, BL_FRAME_MAX_SIDE, &x) < 0)
        return bl_fail(err, BL_E_FORMAT, "%s: \"%s\" must be a whole number from 1 to %d", r->j.name, key,
                       BL_FRAME_MAX_SIDE);
    *out = (int)x;
    return 0;
}

static int read_video(reader *r, const json_t *v, bl_err *err) {
    if (!json_is_string(v)) return bl_fail(err, BL_E_FORMAT, "%s: \"video\" must be a text", r->j.name);
    bl_free(r->video);
    r->video = bl_strdup(json_string_value(v));
    return r->video ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", r->j.name);
}

static int read_entry(reader *r, const char *key, const json_t *v, bl_err *err) {
    if (strcmp(key, "format") == 0 || strcmp(key, "version") == 0) return read_format(r, key, v, err);
    if (strcmp(key, "video") == 0) return read_video(r, v, err);
    if (strcmp(key, "width") == 0) return read_side(r, key, v, &r->width, err);
    if (strcmp(key, "height") == 0) return read_side(r, key, v, &r->height, err);
    if (strcmp(key, "fps") == 0 && bl__json_number(v, 1e-6, 1e5, &r->fps) < 0)
        return bl_fail(err, BL_E_FORMAT, "%s: \"fps\" must be a number above 0", r->j.name);
    return 0;
}

static int read_object(reader *r, bl_err *err) {
    char key[64];
    int rc = bl__json_enter(&r->j, '{', err);
    while (rc == 0 && (rc = bl__json_key(&r->j, key, sizeof key, err)) > 0) {
        json_t *v = NULL;
        if (strcmp(key, "frames") == 0) {
            rc = read_frames(r, err);
            continue;
        }
        rc = bl__json_value(&r->j, &v, err);
        if (rc < 0) break;
        rc = read_entry(r, key, v, err);
        json_decref(v);
    }
    return rc < 0 ? rc : bl__json_end(&r->j, err);
}

static int finish(reader *r, bl_err *err) {
    const char *missing = !r->has_format    ? "format"
                          : !r->has_version ? "version"
                          : !r->width       ? "width"
                          : !r->height      ? "height"
                          : !(r->fps > 0)   ? "fps"
                          : !r->has_frames  ? "frames"
                                            : NULL;
    if (missing)
        return bl_fail(err, BL_E_FORMAT, "%s is not a whole pose track: \"%s\" is missing", r->j.name,
                       missing);
    r->frames->width = r->width;
    r->frames->height = r->height;
    r->frames->fps = r->fps;
    if (r->video) {
        bl_free(r->frames->video);
        r->frames->video = r->video;
        r->video = NULL;
    }
    return 0;
}

static int parse(bl_track **out, const char *json, size_t size, const char *name, const bl_map *file,
                 bl_err *err) {
    reader r = {.j = {.text = json, .size = size, .name = name}, .file = file};
    int rc = bl_track_create(&r.frames, "", 1, 1, 1, err);
    if (rc == 0) rc = read_object(&r, err);
    if (rc == 0) rc = finish(&r, err);
    bl_free(r.video);
    if (rc < 0) {
        bl_track_destroy(&r.frames);
        return rc;
    }
    *out = r.frames;
    return 0;
}

int bl_track_parse(bl_track **out, const char *json, size_t size, const char *name, bl_err *err) {
    return parse(out, json, size, name, NULL, err);
}

int bl_track_read(bl_track **out, const char *path, bl_err *err) {
    bl_map file = {0};
    int rc = bl_map_open(&file, path, err);
    if (rc == 0) rc = parse(out, (const char *)file.data, file.size, path, &file, err);
    bl_map_close(&file);
    return rc;
}

/* ---- writing: nine digits bring every float back exactly ---- */

/* What the reader would refuse must not be written. */
static int landmarks_ok(const bl_landmark *lm) {
    for (int k = 0; k < BL_LANDMARKS; k++) {
        const float x[4] = {lm[k].x, lm[k].y, lm[k].z, lm[k].visibility};
        for (int c = 0; c < 4; c++)
            if (!(fabsf(x[c]) <= (float)COORDINATE_LIMIT)) return 0;
    }
    return 1;
}

static int points_ok(float score, const bl_point3 *p, int n) {
    for (int k = 0; k < n; k++) {
        const float x[3] = {p[k].x, p[k].y, p[k].z};
        for (int c = 0; c < 3; c++)
            if (!(fabsf(x[c]) <= (float)COORDINATE_LIMIT)) return 0;
    }
    return score >= 0 && score <= 1;
}

static int parts_ok(const bl_person *p) {
    return points_ok(p->left_hand.score, p->left_hand.points, BL_HAND_POINTS) &&
           points_ok(p->right_hand.score, p->right_hand.points, BL_HAND_POINTS) &&
           points_ok(p->face.score, p->face.points, BL_FACE_POINTS);
}

static int frame_ok(const bl_track_frame *t) {
    const bl_roi *r = &t->person.roi;
    const float x[5] = {r->cx, r->cy, r->w, r->h, r->rotation};
    if (!t->has_person) return 1;
    for (int c = 0; c < 5; c++)
        if (!(fabsf(x[c]) <= (float)COORDINATE_LIMIT)) return 0;
    return t->person.score >= 0 && t->person.score <= 1 && landmarks_ok(t->person.landmarks) &&
           landmarks_ok(t->person.world) && parts_ok(&t->person);
}

static void write_landmarks(FILE *f, const char *key, const bl_landmark *lm) {
    fprintf(f, "\"%s\":[", key);
    for (int k = 0; k < BL_LANDMARKS; k++)
        fprintf(f, "%s[%.9g,%.9g,%.9g,%.9g]", k ? "," : "", (double)lm[k].x, (double)lm[k].y, (double)lm[k].z,
                (double)lm[k].visibility);
    fputs("]", f);
}

/* Nothing where the part was not seen. */
static void write_points(FILE *f, const char *key, float score, const bl_point3 *p, int n) {
    if (!(score > 0)) return;
    fprintf(f, ",\"%s\":{\"score\":%.9g,\"points\":[", key, (double)score);
    for (int k = 0; k < n; k++)
        fprintf(f, "%s[%.9g,%.9g,%.9g]", k ? "," : "", (double)p[k].x, (double)p[k].y, (double)p[k].z);
    fputs("]}", f);
}

static void write_frame(FILE *f, const bl_track_frame *t) {
    const bl_person *p = &t->person;
    fprintf(f, "{\"i\":%lld,\"t_ms\":%.17g,%s\"person\":", (long long)t->i, t->t_ms,
            t->cut ? "\"cut\":true," : "");
    if (!t->has_person) {
        fputs("null}", f);
        return;
    }
    fprintf(f, "{\"score\":%.9g,", (double)p->score);
    write_landmarks(f, "landmarks", p->landmarks);
    fputs(",", f);
    write_landmarks(f, "world", p->world);
    fprintf(f, ",\"roi\":{\"cx\":%.9g,\"cy\":%.9g,\"w\":%.9g,\"h\":%.9g,\"rotation\":%.9g}",
            (double)p->roi.cx, (double)p->roi.cy, (double)p->roi.w, (double)p->roi.h,
            (double)p->roi.rotation);
    write_points(f, "left_hand", p->left_hand.score, p->left_hand.points, BL_HAND_POINTS);
    write_points(f, "right_hand", p->right_hand.score, p->right_hand.points, BL_HAND_POINTS);
    write_points(f, "face", p->face.score, p->face.points, BL_FACE_POINTS);
    fputs("}}", f);
}

/* The video's path as a JSON text; bytes that are no UTF-8 (paths may hold any) become '?'. */
static char *quoted(const char *s) {
    json_t *v = json_string(s);
    if (!v) {
        char *copy = bl_strdup(s);
        for (char *c = copy; c && *c; c++)
            if ((unsigned char)*c >= 0x80) *c = '?';
        v = copy ? json_string(copy) : NULL;
        bl_free(copy);
    }
    char *text = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
    json_decref(v);
    return text;
}

int bl_track_write(const bl_track *t, const char *path, bl_err *err) {
    bl_file_writer w;
    for (int64_t k = 0; k < t->n; k++)
        if (!frame_ok(&t->frames[k]))
            return bl_fail(err, BL_E_INTERNAL, "cannot write %s: frame %lld holds a coordinate that is none",
                           path, (long long)t->frames[k].i);
    char *video = quoted(t->video);
    if (!video) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    int rc = bl_file_begin(&w, path, err);
    if (rc == 0) {
        fprintf(w.f,
                "{\"format\":\"" FORMAT_NAME
                "\",\"version\":%d,\"video\":%s,\"width\":%d,\"height\":%d,\"fps\":%.17g,\"frames\":[\n",
                FORMAT_VERSION, video, t->width, t->height, t->fps);
        for (int64_t k = 0; k < t->n; k++) {
            write_frame(w.f, &t->frames[k]);
            fputs(k + 1 < t->n ? ",\n" : "\n", w.f);
        }
        fputs("]}\n", w.f);
        rc = bl_file_commit(&w, err);
    }
    free(video);
    return rc;
}
