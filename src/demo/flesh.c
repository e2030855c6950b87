#include "flesh.h"

#include <string.h>

typedef struct maker {
    bl__figure3 *f;
    float h, g; /* lengths and thicknesses against a slim person of 1.76 m */
    bl__group group;
    bl__joint joint;
    float k;
} maker;

static void on(maker *m, bl__group group, bl__joint joint, float k) {
    m->group = group, m->joint = joint, m->k = k;
}

static vec3 world(const maker *m, vec3 p) {
    const bl__skeleton *s = &m->f->pose;
    return v_add(s->at[m->joint], m_apply(s->turn[m->joint], p));
}

static bl__shape3 *add(maker *m) {
    bl__shape3 *s = &m->f->shapes[m->f->count < BL__SHAPES3_MAX ? m->f->count++ : BL__SHAPES3_MAX - 1];
    *s = (bl__shape3){.group = m->group, .joint = m->joint, .k = m->k};
    return s;
}

/* A tapered capsule in metres of the build's bone. */
static bl__shape3 *limb(maker *m, vec3 a, float ra, vec3 b, float rb) {
    bl__shape3 *s = add(m);
    s->a = world(m, a), s->d = v_sub(world(m, b), s->a);
    s->ra = ra, s->dr = rb - ra;
    s->inverse = 1 / fmaxf(v_dot(s->d, s->d), 1e-8f);
    s->mid = v_mad(s->a, s->d, 0.5f);
    s->reach = 0.5f * v_len(s->d) + fmaxf(ra, rb);
    return s;
}

static bl__shape3 *egg(maker *m, vec3 c, vec3 radii) {
    bl__shape3 *s = add(m);
    s->a = s->mid = world(m, c), s->d = radii, s->ellipsoid = 1;
    s->axes = m->f->pose.turn[m->joint];
    s->reach = fmaxf(radii.x, fmaxf(radii.y, radii.z));
    return s;
}

/* Keeps the part of a shape on the far side of a plane through `p` that faces `n` (bone frame). */
static void cut(maker *m, bl__shape3 *s, vec3 p, vec3 n) {
    s->cut = 1, s->n = m_apply(m->f->pose.turn[m->joint], v_unit(n)), s->c = v_dot(s->n, world(m, p));
}

static void head(maker *m, bl__dress dress) {
    float h = m->h * m->f->head, g = 0.6f + 0.4f * m->g;
    on(m, G_HEAD, J_HEAD, 0.03f * h);
    egg(m, v3(0, .128f * h, -.008f * h), v3(.073f * h * g, .088f * h, .090f * h));
    limb(m, v3(0, .085f * h, .022f * h), .062f * h * g, v3(0, .028f * h, .050f * h), .034f * h * g);
    for (int s = -1; s <= 1; s += 2) {
        limb(m, v3((float)s * .052f * h * g, .05f * h, .0f), .024f * h,
             v3((float)s * .02f * h, .022f * h, .052f * h), .022f * h);
        m->k = .012f * h;
        egg(m, v3((float)s * .075f * h * g, .093f * h, -.008f * h), v3(.012f * h, .032f * h, .019f * h));
        limb(m, v3((float)s * .034f * h, .112f * h, .070f * h), .014f * h,
             v3((float)s * .012f * h, .113f * h, .078f * h), .012f * h);
    }
    m->k = .014f * h;
    limb(m, v3(0, .108f * h, .083f * h), .008f * h, v3(0, .074f * h, .099f * h), .0135f * h);
    limb(m, v3(-.016f * h, .046f * h, .074f * h), .009f * h, v3(.016f * h, .046f * h, .074f * h), .009f * h);
    on(m, G_HEAD, J_NECK, 0.03f * h);
    limb(m, v3(0, -.06f * m->h, -.004f * h), .056f * m->h * m->g, v3(0, .085f * h, .002f * h),
         .050f * m->h * m->g);
    on(m, G_HAIR, J_HEAD, 0.02f * h);
    bl__shape3 *cap = egg(m, v3(0, .138f * h, -.018f * h), v3(.083f * h * g, .093f * h, .096f * h));
    cut(m, cap, v3(0, .150f * h, .062f * h), v3(0, -.62f, .78f));
    if (dress == BL__DRESS_SOURCE) { /* short, with a quiff */
        limb(m, v3(-.035f * h, .212f * h, .050f * h), .022f * h, v3(.035f * h, .220f * h, .045f * h),
             .026f * h);
        limb(m, v3(0, .225f * h, .01f * h), .025f * h, v3(0, .20f * h, -.05f * h), .04f * h);
        return;
    }
    for (int s = -1; s <= 1; s += 2) { /* down to the shoulders, parted in the middle */
        float x = (float)s;
        limb(m, v3(x * .02f * h, .212f * h, .045f * h), .02f * h, v3(x * .066f * h, .155f * h, .040f * h),
             .022f * h);
        limb(m, v3(x * .068f * h, .155f * h, .030f * h), .022f * h, v3(x * .078f * h, .06f * h, -.005f * h),
             .026f * h);
        limb(m, v3(x * .076f * h, .06f * h, -.008f * h), .028f * h, v3(x * .078f * h, -.035f * h, -.010f * h),
             .02f * h);
        limb(m, v3(x * .03f * h, .10f * h, -.06f * h), .055f * h, v3(x * .04f * h, -.05f * h, -.06f * h),
             .036f * h);
    }
}

