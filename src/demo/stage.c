#include "stage.h"

#include "ballerino/base.h"
#include "looks.h"

typedef struct block {
    vec3 middle, half;
    vec3 colour;
    int round; /* a ball of radius half.x */
} block;

typedef struct room {
    float back; /* the wall's z */
    const block *blocks;
    int count;
    bl__place place;
} room;

typedef struct hit {
    float t;
    vec3 p, n, albedo;
} hit;

#define BLOCK(x, y, z, a, b, c, r, g, bl)                                                                    \
    { {x, y, z}, {a, b, c}, {r, g, bl}, 0 }
#define BALL(x, y, z, a, r, g, b)                                                                            \
    { {x, y, z}, {a, a, a}, {r, g, b}, 1 }

static const block studio[] = {
    BLOCK(0, .06f, -1.56f, 4, .06f, .03f, .60f, .60f, .60f),         /* skirting */
    BLOCK(-1.02f, .42f, -1.25f, .22f, .42f, .2f, .04f, .04f, .045f), /* loudspeaker */
    BLOCK(-1.02f, .95f, -1.28f, .15f, .11f, .15f, .05f, .05f, .055f),
    BALL(-1.02f, .60f, -1.06f, .10f, .25f, .25f, .27f),
    BALL(-1.02f, .28f, -1.07f, .12f, .25f, .25f, .27f),
    BLOCK(1.0f, 1.02f, -1.50f, 1.9f, .025f, .03f, .42f, .25f, .12f), /* barre */
    BLOCK(.62f, .97f, -1.54f, .02f, .07f, .06f, .2f, .2f, .2f),
    BLOCK(-.45f, .97f, -1.54f, .02f, .07f, .06f, .2f, .2f, .2f),
    BLOCK(.72f, 2.05f, -1.58f, .30f, .42f, .015f, .85f, .62f, .12f), /* poster */
    BLOCK(.72f, 2.05f, -1.575f, .20f, .28f, .02f, .06f, .22f, .30f),
};
static const block home[] = {
    BLOCK(0, .05f, -1.36f, 4, .05f, .02f, .80f, .77f, .70f),
    BLOCK(.98f, .30f, -1.08f, .30f, .30f, .2f, .33f, .17f, .08f), /* chest of drawers */
    BLOCK(.98f, .42f, -.87f, .25f, .07f, .012f, .42f, .23f, .11f),
    BLOCK(.98f, .20f, -.87f, .25f, .10f, .012f, .42f, .23f, .11f),
    BLOCK(.90f, .70f, -1.1f, .07f, .10f, .07f, .70f, .72f, .74f), /* pot and plant */
    BALL(.90f, .92f, -1.10f, .14f, .05f, .18f, .05f),
    BALL(.80f, 1.02f, -1.06f, .10f, .07f, .24f, .06f),
    BALL(1.00f, 1.04f, -1.12f, .11f, .05f, .20f, .05f),
    BALL(.91f, 1.14f, -1.10f, .09f, .08f, .27f, .07f),
    BLOCK(-.78f, 1.92f, -1.37f, .34f, .26f, .02f, .10f, .07f, .05f), /* picture */
    BLOCK(-.78f, 1.92f, -1.365f, .30f, .22f, .025f, .62f, .68f, .66f),
    BALL(-.70f, 1.86f, -1.34f, .09f, .75f, .28f, .12f),
    BLOCK(-1.05f, .75f, -1.15f, .015f, .75f, .015f, .10f, .10f, .10f), /* lamp */
    BLOCK(-1.05f, .012f, -1.15f, .13f, .012f, .13f, .10f, .10f, .10f),
    BLOCK(-1.05f, 1.60f, -1.15f, .14f, .13f, .14f, .90f, .78f, .52f),
};

static int hit_block(const block *b, vec3 o, vec3 d, float *t, vec3 *n) {
    vec3 e = v_sub(o, b->middle);
    if (b->round) {
        float m = v_dot(e, d), c = v_dot(e, e) - b->half.x * b->half.x, disc = m * m - c;
        if (disc < 0 || -m - sqrtf(disc) < 1e-4f || -m - sqrtf(disc) >= *t) return 0;
        *t = -m - sqrtf(disc);
        *n = v_unit(v_mad(e, d, *t));
        return 1;
    }
    float lo = -1e9f, hi = 1e9f, at[3] = {e.x, e.y, e.z}, way[3] = {d.x, d.y, d.z};
    float half[3] = {b->half.x, b->half.y, b->half.z};
    int axis = 0;
    for (int i = 0; i < 3; i++) {
        float w = fabsf(way[i]) < 1e-9f ? 1e-9f : way[i], t0 = (-half[i] - at[i]) / w,
              t1 = (half[i] - at[i]) / w;
        float a = fminf(t0, t1);
        if (a > lo) lo = a, axis = i;
        hi = fminf(hi, fmaxf(t0, t1));
    }
    if (lo > hi || lo < 1e-4f || lo >= *t) return 0;
    *t = lo;
    float s = way[axis] > 0 ? -1.f : 1.f;
    *n = v3(axis == 0 ? s : 0, axis == 1 ? s : 0, axis == 2 ? s : 0);
    return 1;
}

