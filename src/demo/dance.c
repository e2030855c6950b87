#include "dance.h"

#include <string.h>

#include "ballerino/base.h"

/* ---- vocabulary: arms as {upper arm's rise, its way forward, forearm's rise, its way forward}, degrees;
 * rise 0 hangs down, 180 points up; forward 0 is sideways, 90 ahead. Written for the left arm, mirrored for
 * the right. ---- */
typedef enum arm_id {
    DOWN,
    SIDE,
    UP,
    AHEAD,
    HIP,
    GOAL,
    FOLD,
    NAPE,
    HIGH,
    CROSS,
    FLEX,
    LOW,
    REACH,
    SWING,
    BACK,
    CHIN
} arm_id;

static const float arms[][4] = {
    [DOWN] = {14, 10, 22, 40},    [SIDE] = {88, 5, 90, 8},     [UP] = {163, 30, 172, 60},
    [AHEAD] = {86, 72, 92, 84},   [HIP] = {46, -22, 62, 150},  [GOAL] = {90, 8, 170, 20},
    [FOLD] = {42, 25, 96, 130},   [NAPE] = {128, 0, 120, 190}, [HIGH] = {132, 15, 138, 20},
    [CROSS] = {62, 66, 100, 140}, [FLEX] = {72, 0, 150, 60},   [LOW] = {48, 8, 52, 15},
    [REACH] = {112, 60, 118, 66}, [SWING] = {40, 85, 70, 88},  [BACK] = {34, -60, 30, -40},
    [CHIN] = {38, 50, 140, 110}};

typedef struct key {
    float beat;
    arm_id left, right;
    float lx, lz, rx, rz; /* feet, in leg lengths from the place; x to the dancer's left */
    float weight;         /* 0 on the right foot, 1 on the left */
    float drop;           /* how deep the knees bend, leg lengths */
    float yaw, lean, side,
        twist;        /* degrees: whole body, trunk forward, trunk to the left, chest against hips */
    float look, tilt; /* degrees: head against chest */
} key;

static const key source_keys[] = {
    {0, DOWN, DOWN, .16f, 0, -.16f, 0, .5f, .02f, 0, 0, 0, 0, 0, 0},
    {1, SIDE, FOLD, .34f, 0, -.16f, 0, .8f, .06f, -8, 2, 6, -8, 10, 4},
    {2, FOLD, SIDE, .24f, 0, -.24f, 0, .2f, .06f, 8, 2, -6, 8, -10, -4},
    {3, HIGH, LOW, .30f, 0, -.16f, 0, .85f, .03f, -12, 0, -8, -10, 18, 6},
    {4, LOW, HIGH, .16f, 0, -.30f, 0, .15f, .03f, 12, 0, 8, 10, -18, -6},
    {5, GOAL, GOAL, .24f, 0, -.24f, 0, .5f, .13f, 0, 4, 0, 0, 0, 0},
    {6, UP, UP, .24f, 0, -.24f, 0, .5f, .0f, 0, -3, 0, 0, 0, -4},
    {7, CROSS, CROSS, .20f, 0, -.20f, 0, .5f, .10f, 0, 8, 0, 0, 0, 6},
    {8, SIDE, SIDE, .30f, 0, -.30f, 0, .5f, .06f, 0, -2, 0, 0, 0, -3},
    {9, HIP, HIGH, .30f, 0, -.18f, .05f, .25f, .04f, 18, 0, 10, 8, -14, 6},
    {10, HIGH, HIP, .18f, .05f, -.30f, 0, .75f, .04f, -18, 0, -10, -8, 14, -6},
    {11, AHEAD, BACK, .18f, .05f, -.18f, 0, .5f, .09f, 14, 6, 0, -14, -6, 0},
    {12, BACK, AHEAD, .18f, 0, -.18f, .05f, .5f, .09f, -14, 6, 0, 14, 6, 0},
    {13, NAPE, SIDE, .32f, 0, -.20f, 0, .8f, .05f, -6, 0, -12, 0, 8, -8},
    {14, FLEX, FLEX, .22f, 0, -.22f, 0, .5f, .15f, 0, 5, 0, 0, 0, 3},
    {15, HIGH, HIGH, .26f, 0, -.26f, 0, .5f, .02f, 0, -4, 0, 0, 0, -6},
    {16, DOWN, DOWN, .16f, 0, -.16f, 0, .5f, .02f, 0, 0, 0, 0, 0, 0},
};

