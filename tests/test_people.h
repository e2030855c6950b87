/* People made of numbers: a standing skeleton that tests can move, scale and hide parts of. */
#ifndef BALLERINO_TEST_PEOPLE_H
#define BALLERINO_TEST_PEOPLE_H

#include <math.h>
#include <string.h>

#include "ballerino/track.h"

/* Landmark positions of a standing person facing the camera, in parts of the body's height: x from the middle
 * (his left is our right), y up from the floor. */
static const float people_standing[BL_LANDMARKS][2] = {
    {0.00f, 0.930f},  {0.015f, 0.945f}, {0.020f, 0.945f},  {0.025f, 0.945f}, {-0.015f, 0.945f},
    {-0.02f, 0.945f}, {-0.025f, .945f}, {0.040f, 0.940f},  {-0.04f, 0.940f}, {0.012f, 0.905f},
    {-.012f, 0.905f}, {0.110f, 0.820f}, {-0.110f, 0.820f}, {0.150f, 0.650f}, {-0.15f, 0.650f},
    {0.170f, 0.500f}, {-.170f, 0.500f}, {0.172f, 0.440f},  {-.172f, 0.440f}, {0.168f, 0.430f},
    {-.168f, 0.430f}, {0.160f, 0.460f}, {-.160f, 0.460f},  {0.060f, 0.520f}, {-.060f, 0.520f},
    {0.065f, 0.280f}, {-.065f, 0.280f}, {0.070f, 0.040f},  {-.070f, 0.040f}, {0.070f, 0.010f},
    {-.070f, 0.010f}, {0.085f, 0.000f}, {-.085f, 0.000f},
};

/* A person `height` pixels tall whose floor point is (x, floor) in a picture of w x h pixels. */
static inline bl_person person_standing(float x, float floor, float height, int w, int h) {
    bl_person p;
    memset(&p, 0, sizeof p);
    p.score = 1;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        p.landmarks[k].x = (x + people_standing[k][0] * height) / (float)w;
        p.landmarks[k].y = (floor - people_standing[k][1] * height) / (float)h;
        p.landmarks[k].visibility = p.world[k].visibility = 1;
        p.world[k].x = people_standing[k][0] * 1.7f;
        p.world[k].y = (0.52f - people_standing[k][1]) * 1.7f;
    }
    return p;
}

/* Hand points in parts of the palm's length, from the wrist, fingers up, thumb to the left of the picture (a
 * right hand seen from its back). */
static const float people_hand[BL_HAND_POINTS][2] = {
    {0.00f, 0.00f}, {-.30f, 0.25f}, {-.55f, 0.50f}, {-.75f, 0.70f}, {-.90f, 0.90f}, {-.30f, 0.95f},
    {-.36f, 1.35f}, {-.40f, 1.60f}, {-.43f, 1.80f}, {0.00f, 1.00f}, {0.00f, 1.45f}, {0.00f, 1.75f},
    {0.00f, 2.00f}, {0.25f, 0.93f}, {0.30f, 1.35f}, {0.33f, 1.62f}, {0.35f, 1.85f}, {0.48f, 0.80f},
    {0.58f, 1.10f}, {0.65f, 1.30f}, {0.70f, 1.47f},
};

/* A hand whose wrist is at pixel (x, y) and whose palm is `palm` pixels long; `mirror` -1 or 1. */
static inline bl_hand person_hand(float x, float y, float palm, float mirror, int w, int h) {
    bl_hand hand = {.score = 1};
    for (int k = 0; k < BL_HAND_POINTS; k++) {
        hand.points[k].x = (x + mirror * people_hand[k][0] * palm) / (float)w;
        hand.points[k].y = (y - people_hand[k][1] * palm) / (float)h;
    }
    return hand;
}

/* Lines of MediaPipe's face mesh, each on an arc of an ellipse of our own: middle and half-axes in parts of
 * the face's height, from the face's middle, y down; degrees clockwise on screen from the right. The person's
 * right is the picture's left. */
typedef struct people_arc {
    int n;
    int points[21];
    float x, y, a, b, from, to;
} people_arc;