static vec3 boards(const room *r, vec3 p) {
    float wide = r->place == BL__PLACE_STUDIO ? .14f : .19f, row = floorf(p.x / wide);
    float shift = bl__noise(v3(row * 7.3f, 1.5f, 0)) * 3, part = floorf((p.z + shift) / 1.3f);
    float tone = 1 + .16f * bl__noise(v3(row * 3.1f + .5f, part * 5.7f, 2.5f));
    float grain =
        1 + .10f * bl__noise(v3(p.x * 90, 0, p.z * 4)) + .06f * bl__noise(v3(p.x * 300, 3, p.z * 14));
    float u = p.x / wide - row, v = (p.z + shift) / 1.3f - part;
    float gap = (u < .02f || v < .004f) ? .55f : 1;
    vec3 base = r->place == BL__PLACE_STUDIO ? v3(.36f, .24f, .14f) : v3(.17f, .10f, .06f);
    vec3 c = v_mul(base, tone * grain * gap);
    if (r->place == BL__PLACE_HOME) { /* a rug */
        float e = sqrtf(p.x * p.x / (1.02f * 1.02f) + (p.z - .05f) * (p.z - .05f) / (.80f * .80f));
        float weave = 1 + .12f * bl__noise(v3(p.x * 200, 0, p.z * 200));
        vec3 rug = fabsf(e - .86f) < .05f ? v3(.55f, .50f, .40f) : v3(.20f, .27f, .30f);
        if (e < 1) c = v_mul(rug, weave);
    }
    return c;
}

static vec3 paper(const room *r, vec3 p) {
    float blotch =
        1 + .04f * bl__noise(v3(p.x * 2, p.y * 2, 0)) + .02f * bl__noise(v3(p.x * 60, p.y * 60, 0));
    if (r->place == BL__PLACE_STUDIO)
        return v_mul(p.y < 1.25f ? v3(.30f, .37f, .42f) : v3(.56f, .60f, .62f), blotch);
    float s = p.x / .16f - floorf(p.x / .16f);
    return v_mul(s < .5f ? v3(.60f, .53f, .40f) : v3(.56f, .48f, .36f), blotch);
}

static hit look(const room *r, vec3 o, vec3 d) {
    hit h = {.t = 50, .n = {0, 0, 1}, .albedo = {.5f, .5f, .5f}};
    if (d.y < 0 && -o.y / d.y < h.t)
        h.t = -o.y / d.y, h.n = v3(0, 1, 0), h.albedo = boards(r, v_mad(o, d, h.t));
    if (d.z < 0 && (r->back - o.z) / d.z < h.t)
        h.t = (r->back - o.z) / d.z, h.n = v3(0, 0, 1), h.albedo = paper(r, v_mad(o, d, h.t));
    for (int i = 0; i < r->count; i++)
        if (hit_block(&r->blocks[i], o, d, &h.t, &h.n)) h.albedo = r->blocks[i].colour;
    h.p = v_mad(o, d, h.t);
    return h;
}

static int shaded(const room *r, vec3 p, vec3 to) {
    float t = 50;
    vec3 n;
    for (int i = 0; i < r->count; i++)
        if (hit_block(&r->blocks[i], p, to, &t, &n)) return 1;
    return 0;
}

#define GRID 3 /* rays a pixel, each way */