static const key target_keys[] = {
    {0, DOWN, DOWN, .14f, 0, -.14f, 0, .5f, .01f, 0, 0, 0, 0, 0, 0},
    {2, SIDE, SIDE, .18f, 0, -.18f, 0, .5f, .02f, 0, 0, 0, 0, 6, 0},
    {4, UP, UP, .18f, 0, -.18f, 0, .5f, .0f, 0, -2, 0, 0, 0, -3},
    {6, AHEAD, AHEAD, .18f, 0, -.18f, 0, .5f, .06f, 0, 2, 0, 0, 0, 2},
    {8, HIP, HIP, .22f, 0, -.22f, 0, .3f, .04f, 10, 0, 6, 0, -14, 0},
    {10, GOAL, GOAL, .24f, 0, -.24f, 0, .5f, .14f, 0, 4, 0, 0, 0, 0},
    {12, SIDE, FOLD, .34f, 0, -.16f, 0, .8f, .05f, -10, 2, 6, -8, 12, 4},
    {14, FOLD, SIDE, .16f, 0, -.34f, 0, .2f, .05f, 10, 2, -6, 8, -12, -4},
    {16, HIGH, LOW, .28f, 0, -.18f, 0, .8f, .03f, -14, 0, -8, -10, 16, 5},
    {18, LOW, HIGH, .18f, 0, -.28f, 0, .2f, .03f, 14, 0, 8, 10, -16, -5},
    {20, CROSS, CROSS, .20f, 0, -.20f, 0, .5f, .10f, 0, 8, 0, 0, 0, 6},
    {22, FLEX, FLEX, .22f, 0, -.22f, 0, .5f, .15f, 0, 5, 0, 0, 0, 2},
    {24, NAPE, SIDE, .30f, 0, -.20f, 0, .8f, .04f, -8, 0, -10, 0, 8, -6},
    {26, SIDE, NAPE, .20f, 0, -.30f, 0, .2f, .04f, 8, 0, 10, 0, -8, 6},
    {28, HIP, HIGH, .28f, 0, -.18f, .05f, .3f, .04f, 18, 0, 8, 8, -14, 4},
    {30, HIGH, HIP, .18f, .05f, -.28f, 0, .7f, .04f, -18, 0, -8, -8, 14, -4},
    {32, AHEAD, BACK, .18f, .05f, -.18f, 0, .5f, .08f, 16, 6, 0, -12, -6, 0},
    {34, BACK, AHEAD, .18f, 0, -.18f, .05f, .5f, .08f, -16, 6, 0, 12, 6, 0},
    {36, CHIN, FOLD, .16f, 0, -.22f, 0, .3f, .03f, 22, 0, 4, 4, -10, 6},
    {38, LOW, LOW, .30f, 0, -.30f, 0, .5f, .16f, 0, 8, 0, 0, 0, 4},
    {40, HIGH, HIGH, .26f, 0, -.26f, 0, .5f, .02f, 0, -4, 0, 0, 0, -5},
    {42, REACH, DOWN, .24f, 0, -.16f, 0, .6f, .04f, -24, 3, 0, -8, 14, 0},
    {44, DOWN, REACH, .16f, 0, -.24f, 0, .4f, .04f, 24, 3, 0, 8, -14, 0},
    {46, SWING, BACK, .18f, 0, -.18f, .04f, .5f, .05f, 8, 4, 0, -10, 0, 0},
};

/* ---- all of a key's numbers as one vector, so that they are interpolated alike ---- */
enum { V_ARMS = 0, V_FEET = 12, V_REST = 16, V_COUNT = 24 };

static vec3 arm_dir(float rise, float ahead, float side) {
    float r = rise * BL__DEG, a = ahead * BL__DEG;
    return v3(side * sinf(r) * cosf(a), -cosf(r), sinf(r) * sinf(a));
}

static void flatten(float v[V_COUNT], const key *k) {
    vec3 d[4] = {
        arm_dir(arms[k->left][0], arms[k->left][1], 1), arm_dir(arms[k->left][2], arms[k->left][3], 1),
        arm_dir(arms[k->right][0], arms[k->right][1], -1), arm_dir(arms[k->right][2], arms[k->right][3], -1)};
    memcpy(v + V_ARMS, d, sizeof d);
    const float rest[] = {k->lx,  k->lz,   k->rx,   k->rz,    k->weight, k->drop,
                          k->yaw, k->lean, k->side, k->twist, k->look,   k->tilt};
    memcpy(v + V_FEET, rest, sizeof rest);
}

typedef struct moment {
    float v[V_COUNT];
    float lift[2]; /* how high each foot is on its way, leg lengths */
    float beat;
} moment;

