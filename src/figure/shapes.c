#include <string.h>

#include "ballerino/base.h"

#include "parts.h"

/* Points that BlazePose lacks, after its 33. */
enum { NECK = BL_LANDMARKS, MID_HIP, L_HAND, R_HAND, POINTS };

typedef struct point {
    float x, y, z, alpha; /* canvas pixels (z too); alpha 0 = not drawn */
} point;

/* What a limb or joint makes room for where it is drawn. */
enum part { NONE, LEFT_HAND, RIGHT_HAND, FACE, PARTS };

/* A limb: its two points, its colour (OpenPose's BODY_25 gives a limb the colour of its second joint) and its
 * half-widths at both ends as parts of the figure's thickness. */
typedef struct limb {
    uint8_t a, b, rgb[3];
    float ra, rb;
    enum part yields;
} limb;

static const limb limbs[] = {
    {NECK, MID_HIP, {255, 0, 0}, 1, 1, NONE},
    {NECK, BL_LM_R_SHOULDER, {255, 85, 0}, 1, 0.9f, NONE},
    {BL_LM_R_SHOULDER, BL_LM_R_ELBOW, {255, 170, 0}, 1, 0.8f, NONE},
    {BL_LM_R_ELBOW, BL_LM_R_WRIST, {255, 255, 0}, 0.9f, 0.65f, NONE},
    {NECK, BL_LM_L_SHOULDER, {170, 255, 0}, 1, 0.9f, NONE},
    {BL_LM_L_SHOULDER, BL_LM_L_ELBOW, {85, 255, 0}, 1, 0.8f, NONE},
    {BL_LM_L_ELBOW, BL_LM_L_WRIST, {0, 255, 0}, 0.9f, 0.65f, NONE},
    {MID_HIP, BL_LM_R_HIP, {0, 255, 85}, 1, 1, NONE},
    {BL_LM_R_HIP, BL_LM_R_KNEE, {0, 255, 170}, 1.1f, 0.9f, NONE},
    {BL_LM_R_KNEE, BL_LM_R_ANKLE, {0, 255, 255}, 0.95f, 0.7f, NONE},
    {MID_HIP, BL_LM_L_HIP, {0, 170, 255}, 1, 1, NONE},
    {BL_LM_L_HIP, BL_LM_L_KNEE, {0, 85, 255}, 1.1f, 0.9f, NONE},
    {BL_LM_L_KNEE, BL_LM_L_ANKLE, {0, 0, 255}, 0.95f, 0.7f, NONE},
    {NECK, BL_LM_NOSE, {255, 0, 85}, 0.8f, 0.5f, NONE},
    {BL_LM_NOSE, BL_LM_R_EYE, {255, 0, 170}, 0.45f, 0.45f, FACE},
    {BL_LM_R_EYE, BL_LM_R_EAR, {255, 0, 255}, 0.45f, 0.45f, FACE},
    {BL_LM_NOSE, BL_LM_L_EYE, {170, 0, 255}, 0.45f, 0.45f, FACE},
    {BL_LM_L_EYE, BL_LM_L_EAR, {85, 0, 255}, 0.45f, 0.45f, FACE},
    {BL_LM_L_ANKLE, BL_LM_L_FOOT, {0, 0, 255}, 0.65f, 0.5f, NONE},
    {BL_LM_L_HEEL, BL_LM_L_FOOT, {0, 0, 255}, 0.55f, 0.5f, NONE},
    {BL_LM_L_ANKLE, BL_LM_L_HEEL, {0, 0, 255}, 0.65f, 0.55f, NONE},
    {BL_LM_R_ANKLE, BL_LM_R_FOOT, {0, 255, 255}, 0.65f, 0.5f, NONE},
    {BL_LM_R_HEEL, BL_LM_R_FOOT, {0, 255, 255}, 0.55f, 0.5f, NONE},
    {BL_LM_R_ANKLE, BL_LM_R_HEEL, {0, 255, 255}, 0.65f, 0.55f, NONE},
    {BL_LM_R_WRIST, R_HAND, {255, 255, 128}, 0.6f, 0.45f, RIGHT_HAND},
    {BL_LM_L_WRIST, L_HAND, {128, 255, 128}, 0.6f, 0.45f, LEFT_HAND},
};

