#include "landmarks.h"

#include <math.h>

#include "ballerino/base.h"
#include "crop.h"
#include "tflite_net.h"

enum { INPUT_SIZE = 256, POINTS = 39, FIELDS = 5, AUX = 33, MAP_SIZE = 64, KERNEL = 7 };
enum { OUT_LANDMARKS = 0, OUT_FLAG = 1, OUT_MASK = 2, OUT_HEATMAP = 3, OUT_WORLD = 4 };
#define MIN_FLAG 0.5f
#define MIN_HEAT 0.5f

struct bl__landmarker {
    bl__net *net;
    int threads;
};

static int is_right(bl__net *net, int segmentation) {
    return bl__net_input_count(net) == INPUT_SIZE * INPUT_SIZE * 3 &&
           bl__net_output_count(net, OUT_LANDMARKS) == POINTS * FIELDS &&
           bl__net_output_count(net, OUT_FLAG) == 1 &&
           bl__net_output_count(net, OUT_HEATMAP) == MAP_SIZE * MAP_SIZE * POINTS &&
           bl__net_output_count(net, OUT_WORLD) == POINTS * 3 &&
           (!segmentation || bl__net_output_count(net, OUT_MASK) == BL__MASK_SIZE * BL__MASK_SIZE);
}

int bl__landmarker_open(bl__landmarker **out, bl_pose_model model, int segmentation, const char *models_dir,
                        bl_device *device, int threads, int reference, bl_err *err) {
    static const char *const names[] = {[BL_POSE_LITE] = "pose_landmark_lite.tflite",
                                        [BL_POSE_FULL] = "pose_landmark_full.tflite",
                                        [BL_POSE_HEAVY] = "pose_landmark_heavy.tflite"};
    if ((unsigned)model >= BL_COUNT(names))
        return bl_fail(err, BL_E_USAGE, "there is no pose model %d", (int)model);
    bl__landmarker *l = bl_alloc(sizeof *l);
    if (!l) return bl_fail(err, BL_E_NOMEM, "not enough memory for the pose model");
    l->threads = threads;
    bl__net_options o = {.outputs = 1u << OUT_LANDMARKS | 1u << OUT_FLAG | 1u << OUT_HEATMAP |
                                    1u << OUT_WORLD | (segmentation ? 1u << OUT_MASK : 0),
                         .threads = threads,
                         .device = device,
                         .reference = reference};
    int rc = bl__net_load(&l->net, names[model], models_dir, &o, err);
    if (rc == 0 && !is_right(l->net, segmentation))
        rc = bl_fail(err, BL_E_MODELS, "%s is not a pose landmark model; run 'ballerino models fetch'",
                     names[model]);
    if (rc < 0) {
        bl__landmarker_close(&l);
        return rc;
    }
    *out = l;
    return 0;
}

void bl__landmarker_close(bl__landmarker **l) {
    if (!*l) return;
    bl__net_close(&(*l)->net);
    bl_free(*l);
    *l = NULL;
}

static float sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

/* Moves a point to the centre of mass of its heat map around it, where that is warm enough. */
static void refine(bl_landmark *p, const float *map, int k) {
    int col = (int)(p->x * MAP_SIZE), row = (int)(p->y * MAP_SIZE), half = KERNEL / 2;
    if (col < 0 || row < 0 || col >= MAP_SIZE || row >= MAP_SIZE) return;
    double sum = 0, x = 0, y = 0;
    float most = 0;
    for (int r = BL_MAX(0, row - half); r <= BL_MIN(MAP_SIZE - 1, row + half); r++)
        for (int c = BL_MAX(0, col - half); c <= BL_MIN(MAP_SIZE - 1, col + half); c++) {
            float heat = sigmoid(map[((size_t)r * MAP_SIZE + (size_t)c) * POINTS + (size_t)k]);
            most = fmaxf(most, heat);
            sum += (double)heat;
            x += (double)heat * c;
            y += (double)heat * r;
        }
    if (most < MIN_HEAT || sum <= 0) return;
    p->x = (float)(x / sum / MAP_SIZE);
    p->y = (float)(y / sum / MAP_SIZE);
}

/* Far outside (a wild network) cannot be told from damage later on. */
static float tame(float x, float limit) {
    return x >= -limit && x <= limit ? x : x > limit ? limit : x < -limit ? -limit : 0;
}

static bl_landmark read_point(const float *v, const float *map, int k) {
    bl_landmark p = {.x = tame(v[0] / INPUT_SIZE, 50),
                     .y = tame(v[1] / INPUT_SIZE, 50),
                     .z = tame(v[2] / INPUT_SIZE, 50),
                     .visibility = tame(sigmoid(v[3]), 1)};
    refine(&p, map, k);
    return p;
}

static bl_landmark project(bl_landmark p, const bl_roi *roi, int width, int height) {
    bl__point at = bl__roi_project(roi, (double)p.x, (double)p.y, width, height);
    p.x = (float)at.x;
    p.y = (float)at.y;
    p.z *= roi->w;
    return p;
}

static bl_landmark world_point(const float *v, float rotation, float visibility) {
    float c = cosf(rotation), s = sinf(rotation), x = tame(v[0], 100), y = tame(v[1], 100);
    return (bl_landmark){x * c - y * s, x * s + y * c, tame(v[2], 100), visibility};
}

int bl__landmarker_find(bl__landmarker *l, const bl_frame *frame, const bl_roi *roi, bl__found *out,
                        bl_err *err) {
    int w = frame->width, h = frame->height;
    bl__crop_roi(bl__net_input(l->net), frame, roi,
                 &(bl__crop){.size = INPUT_SIZE, .lo = 0, .hi = 1, .threads = l->threads});
    int rc = bl__net_run(l->net, err);
    if (rc < 0) return rc;
    out->score = tame(bl__net_output(l->net, OUT_FLAG)[0], 1);
    if (!(out->score > MIN_FLAG)) return 0;
    const float *v = bl__net_output(l->net, OUT_LANDMARKS), *map = bl__net_output(l->net, OUT_HEATMAP);
    const float *metres = bl__net_output(l->net, OUT_WORLD);
    for (int k = 0; k < AUX + 2; k++) {
        bl_landmark p = project(read_point(v + (size_t)k * FIELDS, map, k), roi, w, h);
        if (k >= AUX)
            out->aux[k - AUX] = p;
        else
            out->landmarks[k] = p;
    }
    for (int k = 0; k < BL_LANDMARKS; k++)
        out->world[k] = world_point(metres + (size_t)k * 3, roi->rotation, out->landmarks[k].visibility);
    return 1;
}

const float *bl__landmarker_mask(bl__landmarker *l) {
    return bl__net_output(l->net, OUT_MASK);
}
