/* A made-up clip for tests of the transfer room: a textured wall, and a person of coloured limbs that walks
 * from side to side and swings its arms. Everything is a function of the frame's number. */
#ifndef BALLERINO_TEST_SCENE_H
#define BALLERINO_TEST_SCENE_H

#include <math.h>

#include "ballerino/media.h"
#include "ballerino/track.h"
#include "support.h"

typedef struct scene {
    int w, h;
    double fps;
    int caption; /* a changing bright bar at the top */
    int parts;   /* the track has hands and a face */
} scene;

static inline uint8_t scene_wall(int x, int y, int c) {
    double v = 128 + 50 * sin(x * 0.11 + c) * cos(y * 0.07 - c) + 30 * (((x / 6 + y / 6) & 1) ? 1 : -1);
    return (uint8_t)BL_CLAMP(v, 0, 255);
}

static inline void scene_joint(const scene *s, bl_person *p, int k, double x, double y) {
    (void)s;
    p->landmarks[k] = (bl_landmark){(float)x, (float)y, 0, 1};
    p->world[k] = (bl_landmark){(float)(x * 2), (float)(y * 2), 0, 1};
}

/* A mesh and hands of the right size about nose and wrists. */
static inline void scene_parts(const scene *s, bl_person *p) {
    const float ratio = (float)s->h / (float)s->w;
    const bl_landmark *nose = &p->landmarks[BL_LM_NOSE];
    p->face.score = p->left_hand.score = p->right_hand.score = 1;
    for (int k = 0; k < BL_FACE_POINTS; k++) {
        const float turn = (float)k * 2.4f, r = 0.03f * (float)k / BL_FACE_POINTS;
        p->face.points[k] = (bl_point3){nose->x + ratio * r * cosf(turn), nose->y + r * sinf(turn), 0};
    }
    for (int side = 0; side < 2; side++) {
        const bl_landmark *wrist = &p->landmarks[BL_LM_L_WRIST + side];
        bl_hand *hand = side ? &p->right_hand : &p->left_hand;
        for (int k = 0; k < BL_HAND_POINTS; k++)
            hand->points[k] = (bl_point3){wrist->x + ratio * 0.002f * (float)(k % 4),
                                          wrist->y + 0.002f * (float)(k / 4), 0};
    }
}

/* Person of about half the frame's height; x runs over the middle part of the frame. */
static inline void scene_person(const scene *s, int64_t i, bl_track_frame *f) {
    *f = (bl_track_frame){.i = i, .t_ms = (double)i * 1000 / s->fps, .has_person = 1};
    bl_person *p = &f->person;
    const double ratio = (double)s->h / s->w; /* so that widths are in frame heights */
    const double cx = 0.5 + 0.22 * sin((double)i * 0.12), swing = 0.8 * sin((double)i * 0.35), top = 0.3;
    p->score = 1;
    p->roi = (bl_roi){(float)cx, 0.55f, 0.6f, 0.6f, 0};
#define AT(k, dx, dy) scene_joint(s, p, k, cx + (dx)*ratio, top + (dy))
    for (int k = 0; k <= BL_LM_MOUTH_R; k++) AT(k, (k % 3 - 1) * 0.012, 0.05 + 0.002 * k);
    for (int side = 0; side < 2; side++) {
        double m = side ? -1 : 1, a = swing * m, foot = 0.05 * sin((double)i * 0.35 + 2) * m;
        AT(BL_LM_L_SHOULDER + side, 0.06 * m, 0.12);
        AT(BL_LM_L_ELBOW + side, (0.06 + 0.08 * cos(a)) * m, 0.12 + 0.08 * sin(a) + 0.03);
        AT(BL_LM_L_WRIST + side, (0.06 + 0.15 * cos(a)) * m, 0.12 + 0.15 * sin(a) + 0.04);
        for (int k = BL_LM_L_PINKY; k <= BL_LM_L_THUMB; k += 2)
            AT(k + side, (0.06 + 0.17 * cos(a)) * m, 0.12 + 0.17 * sin(a) + 0.04);
        AT(BL_LM_L_HIP + side, 0.035 * m, 0.27);
        AT(BL_LM_L_KNEE + side, 0.04 * m + foot / 2, 0.38);
        AT(BL_LM_L_ANKLE + side, 0.04 * m + foot, 0.49);
        AT(BL_LM_L_HEEL + side, 0.04 * m + foot, 0.50);
        AT(BL_LM_L_FOOT + side, 0.055 * m + foot, 0.505);
    }
#undef AT
    if (s->parts) scene_parts(s, p);
}