static void trunk(maker *m, const bl__build *b) {
    float h = m->h, g = m->g, w = b->shoulders / 0.185f;
    on(m, G_SHIRT, J_CHEST, .07f * h);
    for (int s = -1; s <= 1; s += 2) {
        float x = (float)s * w;
        limb(m, v3(x * .078f, .125f * h, .004f), .090f * g, v3(x * .066f, -.04f * h, .008f), .083f * g);
        limb(m, v3(x * .060f, .10f * h, .055f * g), .045f * g, v3(x * .030f, .06f * h, .05f * g), .03f * g);
        limb(m, v3(x * .025f, .222f * h, -.02f), .040f * h, v3(x * .135f, .185f * h, -.012f), .047f * g);
    }
    on(m, G_SHIRT, J_WAIST, .07f * h);
    limb(m, v3(0, .02f * h, .02f + b->belly), .085f * g, v3(0, .1f * h, .02f + .5f * b->belly), .075f * g);
    for (int s = -1; s <= 1; s += 2)
        limb(m, v3((float)s * .060f * w, .13f * h, .004f), .082f * g, v3((float)s * .064f * w, 0, .004f),
             .083f * g);
    on(m, G_SHIRT, J_PELVIS, .07f * h);
    for (int s = -1; s <= 1; s += 2) {
        bl__shape3 *hem = limb(m, v3((float)s * .066f * w, .10f * h, .002f), .088f * g,
                               v3((float)s * .076f * w, -.03f * h, -.004f), .103f * g);
        cut(m, hem, v3(0, -.03f * h, 0), v3(0, -1, 0));
    }
}

static void sleeve(maker *m, const bl__build *b, int side, float length) {
    float g = m->g, up = .53f * b->arm;
    on(m, G_SHIRT, side ? J_R_SHOULDER : J_L_SHOULDER, .035f * m->h);
    bl__shape3 *s = limb(m, v3(0, .0f, 0), .062f * g, v3(0, -length * up - .04f, 0), .056f * g);
    cut(m, s, v3(0, -length * up, 0), v3(0, -1, 0));
}

static void hand(maker *m, int side) {
    float h = m->h, g = m->g, x = side ? -1.f : 1.f;
    on(m, side ? G_ARM_R : G_ARM_L, side ? J_R_WRIST : J_L_WRIST, .014f * h);
    /* the palm lies in the y-z plane and looks to the body; the thumb is ahead */
    limb(m, v3(0, .01f, 0), .024f * g, v3(0, -.03f * h, .018f * h), .0165f * g);
    limb(m, v3(0, -.03f * h, .022f * h), .0155f * g, v3(0, -.085f * h, .026f * h), .0125f * g);
    limb(m, v3(0, -.03f * h, -.008f * h), .0155f * g, v3(0, -.08f * h, -.020f * h), .012f * g);
    limb(m, v3(0, -.04f * h, .006f * h), .0155f * g, v3(0, -.085f * h, .002f * h), .0125f * g);
    m->k = .006f * h;
    for (int i = 0; i < 4; i++) {
        float z = (.028f - .0165f * (float)i) * h, l = (i == 3 ? .058f : i == 1 ? .082f : .075f) * h;
        float spread = ((float)i - 1.5f) * -.012f * h;
        limb(m, v3(0, -.083f * h, z), .0098f * g, v3(-x * .006f * h, -.083f * h - .55f * l, z + .6f * spread),
             .0088f * g);
        limb(m, v3(-x * .006f * h, -.083f * h - .55f * l, z + .6f * spread), .0088f * g,
             v3(-x * .02f * h, -.083f * h - l, z + spread), .0072f * g);
    }
    m->k = .01f * h;
    limb(m, v3(0, -.028f * h, .026f * h), .014f * g, v3(-x * .012f * h, -.065f * h, .055f * h), .0105f * g);
    limb(m, v3(-x * .012f * h, -.065f * h, .055f * h), .0105f * g, v3(-x * .018f * h, -.092f * h, .060f * h),
         .008f * g);
}

