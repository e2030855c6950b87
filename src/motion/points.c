#include "points.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "body.h"

bl__points bl__points_of(bl_person *p, bl_region part) {
    switch (part) {
    case BL_REGION_LEFT_HAND:
        return (bl__points){&p->left_hand.score, p->left_hand.points, BL_HAND_POINTS, BL_LM_L_WRIST};
    case BL_REGION_RIGHT_HAND:
        return (bl__points){&p->right_hand.score, p->right_hand.points, BL_HAND_POINTS, BL_LM_R_WRIST};
    default: return (bl__points){&p->face.score, p->face.points, BL_FACE_POINTS, BL_LM_NOSE};
    }
}

bl__points bl__points_look(const bl_person *p, bl_region part) {
    return bl__points_of((bl_person *)(uintptr_t)p, part);
}

/* ---- strays ---- */
/* Distances between a part's own root and the body's landmark for it, in body heights (nose to ankle along
 * the bones). On a filmed dance with the published models 85 of 87 hands lie within 0.051 and the two wrong
 * ones at 0.127 and 0.143; all 70 faces within 0.028. A hand is 0.12 long, a head 0.15 tall. */
#define HAND_STRAY 0.09f
#define FACE_STRAY 0.08f
#define HAND_ROOT 0 /* the hand's wrist */
#define FACE_ROOT 1 /* the tip of the mesh's nose */

static int finite_points(const bl__points *c) {
    float sum = *c->score; /* stays finite where all are: coordinates are small numbers */
    for (int k = 0; k < c->n; k++) sum += c->at[k].x + c->at[k].y + c->at[k].z;
    return isfinite(sum) != 0;
}

static int is_stray(const bl_person *p, const bl__points *c, bl_region part, const bl_track *t,
                    float body_height) {
    if (!finite_points(c)) return 1;
    const bl_landmark *l = &p->landmarks[c->anchor];
    if (!(l->visibility > 0) || !(body_height > 0)) return 0; /* nothing to compare with */
    const bl_point3 *root = &c->at[part == BL_REGION_FACE ? FACE_ROOT : HAND_ROOT];
    float far = hypotf((root->x - l->x) * (float)t->width, (root->y - l->y) * (float)t->height);
    return far > (part == BL_REGION_FACE ? FACE_STRAY : HAND_STRAY) * body_height;
}

int64_t bl_motion_drop_strays(bl_track *t) {
    int64_t dropped = 0;
    for (int64_t k = 0; k < t->n; k++) {
        bl_person *p = &t->frames[k].person;
        if (!t->frames[k].has_person) continue;
        if (p->left_hand.score == 0 && p->right_hand.score == 0 && p->face.score == 0) continue;
        bl__body body;
        bl__body_measure(&body, p, t->width, t->height);
        for (int part = 0; part < BL_REGIONS; part++) {
            bl__points c = bl__points_of(p, (bl_region)part);
            if (*c.score == 0 || !is_stray(p, &c, (bl_region)part, t, body.height)) continue;
            *c.score = 0;
            memset(c.at, 0, (size_t)c.n * sizeof *c.at);
            dropped++;
        }
    }
    return dropped;
}

/* ---- gaps ---- */
static void fill_one(bl_track *t, bl_region part, int64_t a, int64_t b, int64_t k) {
    const bl_person *pa = &t->frames[a].person, *pb = &t->frames[b].person;
    bl_person *p = &t->frames[k].person;
    bl__points ca = bl__points_look(pa, part), cb = bl__points_look(pb, part), c = bl__points_of(p, part);
    const bl_landmark *la = &pa->landmarks[c.anchor], *lb = &pb->landmarks[c.anchor],
                      *l = &p->landmarks[c.anchor];
    float u = bl__part_of_gap(t, a, b, k), dx = 0, dy = 0;
    if (la->visibility > 0 && lb->visibility > 0 && l->visibility > 0) { /* the body's own way, if curved */
        dx = l->x - (la->x + u * (lb->x - la->x));
        dy = l->y - (la->y + u * (lb->y - la->y));
    }
    for (int i = 0; i < c.n; i++) {
        c.at[i].x = ca.at[i].x + u * (cb.at[i].x - ca.at[i].x) + dx;
        c.at[i].y = ca.at[i].y + u * (cb.at[i].y - ca.at[i].y) + dy;
        c.at[i].z = ca.at[i].z + u * (cb.at[i].z - ca.at[i].z);
    }
    *c.score = BL_MIN(*ca.score, *cb.score);
}

void bl__points_fill(bl_track *t, bl_region part, int max_gap) {
    int64_t last = -1;
    for (int64_t k = 0; k < t->n; k++) {
        if (!t->frames[k].has_person) {
            last = -1;
            continue;
        }
        if (!(*bl__points_look(&t->frames[k].person, part).score > 0)) continue;
        if (last >= 0 && k - last - 1 <= max_gap)
            for (int64_t j = last + 1; j < k; j++) fill_one(t, part, last, k, j);
        last = k;
    }
}

/* ---- smoothing ---- */
void bl__points_blend(bl__points out, const bl_person *const people[], bl_region part, const double *c,
                      int count) {
    float sum[3 * BL_FACE_POINTS] = {0};
    const int n = 3 * out.n;
    for (int j = 0; j < count; j++) {
        const float weight = (float)c[j],
                    *v = (const float *)(const void *)bl__points_look(people[j], part).at;
        for (int i = 0; i < n; i++) sum[i] += weight * v[i];
    }
    memcpy(out.at, sum, (size_t)n * sizeof *sum);
}