/* Discs at the joints, in BODY_25's joint colours; radius as a part of the thickness. */
typedef struct joint {
    uint8_t p, rgb[3];
    float r;
    enum part yields;
} joint;

static const joint joints[] = {
    {BL_LM_NOSE, {255, 0, 85}, 0.65f, FACE},
    {NECK, {255, 0, 0}, 1.1f, NONE},
    {BL_LM_R_SHOULDER, {255, 85, 0}, 1.15f, NONE},
    {BL_LM_R_ELBOW, {255, 170, 0}, 1.05f, NONE},
    {BL_LM_R_WRIST, {255, 255, 0}, 0.85f, NONE},
    {BL_LM_L_SHOULDER, {170, 255, 0}, 1.15f, NONE},
    {BL_LM_L_ELBOW, {85, 255, 0}, 1.05f, NONE},
    {BL_LM_L_WRIST, {0, 255, 0}, 0.85f, NONE},
    {MID_HIP, {255, 0, 0}, 1.1f, NONE},
    {BL_LM_R_HIP, {0, 255, 85}, 1.2f, NONE},
    {BL_LM_R_KNEE, {0, 255, 170}, 1.1f, NONE},
    {BL_LM_R_ANKLE, {0, 255, 255}, 0.85f, NONE},
    {BL_LM_L_HIP, {0, 170, 255}, 1.2f, NONE},
    {BL_LM_L_KNEE, {0, 85, 255}, 1.1f, NONE},
    {BL_LM_L_ANKLE, {0, 0, 255}, 0.85f, NONE},
    {BL_LM_R_EYE, {255, 0, 170}, 0.55f, FACE},
    {BL_LM_L_EYE, {170, 0, 255}, 0.55f, FACE},
    {BL_LM_R_EAR, {255, 0, 255}, 0.55f, FACE},
    {BL_LM_L_EAR, {85, 0, 255}, 0.55f, FACE},
};

_Static_assert(BL_COUNT(limbs) + BL_COUNT(joints) + 2 * BL__HAND_SHAPES + BL__FACE_SHAPES <=
                   BL_FIGURE_CAPSULES,
               "every shape must fit");
_Static_assert(BL_COUNT(limbs) <= 32, "bl_figure_options.drop has a bit for each limb");

bl_figure_options bl_figure_options_default(void) {
    return (bl_figure_options){.min_visibility = 0.1f, .hands = 1, .face = 1};
}
int bl_figure_limb_count(void) {
    return (int)BL_COUNT(limbs);
}

static point middle(point a, point b) {
    return (point){(a.x + b.x) / 2, (a.y + b.y) / 2, (a.z + b.z) / 2, BL_MIN(a.alpha, b.alpha)};
}

/* Opaque from twice the threshold on, fading to nothing at it, so that a joint near it does not flicker. */
static float opacity(const bl_landmark *l, float threshold) {
    if (!isfinite(l->x) || !isfinite(l->y) || !isfinite(l->z)) return 0;
    if (!(l->visibility >= threshold)) return 0;
    return threshold > 0 ? BL_MIN((l->visibility - threshold) / threshold, 1) : 1;
}

static void add_derived(point q[POINTS]) {
    q[NECK] = middle(q[BL_LM_L_SHOULDER], q[BL_LM_R_SHOULDER]);
    q[MID_HIP] = middle(q[BL_LM_L_HIP], q[BL_LM_R_HIP]);
    q[L_HAND] = middle(q[BL_LM_L_INDEX], q[BL_LM_L_PINKY]);
    q[R_HAND] = middle(q[BL_LM_R_INDEX], q[BL_LM_R_PINKY]);
}

static void points_from(point out[POINTS], const bl_person *p, int fw, int fh, bl_view v, float threshold) {
    for (int k = 0; k < BL_LANDMARKS; k++) {
        const bl_landmark *l = &p->landmarks[k];
        out[k] = (point){(l->x * (float)fw - v.x0) * v.scale, (l->y * (float)fh - v.y0) * v.scale,
                         l->z * (float)fw * v.scale, opacity(l, threshold)};
    }
    add_derived(out);
}

static float distance(const point *q, int a, int b) {
    float x = q[a].x - q[b].x, y = q[a].y - q[b].y, z = q[a].z - q[b].z;
    return sqrtf(x * x + y * y + z * z);
}

/* Sum of bones from head to ankle, in the unit of the points. A hidden bone is taken from the torso by the
 * usual proportions. */
