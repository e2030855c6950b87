#include "detector.h"

#include "ballerino/base.h"
#include "crop.h"
#include "tflite_net.h"

enum { INPUT_SIZE = 224, POINTS = 4 };
#define SAME_BODY_IOU 0.5   /* circles that overlap more are one person */
#define FOLLOW_OVERLAP 0.05 /* less is not the person of the frame before */

static const bl__ssd ssd = {
    .size = INPUT_SIZE, .points = POINTS, .n_layers = 3, .layer = {{28, 2}, {14, 2}, {7, 6}}};

struct bl__detector {
    bl__net *net;
    int threads;
};

int bl__detector_open(bl__detector **out, const char *models_dir, bl_device *device, int threads,
                      int reference, bl_err *err) {
    static const char name[] = "pose_detection.tflite";
    bl__detector *d = bl_alloc(sizeof *d);
    if (!d) return bl_fail(err, BL_E_NOMEM, "not enough memory for the person detector");
    d->threads = threads;
    int rc = bl__net_load(
        &d->net, name, models_dir,
        &(bl__net_options){.outputs = 3, .threads = threads, .device = device, .reference = reference}, err);
    if (rc == 0 && (bl__net_input_count(d->net) != INPUT_SIZE * INPUT_SIZE * 3 ||
                    bl__net_output_count(d->net, 0) != bl__ssd_anchors(&ssd) * (4 + 2 * POINTS) ||
                    bl__net_output_count(d->net, 1) != bl__ssd_anchors(&ssd)))
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

int bl__detector_find(bl__detector *d, const bl_frame *frame, bl__detection out[BL__SSD_MAX_FOUND],
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
    int n = bl__ssd_decode(&ssd, bl__net_output(d->net, 0), bl__net_output(d->net, 1), out);
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
    bl_roi roi[BL__SSD_MAX_FOUND] = {0};
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
