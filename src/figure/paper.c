#include "paper.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "lanczos.h"

#define BODY_DOT 8
#define BODY_HALF_WIDTH 4
#define FACE_DOT 4
#define FACE_POINTS 70
#define FACE_LEAST_MEAN 0.2f
#define HAND_DOT 3
#define HAND_HALF_WIDTH 2
#define HAND_LEAST 0.05f
#define HAND_POINTS 21
#define LIMB_KEEP_TENTHS 4 /* of what is there; the rest is the limb's colour */

typedef struct skeleton {
    int points, limbs;
    const uint8_t (*rgb)[3];
    const uint8_t (*limb)[2];
} skeleton;

static const uint8_t rgb18[18][3] = {
    {0, 0, 255}, {0, 85, 255}, {0, 170, 255}, {0, 255, 255}, {0, 255, 170}, {0, 255, 85},
    {0, 255, 0}, {85, 255, 0}, {170, 255, 0}, {255, 255, 0}, {255, 170, 0}, {255, 85, 0},
    {255, 0, 0}, {255, 0, 85}, {255, 0, 170}, {255, 0, 255}, {170, 0, 255}, {85, 0, 255}};
static const uint8_t limb18[][2] = {{1, 2}, {1, 5},  {2, 3},   {3, 4},  {5, 6},   {6, 7},
                                    {1, 8}, {8, 9},  {9, 10},  {1, 11}, {11, 12}, {12, 13},
                                    {1, 0}, {0, 14}, {14, 16}, {0, 15}, {15, 17}};

static const uint8_t rgb23[23][3] = {
    {0, 0, 255},   {0, 55, 255},  {0, 110, 255},   {0, 165, 255},  {0, 215, 255}, {0, 235, 255},
    {0, 255, 255}, {0, 0, 255},   {0, 255, 175},   {0, 255, 85},   {0, 255, 0},   {85, 255, 0},
    {170, 255, 0}, {128, 25, 25}, {255, 85, 0},    {255, 170, 0},  {255, 212, 0}, {255, 255, 0},
    {0, 0, 255},   {255, 0, 255}, {238, 130, 238}, {226, 43, 138}, {130, 0, 75}};
static const uint8_t limb23[][2] = {{0, 1},   {1, 2},   {2, 3},   {0, 4},   {4, 5},   {5, 6},
                                    {0, 7},   {7, 8},   {8, 9},   {9, 10},  {10, 11}, {10, 12},
                                    {7, 13},  {13, 14}, {14, 15}, {15, 16}, {15, 17}, {0, 18},
                                    {18, 19}, {19, 20}, {18, 21}, {21, 22}};

static const uint8_t rgb25[25][3] = {
    {85, 0, 255}, {0, 0, 255},   {0, 85, 255},  {0, 170, 255}, {0, 255, 255}, {0, 255, 170}, {0, 255, 85},
    {0, 255, 0},  {0, 0, 255},   {85, 255, 0},  {170, 255, 0}, {255, 255, 0}, {255, 170, 0}, {255, 85, 0},
    {255, 0, 0},  {170, 0, 255}, {255, 0, 170}, {255, 0, 255}, {255, 0, 85},  {255, 0, 0},   {255, 0, 0},
    {255, 0, 0},  {255, 255, 0}, {255, 255, 0}, {255, 255, 0}};
static const uint8_t limb25[][2] = {{0, 1},   {0, 15},  {0, 16},  {1, 2},   {1, 5},   {1, 8},
                                    {2, 3},   {3, 4},   {5, 6},   {6, 7},   {8, 9},   {8, 12},
                                    {9, 10},  {10, 11}, {11, 22}, {11, 24}, {12, 13}, {13, 14},
                                    {14, 19}, {14, 21}, {15, 17}, {16, 18}, {19, 20}, {22, 23}};

static const skeleton skeletons[] = {
    {18, (int)BL_COUNT(limb18), rgb18, limb18},
    {23, (int)BL_COUNT(limb23), rgb23, limb23},
    {25, (int)BL_COUNT(limb25), rgb25, limb25},
};

static const uint8_t hand_rgb[HAND_POINTS][3] = {
    {40, 53, 230},  {64, 115, 231}, {31, 136, 233}, {13, 160, 213}, {19, 200, 217},  {35, 210, 170},
    {48, 228, 139}, {45, 214, 83},  {46, 192, 77},  {133, 213, 83}, {190, 223, 82},  {197, 184, 80},
    {189, 140, 78}, {208, 112, 86}, {217, 73, 83},  {183, 46, 123}, {255, 102, 189}, {232, 83, 218},
    {189, 65, 229}, {141, 61, 236}, {145, 102, 255}};

/* Nose bridge, nose tip, chin, jaw ends, nose base, pupils; with nine, the inner lips' middle. */
static const uint8_t face9[] = {27, 30, 8, 0, 16, 33, 68, 69, 62};
/* The same with wings of the nose, corners of eyes and mouth, ends of the brows, middles of the lips. */
static const uint8_t face22[] = {27, 30, 8,  0,  16, 33, 31, 35, 68, 69, 36,
                                 39, 42, 45, 17, 21, 22, 26, 48, 51, 54, 57};

double bl__as_written(float v) {
    char text[32];
    for (int digits = FLT_DIG; digits < FLT_DECIMAL_DIG && isfinite(v); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        double d = strtod(text, NULL);
        if ((float)d == v) return d;
    }
    return v;
}

