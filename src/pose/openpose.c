/* OpenPose's folders. JSON: one file a frame, people[] with pose_keypoints_2d of 18, 23 or 25 (x, y,
 * confidence), and lists for hands and face. YAML: openpose_yaml.c. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "openpose.h"

#define FILE_CAP ((size_t)16 << 20)
#define SUFFIX "_keypoints.json"
#define PATH 4096
#define NECK (-1)
#define MID_HIP (-2)
#define ABSENT (-3) /* BlazePose has no such joint */

/* Which landmark each of OpenPose's joints is. */
static const int coco18[18] = {
    BL_LM_NOSE,    NECK,          BL_LM_R_SHOULDER, BL_LM_R_ELBOW, BL_LM_R_WRIST, BL_LM_L_SHOULDER,
    BL_LM_L_ELBOW, BL_LM_L_WRIST, BL_LM_R_HIP,      BL_LM_R_KNEE,  BL_LM_R_ANKLE, BL_LM_L_HIP,
    BL_LM_L_KNEE,  BL_LM_L_ANKLE, BL_LM_R_EYE,      BL_LM_L_EYE,   BL_LM_R_EAR,   BL_LM_L_EAR};
static const int body25[25] = {
    BL_LM_NOSE,       NECK,          BL_LM_R_SHOULDER, BL_LM_R_ELBOW, BL_LM_R_WRIST,
    BL_LM_L_SHOULDER, BL_LM_L_ELBOW, BL_LM_L_WRIST,    MID_HIP,       BL_LM_R_HIP,
    BL_LM_R_KNEE,     BL_LM_R_ANKLE, BL_LM_L_HIP,      BL_LM_L_KNEE,  BL_LM_L_ANKLE,
    BL_LM_R_EYE,      BL_LM_L_EYE,   BL_LM_R_EAR,      BL_LM_L_EAR,   BL_LM_L_FOOT,
    ABSENT,           BL_LM_L_HEEL,  BL_LM_R_FOOT,     ABSENT,        BL_LM_R_HEEL};

/* BODY_23 has no heels, and another order: where each of its joints stands in BODY_25. */
static const int body23[23] = {1,  2,  3,  4,  5,  6,  7, 8,  9,  10, 11, 22,
                               23, 12, 13, 14, 19, 20, 0, 15, 17, 16, 18};

static const int *joints_of(bl_openpose_format f, int *n) {
    *n = f == BL_OPENPOSE_COCO18 ? 18 : 25;
    return f == BL_OPENPOSE_COCO18 ? coco18 : body25;
}

/* ---- our landmarks to OpenPose's joints ---- */
static void joint_from(float out[3], const bl_person *p, int id, int width, int height) {
    const bl_landmark *l = p->landmarks;
    bl_landmark m = {0, 0, 0, 0};
    if (id >= 0)
        m = l[id];
    else if (id != ABSENT) {
        const bl_landmark *a = &l[id == NECK ? BL_LM_L_SHOULDER : BL_LM_L_HIP], *b = a + 1;
        m = (bl_landmark){(a->x + b->x) / 2, (a->y + b->y) / 2, 0, fminf(a->visibility, b->visibility)};
    }
    out[0] = m.visibility > 0 ? m.x * (float)width : 0;
    out[1] = m.visibility > 0 ? m.y * (float)height : 0;
    out[2] = m.visibility;
}

static void hand_from(float (*out)[3], const bl_hand *hand, int width, int height) {
    for (int k = 0; k < BL_HAND_POINTS && hand->score > 0; k++) {
        out[k][0] = hand->points[k].x * (float)width;
        out[k][1] = hand->points[k].y * (float)height;
        out[k][2] = hand->score;
    }
}

void bl_openpose_from_landmarks(bl_openpose_person *out, const bl_person *p, bl_openpose_format format,
                                int width, int height) {
    *out = (bl_openpose_person){.format = format};
    const int *ids = joints_of(format, &out->n);
    for (int i = 0; i < out->n; i++) joint_from(out->xyc[i], p, ids[i], width, height);
    hand_from(out->left_hand, &p->left_hand, width, height);
    hand_from(out->right_hand, &p->right_hand, width, height);
    bl_openpose_face(out->face, &p->face, width, height);
}

