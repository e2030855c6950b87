/* OpenPose's JSON folders: one file a frame, people[] with pose_keypoints_2d of 18 or 25 (x, y, confidence),
 * and lists for hands and face. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/pose.h"

#define FILE_CAP ((size_t)16 << 20)
#define PEOPLE_CAP 1000
#define SUFFIX "_keypoints.json"
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

/* ---- one file ---- */
static int read_numbers(float (*xyc)[3], const json_t *a, const char *key, const char *name, bl_err *err) {
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *v = json_array_get(a, i);
        double d = json_number_value(v);
        if (!json_is_number(v) || !(fabs(d) < 1e6))
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
    if (n != 54 && n != 75)
        return bl_fail(err, BL_E_FORMAT,
                       "%s: %s has %zu numbers; 54 (COCO-18) or 75 (BODY_25) are understood", name, body, n);
    *p = (bl_openpose_person){.format = n == 54 ? BL_OPENPOSE_COCO18 : BL_OPENPOSE_BODY25, .n = (int)n / 3};
    int rc = read_numbers(p->xyc, a, body, name, err);
    if (rc == 0) rc = read_part(p->left_hand, BL_HAND_POINTS, person, "hand_left_keypoints_2d", name, err);
    if (rc == 0) rc = read_part(p->right_hand, BL_HAND_POINTS, person, "hand_right_keypoints_2d", name, err);
    return rc < 0 ? rc : read_part(p->face, BL_OPENPOSE_FACE, person, "face_keypoints_2d", name, err);
}

/* Area of the box around the found joints. */
static float extent(const bl_openpose_person *p) {
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (int i = 0; i < p->n; i++) {
        if (p->xyc[i][2] <= 0) continue;
        x0 = fminf(x0, p->xyc[i][0]), x1 = fmaxf(x1, p->xyc[i][0]);
        y0 = fminf(y0, p->xyc[i][1]), y1 = fmaxf(y1, p->xyc[i][1]);
    }
    return x1 > x0 ? (x1 - x0) * (y1 - y0) : -1;
}

int bl_openpose_parse(bl_openpose_person *out, const char *json, size_t size, const char *name, bl_err *err) {
    json_error_t why;
    json_t *root = json_loadb(json, size, 0, &why);
    if (!root) return bl_fail(err, BL_E_FORMAT, "%s is not JSON: %s, line %d", name, why.text, why.line);
    const json_t *people = json_object_get(root, "people");
    int rc = 0, found = 0;
    float best = -1;
    if (!json_is_array(people) || json_array_size(people) > PEOPLE_CAP)
        rc = bl_fail(err, BL_E_FORMAT, "%s is not an OpenPose file: it has no people[]", name);
    for (size_t i = 0; rc == 0 && i < json_array_size(people); i++) {
        bl_openpose_person p;
        rc = read_person(&p, json_array_get(people, i), name, err);
        if (rc == 0 && extent(&p) > best) best = extent(&p), *out = p, found = 1;
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
        char name[64], path[4096];
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

static int list_folder(names *list, const char *dir, bl_err *err) {
    DIR *d = opendir(dir);
    if (!d)
        return bl_fail(err, BL_E_NOT_FOUND, "cannot open the folder %s: %s; check the path", dir,
                       strerror(errno));
    int rc = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(d));) {
        size_t n = strlen(e->d_name), s = strlen(SUFFIX);
        if (n > s && !strcmp(e->d_name + n - s, SUFFIX) && keep_name(list, e->d_name) < 0)
            rc = bl_fail(err, BL_E_NOMEM, "not enough memory to list %s", dir);
    }
    closedir(d);
    if (rc == 0 && list->n == 0)
        return bl_fail(err, BL_E_NOT_FOUND, "%s holds no NAME" SUFFIX " files; give OpenPose's output folder",
                       dir);
    if (rc == 0) qsort(list->name, list->n, sizeof *list->name, by_name);
    return rc;
}

static int read_frame(bl_track *t, const char *dir, const char *name, int64_t i, bl_err *err) {
    char path[4096], *json = NULL;
    size_t size = 0;
    bl_openpose_person p;
    bl_track_frame f = {.i = i, .t_ms = (double)i * 1000 / t->fps};
    int rc = bl_path_join(path, sizeof path, dir, name, err);
    if (rc == 0) rc = bl_file_read(&json, &size, path, FILE_CAP, err);
    if (rc == 0) rc = bl_openpose_parse(&p, json, size, path, err);
    bl_free(json);
    if (rc < 0) return rc;
    if ((f.has_person = rc)) to_person(&f.person, &p, t->width, t->height);
    return bl_track_append(t, &f, err);
}

int bl_openpose_read_folder(bl_track **out, const char *dir, int width, int height, double fps, bl_err *err) {
    names list = {0};
    bl_track *t = NULL;
    if (width < 1 || height < 1 || !(fps > 0))
        return bl_fail(err, BL_E_USAGE, "OpenPose's folder %s needs the video's size and rate", dir);
    int rc = list_folder(&list, dir, err);
    if (rc == 0) rc = bl_track_create(&t, dir, width, height, fps, err);
    for (size_t i = 0; rc == 0 && i < list.n; i++) rc = read_frame(t, dir, list.name[i], (int64_t)i, err);
    for (size_t i = 0; i < list.n; i++) bl_free(list.name[i]);
    bl_free(list.name);
    if (rc < 0)
        bl_track_destroy(&t);
    else
        *out = t;
    return rc;
}
