#include "hands.h"

#include <math.h>

#include "ballerino/base.h"
#include "crop.h"
#include "tflite_net.h"

#define PI 3.14159265358979323846
enum { RECROP_SIZE = 256, HAND_SIZE = 224 };
enum { OUT_POINTS = 0, OUT_PRESENCE = 1 };
#define MIN_WRIST 0.1f /* visibility */
#define MIN_PRESENCE 0.5f
#define SHIFT_Y (-0.1) /* towards the fingers */
#define GUESS_SCALE 2.7
#define REGION_SCALE 2.0
#define Z_SCALE 0.4f /* the model's z is 0.4 of what x and y are */

static const bl__roi_limits limits = {.degrees = 40, .shift = 0.2, .growth = 0.4, .margin = 0.1};

struct bl__hands {
    bl__net *recrop, *hand;
    int threads;
};

int bl__hands_open(bl__hands **out, const char *models_dir, bl_device *device, int threads, int reference,
                   bl_err *err) {
    bl__hands *h = bl_alloc(sizeof *h);
    if (!h) return bl_fail(err, BL_E_NOMEM, "not enough memory for the hand models");
    h->threads = threads;
    bl__net_options o = {.outputs = 1u << OUT_POINTS,
                         .threads = 1, /* too small to be worth more */
                         .device = device,
                         .reference = reference,
                         .batch = BL__SIDES};
    int rc = bl__net_load(&h->recrop, "hand_recrop.tflite", models_dir, &o, err);
    o.outputs |= 1u << OUT_PRESENCE;
    o.threads = threads;
    if (rc == 0) rc = bl__net_load(&h->hand, "hand_landmark_full.tflite", models_dir, &o, err);
    if (rc == 0 && (bl__net_input_count(h->recrop) != RECROP_SIZE * RECROP_SIZE * 3 ||
                    bl__net_output_count(h->recrop, OUT_POINTS) != 4 ||
                    bl__net_input_count(h->hand) != HAND_SIZE * HAND_SIZE * 3 ||
                    bl__net_output_count(h->hand, OUT_POINTS) != BL_HAND_POINTS * 3 ||
                    bl__net_output_count(h->hand, OUT_PRESENCE) != 1))
        rc = bl_fail(err, BL_E_MODELS, "the hand models are others than known; run 'ballerino models fetch'");
    if (rc < 0) {
        bl__hands_close(&h);
        return rc;
    }
    *out = h;
    return 0;
}

void bl__hands_close(bl__hands **h) {
    if (!*h) return;
    bl__net_close(&(*h)->recrop);
    bl__net_close(&(*h)->hand);
    bl_free(*h);
    *h = NULL;
}

/* ---- regions ---- */

static bl__point point(bl_landmark l) {
    return (bl__point){(double)l.x, (double)l.y};
}

int bl__hand_guess(bl_roi *out, const bl_landmark *body, int side, int width, int height) {
    bl_landmark wrist = body[BL_LM_L_WRIST + side];
    bl__point pinky = point(body[BL_LM_L_PINKY + side]), index = point(body[BL_LM_L_INDEX + side]);
    bl__point middle = {(2 * index.x + pinky.x) / 3, (2 * index.y + pinky.y) / 3};
    if (!(wrist.visibility > MIN_WRIST)) return 0;
    bl_roi r = bl__roi_from_points(middle, point(wrist), 1, width, height);
    r.rotation = (float)bl__roi_rotation(point(wrist), middle, PI / 2, width, height);
    *out = bl__roi_grow(r, SHIFT_Y, GUESS_SCALE, width, height);
    return 1;
}

bl_roi bl__hand_recrop(const float p[4], const bl_roi *guess, int width, int height) {
    const double size = RECROP_SIZE;
    bl__point a = bl__roi_project(guess, (double)p[0] / size, (double)p[1] / size, width, height);
    bl__point b = bl__roi_project(guess, (double)p[2] / size, (double)p[3] / size, width, height);
    return bl__roi_grow(bl__roi_towards(a, b, -PI / 2, width, height), SHIFT_Y, 1, width, height);
}

