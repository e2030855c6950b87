#include "looks.h"

#include <stdint.h>

static float corner(int x, int y, int z) {
    uint32_t h = (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^ (uint32_t)z * 0xcb1ab31fu;
    h = (h ^ (h >> 13)) * 0x5bd1e995u;
    h = (h ^ (h >> 15)) * 0x27d4eb2du;
    return (float)(h >> 8) * (2.f / 16777216.f) - 1;
}

float bl__noise(vec3 p) {
    float fx = floorf(p.x), fy = floorf(p.y), fz = floorf(p.z), v[2][2];
    float tx = p.x - fx, ty = p.y - fy, tz = p.z - fz;
    int x = (int)fx, y = (int)fy, z = (int)fz;
    tx = tx * tx * (3 - 2 * tx), ty = ty * ty * (3 - 2 * ty), tz = tz * tz * (3 - 2 * tz);
    for (int j = 0; j < 2; j++)
        for (int k = 0; k < 2; k++) v[j][k] = f_mix(corner(x, y + j, z + k), corner(x + 1, y + j, z + k), tx);
    return f_mix(f_mix(v[0][0], v[1][0], ty), f_mix(v[0][1], v[1][1], ty), tz);
}

static float to_linear(unsigned c) {
    return powf((float)(c & 255) / 255, 2.2f);
}

vec3 bl__rgb(unsigned s) {
    return v3(to_linear(s >> 16), to_linear(s >> 8), to_linear(s));
}

/* Where the point lies at rest: every near bone of the group says, the nearest loudest. */
static vec3 rest_point(const bl__figure3 *f, const bl__crowd *c, bl__group group, vec3 p, bl__joint *bone) {
    vec3 sum = v3(0, 0, 0);
    float total = 0, best = 0;
    for (int i = 0; i < c->count; i++) {
        const bl__shape3 *s = c->of[i];
        if (s->group != group) continue;
        float d;
        if (s->ellipsoid) {
            d = v_len(v_sub(p, s->a)) - (s->d.x + s->d.y + s->d.z) / 3;
        } else {
            vec3 e = v_sub(p, s->a);
            float t = f_sat(v_dot(e, s->d) * s->inverse);
            d = v_len(v_mad(e, s->d, -t)) - s->ra - t * s->dr;
        }
        float w = expf(-60 * fmaxf(d, -0.1f));
        vec3 q = v_add(f->rest.at[s->joint], m_back(f->pose.turn[s->joint], v_sub(p, f->pose.at[s->joint])));
        sum = v_mad(sum, q, w), total += w;
        if (w > best) best = w, *bone = s->joint;
    }
    return v_mul(sum, 1 / fmaxf(total, 1e-20f));
}

/* 1 inside an ellipse, soft over `edge` of its radius. */
static float spot(float x, float y, float cx, float cy, float rx, float ry, float edge) {
    float u = (x - cx) / rx, v = (y - cy) / ry;
    return 1 - f_smooth(1 - edge, 1 + edge, sqrtf(u * u + v * v));
}

static vec3 face(vec3 skin, vec3 q, vec3 hair, bl__dress dress) {
    if (q.z < 0.03f) return skin;
    float x = fabsf(q.x), y = q.y;
    vec3 c = skin, lip = v_times(skin, v3(.78f, .42f, .44f));
    c = v_mix(c, v_times(skin, v3(1.05f, .80f, .78f)), .6f * spot(x, y, .040f, .075f, .022f, .018f, .9f));
    c = v_mix(c, v_mul(skin, .62f), .55f * spot(x, y, .032f, .113f, .022f, .014f, .7f));   /* sockets */
    c = v_mix(c, v_mul(skin, .45f), .7f * spot(x, y, .0075f, .066f, .0050f, .0035f, .5f)); /* nostrils */
    c = v_mix(c, v_mul(skin, .72f), .5f * spot(x, y, .0f, .030f, .018f, .005f, .8f));
    float bow = .049f + 8 * x * x * 1.5f, in = spot(x, y, 0, .047f, .026f, .0105f, .2f);
    c = v_mix(c, lip, in);
    c = v_mix(c, v_mul(lip, .35f), in * (1 - f_smooth(.0008f, .0028f, fabsf(y - bow))));
    float lid = spot(x, y, .032f, .108f, .0175f, .0095f, .15f),
          white = spot(x, y, .032f, .107f, .0150f, .0075f, .2f);
    c = v_mix(c, v3(.03f, .015f, .01f), .85f * lid);
    c = v_mix(c, v3(.72f, .70f, .68f), white);
    vec3 iris = dress == BL__DRESS_SOURCE ? bl__rgb(0x4a2f1b) : bl__rgb(0x3f6f86);
    c = v_mix(c, iris, white * spot(x, y, .032f, .108f, .0072f, .0072f, .2f));
    c = v_mix(c, v3(.005f, .005f, .005f), white * spot(x, y, .032f, .108f, .0035f, .0035f, .3f));
    float arch = .127f + .006f * (1 - (x - .034f) * (x - .034f) / (.02f * .02f));
    float brow = (1 - f_smooth(.003f, .0055f, fabsf(y - arch))) * f_smooth(.010f, .015f, x) *
                 (1 - f_smooth(.050f, .057f, x));
    return v_mix(c, v_mul(hair, .8f), .9f * brow);
}

static float wave(float x) {
    return x - floorf(x);
}
/* 0..1 stripes of period 1, `part` of it on, with soft edges. */
static float stripes(float x, float part, float edge) {
    float t = wave(x);
    return f_smooth(0, edge, t) * (1 - f_smooth(part, part + edge, t));
}

static vec3 shirt(vec3 q, vec3 chest, vec3 shoulder, bl__dress dress, float h) {
    if (dress == BL__DRESS_TARGET) {
        vec3 c = v_mix(bl__rgb(0xe9e4d6), bl__rgb(0x1d3a78), stripes(q.y / (.062f * h), .5f, .08f));
        float neck = hypotf(q.x, q.z - chest.z);
        return v_mix(bl__rgb(0x1d3a78), c, f_smooth(.070f * h, .074f * h, neck + .0f * shoulder.x));
    }
    vec3 red = bl__rgb(0xc4202c), white = bl__rgb(0xf2efe8), dark = bl__rgb(0x5a0f1c);
    float side = f_smooth(.125f * h, .135f * h, fabsf(q.x)) *
                 (1 - f_smooth(shoulder.y - .10f * h, shoulder.y - .08f * h, q.y));
    vec3 c = v_mix(red, dark, side);
    float out = fabsf(q.x) - shoulder.x; /* a white band round the sleeves */
    c = v_mix(c, white,
              f_smooth(.0f, .01f, out) * stripes((shoulder.y - q.y) / (.135f * h) + .38f, .22f, .04f));
    if (q.z > chest.z + .03f) { /* a star on the chest */
        float x = q.x, y = q.y - chest.y - .055f * h, a = atan2f(x, y), r = hypotf(x, y);
        float edge = (.050f + .020f * cosf(5 * a)) * h;
        c = v_mix(c, white, 1 - f_smooth(edge - .003f, edge + .003f, r));
    }
    return c;
}

static vec3 hair_colour(vec3 base, vec3 q) {
    float strand =
        bl__noise(v3(q.x * 160, q.y * 14, q.z * 160)) + .6f * bl__noise(v3(q.x * 330, q.y * 30, q.z * 330));
    return v_mul(base, 1 + .38f * strand);
}

static vec3 trousers(vec3 q, vec3 hip, bl__dress dress, float h) {
    vec3 c = dress == BL__DRESS_SOURCE ? bl__rgb(0x262c3c) : bl__rgb(0xb28a50);
    c = v_mul(c, 1 + .10f * bl__noise(v_mul(q, 220)) + .12f * bl__noise(v_mul(q, 23)));
    float seam = fabsf(fabsf(q.x) - hip.x - .078f * h);
    if (dress == BL__DRESS_SOURCE) { /* a white stripe down the side */
        float out = fabsf(q.x) - hip.x, round = fabsf(q.z);
        return v_mix(c, bl__rgb(0xd9d9dc),
                     f_smooth(.02f, .03f, out) * (1 - f_smooth(.016f * h, .020f * h, round)));
    }
    c = v_mul(c, 1 - .35f * (1 - f_smooth(.002f, .005f, seam)));
    return v_mul(c, 1 - .35f * (1 - f_smooth(.002f, .006f, fabsf(q.y - hip.y + .26f * h))));
}

static vec3 shoe(vec3 q, vec3 ankle, bl__dress dress, float h) {
    float up = q.y - ankle.y, ahead = q.z - ankle.z;
    vec3 upper = dress == BL__DRESS_SOURCE ? bl__rgb(0xe8e6e0) : bl__rgb(0x2f7a5c);
    vec3 sole = dress == BL__DRESS_SOURCE ? bl__rgb(0xb52a32) : bl__rgb(0xe9e6dc);
    vec3 c = v_mix(sole, upper, f_smooth(-.060f * h, -.056f * h, up));
    float lace = f_smooth(.02f, .03f, ahead / h) * (1 - f_smooth(.085f, .095f, ahead / h)) *
                 stripes(ahead / (.018f * h), .5f, .2f);
    lace *= f_smooth(-.035f * h, -.030f * h, up) *
            (1 - f_smooth(.018f * h, .024f * h, fabsf(fabsf(q.x) - ankle.x)));
    return v_mix(c, dress == BL__DRESS_SOURCE ? bl__rgb(0x30343f) : sole, lace);
}

/* Height of the cloth's folds, metres. */
static float folds(bl__group g, vec3 q, vec3 waist, float h) {
    float a = 1.f;
    if (g == G_SHIRT) a += 1.2f * expf(-fabsf(q.y - waist.y) / (.08f * h));
    float big = bl__noise(v3(q.x * 9 + q.y * 6, q.y * 15 - q.x * 5, q.z * 9));
    float small = bl__noise(v3(q.x * 22 - q.y * 14, q.y * 34 + q.x * 9, q.z * 22));
    big = 1 - 2 * fabsf(big); /* ridges */
    return a * (.0042f * big + .0016f * small);
}

static vec3 bump(bl__group g, vec3 q, vec3 waist, float h, vec3 n, mat3 turn) {
    const float e = .004f;
    float f0 = folds(g, q, waist, h);
    vec3 grad =
        v3(folds(g, v_add(q, v3(e, 0, 0)), waist, h) - f0, folds(g, v_add(q, v3(0, e, 0)), waist, h) - f0,
           folds(g, v_add(q, v3(0, 0, e)), waist, h) - f0);
    grad = m_apply(turn, v_mul(grad, 1 / e));
    return v_unit(v_mad(v_mad(n, n, v_dot(n, grad)), grad, -1));
}

bl__look bl__look_at(const bl__figure3 *f, const bl__crowd *c, bl__dress dress, float h, vec3 p,
                     vec3 normal) {
    bl__group g;
    bl__joint bone = J_PELVIS;
    bl__field_group(c, p, &g);
    vec3 q = rest_point(f, c, g, p, &bone);
    const vec3 *at = f->rest.at;
    vec3 skin = dress == BL__DRESS_SOURCE ? bl__rgb(0x9c6a4a) : bl__rgb(0xe3b497);
    vec3 hair = dress == BL__DRESS_SOURCE ? bl__rgb(0x1e1714) : bl__rgb(0x8a4a22);
    bl__look l = {.normal = normal, .gloss = .06f};
    skin = v_mul(skin, 1 + .05f * bl__noise(v_mul(q, 60)));
    switch (g) {
    case G_HEAD:
        l.albedo = face(skin, v_mul(v_sub(q, at[J_HEAD]), 1 / (h * f->head)), hair, dress);
        l.soft = 1, l.gloss = .10f;
        break;
    case G_HAIR: l.albedo = hair_colour(hair, q), l.gloss = .16f; break;
    case G_SHIRT: l.albedo = shirt(q, at[J_CHEST], at[J_L_SHOULDER], dress, h); break;
    case G_ARM_L:
    case G_ARM_R: l.albedo = skin, l.soft = 1, l.gloss = .08f; break;
    case G_LEGS_L:
    case G_LEGS_R: l.albedo = trousers(q, at[J_L_HIP], dress, h); break;
    case G_SHIN_L:
    case G_SHIN_R:
        l.albedo = dress == BL__DRESS_SOURCE ? bl__rgb(0xd8d5cf) : skin, l.soft = 1;
        if (dress == BL__DRESS_TARGET && q.y < at[J_L_ANKLE].y + .10f * h) l.albedo = bl__rgb(0xece8de);
        break;
    default: l.albedo = shoe(q, at[J_L_ANKLE], dress, h), l.gloss = .15f; break;
    }
    if (g == G_SHIRT || g == G_LEGS_L || g == G_LEGS_R)
        l.normal = bump(g, q, at[J_WAIST], h, normal, f->pose.turn[bone]);
    return l;
}
