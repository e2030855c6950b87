/* How a picture moves with the limbs in it. */
#include <math.h>

#include "ballerino/base.h"
#include "ballerino/motion.h"

#define SEEN 0.2f
#define THIN (1.f / 24) /* half width of arms, in body heights */
#define THICK (1.f / 16)
#define REACH 4.f /* half widths from a limb beyond which it has no say */
#define SKULL 0.75f
#define LEAST_LENGTH 2.f /* pixels; a shorter limb has no direction and only moves */
#define LEAST_RADIUS 1.5f

typedef struct limb {
    float ax, ay, bx, by; /* in the present frame */
    float ux, uy, length; /* its direction and length there */
    float px, py, vx, vy; /* the same end a before, and the direction there */
    float stretch;        /* length before / length now */
    float radius;
} limb;

enum { NECK = BL_LANDMARKS, MID_HIP, CROWN, POINTS };
static const struct {
    int a, b;
    float radius;
} bones[] = {
    {BL_LM_L_SHOULDER, BL_LM_L_ELBOW, THIN},
    {BL_LM_L_ELBOW, BL_LM_L_WRIST, THIN},
    {BL_LM_L_WRIST, BL_LM_L_INDEX, THIN},
    {BL_LM_R_SHOULDER, BL_LM_R_ELBOW, THIN},
    {BL_LM_R_ELBOW, BL_LM_R_WRIST, THIN},
    {BL_LM_R_WRIST, BL_LM_R_INDEX, THIN},
    {BL_LM_L_HIP, BL_LM_L_KNEE, THICK},
    {BL_LM_L_KNEE, BL_LM_L_ANKLE, THICK},
    {BL_LM_L_HEEL, BL_LM_L_FOOT, THIN},
    {BL_LM_R_HIP, BL_LM_R_KNEE, THICK},
    {BL_LM_R_KNEE, BL_LM_R_ANKLE, THICK},
    {BL_LM_R_HEEL, BL_LM_R_FOOT, THIN},
    {BL_LM_L_SHOULDER, BL_LM_L_HIP, THICK},
    {BL_LM_R_SHOULDER, BL_LM_R_HIP, THICK},
    {NECK, MID_HIP, THICK},
    {NECK, CROWN, THICK},
};

typedef struct points {
    float x[POINTS], y[POINTS];
    int seen[POINTS];
} points;

static void between(points *p, int to, int a, int b) {
    p->x[to] = 0.5f * (p->x[a] + p->x[b]);
    p->y[to] = 0.5f * (p->y[a] + p->y[b]);
    p->seen[to] = p->seen[a] && p->seen[b];
}

static points points_of(const bl_person *person, float w, float h) {
    points p;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        p.x[k] = person->landmarks[k].x * w;
        p.y[k] = person->landmarks[k].y * h;
        p.seen[k] = person->landmarks[k].visibility >= SEEN && fabsf(p.x[k]) < 1e6f && fabsf(p.y[k]) < 1e6f;
    }
    between(&p, NECK, BL_LM_L_SHOULDER, BL_LM_R_SHOULDER);
    between(&p, MID_HIP, BL_LM_L_HIP, BL_LM_R_HIP);
    p.x[CROWN] = p.x[BL_LM_NOSE] + SKULL * (p.x[BL_LM_NOSE] - p.x[NECK]);
    p.y[CROWN] = p.y[BL_LM_NOSE] + SKULL * (p.y[BL_LM_NOSE] - p.y[NECK]);
    p.seen[CROWN] = p.seen[BL_LM_NOSE] && p.seen[NECK];
    return p;
}

/* Along the bones, so that it does not change with the pose: the torso is about three tenths of a body. */
static float body_height(const points *p) {
    return hypotf(p->x[NECK] - p->x[MID_HIP], p->y[NECK] - p->y[MID_HIP]) / 0.3f;
}

static int limbs_of(limb *out, const points *now, const points *before) {
    const float height = body_height(now);
    int n = 0;
    for (size_t k = 0; k < BL_COUNT(bones); k++) {
        const int a = bones[k].a, b = bones[k].b;
        if (!now->seen[a] || !now->seen[b] || !before->seen[a] || !before->seen[b]) continue;
        limb *l = &out[n++];
        *l = (limb){.ax = now->x[a], .ay = now->y[a], .bx = now->x[b], .by = now->y[b]};
        l->px = before->x[a];
        l->py = before->y[a];
        l->radius = fmaxf(LEAST_RADIUS, bones[k].radius * height);
        const float dx = l->bx - l->ax, dy = l->by - l->ay, ex = before->x[b] - l->px,
                    ey = before->y[b] - l->py;
        const float length = hypotf(dx, dy), length_before = hypotf(ex, ey);
        l->ux = l->vx = 1;
        l->uy = l->vy = 0;
        l->stretch = 1;
        l->length = length;
        if (length < LEAST_LENGTH || length_before < LEAST_LENGTH) continue;
        l->ux = dx / length;
        l->uy = dy / length;
        l->vx = ex / length_before;
        l->vy = ey / length_before;
        l->stretch = length_before / length;
    }
    return n;
}

/* Adds the limb's say at (x, y): weight, and weight times where the point was before. */
static void add(const limb *l, float x, float y, float sum[3]) {
    const float rx = x - l->ax, ry = y - l->ay;
    const float along = rx * l->ux + ry * l->uy, across = ry * l->ux - rx * l->uy;
    const float inside = BL_CLAMP(along, 0, l->length), over = along - inside;
    const float d2 = (over * over + across * across) / (l->radius * l->radius);
    if (d2 > REACH * REACH) return;
    const float weight = expf(-0.5f * d2), at = inside * l->stretch + over;
    sum[0] += weight;
    sum[1] += weight * (l->px + at * l->vx - across * l->vy);
    sum[2] += weight * (l->py + at * l->vy + across * l->vx);
}

void bl_motion_field(float *field, const bl_motion_nodes *at, const bl_person *now, const bl_person *before,
                     float picture_w, float picture_h) {
    limb limbs[BL_COUNT(bones)];
    const points a = points_of(now, picture_w, picture_h), b = points_of(before, picture_w, picture_h);
    const int n = limbs_of(limbs, &a, &b);
    const float rest = expf(-2);
    for (int j = 0; j < at->h; j++)
        for (int i = 0; i < at->w; i++) {
            const float x = (float)(at->x + i * at->step) + 0.5f, y = (float)(at->y + j * at->step) + 0.5f;
            float sum[3] = {rest, rest * x, rest * y};
            for (int k = 0; k < n; k++) add(&limbs[k], x, y, sum);
            *field++ = sum[1] / sum[0] - x;
            *field++ = sum[2] / sum[0] - y;
        }
}