bl_roi bl__hand_region(const bl_hand *hand, int width, int height) {
    static const int palm[] = {0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18}; /* fingertips swing too much */
    bl__point p[BL_COUNT(palm)];
    const bl_point3 *l = hand->points;
    for (size_t k = 0; k < BL_COUNT(palm); k++)
        p[k] = (bl__point){(double)l[palm[k]].x, (double)l[palm[k]].y};
    bl__point knuckles = {(((double)l[5].x + (double)l[13].x) / 2 + (double)l[9].x) / 2,
                          (((double)l[5].y + (double)l[13].y) / 2 + (double)l[9].y) / 2};
    double rotation = bl__roi_rotation(p[0], knuckles, PI / 2, width, height);
    return bl__roi_grow(bl__roi_turned_box(p, BL_COUNT(palm), rotation, width, height), SHIFT_Y, REGION_SCALE,
                        width, height);
}

bl_roi bl__hand_choose(const bl_hand *before, const bl_roi *recrop, int width, int height) {
    bl__point p[BL_HAND_POINTS];
    if (!(before->score > 0)) return *recrop;
    bl_roi r = bl__hand_region(before, width, height);
    for (int k = 0; k < BL_HAND_POINTS; k++)
        p[k] = (bl__point){(double)before->points[k].x, (double)before->points[k].y};
    return bl__roi_follows(&r, recrop, p, BL_HAND_POINTS, &limits, width, height) ? r : *recrop;
}

/* ---- looking ---- */

/* Runs the net on n regions of the frame at once. */
static int look(const bl__hands *h, bl__net *net, int size, const bl_frame *frame, const bl_roi *roi, int n,
                bl_err *err) {
    bl__net_use(net, n);
    for (int k = 0; k < n; k++)
        bl__crop_roi(bl__net_input(net) + k * bl__net_input_count(net), frame, &roi[k],
                     &(bl__crop){.size = size, .lo = 0, .hi = 1, .threads = h->threads});
    return bl__net_run(net, err);
}

/* Far outside (a wild network) cannot be told from damage later on. */
static float tame(float x) {
    return x >= -50 && x <= 50 ? x : 0;
}

static void read_hand(bl_hand *out, const float *v, float presence, const bl_roi *roi, int width,
                      int height) {
    if (!(presence > MIN_PRESENCE)) return;
    out->score = fminf(presence, 1);
    for (int k = 0; k < BL_HAND_POINTS; k++, v += 3) {
        bl__point p = bl__roi_project(roi, (double)tame(v[0] / HAND_SIZE), (double)tame(v[1] / HAND_SIZE),
                                      width, height);
        out->points[k] = (bl_point3){(float)p.x, (float)p.y, tame(v[2] / HAND_SIZE / Z_SCALE) * roi->w};
    }
}

/* Keeps the regions (and whose they are) that can be looked into. */
static int keep_usable(bl_roi *roi, int *side, int n) {
    int kept = 0;
    for (int k = 0; k < n; k++)
        if (bl__roi_usable(&roi[k])) {
            roi[kept] = roi[k];
            side[kept++] = side[k];
        }
    return kept;
}

int bl__hands_find(bl__hands *h, const bl_frame *frame, const bl_landmark *body,
                   const bl_hand before[BL__SIDES], bl_hand out[BL__SIDES], bl_err *err) {
    bl_roi roi[BL__SIDES];
    int width = frame->width, height = frame->height, side[BL__SIDES], n = 0;
    for (int s = 0; s < BL__SIDES; s++)
        if (bl__hand_guess(&roi[n], body, s, width, height)) side[n++] = s;
    n = keep_usable(roi, side, n);
    int rc = n ? look(h, h->recrop, RECROP_SIZE, frame, roi, n, err) : 0;
    if (rc < 0) return rc;
    for (int k = 0; k < n; k++) {
        roi[k] = bl__hand_recrop(bl__net_output(h->recrop, OUT_POINTS) + 4 * k, &roi[k], width, height);
        roi[k] = bl__hand_choose(&before[side[k]], &roi[k], width, height);
    }
    n = keep_usable(roi, side, n);
    rc = n ? look(h, h->hand, HAND_SIZE, frame, roi, n, err) : 0;
    if (rc < 0) return rc;
    bl_hand found[BL__SIDES] = {0};
    for (int k = 0; k < n; k++)
        read_hand(&found[side[k]], bl__net_output(h->hand, OUT_POINTS) + 3 * BL_HAND_POINTS * k,
                  bl__net_output(h->hand, OUT_PRESENCE)[k], &roi[k], width, height);
    for (int s = 0; s < BL__SIDES; s++) out[s] = found[s];
    return 0;
}
