#include "face.h"

#include <math.h>

#include "ballerino/base.h"
#include "crop.h"
#include "tflite_net.h"

enum { DETECTOR_SIZE = 128, MESH_SIZE = 192, EYES_AND_SO_ON = 6, HEAD = BL_LM_MOUTH_R + 1 };
enum { OUT_BOXES = 0, OUT_SCORES = 1, OUT_MESH = 0, OUT_FLAG = 1 };
enum { MESH_R_EYE = 33, MESH_L_EYE = 263 }; /* outer corners */
#define MIN_FLAG 0.5f
#define GUESS_SCALE 3.0
#define DETECTED_SHIFT_Y (-0.1)
#define DETECTED_SCALE 2.0
#define REGION_SCALE 1.5

static const bl__ssd ssd = {.size = DETECTOR_SIZE,
                            .points = EYES_AND_SO_ON, /* eyes (right, left), nose, mouth, ears */
                            .n_layers = 2,
                            .layer = {{16, 2}, {8, 6}}};
static const bl__roi_limits limits = {.degrees = 15, .shift = 0.1, .growth = 0.3, .margin = 0.2};

struct bl__face_finder {
    bl__net *detector, *mesh;
    int threads;
};

int bl__face_open(bl__face_finder **out, const char *models_dir, bl_device *device, int threads,
                  int reference, bl_err *err) {
    bl__face_finder *f = bl_alloc(sizeof *f);
    if (!f) return bl_fail(err, BL_E_NOMEM, "not enough memory for the face models");
    f->threads = threads;
    /* One thread: these networks are so small that more take longer. */
    const bl__net_options o = {.outputs = 3, .threads = 1, .device = device, .reference = reference};
    int rc = bl__net_load(&f->detector, "face_detection_short_range.tflite", models_dir, &o, err);
    if (rc == 0) rc = bl__net_load(&f->mesh, "face_landmark.tflite", models_dir, &o, err);
    if (rc == 0 &&
        (bl__net_input_count(f->detector) != DETECTOR_SIZE * DETECTOR_SIZE * 3 ||
         bl__net_output_count(f->detector, OUT_BOXES) != bl__ssd_anchors(&ssd) * (4 + 2 * EYES_AND_SO_ON) ||
         bl__net_output_count(f->detector, OUT_SCORES) != bl__ssd_anchors(&ssd) ||
         bl__net_input_count(f->mesh) != MESH_SIZE * MESH_SIZE * 3 ||
         bl__net_output_count(f->mesh, OUT_MESH) != BL_FACE_POINTS * 3 ||
         bl__net_output_count(f->mesh, OUT_FLAG) != 1))
        rc = bl_fail(err, BL_E_MODELS, "the face models are others than known; run 'ballerino models fetch'");
    if (rc < 0) {
        bl__face_close(&f);
        return rc;
    }
    *out = f;
    return 0;
}

void bl__face_close(bl__face_finder **f) {
    if (!*f) return;
    bl__net_close(&(*f)->detector);
    bl__net_close(&(*f)->mesh);
    bl_free(*f);
    *f = NULL;
}

/* ---- regions ---- */

bl_roi bl__face_guess(const bl_landmark *body, int width, int height) {
    bl__point p[HEAD];
    for (int k = 0; k < HEAD; k++) p[k] = (bl__point){(double)body[k].x, (double)body[k].y};
    double rotation = bl__roi_rotation(p[BL_LM_R_EYE], p[BL_LM_L_EYE], 0, width, height);
    return bl__roi_grow(bl__roi_box(p, HEAD, rotation), 0, GUESS_SCALE, width, height);
}

bl_roi bl__face_detected(const bl__detection *d, const bl_roi *guess, int width, int height) {
    bl__point p[EYES_AND_SO_ON];
    for (int k = 0; k < EYES_AND_SO_ON; k++)
        p[k] = bl__roi_project(guess, d->point[k].x, d->point[k].y, width, height);
    double rotation = bl__roi_rotation(p[0], p[1], 0, width, height);
    return bl__roi_grow(bl__roi_box(p, EYES_AND_SO_ON, rotation), DETECTED_SHIFT_Y, DETECTED_SCALE, width,
                        height);
}

