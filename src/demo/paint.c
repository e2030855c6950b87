#include "paint.h"

#include <string.h>

#include "ballerino/base.h"
#include "looks.h"
#include "shadow.h"

#define TILE BL__LANES
#define SLACK 0.03f /* metres around a tile in which shapes still bend the surface */
#define ROOM 0.12f  /* ... still take away light from the room */

typedef struct painter {
    const bl__stage *s;
    const bl__figure3 *f;
    const bl__shadow *shadow;
    bl__dress dress;
    float h;
    float *rgb;          /* linear light, the whole picture */
    unsigned char *body; /* 1 where the dancer covers the pixel's middle */
} painter;

/* ---- the room, with what the dancer takes away ---- */
static float floor_light(const bl__skeleton *k, vec3 p, float h) {
    static const struct {
        bl__joint j;
        float r;
    } ball[] = {{J_L_ANKLE, .085f}, {J_R_ANKLE, .085f}, {J_L_KNEE, .09f},
                {J_R_KNEE, .09f},   {J_PELVIS, .17f},   {J_CHEST, .19f}};
    float light = 1;
    for (size_t i = 0; i < BL_COUNT(ball); i++) {
        vec3 d = v_sub(k->at[ball[i].j], p);
        if (i < 2) d = v_sub(v_add(k->at[ball[i].j], m_apply(k->turn[ball[i].j], v3(0, -.02f, .05f))), p);
        float far2 = v_dot(d, d), r = ball[i].r * h;
        light *= 1 - f_sat(1.3f * d.y * r * r / (far2 * sqrtf(far2)));
    }
    return light;
}

static void paint_room(const painter *w, int y) {
    const bl__stage *s = w->s;
    const bl__skeleton *k = &w->f->pose;
    for (int x = 0; x < s->width; x++) {
        size_t i = (size_t)y * (size_t)s->width + (size_t)x;
        vec3 o, d;
        bl__view_ray(&s->camera, (float)x + .5f, (float)y + .5f, &o, &d);
        vec3 p = v_mad(o, d, s->depth[i]);
        float shade = 1 - bl__shadow_light(w->shadow, p, .05f, .02f);
        float dx = p.x - k->at[J_PELVIS].x, dz = p.z - k->at[J_PELVIS].z;
        float gather = p.y < .02f && dx * dx + dz * dz < 1.f ? floor_light(k, p, w->h) : 1;
        for (int c = 0; c < 3; c++)
            w->rgb[3 * i + c] = (s->wall[3 * i + c] - shade * s->direct[3 * i + c]) * gather;
    }
}

/* ---- the dancer ---- */
typedef struct tile {
    bl__crowd near, wide;
} tile;

static vec3 light_up(const painter *w, const bl__look *l, vec3 p, vec3 geometric, vec3 view, float open) {
    const bl__stage *s = w->s;
    float lit = bl__shadow_light(w->shadow, v_mad(p, geometric, .012f), .03f, .02f);
    float wrap = .25f * l->soft, facing = (v_dot(l->normal, s->lamp) + wrap) / (1 + wrap);
    vec3 key = v_mul(s->key, fmaxf(facing, 0) * lit);
    if (l->soft > 0) key = v_add(key, v_mul(v3(.10f, .03f, .015f), f_sat(1 - fabsf(facing) * 4) * lit));
    vec3 fill_from = v_unit(v3(-s->lamp.x, .25f, .8f));
    float fill = .28f * fmaxf(v_dot(l->normal, fill_from), 0) * open;
    vec3 room = v_mul(v_mix(s->ground, s->sky, .5f + .5f * l->normal.y), open);
    vec3 sum = v_add(v_add(key, room), v_mul(s->sky, fill));
    vec3 half = v_unit(v_sub(s->lamp, view));
    float shine = l->gloss * powf(fmaxf(v_dot(l->normal, half), 0), 24) * lit;
    float rim = .05f * powf(f_sat(1 + v_dot(l->normal, view)), 3) * open;
    vec3 c = v_times(l->albedo, sum);
    return v_add(c, v_add(v_mul(s->key, shine), v_mul(s->sky, rim)));
}