typedef struct scene_limb {
    int a, b;
    double r; /* of the frame's height */
    uint8_t rgb[3];
} scene_limb;
static const scene_limb scene_limbs[] = {
    {BL_LM_L_SHOULDER, BL_LM_R_HIP, 0.035, {200, 30, 40}},
    {BL_LM_R_SHOULDER, BL_LM_L_HIP, 0.035, {200, 30, 40}},
    {BL_LM_L_SHOULDER, BL_LM_L_ELBOW, 0.012, {230, 180, 150}},
    {BL_LM_L_ELBOW, BL_LM_L_WRIST, 0.012, {230, 180, 150}},
    {BL_LM_R_SHOULDER, BL_LM_R_ELBOW, 0.012, {230, 180, 150}},
    {BL_LM_R_ELBOW, BL_LM_R_WRIST, 0.012, {230, 180, 150}},
    {BL_LM_L_HIP, BL_LM_L_KNEE, 0.018, {20, 30, 120}},
    {BL_LM_L_KNEE, BL_LM_L_ANKLE, 0.015, {20, 30, 120}},
    {BL_LM_R_HIP, BL_LM_R_KNEE, 0.018, {20, 30, 120}},
    {BL_LM_R_KNEE, BL_LM_R_ANKLE, 0.015, {20, 30, 120}},
    {BL_LM_L_HEEL, BL_LM_L_FOOT, 0.01, {10, 10, 10}},
    {BL_LM_R_HEEL, BL_LM_R_FOOT, 0.01, {10, 10, 10}},
    {BL_LM_NOSE, BL_LM_L_EYE, 0.035, {235, 190, 160}},
};

/* Draws the frame and, where asked for, the person's exact mask (0 or 255). */
static inline void scene_draw(const scene *s, int64_t i, bl_frame *f, uint8_t *mask) {
    bl_track_frame p;
    scene_person(s, i, &p);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++)
            for (int c = 0; c < 3; c++) f->data[y * f->stride + x * 3 + c] = scene_wall(x, y, c);
    for (int y = 2; s->caption && y < 12; y++)
        for (int x = 20; x < s->w - 20; x++)
            if ((x / 5 + i / 7) % 3 == 0) memset(f->data + y * f->stride + x * 3, 255, 3);
    if (mask) memset(mask, 0, (size_t)s->w * (size_t)s->h);
    for (size_t k = 0; k < BL_COUNT(scene_limbs); k++) {
        const scene_limb *l = &scene_limbs[k];
        const bl_landmark *a = &p.person.landmarks[l->a], *b = &p.person.landmarks[l->b];
        const double ax = (double)a->x * s->w, ay = (double)a->y * s->h, bx = (double)b->x * s->w - ax,
                     by = (double)b->y * s->h - ay, r = l->r * s->h;
        const int x0 = BL_MAX(0, (int)(fmin(ax, ax + bx) - r)),
                  x1 = BL_MIN(s->w - 1, (int)(fmax(ax, ax + bx) + r) + 1),
                  y0 = BL_MAX(0, (int)(fmin(ay, ay + by) - r)),
                  y1 = BL_MIN(s->h - 1, (int)(fmax(ay, ay + by) + r) + 1);
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) {
                double px = x + 0.5 - ax, py = y + 0.5 - ay,
                       t = (px * bx + py * by) / (bx * bx + by * by + 1e-9);
                t = BL_CLAMP(t, 0, 1);
                if (hypot(px - t * bx, py - t * by) > r) continue;
                memcpy(f->data + y * f->stride + x * 3, l->rgb, 3);
                if (mask) mask[(size_t)y * (size_t)s->w + (size_t)x] = 255;
            }
    }
    f->index = i;
}

static inline bl_track *scene_track(const scene *s, int64_t n) {
    bl_track *t = NULL;
    bl_err err = {0};
    bl_track_frame f;
    if (bl_track_create(&t, "scene", s->w, s->h, s->fps, &err) < 0) fail_msg("%s", err.msg);
    for (int64_t i = 0; i < n; i++) {
        scene_person(s, i, &f);
        if (bl_track_append(t, &f, &err) < 0) fail_msg("%s", err.msg);
    }
    return t;
}

#endif