static int drawable(const float p[3], float least) {
    return p[2] > least && fabsf(p[0]) < BL__RASTER_REACH && fabsf(p[1]) < BL__RASTER_REACH;
}

static void dot(uint8_t *canvas, const float p[3], int radius, const uint8_t rgb[3]) {
    bl__mask m;
    bl__mask_disc(&m, (int)p[0], (int)p[1], radius);
    bl__raster_blend(canvas, &m, rgb, 0);
}

static void limb(uint8_t *canvas, const float a[3], const float b[3], int half_width, const uint8_t rgb[3]) {
    bl__vertex v[BL__ELLIPSE_VERTICES];
    bl__mask m;
    double ax = bl__as_written(a[0]), ay = bl__as_written(a[1]);
    double bx = bl__as_written(b[0]), by = bl__as_written(b[1]);
    double length = sqrt((ax - bx) * (ax - bx) + (ay - by) * (ay - by));
    int degrees = (int)(atan2(ay - by, ax - bx) * (180 / 3.14159265358979323846));
    int n = bl__ellipse_polygon(v, (int)((ax + bx) / 2), (int)((ay + by) / 2), (int)(length / 2), half_width,
                                degrees);
    bl__mask_convex(&m, v, n);
    bl__raster_blend(canvas, &m, rgb, LIMB_KEEP_TENTHS);
}

static void body(uint8_t *canvas, const skeleton *s, const float (*p)[3]) {
    for (int k = 0; k < s->points; k++)
        if (drawable(p[k], 0)) dot(canvas, p[k], BODY_DOT, s->rgb[k]);
    for (int k = 0; k < s->limbs; k++) {
        int a = s->limb[k][0], b = s->limb[k][1];
        if (drawable(p[a], 0) && drawable(p[b], 0)) limb(canvas, p[a], p[b], BODY_HALF_WIDTH, s->rgb[a]);
    }
}

static void face(uint8_t *canvas, const float (*p)[3], const uint8_t *points, int n) {
    static const uint8_t black[3] = {0};
    double sum = 0;
    for (int k = 0; k < FACE_POINTS; k++) sum += p[k][2];
    if (!(sum / FACE_POINTS >= FACE_LEAST_MEAN - 1e-7)) return;
    for (int k = 0; k < n; k++)
        if (drawable(p[points[k]], 0)) dot(canvas, p[points[k]], FACE_DOT, black);
}

static void hand_segment(uint8_t *canvas, const float (*p)[3], int a, int b) {
    if (drawable(p[a], HAND_LEAST) && drawable(p[b], HAND_LEAST))
        limb(canvas, p[a], p[b], HAND_HALF_WIDTH, hand_rgb[b]);
}

static void hand(uint8_t *canvas, const float (*p)[3]) {
    for (int k = 0; k < HAND_POINTS; k++)
        if (drawable(p[k], HAND_LEAST)) dot(canvas, p[k], HAND_DOT, hand_rgb[k]);
    for (int base = 1; base < HAND_POINTS;
         base += 4) { /* a finger from its base to its tip, then wrist to base */
        for (int k = base; k < base + 3; k++) hand_segment(canvas, p, k, k + 1);
        hand_segment(canvas, p, 0, base);
    }
}

int bl__paper_draw(uint8_t *canvas, const bl_paper_pose *p, bl_err *err) {
    const skeleton *s = NULL;
    for (size_t k = 0; k < BL_COUNT(skeletons); k++)
        if (skeletons[k].points == p->format) s = &skeletons[k];
    if (!s)
        return bl_fail(err, BL_E_USAGE, "a body of %d points cannot be drawn; OpenPose has 18, 23 or 25",
                       p->format);
    int shown = p->face_points ? p->face_points : 8;
    if (shown != 8 && shown != 9 && shown != 22)
        return bl_fail(err, BL_E_USAGE, "a face of %d points cannot be drawn; choose 8, 9 or 22", shown);
    memset(canvas, 255, (size_t)BL__RASTER_WIDTH * BL__RASTER_HEIGHT * 3);
    body(canvas, s, p->body);
    if (p->face) face(canvas, p->face, shown == 22 ? face22 : face9, shown);
    if (p->right_hand) hand(canvas, p->right_hand);
    if (p->left_hand) hand(canvas, p->left_hand);
    return 0;
}

int bl_figure_draw_paper(bl_frame **out, const bl_paper_pose *p, bl_err *err) {
    bl_frame *f = NULL;
    uint8_t *canvas = bl_alloc((size_t)BL__RASTER_WIDTH * BL__RASTER_HEIGHT * 3);
    int rc = canvas ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to draw a figure");
    if (rc == 0) rc = bl__paper_draw(canvas, p, err);
    if (rc == 0) rc = bl_frame_create(&f, BL__PAPER_WIDTH, BL__PAPER_HEIGHT, err);
    if (rc == 0)
        rc = bl__lanczos(f->data, f->stride, BL__PAPER_WIDTH, BL__PAPER_HEIGHT, canvas, BL__RASTER_WIDTH,
                         BL__RASTER_HEIGHT, err);
    bl_free(canvas);
    if (rc < 0)
        bl_frame_unref(&f);
    else
        *out = f;
    return rc;
}
