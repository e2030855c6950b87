/*
 * Variety: how much a subject's poses differ. A pose is twelve body joints around the mid-hip, in torso
 * lengths.
 *
 * Half of the figure is the mean distance of poses to their mean pose (0.5 torso lengths a joint, as in
 * lively dance, counts as full), half is how many distinct poses there are, counted by giving each pose that
 * is further than 0.35 torso lengths a joint from all earlier ones a place of its own (24 count as full).
 */
#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "verdict.h"

enum { JOINTS = 12, CLUSTERS_FULL = 24, SAMPLES = 2000 };
#define SPREAD_FULL 0.5
#define CLUSTER_RADIUS 0.35f

static const uint8_t joints[JOINTS] = {BL_LM_L_SHOULDER, BL_LM_R_SHOULDER, BL_LM_L_ELBOW, BL_LM_R_ELBOW,
                                       BL_LM_L_WRIST,    BL_LM_R_WRIST,    BL_LM_L_HIP,   BL_LM_R_HIP,
                                       BL_LM_L_KNEE,     BL_LM_R_KNEE,     BL_LM_L_ANKLE, BL_LM_R_ANKLE};

typedef struct pose {
    float x[JOINTS], y[JOINTS];
} pose;

static int pose_of(pose *out, const bl_person *p, float width, float height) {
    const bl_landmark *l = p->landmarks;
    float hx = (l[BL_LM_L_HIP].x + l[BL_LM_R_HIP].x) / 2 * width;
    float hy = (l[BL_LM_L_HIP].y + l[BL_LM_R_HIP].y) / 2 * height;
    float sx = (l[BL_LM_L_SHOULDER].x + l[BL_LM_R_SHOULDER].x) / 2 * width;
    float sy = (l[BL_LM_L_SHOULDER].y + l[BL_LM_R_SHOULDER].y) / 2 * height;
    float torso = hypotf(sx - hx, sy - hy);
    if (!(torso > 1)) return 0;
    for (int k = 0; k < JOINTS; k++) {
        out->x[k] = (l[joints[k]].x * width - hx) / torso;
        out->y[k] = (l[joints[k]].y * height - hy) / torso;
    }
    return 1;
}

static float distance(const pose *a, const pose *b) {
    float sum = 0;
    for (int k = 0; k < JOINTS; k++) sum += hypotf(a->x[k] - b->x[k], a->y[k] - b->y[k]);
    return sum / JOINTS;
}

static double spread_of(const pose *poses, int n) {
    pose mean = {0};
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < JOINTS; k++)
            mean.x[k] += poses[i].x[k] / (float)n, mean.y[k] += poses[i].y[k] / (float)n;
    for (int i = 0; i < n; i++) sum += distance(&poses[i], &mean);
    return sum / n;
}

static int clusters_of(const pose *poses, int n) {
    int leaders[CLUSTERS_FULL], count = 0;
    for (int i = 0; i < n && count < CLUSTERS_FULL; i++) {
        int is_new = 1;
        for (int c = 0; c < count && is_new; c++)
            is_new = distance(&poses[i], &poses[leaders[c]]) > CLUSTER_RADIUS;
        if (is_new) leaders[count++] = i;
    }
    return count;
}

int bl__variety(double *out, const bl_track *t, const bl__body *bodies, int64_t usable, bl_err *err) {
    *out = 0;
    if (usable < 1) return 0;
    pose *poses = bl_alloc_array(SAMPLES, sizeof *poses);
    if (!poses) return bl_fail(err, BL_E_NOMEM, "not enough memory to compare poses");
    int64_t step = (usable + SAMPLES - 1) / SAMPLES, seen = 0;
    int n = 0;
    for (int64_t k = 0; k < t->n && n < SAMPLES; k++)
        if (bodies[k].usable && seen++ % step == 0)
            n += pose_of(&poses[n], &t->frames[k].person, (float)t->width, (float)t->height);
    if (n > 1)
        *out = 0.5 * BL_MIN(1, spread_of(poses, n) / SPREAD_FULL) +
               0.5 * (clusters_of(poses, n) - 1) / (CLUSTERS_FULL - 1);
    bl_free(poses);
    return 0;
}