/* Feet stand, step, stand; never both in the air: the one that bears less goes first. */
static void steps(moment *m, const float *from, const float *to, float t) {
    float way[2];
    for (int i = 0; i < 2; i++) {
        int k = V_FEET + 2 * i;
        way[i] = hypotf(to[k] - from[k], to[k + 1] - from[k + 1]);
    }
    int both = way[0] > 0.01f && way[1] > 0.01f, first = from[V_REST] < 0.5f ? 0 : 1;
    for (int i = 0; i < 2; i++) {
        float start = !both        ? 0.15f
                      : i == first ? 0.02f
                                   : 0.5f,
              end = !both        ? 0.85f
                    : i == first ? 0.5f
                                 : 0.98f;
        float s = f_smooth(start, end, t);
        for (int k = V_FEET + 2 * i; k < V_FEET + 2 * i + 2; k++) m->v[k] = f_mix(from[k], to[k], s);
        m->lift[i] = fminf(0.6f * way[i], 0.1f) * 4 * s * (1 - s);
    }
}

static void moment_at(moment *m, const key *keys, int n, float length, float beat) {
    beat = fmodf(beat, length);
    int i = 0;
    while (i + 1 < n && keys[i + 1].beat <= beat) i++;
    float v[4][V_COUNT];
    for (int j = 0; j < 4; j++) flatten(v[j], &keys[(i + j - 1 + n) % n]);
    float end = i + 1 < n ? keys[i + 1].beat : length;
    float t = (beat - keys[i].beat) / (end - keys[i].beat);
    /* cubic Hermite; tangents at half of Catmull-Rom's: arrives, lingers, goes on */
    float t2 = t * t, t3 = t2 * t;
    for (int k = 0; k < V_COUNT; k++) {
        float a = 0.28f * (v[2][k] - v[0][k]), b = 0.28f * (v[3][k] - v[1][k]);
        m->v[k] = (2 * t3 - 3 * t2 + 1) * v[1][k] + (t3 - 2 * t2 + t) * a + (3 * t2 - 2 * t3) * v[2][k] +
                  (t3 - t2) * b;
    }
    steps(m, v[1], v[2], t);
    m->beat = beat;
}

/* ---- from a moment to angles ---- */
static void solve_arm(bl__angles *a, const moment *m, int side, mat3 collar) {
    vec3 up = v3(m->v[6 * side], m->v[6 * side + 1], m->v[6 * side + 2]);
    vec3 fore = v3(m->v[6 * side + 3], m->v[6 * side + 4], m->v[6 * side + 5]);
    float sign = side ? -1.f : 1.f;
    up = v_unit(up), fore = v_unit(fore);
    /* the hinge of the elbow; where the arm is straight it stays as at rest, carried along by the shoulder */
    vec3 rest = v_unit(v3(-1, 0.15f * sign * (up.y + 0.2f), sign * 0.6f * f_sat(up.y + 0.3f)));
    vec3 hinge = v_mad(v_mul(rest, 0.12f), v_cross(up, fore), 1);
    mat3 upper = m_limb(up, hinge), lower = m_limb(fore, hinge);
    bl__joint s = side ? J_R_SHOULDER : J_L_SHOULDER;
    a->local[s] = m_back_mul(collar, upper);
    a->local[s + 1] = m_back_mul(upper, lower);
    a->local[s + 2] = m_mul(m_rot_y(sign * -25 * BL__DEG), m_rot_x(-6 * BL__DEG));
}

static void solve_leg(bl__angles *a, const moment *m, int side, vec3 pelvis, mat3 turn, float foot_yaw) {
    float sign = side ? -1.f : 1.f;
    const float *f = m->v + V_FEET + 2 * side;
    vec3 hip = v_add(pelvis, m_apply(turn, v3(sign * BL__HIP_HALF, 0, 0)));
    vec3 ankle = v3(f[0], BL__ANKLE_UP + m->lift[side], f[1]);
    vec3 line = v_sub(ankle, hip);
    float d = fminf(v_len(line), 0.9995f), out = foot_yaw + sign * 16 * BL__DEG;
    vec3 ahead = m_apply(m_rot_y(out), v3(0, 0, 1)), way = v_unit(line);
    float bend = acosf(d);                               /* thigh and shin are alike: an isosceles triangle */
    vec3 hinge = v_unit(v_cross(ahead, v_mul(way, -1))); /* to the dancer's left... */
    hinge = v_mul(hinge, v_dot(hinge, m_apply(m_rot_y(out), v3(1, 0, 0))) < 0 ? -1.f : 1.f);
    vec3 front = v_unit(v_cross(v_mul(way, -1), hinge));
    front = v_mul(front, v_dot(front, ahead) < 0 ? -1.f : 1.f);
    mat3 thigh = m_limb(v_add(v_mul(way, cosf(bend)), v_mul(front, sinf(bend))), hinge);
    mat3 shin = m_limb(v_sub(v_mul(way, cosf(bend)), v_mul(front, sinf(bend))), hinge);
    mat3 foot = m_mul(m_rot_y(out), m_rot_x(m->lift[side] * 3.5f));
    bl__joint h = side ? J_R_HIP : J_L_HIP;
    a->local[h] = m_back_mul(turn, thigh);
    a->local[h + 1] = m_back_mul(thigh, shin);
    a->local[h + 2] = m_back_mul(shin, foot);
}