/* Colours of eight rays; returns bits of those that hit. `live`: how many of the lanes matter. */
static unsigned shade(const painter *w, const tile *k, const bl__lanes *from, const bl__lanes *dir, int live,
                      vec3 colour[BL__LANES]) {
    float t[BL__LANES], d[3][BL__LANES];
    unsigned hits = 0;
    bl__trace(t, &k->near, from, dir, .0008f);
    for (int l = 0; l < live; l++) hits |= (unsigned)(t[l] >= 0) << l;
    if (!hits) return 0;
    bl__lanes p, n;
    for (int l = 0; l < BL__LANES; l++) {
        p.x[l] = from->x[l] + dir->x[l] * t[l];
        p.y[l] = from->y[l] + dir->y[l] * t[l];
        p.z[l] = from->z[l] + dir->z[l] * t[l];
    }
    bl__normals(&n, &k->near, &p, .0015f);
    static const float step[3] = {.02f, .05f, .11f};
    for (int i = 0; i < 3; i++) {
        bl__lanes q;
        for (int l = 0; l < BL__LANES; l++) {
            q.x[l] = p.x[l] + n.x[l] * step[i];
            q.y[l] = p.y[l] + n.y[l] * step[i];
            q.z[l] = p.z[l] + n.z[l] * step[i];
        }
        bl__field(d[i], &k->wide, &q);
    }
    for (int l = 0; l < live; l++) {
        if (!(hits >> l & 1)) continue;
        float shut = 0;
        for (int i = 0; i < 3; i++) shut += fmaxf(1 - d[i][l] / step[i], 0) * (i == 0 ? .25f : .3f);
        vec3 at = v3(p.x[l], p.y[l], p.z[l]), up = v3(n.x[l], n.y[l], n.z[l]);
        bl__look look = bl__look_at(w->f, &k->near, w->dress, w->h, at, up);
        float open = (1 - f_sat(shut)) * (.6f + .4f * f_sat(at.y / (.5f * w->h)));
        colour[l] = light_up(w, &look, at, up, v3(dir->x[l], dir->y[l], dir->z[l]), open);
    }
    return hits;
}

static void put_ray(const painter *w, bl__lanes *from, bl__lanes *dir, int l, float x, float y) {
    vec3 o, d;
    bl__view_ray(&w->s->camera, x, y, &o, &d);
    from->x[l] = o.x, from->y[l] = o.y, from->z[l] = o.z;
    dir->x[l] = d.x, dir->y[l] = d.y, dir->z[l] = d.z;
}

static void gather(const painter *w, tile *k, int x, int y) {
    float x0 = (float)x, y0 = (float)y;
    bl__crowd_gather(&k->near, w->f, &w->s->camera, x0, y0, x0 + TILE, y0 + TILE, SLACK);
    if (k->near.count) bl__crowd_gather(&k->wide, w->f, &w->s->camera, x0, y0, x0 + TILE, y0 + TILE, ROOM);
}

static void paint_tile(const painter *w, int x0, int y0) {
    tile k;
    gather(w, &k, x0, y0);
    if (!k.near.count) return;
    int live = BL_MIN(TILE, w->s->width - x0), rows = BL_MIN(TILE, w->s->height - y0);
    for (int y = y0; y < y0 + rows; y++) {
        bl__lanes from, dir;
        vec3 colour[BL__LANES];
        for (int l = 0; l < BL__LANES; l++) put_ray(w, &from, &dir, l, (float)(x0 + l) + .5f, (float)y + .5f);
        unsigned hits = shade(w, &k, &from, &dir, live, colour);
        for (int l = 0; l < live; l++) {
            size_t i = (size_t)y * (size_t)w->s->width + (size_t)(x0 + l);
            w->body[i] = hits >> l & 1;
            if (!w->body[i]) continue;
            w->rgb[3 * i] = colour[l].x, w->rgb[3 * i + 1] = colour[l].y, w->rgb[3 * i + 2] = colour[l].z;
        }
    }
}

/* ---- edges, drawn again with four rays a pixel ---- */
static float bright(const float *c) {
    return sqrtf(fmaxf(.3f * c[0] + .6f * c[1] + .1f * c[2], 0));
}

static int rough(const painter *w, int x, int y) {
    int width = w->s->width;
    size_t i = (size_t)y * (size_t)width + (size_t)x;
    size_t near[4] = {i - (x > 0), i + (x + 1 < width), i - (y > 0 ? (size_t)width : 0),
                      i + (y + 1 < w->s->height ? (size_t)width : 0)};
    int any = w->body[i];
    for (int j = 0; j < 4; j++) any |= w->body[near[j]];
    if (!any) return 0;
    float b = bright(w->rgb + 3 * i);
    for (int j = 0; j < 4; j++)
        if (w->body[near[j]] != w->body[i] || fabsf(bright(w->rgb + 3 * near[j]) - b) > .035f) return 1;
    return 0;
}

