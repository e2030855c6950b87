/* People made of numbers: a standing skeleton that tests can move, scale and hide parts of. */
#ifndef BALLERINO_TEST_PEOPLE_H
#define BALLERINO_TEST_PEOPLE_H

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

#endif