static void paint_pixel(bl__stage *s, const room *r, int x, int y) {
    vec3 direct = v3(0, 0, 0), all = v3(0, 0, 0);
    float depth = 0;
    for (int i = 0; i < GRID * GRID; i++) {
        vec3 o, d;
        float u = ((float)(i % GRID) + .5f) / GRID, v = ((float)(i / GRID) + .5f) / GRID;
        bl__view_ray(&s->camera, (float)x + u, (float)y + v, &o, &d);
        hit h = look(r, o, d);
        vec3 to = v_unit(v_add(s->lamp, v3((u - .5f) * .16f, (v - .5f) * .06f, (.5f - v) * .16f)));
        vec3 off = v_mad(h.p, h.n, .002f);
        float facing = fmaxf(v_dot(h.n, to), 0) * (shaded(r, off, to) ? 0.f : 1.f);
        /* corners gather less of the room's light */
        float ao = 1 - .45f * expf(-fmaxf(h.p.y, 0) * 6) * (h.n.y > .5f ? 0.f : 1.f);
        if (h.n.y > .5f && h.p.y < .05f) ao *= 1 - .5f * expf(-(h.p.z - r->back) * 5);
        float fall = 1 - .10f * (h.p.x * h.p.x * .5f + (h.p.y - 1.6f) * (h.p.y - 1.6f) * .4f);
        vec3 room_light = v_mix(s->ground, s->sky, .5f + .5f * h.n.y);
        vec3 lit = v_mul(v_times(h.albedo, s->key), facing * fall);
        direct = v_add(direct, lit);
        all = v_add(all, v_mad(lit, v_times(h.albedo, room_light), ao * fall));
        depth += h.t;
    }
    size_t at = ((size_t)y * (size_t)s->width + (size_t)x);
    const float part = 1.f / (GRID * GRID);
    s->wall[3 * at] = all.x * part, s->wall[3 * at + 1] = all.y * part, s->wall[3 * at + 2] = all.z * part;
    s->direct[3 * at] = direct.x * part, s->direct[3 * at + 1] = direct.y * part,
                  s->direct[3 * at + 2] = direct.z * part;
    s->depth[at] = depth * part;
}

typedef struct painting {
    bl__stage *s;
    const room *r;
} painting;

static void paint_row(const void *arg, int y) {
    const painting *p = arg;
    for (int x = 0; x < p->s->width; x++) paint_pixel(p->s, p->r, x, y);
}

bl__view3 bl__stage_camera(bl__place place, int width, int height) {
    vec3 eye = place == BL__PLACE_STUDIO ? v3(.05f, 1.25f, 5.0f) : v3(-.08f, 1.35f, 5.1f);
    vec3 at = place == BL__PLACE_STUDIO ? v3(0, 1.08f, 0) : v3(0, .98f, 0);
    bl__view3 c = {.eye = eye, .cx = 0.5f * (float)width, .cy = 0.5f * (float)height};
    c.turn.z = v_unit(v_sub(eye, at));
    c.turn.x = v_unit(v_cross(v3(0, 1, 0), c.turn.z));
    c.turn.y = v_cross(c.turn.z, c.turn.x);
    c.focal = fminf(2.30f * (float)width, 1.75f * (float)height);
    return c;
}

int bl__stage_create(bl__stage **out, bl__place place, int width, int height, bl_err *err) {
    bl__stage *s = bl_alloc(sizeof *s);
    if (!s) return bl_fail(err, BL_E_NOMEM, "Not enough memory for the demo's room.");
    size_t n = (size_t)width * (size_t)height;
    s->width = width, s->height = height;
    s->wall = bl_alloc_array(3 * n, sizeof(float));
    s->direct = bl_alloc_array(3 * n, sizeof(float));
    s->depth = bl_alloc_array(n, sizeof(float));
    if (!s->wall || !s->direct || !s->depth) {
        bl__stage_destroy(&s);
        return bl_fail(err, BL_E_NOMEM,
                       "Not enough memory for the demo's room at %dx%d; take a smaller picture.", width,
                       height);
    }
    s->camera = bl__stage_camera(place, width, height);
    room r = {.place = place};
    if (place == BL__PLACE_STUDIO) {
        r.back = -1.6f, r.blocks = studio, r.count = (int)BL_COUNT(studio);
        s->lamp = v_unit(v3(-.55f, 1.0f, .75f));
        s->key = v3(1.35f, 1.30f, 1.22f), s->sky = v3(.62f, .68f, .78f), s->ground = v3(.30f, .27f, .25f);
    } else {
        r.back = -1.4f, r.blocks = home, r.count = (int)BL_COUNT(home);
        s->lamp = v_unit(v3(.60f, 1.05f, .80f));
        s->key = v3(1.45f, 1.28f, 1.02f), s->sky = v3(.60f, .60f, .62f), s->ground = v3(.30f, .25f, .21f);
    }
    const painting all = {s, &r};
    bl_team_run(bl_cpu_count(), height, paint_row, &all);
    *out = s;
    return 0;
}

void bl__stage_destroy(bl__stage **s) {
    if (!*s) return;
    bl_free((*s)->wall);
    bl_free((*s)->direct);
    bl_free((*s)->depth);
    bl_free(*s);
    *s = NULL;
}
