#include "detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "crop.h"
#include "models.h"
#include "tflite_net.h"

enum { INPUT_SIZE = 224, ROW = 12, POINTS = 4, ANCHORS = 2254, MAX_CANDIDATES = ANCHORS };
#define MIN_SCORE 0.5f
#define SAME_FACE_IOU 0.3f  /* boxes that overlap more are one detection */
#define SAME_BODY_IOU 0.5   /* circles that overlap more are one person */
#define FOLLOW_OVERLAP 0.05 /* less is not the person of the frame before */

/* Anchors: cells of a grid in row-major order, `per_cell` of them at the same centre. */
static const struct { int cells, per_cell; } layers[] = {{28, 2}, {14, 2}, {7, 6}};

struct bl__detector {
    bl__net *net;
    int threads;
};

int bl__detector_open(bl__detector **out, const char *models_dir, int threads, int reference, bl_err *err) {
    static const char name[] = "pose_detection.tflite";
    bl__detector *d = bl_alloc(sizeof *d);
    char *bytes = NULL;
    size_t size = 0;
    if (!d) return bl_fail(err, BL_E_NOMEM, "not enough memory for the person detector");
    d->threads = threads;
    int rc = bl__models_load(&bytes, &size, models_dir, name, err);
    if (rc == 0)
        rc = bl__net_open(&d->net, bytes, size, name,
                          &(bl__net_options){.outputs = 3, .threads = threads, .reference = reference}, err);
    bl_free(bytes);
    if (rc == 0 &&
        (bl__net_input_count(d->net) != INPUT_SIZE * INPUT_SIZE * 3 ||
         bl__net_output_count(d->net, 0) != ANCHORS * ROW || bl__net_output_count(d->net, 1) != ANCHORS))
        rc = bl_fail(err, BL_E_MODELS, "%s is not the person detector; run 'ballerino models fetch'", name);
    if (rc < 0) {
        bl__detector_close(&d);
        return rc;
    }
    *out = d;
    return 0;
}

void bl__detector_close(bl__detector **d) {
    if (!*d) return;
    bl__net_close(&(*d)->net);
    bl_free(*d);
    *d = NULL;
}

/* ---- decoding: positions normalised by the detector's square picture ---- */

static bl__detection decode_row(const float *v, float score, double ax, double ay) {
    double x = v[0] / (double)INPUT_SIZE + ax, y = v[1] / (double)INPUT_SIZE + ay;
    double w = v[2] / (double)INPUT_SIZE, h = v[3] / (double)INPUT_SIZE;
    bl__detection d = {.score = score,
                       .xmin = (float)(x - w / 2),
                       .ymin = (float)(y - h / 2),
                       .xmax = (float)(x + w / 2),
                       .ymax = (float)(y + h / 2)};
    for (int k = 0; k < POINTS; k++)
        d.point[k] =
            (bl__point){v[4 + 2 * k] / (double)INPUT_SIZE + ax, v[5 + 2 * k] / (double)INPUT_SIZE + ay};
    return d;
}

static int candidates(const float *boxes, const float *logits, bl__detection *out) {
    int n = 0, anchor = 0;
    for (size_t l = 0; l < BL_COUNT(layers); l++)
        for (int cell = 0; cell < layers[l].cells * layers[l].cells; cell++)
            for (int k = 0; k < layers[l].per_cell; k++, anchor++) {
                const float *v = boxes + (size_t)anchor * ROW;
                float score = 1 / (1 + expf(-BL_CLAMP(logits[anchor], -100.f, 100.f)));
                if (!(score >= MIN_SCORE) || !(v[2] >= 0) || !(v[3] >= 0)) continue;
                out[n++] = decode_row(v, score, (cell % layers[l].cells + .5) / layers[l].cells,
                                      (cell / layers[l].cells + .5) / layers[l].cells);
            }
    return n;
}

static float overlap(const bl__detection *a, const bl__detection *b) {
    float w = fminf(a->xmax, b->xmax) - fmaxf(a->xmin, b->xmin);
    float h = fminf(a->ymax, b->ymax) - fmaxf(a->ymin, b->ymin);
    if (w <= 0 || h <= 0) return 0;
    float all = (a->xmax - a->xmin) * (a->ymax - a->ymin) + (b->xmax - b->xmin) * (b->ymax - b->ymin) - w * h;
    return all > 0 ? w * h / all : 0;
}