static float bones_length(const point *q) {
    float torso = distance(q, NECK, MID_HIP), legs = 0;
    for (int side = 0; side < 2; side++) {
        int hip = BL_LM_L_HIP + side, knee = BL_LM_L_KNEE + side, ankle = BL_LM_L_ANKLE + side;
        int seen = q[hip].alpha > 0 && q[knee].alpha > 0 && q[ankle].alpha > 0;
        legs += (seen ? distance(q, hip, knee) + distance(q, knee, ankle) : 1.6f * torso) / 2;
    }
    float head = q[BL_LM_NOSE].alpha > 0 ? 1.7f * distance(q, NECK, BL_LM_NOSE) : 0.7f * torso;
    return torso + legs + head;
}

float bl_figure_scale(const bl_person *p, int width, int height, float visibility) {
    enum { LEAST = 4 };              /* joints */
    const double least_metres = 0.2; /* spread of the world's joints: a standing adult has 1.5 */
    double n = 0, sum[4] = {0}, squares[4] = {0};
    for (int k = BL_LM_L_SHOULDER; k <= BL_LM_R_ANKLE; k++) {
        const bl_landmark *a = &p->landmarks[k], *b = &p->world[k];
        const double v[4] = {(double)a->x * width, (double)a->y * height, (double)b->x, (double)b->y};
        if ((k > BL_LM_R_WRIST && k < BL_LM_L_HIP) || !(a->visibility > visibility)) continue;
        if (!isfinite(v[0]) || !isfinite(v[1])) continue;
        n++;
        for (int c = 0; c < 4; c++) sum[c] += v[c], squares[c] += v[c] * v[c];
    }
    double spread[2] = {0}; /* root of the summed squared distances to their mean */
    for (int c = 0; c < 4; c++) spread[c / 2] += n > 0 ? squares[c] - sum[c] * sum[c] / n : 0;
    const double picture = sqrt(fmax(0, spread[0])), metres = sqrt(fmax(0, spread[1]));
    return n >= LEAST && metres > least_metres ? (float)(picture / metres) : 0;
}

/* Body height in canvas pixels that hardly depends on the pose: the world skeleton's bones times the pixels a
 * metre, `scale`. (Image z is too noisy for bone lengths: 14 % from frame to frame, against 4 % this way.)
 * Without world coordinates, the bones as they appear in the picture. */
static float body_height(const point *q, const bl_person *p, float scale) {
    point flat[POINTS], world[POINTS];
    for (int k = 0; k < POINTS; k++) flat[k] = q[k], flat[k].z = 0;
    for (int k = 0; k < BL_LANDMARKS; k++)
        world[k] = (point){p->world[k].x, p->world[k].y, p->world[k].z, q[k].alpha};
    add_derived(world);
    float height = scale > 0 ? scale * bones_length(world) : bones_length(flat);
    return isfinite(height) ? height : 0;
}

static void add(bl_capsule *out, int *n, const point *a, const point *b, float ra, float rb,
                const uint8_t rgb[3], float opacity_left) {
    bl_capsule s = {.ax = a->x, .ay = a->y, .bx = b->x, .by = b->y, .ra = ra, .rb = rb};
    s.z = (a->z + b->z) / 2;
    s.alpha = BL_MIN(a->alpha, b->alpha) * opacity_left;
    if (!(s.alpha > 0)) return;
    for (int c = 0; c < 3; c++) s.rgb[c] = (float)rgb[c] / 255.0f;
    int at = (*n)++; /* insertion keeps the list ordered far to near, ties in table order */
    while (at > 0 && out[at - 1].z < s.z) out[at] = out[at - 1], at--;
    out[at] = s;
}

/* How much of each part is drawn, 0..1. */
static void part_opacities(float out[PARTS], const bl_person *p, const bl_figure_options *o) {
    int hands = o->hands != 0;
    out[NONE] = 0;
    out[LEFT_HAND] = hands && !(o->drop_parts & BL_DROP_LEFT_HAND) ? bl__part_opacity(p->left_hand.score) : 0;
    out[RIGHT_HAND] =
        hands && !(o->drop_parts & BL_DROP_RIGHT_HAND) ? bl__part_opacity(p->right_hand.score) : 0;
    out[FACE] = o->face && !(o->drop_parts & BL_DROP_FACE) ? bl__part_opacity(p->face.score) : 0;
}