/* OpenPose's hand has the same points in the same order. */
static void to_hand(bl_hand *hand, const float (*xyc)[3], int width, int height) {
    const int finger = (BL_HAND_POINTS - 1) / 5; /* points of one */
    float sum = 0;
    int seen = 0;
    bl_point3 p[BL_HAND_POINTS];
    for (int k = 0; k < BL_HAND_POINTS; k++) {
        int found = xyc[k][2] > 0;
        if (found)
            p[k] = (bl_point3){xyc[k][0] / (float)width, xyc[k][1] / (float)height, 0};
        else if (k == 0)
            return;
        else
            p[k] = p[k % finger == 1 ? 0 : k - 1];
        sum += found ? fminf(xyc[k][2], 1) : 0;
        seen += found;
    }
    if (2 * seen < BL_HAND_POINTS) return;
    hand->score = sum / BL_HAND_POINTS;
    memcpy(hand->points, p, sizeof p);
}

static void to_person(bl_person *p, const bl_openpose_person *o, int width, int height) {
    int n;
    const int *ids = joints_of(o->format, &n);
    float sum = 0;
    *p = (bl_person){0};
    for (int i = 0; i < n; i++) {
        sum += o->xyc[i][2];
        if (ids[i] < 0 || o->xyc[i][2] <= 0) continue;
        p->landmarks[ids[i]] = (bl_landmark){o->xyc[i][0] / (float)width, o->xyc[i][1] / (float)height, 0,
                                             fminf(o->xyc[i][2], 1)};
    }
    p->score = sum / (float)n;
    to_hand(&p->left_hand, o->left_hand, width, height);
    to_hand(&p->right_hand, o->right_hand, width, height);
}

/* ---- one body ---- */
int bl__openpose_body(bl_openpose_person *p, const float (*xyc)[3], int n) {
    if (n != 18 && n != BL_COUNT(body23) && n != 25) return -1;
    p->format = n == 18 ? BL_OPENPOSE_COCO18 : BL_OPENPOSE_BODY25;
    p->n = n == 18 ? 18 : 25;
    for (int i = 0; i < n; i++) memcpy(p->xyc[n == BL_COUNT(body23) ? body23[i] : i], xyc[i], sizeof *xyc);
    return 0;
}

float bl__openpose_extent(const bl_openpose_person *p) {
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < p->n; i++) {
        if (p->xyc[i][2] <= 0) continue;
        x0 = fminf(x0, p->xyc[i][0]), x1 = fmaxf(x1, p->xyc[i][0]);
        y0 = fminf(y0, p->xyc[i][1]), y1 = fmaxf(y1, p->xyc[i][1]);
    }
    return x1 > x0 ? (x1 - x0) * (y1 - y0) : -1;
}

/* ---- one file ---- */
static int read_numbers(float (*xyc)[3], const json_t *a, const char *key, const char *name, bl_err *err) {
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *v = json_array_get(a, i);
        double d = json_number_value(v);
        if (!json_is_number(v) || !(fabs(d) <= BL__OPENPOSE_SANE))
            return bl_fail(err, BL_E_FORMAT, "%s: value %zu of %s is not a sane number", name, i, key);
        xyc[i / 3][i % 3] = (float)d;
    }
    return 0;
}

/* A list that may be absent or empty. */
static int read_part(float (*xyc)[3], int points, const json_t *person, const char *key, const char *name,
                     bl_err *err) {
    const json_t *a = json_object_get(person, key);
    size_t n = json_array_size(a), want = 3 * (size_t)points;
    if (n == 0 && (!a || json_is_array(a) || json_is_null(a))) return 0;
    if (n != want)
        return bl_fail(err, BL_E_FORMAT, "%s: %s is not a list of %zu numbers, nor an empty one", name, key,
                       want);
    return read_numbers(xyc, a, key, name, err);
}

static int read_person(bl_openpose_person *p, const json_t *person, const char *name, bl_err *err) {
    static const char body[] = "pose_keypoints_2d";
    const json_t *a = json_object_get(person, body);
    size_t n = json_array_size(a);
    if (!json_is_array(a)) return bl_fail(err, BL_E_FORMAT, "%s: a person has no %s", name, body);
    float xyc[25][3];
    if (n > sizeof xyc / sizeof **xyc || n % 3)
        return bl_fail(err, BL_E_FORMAT, "%s: %s has %zu numbers, not three for each of at most 25 joints",
                       name, body, n);
    int rc = read_numbers(xyc, a, body, name, err);
    *p = (bl_openpose_person){0};
    if (rc == 0 && bl__openpose_body(p, (const float(*)[3])xyc, (int)n / 3) < 0)
        rc = bl_fail(err, BL_E_FORMAT, "%s: %s has %zu joints; " BL__OPENPOSE_BODIES " are understood", name,
                     body, n / 3);
    if (rc == 0) rc = read_part(p->left_hand, BL_HAND_POINTS, person, "hand_left_keypoints_2d", name, err);
    if (rc == 0) rc = read_part(p->right_hand, BL_HAND_POINTS, person, "hand_right_keypoints_2d", name, err);
    return rc < 0 ? rc : read_part(p->face, BL_OPENPOSE_FACE, person, "face_keypoints_2d", name, err);
}