static int by_score(const void *a, const void *b) {
    float x = ((const bl__detection *)a)->score, y = ((const bl__detection *)b)->score;
    return (x < y) - (x > y);
}

/* Takes the best of the n candidates and all that overlap it: their mean, weighted by score. The others move
 * up; gives how many they are. */
static int merge_best(bl__detection *c, int n, bl__detection *out) {
    double total = 0, box[4] = {0}, x[POINTS] = {0}, y[POINTS] = {0};
    bl__detection best = c[0];
    int left = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && !(overlap(&best, &c[i]) > SAME_FACE_IOU)) {
            c[left++] = c[i];
            continue;
        }
        double s = c[i].score;
        total += s;
        box[0] += s * c[i].xmin, box[1] += s * c[i].ymin, box[2] += s * c[i].xmax, box[3] += s * c[i].ymax;
        for (int k = 0; k < POINTS; k++) x[k] += s * c[i].point[k].x, y[k] += s * c[i].point[k].y;
    }
    *out = (bl__detection){.score = best.score,
                           .xmin = (float)(box[0] / total),
                           .ymin = (float)(box[1] / total),
                           .xmax = (float)(box[2] / total),
                           .ymax = (float)(box[3] / total)};
    for (int k = 0; k < POINTS; k++) out->point[k] = (bl__point){x[k] / total, y[k] / total};
    return left;
}

int bl__detector_decode(const float *boxes, const float *logits, bl__detection out[BL__DETECTOR_MAX]) {
    bl__detection c[MAX_CANDIDATES];
    int n = candidates(boxes, logits, c), found = 0;
    qsort(c, (size_t)n, sizeof *c, by_score);
    while (n > 0 && found < BL__DETECTOR_MAX) n = merge_best(c, n, &out[found++]);
    return found;
}

/* ---- the whole picture ---- */

/* From the square picture, in which the frame lies centred, to the frame. */
static void undo_letterbox(bl__detection *d, int width, int height) {
    double side = BL_MAX(width, height), sx = side / width, sy = side / height;
    d->xmin = (float)((d->xmin - .5) * sx + .5);
    d->xmax = (float)((d->xmax - .5) * sx + .5);
    d->ymin = (float)((d->ymin - .5) * sy + .5);
    d->ymax = (float)((d->ymax - .5) * sy + .5);
    for (int k = 0; k < POINTS; k++) {
        d->point[k].x = (d->point[k].x - .5) * sx + .5;
        d->point[k].y = (d->point[k].y - .5) * sy + .5;
    }
}

int bl__detector_find(bl__detector *d, const bl_frame *frame, bl__detection out[BL__DETECTOR_MAX],
                      bl_err *err) {
    double side = BL_MAX(frame->width, frame->height);
    bl__crop_sample(bl__net_input(d->net), frame,
                    &(bl__crop){.cx = frame->width / 2.0,
                                .cy = frame->height / 2.0,
                                .w = side,
                                .h = side,
                                .size = INPUT_SIZE,
                                .lo = -1,
                                .hi = 1,
                                .zero_border = 1,
                                .threads = d->threads});
    int rc = bl__net_run(d->net, err);
    if (rc < 0) return rc;
    int n = bl__detector_decode(bl__net_output(d->net, 0), bl__net_output(d->net, 1), out);
    for (int k = 0; k < n; k++) undo_letterbox(&out[k], frame->width, frame->height);
    return n;
}

/* One body may give two detections with different faces: only the better one counts. */
static int seen_better(const bl_roi *roi, int k, int width, int height) {
    for (int j = 0; j < k; j++)
        if (bl__roi_overlap(&roi[j], &roi[k], width, height) > SAME_BODY_IOU) return 1;
    return 0;
}

bl_roi bl__detector_choose(const bl__detection *found, int n, const bl_roi *before, int width, int height) {
    bl_roi roi[BL__DETECTOR_MAX] = {0};
    int largest = 0, closest = -1;
    double most = FOLLOW_OVERLAP;
    for (int k = 0; k < n; k++) {
        roi[k] = bl__roi_from_points(found[k].point[0], found[k].point[1], BL__ROI_SCALE, width, height);
        if (seen_better(roi, k, width, height)) continue;
        if (roi[k].w > roi[largest].w) largest = k;
        double o = before ? bl__roi_overlap(before, &roi[k], width, height) : 0;
        if (o > most) most = o, closest = k;
    }
    return roi[closest >= 0 ? closest : largest];
}