static void arm(maker *m, const bl__build *b, int side) {
    float g = m->g, up = .53f * b->arm, fore = .47f * b->arm;
    bl__group group = side ? G_ARM_R : G_ARM_L;
    on(m, group, side ? J_R_SHOULDER : J_L_SHOULDER, .03f * m->h);
    limb(m, v3(0, -.02f, 0), .046f * g, v3(0, -up, 0), .035f * g);
    limb(m, v3(0, -.35f * up, .010f * g), .040f * g, v3(0, -.65f * up, .010f * g), .038f * g);
    on(m, group, side ? J_R_ELBOW : J_L_ELBOW, .03f * m->h);
    limb(m, v3(0, 0, 0), .036f * g, v3(0, -fore, 0), .025f * g);
    limb(m, v3(0, -.12f * fore, .004f), .036f * g, v3(0, -.42f * fore, .004f), .034f * g);
    hand(m, side);
}

static void leg(maker *m, const bl__build *b, int side, int shorts) {
    float g = m->g, h = m->h, x = side ? -1.f : 1.f, thigh = b->thigh * b->leg, shin = b->leg - thigh;
    float cloth = shorts ? .012f : .006f;
    bl__group legs = side ? G_LEGS_R : G_LEGS_L, bare = side ? G_SHIN_R : G_SHIN_L;
    bl__joint hip = side ? J_R_HIP : J_L_HIP;
    on(m, legs, J_PELVIS, .05f * h);
    limb(m, v3(x * .062f * g, .09f * h, 0), .080f * g, v3(x * .074f * g, -.01f * h, -.012f), .098f * g);
    on(m, legs, hip, .05f * h);
    float end = shorts ? .80f : 1.f;
    bl__shape3 *s =
        limb(m, v3(x * -.006f, -.02f, 0), .088f * g, v3(0, -end * thigh - (shorts ? .05f : 0), .004f),
             (shorts ? .074f : .058f) * g + cloth);
    if (shorts) cut(m, s, v3(0, -end * thigh, 0), v3(0, -1, 0));
    on(m, shorts ? bare : legs, hip, .03f * h);
    if (shorts) limb(m, v3(0, -.5f * thigh, 0), .068f * g, v3(0, -thigh, .004f), .053f * g);
    on(m, shorts ? bare : legs, hip + 1, .04f * h);
    float c = shorts ? 0 : .008f;
    limb(m, v3(0, 0, .004f), .053f * g + c, v3(0, -shin, 0), .036f * g + 2 * c);
    limb(m, v3(0, -.18f * shin, -.014f), .050f * g + c, v3(0, -.42f * shin, -.014f), .046f * g + c);
    if (!shorts) {
        on(m, bare, hip + 1, .02f * h);
        limb(m, v3(0, -.85f * shin, 0), .038f * g, v3(0, -shin, 0), .036f * g);
    }
    on(m, side ? G_SHOE_R : G_SHOE_L, hip + 2, .035f * h);
    float sole = -BL__ANKLE_UP * b->leg, f = b->leg / .83f;
    bl__shape3 *part[3];
    part[0] =
        limb(m, v3(0, -.01f * f, -.012f * f), .043f * f, v3(0, sole + .030f * f, -.028f * f), .040f * f);
    part[1] = limb(m, v3(0, sole + .050f * f, .02f * f), .044f * f,
                   v3(x * .006f * f, sole + .028f * f, .125f * f), .042f * f);
    part[2] = limb(m, v3(x * .004f * f, sole + .022f * f, .125f * f), .041f * f,
                   v3(0, sole + .02f * f, .158f * f), .034f * f);
    for (int i = 0; i < 3; i++) cut(m, part[i], v3(0, sole, 0), v3(0, -1, 0));
}

/* Shapes of one group must follow each other. */
static void order(bl__figure3 *f) {
    bl__shape3 sorted[BL__SHAPES3_MAX];
    int n = 0;
    for (int g = 0; g < BL__GROUPS; g++)
        for (int i = 0; i < f->count; i++)
            if ((int)f->shapes[i].group == g) sorted[n++] = f->shapes[i];
    memcpy(f->shapes, sorted, (size_t)n * sizeof sorted[0]);
}

void bl__flesh(bl__figure3 *f, const bl__build *b, const bl__angles *a, bl__dress dress) {
    bl__angles still = {.root = v3(0, 1 + BL__ANKLE_UP, 0)};
    bl__build origin = *b;
    origin.place = v3(0, 0, 0);
    for (int j = 0; j < BL__JOINTS; j++) still.local[j] = m_one();
    bl__skeleton_pose(&f->rest, &origin, &still);
    bl__skeleton_pose(&f->pose, b, a);
    f->count = 0;
    f->head = b->head;
    maker m = {.f = f, .h = b->height / 1.76f, .g = b->girth};
    head(&m, dress);
    trunk(&m, b);
    for (int side = 0; side < 2; side++) {
        sleeve(&m, b, side, dress == BL__DRESS_SOURCE ? .45f : .62f);
        arm(&m, b, side);
        leg(&m, b, side, dress == BL__DRESS_TARGET);
    }
    order(f);
}