int bl_openpose_parse(bl_openpose_person *out, const char *json, size_t size, const char *name, bl_err *err) {
    json_error_t why;
    json_t *root = json_loadb(json, size, 0, &why);
    if (!root) return bl_fail(err, BL_E_FORMAT, "%s is not JSON: %s, line %d", name, why.text, why.line);
    const json_t *people = json_object_get(root, "people");
    int rc = 0, found = 0;
    float best = -1;
    if (!json_is_array(people) || json_array_size(people) > BL__OPENPOSE_PEOPLE)
        rc = bl_fail(err, BL_E_FORMAT, "%s is not an OpenPose file: it has no people[]", name);
    for (size_t i = 0; rc == 0 && i < json_array_size(people); i++) {
        bl_openpose_person p;
        rc = read_person(&p, json_array_get(people, i), name, err);
        if (rc == 0 && bl__openpose_extent(&p) > best) best = bl__openpose_extent(&p), *out = p, found = 1;
    }
    json_decref(root);
    return rc < 0 ? rc : found;
}

/* ---- folders ---- */
static void write_list(bl_buf *b, const char *key, const float (*xyc)[3], int n, const char *end) {
    bl_buf_addf(b, "\"%s\":[", key);
    for (int i = 0; i < n; i++)
        bl_buf_addf(b, "%s%.3f,%.3f,%.6g", i ? "," : "", (double)xyc[i][0], (double)xyc[i][1],
                    (double)xyc[i][2]);
    bl_buf_addf(b, "]%s", end);
}

static int write_frame(const bl_track_frame *f, const bl_track *t, const char *path,
                       bl_openpose_format format, bl_err *err) {
    bl_buf b;
    bl_buf_init(&b, 1 << 16);
    bl_buf_addf(&b, "{\"version\":1.3,\"people\":[");
    if (f->has_person) {
        bl_openpose_person p;
        bl_openpose_from_landmarks(&p, &f->person, format, t->width, t->height);
        int left = f->person.left_hand.score > 0, right = f->person.right_hand.score > 0,
            face = f->person.face.score > 0;
        bl_buf_addf(&b, "{\"person_id\":[-1],");
        write_list(&b, "pose_keypoints_2d", p.xyc, p.n, ",");
        write_list(&b, "face_keypoints_2d", p.face, face ? BL_OPENPOSE_FACE : 0, ",");
        write_list(&b, "hand_left_keypoints_2d", p.left_hand, left ? BL_HAND_POINTS : 0, ",");
        write_list(&b, "hand_right_keypoints_2d", p.right_hand, right ? BL_HAND_POINTS : 0, "}");
    }
    bl_buf_addf(&b, "]}\n");
    int rc = b.failed ? bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path)
                      : bl_file_write(path, b.data, b.size, err);
    bl_buf_release(&b);
    return rc;
}

int bl_openpose_write_folder(const bl_track *t, const char *dir, bl_openpose_format format, bl_err *err) {
    int rc = bl_dir_make(dir, err);
    for (int64_t i = 0; rc == 0 && i < t->n; i++) {
        char name[64], path[PATH];
        snprintf(name, sizeof name, "frame_%012lld" SUFFIX, (long long)t->frames[i].i);
        rc = bl_path_join(path, sizeof path, dir, name, err);
        if (rc == 0) rc = write_frame(&t->frames[i], t, path, format, err);
    }
    return rc;
}

typedef struct names {
    char **name;
    size_t n, capacity;
} names;

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int keep_name(names *list, const char *name) {
    if (list->n == list->capacity) {
        size_t more = list->capacity ? list->capacity * 2 : 256;
        char **p = more > BL_TRACK_MAX_FRAMES ? NULL : bl_realloc_array(list->name, list->n, more, sizeof *p);
        if (!p) return -1;
        list->name = p;
        list->capacity = more;
    }
    if (!(list->name[list->n] = bl_strdup(name))) return -1;
    list->n++;
    return 0;
}

