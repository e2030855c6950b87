#include "body.h"

#include <math.h>

#include "ballerino/base.h"

/* The joints that a size or an extent is taken from; hands and face follow them. */
static const uint8_t core[] = {BL_LM_NOSE,    BL_LM_L_SHOULDER, BL_LM_R_SHOULDER, BL_LM_L_ELBOW,
                               BL_LM_R_ELBOW, BL_LM_L_WRIST,    BL_LM_R_WRIST,    BL_LM_L_HIP,
                               BL_LM_R_HIP,   BL_LM_L_KNEE,     BL_LM_R_KNEE,     BL_LM_L_ANKLE,
                               BL_LM_R_ANKLE};

int bl__joint_seen(const bl_landmark *l) {
    return l->visibility >= BL__SEEN_VISIBILITY && l->x >= -BL__SEEN_MARGIN && l->x <= 1 + BL__SEEN_MARGIN &&
           l->y >= -BL__SEEN_MARGIN && l->y <= 1 + BL__SEEN_MARGIN;
}

static int seen_pair(const bl_person *p, int left) {
    return bl__joint_seen(&p->landmarks[left]) + bl__joint_seen(&p->landmarks[left + 1]);
}

int bl_motion_person_usable(const bl_person *p) {
    int shoulders = seen_pair(p, BL_LM_L_SHOULDER), hips = seen_pair(p, BL_LM_L_HIP);
    int legs = seen_pair(p, BL_LM_L_KNEE) + seen_pair(p, BL_LM_L_ANKLE);
    float top = 2, bottom = -1;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        const bl_landmark *l = &p->landmarks[k];
        if (!isfinite(l->x) || !isfinite(l->y) || !isfinite(l->z) || !isfinite(l->visibility)) return 0;
        if (!bl__joint_seen(l)) continue;
        top = BL_MIN(top, l->y), bottom = BL_MAX(bottom, l->y);
    }
    return shoulders > 0 && hips > 0 && legs > 0 && shoulders + hips + legs >= 5 && bottom - top > 0.04f;
}

typedef struct point {
    float x, y;
    int good;
} point;

static point point_of(const bl_person *p, int k, int width, int height) {
    const bl_landmark *l = &p->landmarks[k];
    return (point){l->x * (float)width, l->y * (float)height, l->visibility >= BL__SEEN_VISIBILITY};
}

/* The middle of a left-right pair, or the one that is good. */
static point middle(point a, point b) {
    if (a.good != b.good) return a.good ? a : b;
    return (point){(a.x + b.x) / 2, (a.y + b.y) / 2, a.good};
}

static float distance(point a, point b) {
    return hypotf(a.x - b.x, a.y - b.y);
}

/* A leg's length and ankle. A hidden ankle is believed where it lies beyond the picture's edge at a shin's
 * length from the knee (BlazePose extends a leg that the edge cuts off); else the shin hangs from the knee.
 */
typedef struct leg {
    float length, ankle_y;
    int measured, known;
} leg;

static leg measure_leg(const bl_person *p, int side, int width, int height, float shin_hint) {
    point hip = point_of(p, BL_LM_L_HIP + side, width, height);
    point knee = point_of(p, BL_LM_L_KNEE + side, width, height);
    point ankle = point_of(p, BL_LM_L_ANKLE + side, width, height);
    float thigh = distance(hip, knee), shin = distance(knee, ankle);
    int outside = ankle.y > (float)height && knee.good && shin > 0.5f * thigh && shin < 1.6f * thigh;
    leg l = {.length = thigh + shin, .ankle_y = ankle.y, .measured = ankle.good || outside, .known = 1};
    if (l.measured) {
        if (!knee.good) l.length = distance(hip, ankle);
        return l;
    }
    if (!knee.good) return (leg){0};
    shin = shin_hint > 0 ? shin_hint : thigh;
    return (leg){.length = thigh + shin, .ankle_y = knee.y + shin, .measured = 0, .known = 1};
}

static float shin_length(const bl_person *p, int side, int width, int height) {
    point knee = point_of(p, BL_LM_L_KNEE + side, width, height);
    point ankle = point_of(p, BL_LM_L_ANKLE + side, width, height);
    return knee.good && ankle.good ? distance(knee, ankle) : 0;
}

static void measure_feet(bl__body *b, const bl_person *p, int width, int height, float torso) {
    leg l = measure_leg(p, 0, width, height, shin_length(p, 1, width, height));
    leg r = measure_leg(p, 1, width, height, shin_length(p, 0, width, height));
    b->feet_measured = l.measured || r.measured;
    if (!l.known && !r.known) {
        b->toe = b->hip_y + 1.6f * torso; /* usual proportions; the caller may know better */
        b->height = 1.6f * torso;
        return;
    }
    b->height = BL_MAX(l.length, r.length);
    b->toe = l.known && r.known ? BL_MAX(l.ankle_y, r.ankle_y) : l.known ? l.ankle_y : r.ankle_y;
}

static void measure_extent(bl__body *b, const bl_person *p, int width, int height) {
    b->left = b->top = INFINITY;
    b->right = b->bottom = -INFINITY;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        if (!bl__joint_seen(&p->landmarks[k])) continue;
        point q = point_of(p, k, width, height);
        b->left = BL_MIN(b->left, q.x), b->right = BL_MAX(b->right, q.x);
        b->top = BL_MIN(b->top, q.y), b->bottom = BL_MAX(b->bottom, q.y);
    }
}

void bl__body_measure(bl__body *out, const bl_person *p, int width, int height) {
    *out = (bl__body){.usable = bl_motion_person_usable(p)};
    if (!out->usable) return;
    point shoulders =
        middle(point_of(p, BL_LM_L_SHOULDER, width, height), point_of(p, BL_LM_R_SHOULDER, width, height));
    point hips = middle(point_of(p, BL_LM_L_HIP, width, height), point_of(p, BL_LM_R_HIP, width, height));
    point nose = point_of(p, BL_LM_NOSE, width, height);
    float torso = distance(shoulders, hips);
    out->hip_x = hips.x, out->hip_y = hips.y;
    measure_feet(out, p, width, height, torso);
    out->height += torso + (nose.good ? distance(nose, shoulders) : 0.45f * torso);
    measure_extent(out, p, width, height);
    if (shoulders.y <= hips.y) return;
    for (size_t k = 0; k < BL_COUNT(core); k++) { /* upside down: hands or head stand on the floor */
        point q = point_of(p, core[k], width, height);
        if (bl__joint_seen(&p->landmarks[core[k]])) out->toe = BL_MAX(out->toe, q.y);
    }
}

int bl__bodies(bl__body **out, int64_t *usable, const bl_track *t, bl_err *err) {
    bl__body *b = bl_alloc_array((size_t)BL_MAX(t->n, 1), sizeof *b);
    if (!b) return bl_fail(err, BL_E_NOMEM, "not enough memory to measure %lld frames", (long long)t->n);
    *usable = 0;
    for (int64_t k = 0; k < t->n; k++) {
        if (t->frames[k].has_person) bl__body_measure(&b[k], &t->frames[k].person, t->width, t->height);
        *usable += b[k].usable;
    }
    *out = b;
    return 0;
}
