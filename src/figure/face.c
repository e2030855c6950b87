/*
 * Face: the jaw, brows, eyes, nose and lips as thin lines, a dot in the middle of each eye.
 *
 * Which points of the mesh lie on what follows MediaPipe's published lists of connections (lips, eyes, brows,
 * face oval, nose); of the oval only the part below the ears is drawn, as hair hides the rest. Warm colours
 * are the person's right, cold ones the left, as in the body.
 */
#include "ballerino/base.h"

#include "parts.h"

typedef struct line {
    const uint16_t *points;
    int n, closed;
    uint8_t rgb[3];
} line;

static const uint16_t jaw[] = {454, 323, 361, 288, 397, 365, 379, 378, 400, 377, BL__FACE_CHIN,
                               148, 176, 149, 150, 136, 172, 58,  132, 93,  234};
static const uint16_t nose_bridge[] = {168, 6, 197, 195, 5, 4, 1};
static const uint16_t nose_base[] = {64, 98, 97, 2, 326, 327, 294};
static const uint16_t right_brow[] = {70, 63, 105, 66, 107, 55, 65, 52, 53, 46};
static const uint16_t left_brow[] = {300, 293, 334, 296, 336, 285, 295, 282, 283, 276};
static const uint16_t right_eye[] = {33,  246, 161, 160, 159, 158, 157, 173,
                                     133, 155, 154, 153, 145, 144, 163, 7};
static const uint16_t left_eye[] = {263, 466, 388, 387, 386, 385, 384, 398,
                                    362, 382, 381, 380, 374, 373, 390, 249};
static const uint16_t outer_lips[] = {61,  185, 40,  39,  37,  0,  267, 269, 270, 409,
                                      291, 375, 321, 405, 314, 17, 84,  181, 91,  146};
static const uint16_t inner_lips[] = {78,  191, 80,  81,  82,  13, 312, 311, 310, 415,
                                      308, 324, 318, 402, 317, 14, 87,  178, 88,  95};

#define LINE(name, closed, r, g, b)                                                                          \
    {                                                                                                        \
        name, (int)BL_COUNT(name), closed, {                                                                 \
            r, g, b                                                                                          \
        }                                                                                                    \
    }
static const line lines[] = {
    LINE(jaw, 0, 200, 200, 200),      LINE(nose_bridge, 0, 255, 0, 255), LINE(nose_base, 0, 170, 0, 255),
    LINE(right_brow, 1, 255, 140, 0), LINE(left_brow, 1, 0, 200, 90),    LINE(right_eye, 1, 255, 230, 0),
    LINE(left_eye, 1, 0, 220, 255),   LINE(outer_lips, 1, 255, 0, 0),    LINE(inner_lips, 1, 255, 130, 130),
};
static const uint8_t pupil_rgb[3] = {255, 255, 255};

_Static_assert(BL_COUNT(jaw) - 1 + BL_COUNT(nose_bridge) - 1 + BL_COUNT(nose_base) - 1 +
                       BL_COUNT(right_brow) + BL_COUNT(left_brow) + BL_COUNT(right_eye) + BL_COUNT(left_eye) +
                       BL_COUNT(outer_lips) + BL_COUNT(inner_lips) + 2 ==
                   BL__FACE_SHAPES,
               "every shape must fit");
_Static_assert(BL_COUNT(outer_lips) <= BL__STROKE_MAX && BL_COUNT(jaw) <= BL__STROKE_MAX,
               "a line is one stroke");

#define HALF_WIDTH (1 / 80.0f) /* part of the face's height */
#define PUPIL 1.7f             /* radius in half-widths of the lines */

/* From the hair line to the chin, which no expression but an open mouth changes. */
static float height(const bl_point3 *q) {
    return bl__apart(&q[10], &q[BL__FACE_CHIN]);
}

static void colour(bl_capsule *s, const uint8_t rgb[3]) {
    for (int c = 0; c < 3; c++) s->rgb[c] = (float)rgb[c] / 255.0f;
}

static int add_line(bl_capsule *out, const line *l, const bl_point3 *q, float half, float alpha) {
    int n = 0;
    for (int k = l->closed ? 0 : 1; k < l->n; k++) {
        const bl_point3 *a = &q[l->points[k ? k - 1 : l->n - 1]], *b = &q[l->points[k]];
        if (!bl__is_finite(a) || !bl__is_finite(b)) continue;
        out[n] = (bl_capsule){.ax = a->x, .ay = a->y, .bx = b->x, .by = b->y, .ra = half, .rb = half};
        out[n].alpha = alpha;
        out[n].joined = n > 0;
        colour(&out[n++], l->rgb);
    }
    return n;
}

static int add_pupil(bl_capsule *out, const uint16_t *eye, int n, const bl_point3 *q, float half,
                     float alpha) {
    float x = 0, y = 0;
    for (int k = 0; k < n; k++) x += q[eye[k]].x / (float)n, y += q[eye[k]].y / (float)n;
    if (!isfinite(x) || !isfinite(y)) return 0;
    *out = (bl_capsule){.ax = x, .ay = y, .bx = x, .by = y, .alpha = alpha};
    out->ra = out->rb = PUPIL * half;
    colour(out, pupil_rgb);
    return 1;
}

int bl__face_shapes(bl_capsule out[BL__FACE_SHAPES], const bl_face *f, const bl__placing *at) {
    bl_point3 q[BL_FACE_POINTS];
    float alpha = bl__part_opacity(f->score);
    int n = 0;
    if (!(alpha > 0)) return 0;
    for (int k = 0; k < BL_FACE_POINTS; k++) q[k] = bl__place(at, &f->points[k]);
    float half = BL_MAX(HALF_WIDTH * height(q), BL__PART_HALF_WIDTH);
    if (!isfinite(half)) return 0;
    for (size_t k = 0; k < BL_COUNT(lines); k++) n += add_line(out + n, &lines[k], q, half, alpha);
    n += add_pupil(out + n, right_eye, (int)BL_COUNT(right_eye), q, half, alpha);
    n += add_pupil(out + n, left_eye, (int)BL_COUNT(left_eye), q, half, alpha);
    return n;
}