static void points_of(bl__point p[BL_FACE_POINTS], const bl_face *face) {
    for (int k = 0; k < BL_FACE_POINTS; k++)
        p[k] = (bl__point){(double)face->points[k].x, (double)face->points[k].y};
}

bl_roi bl__face_region(const bl_face *face, int width, int height) {
    bl__point p[BL_FACE_POINTS];
    points_of(p, face);
    double rotation = bl__roi_rotation(p[MESH_R_EYE], p[MESH_L_EYE], 0, width, height);
    return bl__roi_grow(bl__roi_box(p, BL_FACE_POINTS, rotation), 0, REGION_SCALE, width, height);
}

bl_roi bl__face_choose(const bl_face *before, const bl_roi *detected, int width, int height) {
    bl__point p[BL_FACE_POINTS];
    if (!(before->score > 0)) return *detected;
    bl_roi r = bl__face_region(before, width, height);
    points_of(p, before);
    return bl__roi_follows(&r, detected, p, BL_FACE_POINTS, &limits, width, height) ? r : *detected;
}

/* ---- looking ---- */

/* 1 and the region of the best detection in `guess`, 0 none. */
static int detect(bl__face_finder *f, const bl_frame *frame, const bl_roi *guess, bl_roi *out, bl_err *err) {
    bl__detection found[BL__SSD_MAX_FOUND];
    bl__crop_roi(
        bl__net_input(f->detector), frame, guess,
        &(bl__crop){.size = DETECTOR_SIZE, .lo = -1, .hi = 1, .zero_border = 1, .threads = f->threads});
    int rc = bl__net_run(f->detector, err);
    if (rc < 0) return rc;
    if (bl__ssd_decode(&ssd, bl__net_output(f->detector, OUT_BOXES), bl__net_output(f->detector, OUT_SCORES),
                       found) == 0)
        return 0;
    *out = bl__face_detected(&found[0], guess, frame->width, frame->height);
    return 1;
}

/* Far outside (a wild network) cannot be told from damage later on. */
static float tame(float x) {
    return x >= -50 && x <= 50 ? x : 0;
}

static void read_face(bl_face *out, const float *v, const bl_roi *roi, int width, int height) {
    for (int k = 0; k < BL_FACE_POINTS; k++, v += 3) {
        bl__point p = bl__roi_project(roi, (double)tame(v[0] / MESH_SIZE), (double)tame(v[1] / MESH_SIZE),
                                      width, height);
        out->points[k] = (bl_point3){(float)p.x, (float)p.y, tame(v[2] / MESH_SIZE) * roi->w};
    }
}

int bl__face_find(bl__face_finder *f, const bl_frame *frame, const bl_landmark *body, const bl_face *before,
                  bl_face *out, bl_err *err) {
    int w = frame->width, h = frame->height;
    bl_roi roi, guess = bl__face_guess(body, w, h);
    int rc = bl__roi_usable(&guess) ? detect(f, frame, &guess, &roi, err) : 0;
    if (rc > 0) roi = bl__face_choose(before, &roi, w, h);
    *out = (bl_face){0};
    if (rc <= 0 || !bl__roi_usable(&roi)) return rc < 0 ? rc : 0;
    bl__crop_roi(bl__net_input(f->mesh), frame, &roi,
                 &(bl__crop){.size = MESH_SIZE, .lo = 0, .hi = 1, .threads = f->threads});
    rc = bl__net_run(f->mesh, err);
    if (rc < 0) return rc;
    float flag = 1 / (1 + expf(-bl__net_output(f->mesh, OUT_FLAG)[0]));
    if (!(flag > MIN_FLAG)) return 0;
    out->score = flag;
    read_face(out, bl__net_output(f->mesh, OUT_MESH), &roi, w, h);
    return 0;
}