static const people_arc people_face[] = {
    {21,
     {234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454},
     0,
     0,
     0.4f,
     0.5f,
     180,
     0},                                                                 /* jaw */
    {5, {70, 63, 105, 66, 107}, -0.17f, -0.16f, 0.11f, 0.04f, 180, 360}, /* right brow */
    {5, {46, 53, 52, 65, 55}, -0.17f, -0.12f, 0.11f, 0.04f, 180, 360},
    {5, {300, 293, 334, 296, 336}, 0.17f, -0.16f, 0.11f, 0.04f, 360, 180}, /* left brow */
    {5, {276, 283, 282, 295, 285}, 0.17f, -0.12f, 0.11f, 0.04f, 360, 180},
    {9, {33, 246, 161, 160, 159, 158, 157, 173, 133}, -0.17f, -0.05f, 0.08f, 0.035f, 180, 360}, /* eyes */
    {9, {33, 7, 163, 144, 145, 153, 154, 155, 133}, -0.17f, -0.05f, 0.08f, 0.035f, 180, 0},
    {9, {362, 398, 384, 385, 386, 387, 388, 466, 263}, 0.17f, -0.05f, 0.08f, 0.035f, 180, 360},
    {9, {362, 382, 381, 380, 374, 373, 390, 249, 263}, 0.17f, -0.05f, 0.08f, 0.035f, 180, 0},
    {7, {168, 6, 197, 195, 5, 4, 1}, 0, 0.03f, 0.001f, 0.1f, 270, 90}, /* nose */
    {7, {64, 98, 97, 2, 326, 327, 294}, 0, 0.14f, 0.09f, 0.03f, 180, 0},
    {11, {61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291}, 0, 0.28f, 0.15f, 0.07f, 180, 360}, /* lips */
    {11, {61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291}, 0, 0.28f, 0.15f, 0.07f, 180, 0},
    {11, {78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308}, 0, 0.28f, 0.1f, 0.03f, 180, 360},
    {11, {78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308}, 0, 0.28f, 0.1f, 0.03f, 180, 0},
    {1, {10}, 0, -0.5f, 0, 0, 0, 0}, /* hair line */
};
#define PEOPLE_ARCS ((int)(sizeof people_face / sizeof people_face[0]))

/* A face with its middle at pixel (x, y), `height` pixels from hair line to chin. */
static inline bl_face person_face(float x, float y, float height, int w, int h) {
    bl_face face = {.score = 1};
    for (int k = 0; k < PEOPLE_ARCS; k++) {
        const people_arc *arc = &people_face[k];
        for (int i = 0; i < arc->n; i++) {
            float part = arc->n > 1 ? (float)i / (float)(arc->n - 1) : 0;
            float angle = (arc->from + (arc->to - arc->from) * part) * 0.01745329f;
            bl_point3 *p = &face.points[arc->points[i]];
            p->x = (x + (arc->x + arc->a * cosf(angle)) * height) / (float)w;
            p->y = (y + (arc->y + arc->b * sinf(angle)) * height) / (float)h;
        }
    }
    return face;
}

/* person_standing with both hands at the wrists and a face on the head. */
static inline bl_person person_whole(float x, float floor, float height, int w, int h) {
    bl_person p = person_standing(x, floor, height, w, h);
    const bl_landmark *l = &p.landmarks[BL_LM_L_WRIST], *r = &p.landmarks[BL_LM_R_WRIST];
    p.left_hand = person_hand(l->x * (float)w, l->y * (float)h, 0.055f * height, 1, w, h);
    p.right_hand = person_hand(r->x * (float)w, r->y * (float)h, 0.055f * height, -1, w, h);
    for (int k = 0; k < BL_HAND_POINTS; k++) { /* arms hang: fingers point down */
        p.left_hand.points[k].y = 2 * l->y - p.left_hand.points[k].y;
        p.right_hand.points[k].y = 2 * r->y - p.right_hand.points[k].y;
    }
    p.face = person_face(x, floor - 0.93f * height, 0.1f * height, w, h);
    return p;
}

#endif