static int add_body(bl_capsule *out, const point *q, float unit, const float part[PARTS], const point *chin,
                    uint32_t drop) {
    uint8_t used[POINTS] = {0};
    int n = 0;
    for (size_t k = 0; k < BL_COUNT(limbs); k++) {
        const limb *l = &limbs[k];
        if (drop >> k & 1 || !(q[l->a].alpha > 0) || !(q[l->b].alpha > 0)) continue;
        used[l->a] = used[l->b] = 1;
        const point *end = l->a == NECK && l->b == BL_LM_NOSE ? chin : &q[l->b];
        add(out, &n, &q[l->a], end, l->ra * unit, l->rb * unit, l->rgb, 1 - part[l->yields]);
    }
    for (size_t k = 0; k < BL_COUNT(joints); k++) {
        const joint *j = &joints[k];
        if (!used[j->p]) continue;
        add(out, &n, &q[j->p], &q[j->p], j->r * unit, j->r * unit, j->rgb, 1 - part[j->yields]);
    }
    return n;
}

/* Where the neck ends: at the nose, at the chin of a face that is drawn, in between while it fades. */
static point neck_end(const point *q, const bl_face *f, float opacity, const bl__placing *at) {
    point end = q[BL_LM_NOSE];
    bl_point3 chin = bl__place(at, &f->points[BL__FACE_CHIN]);
    if (opacity > 0 && bl__is_finite(&chin))
        end.x += opacity * (chin.x - end.x), end.y += opacity * (chin.y - end.y);
    return end;
}

/* Lays a part's shapes over everything that is not nearer than z. */
static int lay(bl_capsule *out, int n, const bl_capsule *part, int count, float z) {
    int at = n;
    while (at > 0 && out[at - 1].z < z) at--;
    memmove(out + at + count, out + at, (size_t)(n - at) * sizeof *out);
    for (int k = 0; k < count; k++) out[at + k] = part[k], out[at + k].z = z;
    return n + count;
}

/* Between the ears, or as near as the neck's stick, so that the face lies over its own neck and under an arm
 * before it. */
static float face_depth(const point *q) {
    float ears = (q[BL_LM_L_EAR].z + q[BL_LM_R_EAR].z) / 2, neck = (q[NECK].z + q[BL_LM_NOSE].z) / 2;
    float z = ears < neck ? ears : neck;
    return isfinite(z) ? z : -INFINITY;
}

/* A hand that was found was seen, so nothing lies before it: hands go over everything, the farther one first.
 * (Depth from the wrist's z would put every third hand before a face behind it: z is that noisy.) */
static int add_parts(bl_capsule *out, int n, const bl_person *p, const point *q, const float part[PARTS],
                     const bl__placing *at) {
    bl_capsule list[BL__FACE_SHAPES];
    if (part[FACE] > 0) n = lay(out, n, list, bl__face_shapes(list, &p->face, at), face_depth(q));
    int left_first = q[BL_LM_L_WRIST].z > q[BL_LM_R_WRIST].z;
    for (int turn = 0; turn < 2; turn++) {
        int left = turn != left_first;
        if (!(part[left ? LEFT_HAND : RIGHT_HAND] > 0)) continue;
        int count = bl__hand_shapes(list, left ? &p->left_hand : &p->right_hand, left, at);
        n = lay(out, n, list, count, -INFINITY);
    }
    return n;
}

int bl_figure_capsules(bl_capsule out[BL_FIGURE_CAPSULES], const bl_person *p, int frame_width,
                       int frame_height, bl_view view, const bl_figure_options *options) {
    const bl_figure_options standard = bl_figure_options_default(), *o = options ? options : &standard;
    const bl__placing at = {(float)frame_width, (float)frame_height, view};
    point q[POINTS];
    float part[PARTS];
    points_from(q, p, frame_width, frame_height, view, o->min_visibility);
    part_opacities(part, p, o);
    const float scale = bl_figure_scale(p, frame_width, frame_height, o->min_visibility) * view.scale;
    float unit = o->thickness > 0 ? o->thickness : BL_MAX(1.0f, body_height(q, p, scale) / 48);
    point chin = neck_end(q, &p->face, part[FACE], &at);
    int n = isfinite(unit) ? add_body(out, q, unit, part, &chin, o->drop) : 0;
    return add_parts(out, n, p, q, part, &at);
}