/* What a frame's first file is called. */
typedef struct file_kind {
    const char *suffix;
    const char *parts[BL_OPENPOSE_FILES]; /* of its YAML files; no entries: JSON */
} file_kind;
static const file_kind kinds[] = {
    {SUFFIX, {NULL}},
    {"_pose.yml", {"_pose.yml", "_face.yml", "_hand_left.yml", "_hand_right.yml"}},
    {"_pose.yaml", {"_pose.yaml", "_face.yaml", "_hand_left.yaml", "_hand_right.yaml"}},
};

/* Names in `dir` that end in `suffix`, sorted. */
static int list_names(names *list, const char *dir, const char *suffix, bl_err *err) {
    DIR *d = opendir(dir);
    if (!d)
        return bl_fail(err, BL_E_NOT_FOUND, "cannot open the folder %s: %s; check the path", dir,
                       strerror(errno));
    int rc = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(d));) {
        size_t n = strlen(e->d_name), s = strlen(suffix);
        if (n > s && !strcmp(e->d_name + n - s, suffix) && keep_name(list, e->d_name) < 0)
            rc = bl_fail(err, BL_E_NOMEM, "not enough memory to list %s", dir);
    }
    closedir(d);
    if (list->n) qsort(list->name, list->n, sizeof *list->name, by_name);
    return rc;
}

static int list_folder(names *list, const file_kind **k, const char *dir, bl_err *err) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && list->n == 0 && i < BL_COUNT(kinds); i++)
        rc = list_names(list, dir, (*k = &kinds[i])->suffix, err);
    if (rc == 0 && list->n == 0)
        return bl_fail(err, BL_E_NOT_FOUND,
                       "%s holds no NAME" SUFFIX " and no NAME_pose.yml files; give OpenPose's output folder",
                       dir);
    return rc;
}

static int read_json(bl_openpose_person *p, const char *path, bl_err *err) {
    char *json = NULL;
    size_t size = 0;
    int rc = bl_file_read(&json, &size, path, FILE_CAP, err);
    if (rc == 0) rc = bl_openpose_parse(p, json, size, path, err);
    bl_free(json);
    return rc;
}

/* `path`: that of the bodies. */
static int read_yaml(bl_openpose_person *p, const char *path, const file_kind *kind, bl_err *err) {
    const size_t stem = strlen(path) - strlen(kind->suffix);
    char file[BL_OPENPOSE_FILES][PATH + 16], *text[BL_OPENPOSE_FILES] = {0};
    bl_openpose_text files[BL_OPENPOSE_FILES] = {{0}};
    int rc = 0;
    for (int k = 0; rc == 0 && k < BL_OPENPOSE_FILES; k++) {
        snprintf(file[k], sizeof file[k], "%.*s%s", (int)stem, path, kind->parts[k]);
        files[k].name = file[k];
        if (k == BL_OPENPOSE_BODY || bl_file_exists(file[k]))
            rc = bl_file_read(&text[k], &files[k].size, file[k], FILE_CAP, err);
        files[k].text = text[k];
    }
    if (rc == 0) rc = bl_openpose_parse_yaml(p, files, err);
    for (int k = 0; k < BL_OPENPOSE_FILES; k++) bl_free(text[k]);
    return rc;
}

static int read_frame(bl_track *t, const char *dir, const file_kind *kind, const char *name, int64_t i,
                      bl_err *err) {
    char path[PATH];
    bl_openpose_person p;
    bl_track_frame f = {.i = i, .t_ms = (double)i * 1000 / t->fps};
    int rc = bl_path_join(path, sizeof path, dir, name, err);
    if (rc == 0) rc = *kind->parts ? read_yaml(&p, path, kind, err) : read_json(&p, path, err);
    if (rc < 0) return rc;
    if ((f.has_person = rc)) to_person(&f.person, &p, t->width, t->height);
    return bl_track_append(t, &f, err);
}

int bl_openpose_read_folder(bl_track **out, const char *dir, int width, int height, double fps, bl_err *err) {
    names list = {0};
    const file_kind *kind = NULL;
    bl_track *t = NULL;
    if (width < 1 || height < 1 || !(fps > 0))
        return bl_fail(err, BL_E_USAGE, "OpenPose's folder %s needs the video's size and rate", dir);
    int rc = list_folder(&list, &kind, dir, err);
    if (rc == 0) rc = bl_track_create(&t, dir, width, height, fps, err);
    for (size_t i = 0; rc == 0 && i < list.n; i++)
        rc = read_frame(t, dir, kind, list.name[i], (int64_t)i, err);
    for (size_t i = 0; i < list.n; i++) bl_free(list.name[i]);
    bl_free(list.name);
    if (rc < 0)
        bl_track_destroy(&t);
    else
        *out = t;
    return rc;
}