/* Lowers the hips until both feet are within reach. */
static float reachable(const moment *m, float x, float z, float up, mat3 turn) {
    for (int side = 0; side < 2; side++) {
        const float *f = m->v + V_FEET + 2 * side;
        vec3 h = m_apply(turn, v3(side ? -BL__HIP_HALF : BL__HIP_HALF, 0, 0));
        float dx = x + h.x - f[0], dz = z + h.z - f[1], reach = 0.992f;
        float room = sqrtf(fmaxf(reach * reach - dx * dx - dz * dz, 0.01f));
        up = fminf(up, room + BL__ANKLE_UP + m->lift[side] - h.y);
    }
    return up;
}

static void solve(bl__angles *a, const moment *m) {
    const float *r = m->v + V_REST, *f = m->v + V_FEET;
    float bounce = 0.5f - 0.5f * cosf(2 * BL__PI * m->beat); /* down between the beats, up on them */
    float weight = f_mix(0.25f, 0.75f, r[0]), yaw = r[2] * BL__DEG, lean = r[3] * BL__DEG,
          side = r[4] * BL__DEG;
    float x = f_mix(f[2], f[0], weight), z = f_mix(f[3], f[1], weight) + 0.35f * r[1];
    mat3 turn = m_mul(m_rot_y(0.6f * yaw),
                      m_mul(m_rot_z((r[0] - 0.5f) * 7 * BL__DEG), m_rot_x(0.5f * lean + 0.5f * r[1])));
    float up = reachable(m, x, z - 0.1f * r[1], 0.99f + BL__ANKLE_UP - r[1] - 0.022f * bounce, turn);
    a->root = v3(x, up, z - 0.1f * r[1]);
    for (int j = 0; j < BL__JOINTS; j++) a->local[j] = m_one();
    a->local[J_PELVIS] = turn;
    float twist = 0.4f * yaw + r[5] * BL__DEG;
    a->local[J_WAIST] =
        m_mul(m_rot_y(0.4f * twist),
              m_mul(m_rot_z(-0.5f * side - (r[0] - 0.5f) * 5 * BL__DEG), m_rot_x(0.4f * lean)));
    a->local[J_CHEST] =
        m_mul(m_rot_y(0.6f * twist), m_mul(m_rot_z(-0.5f * side), m_rot_x(0.4f * lean + 0.02f * bounce)));
    mat3 look =
        m_mul(m_rot_y(0.5f * r[6] * BL__DEG), m_mul(m_rot_z(-0.5f * r[7] * BL__DEG), m_rot_x(-0.45f * lean)));
    a->local[J_NECK] = a->local[J_HEAD] = look;
    for (int i = 0; i < 2; i++) {
        float rise = m->v[6 * i + 1],
              sign = i ? -1.f : 1.f; /* the collar bone goes along with a raised arm */
        mat3 collar = m_rot_z(sign * 24 * BL__DEG * f_smooth(-0.4f, 1, rise));
        a->local[i ? J_R_COLLAR : J_L_COLLAR] = collar;
        solve_arm(a, m, i, collar);
        solve_leg(a, m, i, a->root, turn, 0.5f * yaw);
    }
}

void bl__dance(bl__angles *out, bl__dance_id which, double seconds) {
    moment m;
    float beat = (float)(seconds * BL__BPM / 60);
    if (which == BL__DANCE_SOURCE)
        moment_at(&m, source_keys, (int)BL_COUNT(source_keys) - 1, 16, beat);
    else
        moment_at(&m, target_keys, (int)BL_COUNT(target_keys), 48, beat);
    solve(out, &m);
}