static void smooth_pixel(const painter *w, const tile *k, const float *room, float *out, int x, int y) {
    static const float spot[4][2] = {{.375f, .125f}, {.875f, .375f}, {.625f, .875f}, {.125f, .625f}};
    bl__lanes from, dir;
    vec3 colour[BL__LANES];
    for (int l = 0; l < BL__LANES; l++)
        put_ray(w, &from, &dir, l, (float)x + spot[l & 3][0], (float)y + spot[l & 3][1]);
    unsigned hits = shade(w, k, &from, &dir, 4, colour);
    float sum[3] = {0, 0, 0};
    for (int l = 0; l < 4; l++) {
        const float c[3] = {colour[l].x, colour[l].y, colour[l].z};
        for (int i = 0; i < 3; i++) sum[i] += hits >> l & 1 ? fminf(c[i], 1.5f) : room[i];
    }
    for (int i = 0; i < 3; i++) out[i] = .25f * sum[i];
}

static void smooth_tile(const painter *w, const float *room, float *out, int x0, int y0) {
    int live = BL_MIN(TILE, w->s->width - x0), rows = BL_MIN(TILE, w->s->height - y0), ready = 0;
    tile k;
    for (int y = y0; y < y0 + rows; y++)
        for (int x = x0; x < x0 + live; x++) {
            if (!rough(w, x, y)) continue;
            if (!ready) gather(w, &k, x0, y0), ready = 1;
            size_t i = 3 * ((size_t)y * (size_t)w->s->width + (size_t)x);
            if (k.near.count) smooth_pixel(w, &k, room + i, out + i, x, y);
        }
}

/* ---- to the screen ---- */
static uint8_t develop(float c) { /* a soft shoulder, then sRGB's curve */
    c = fmaxf(c, 0);
    c = c < .6f ? c : .6f + .4f * (1 - expf(-(c - .6f) / .4f));
    c = c <= .0031308f ? 12.92f * c : 1.055f * powf(c, 1 / 2.4f) - .055f;
    return (uint8_t)(255 * f_sat(c) + .5f);
}

typedef struct canvas {
    bl__shadow *shadow;
    float *rgb, *room, *out;
    unsigned char *body;
} canvas;

typedef struct work {
    painter *w;
    canvas *c;
    bl_frame *out;
} work;

static void paint_rooms(const void *arg, int64_t from, int64_t to) {
    const work *k = arg;
    for (int64_t y = from; y < to; y++) paint_room(k->w, (int)y);
}

/* Rows of tiles. */
static void paint_tiles(const void *arg, int row) {
    const work *k = arg;
    for (int x = 0; x < k->w->s->width; x += TILE) paint_tile(k->w, x, row * TILE);
}

static void smooth_tiles(const void *arg, int row) {
    const work *k = arg;
    for (int x = 0; x < k->w->s->width; x += TILE) smooth_tile(k->w, k->c->room, k->c->out, x, row * TILE);
}

static void develop_rows(const void *arg, int64_t from, int64_t to) {
    const work *k = arg;
    const int64_t row = 3 * (int64_t)k->w->s->width;
    for (int64_t y = from; y < to; y++)
        for (int64_t x = 0; x < row; x++)
            k->out->data[y * k->out->stride + x] = develop(k->c->out[y * row + x]);
}

static void paint_all(painter *w, canvas *c, bl_frame *out) {
    const int height = w->s->height, threads = bl_cpu_count(), rows = (height + TILE - 1) / TILE;
    const size_t n = 3 * (size_t)w->s->width * (size_t)height;
    const work k = {w, c, out};
    bl__shadow_cast(c->shadow, w->f, w->s->lamp);
    bl_team_split(threads, height, paint_rooms, &k);
    memcpy(c->room, c->rgb, n * sizeof(float));
    bl_team_run(threads, rows, paint_tiles, &k);
    memcpy(c->out, c->rgb, n * sizeof(float));
    bl_team_run(threads, rows, smooth_tiles, &k);
    bl_team_split(threads, height, develop_rows, &k);
}

int bl__paint(bl_frame *out, const bl__stage *s, const bl__figure3 *f, bl__dress dress, float h,
              bl_err *err) {
    size_t n = (size_t)s->width * (size_t)s->height;
    canvas c = {.shadow = bl_alloc(sizeof *c.shadow), .body = bl_alloc(n)};
    c.rgb = bl_alloc_array(3 * n, sizeof(float));
    c.room = bl_alloc_array(3 * n, sizeof(float));
    c.out = bl_alloc_array(3 * n, sizeof(float));
    int rc = 0;
    if (c.shadow && c.body && c.rgb && c.room && c.out) {
        painter w = {
            .s = s, .f = f, .shadow = c.shadow, .dress = dress, .h = h, .rgb = c.rgb, .body = c.body};
        paint_all(&w, &c, out);
    } else {
        rc = bl_fail(err, BL_E_NOMEM,
                     "Not enough memory to paint a demo frame of %dx%d; take a smaller picture.", s->width,
                     s->height);
    }
    bl_free(c.shadow);
    bl_free(c.body);
    bl_free(c.rgb);
    bl_free(c.room);
    bl_free(c.out);
    return rc;
}
