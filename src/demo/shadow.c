#include "shadow.h"

#include "ballerino/base.h"

#define NOTHING 1e6f
#define TILE 8

typedef struct cast {
    bl__shadow *s;
    const bl__figure3 *f;
} cast;

static void cast_tile(bl__shadow *s, const bl__figure3 *f, int tx, int ty) {
    const bl__view3 *v = &s->view;
    bl__crowd c;
    bl__crowd_gather(&c, f, v, (float)tx, (float)ty, (float)tx + TILE, (float)ty + TILE, .03f);
    for (int y = ty; y < ty + TILE; y++) {
        bl__lanes from, dir;
        float t[BL__LANES];
        for (int l = 0; l < BL__LANES; l++) {
            vec3 o, d;
            bl__view_ray(v, (float)(tx + l) + .5f, (float)y + .5f, &o, &d);
            from.x[l] = o.x, from.y[l] = o.y, from.z[l] = o.z;
            dir.x[l] = d.x, dir.y[l] = d.y, dir.z[l] = d.z;
            t[l] = -1;
        }
        if (c.count) bl__trace(t, &c, &from, &dir, .004f);
        for (int l = 0; l < BL__LANES; l++) s->depth[y][tx + l] = t[l] < 0 ? NOTHING : t[l];
    }
}

static float nearest(const bl__shadow *s, int cx, int cy) {
    float least = NOTHING;
    for (int y = cy * BL__SHADOW_CELL; y < (cy + 1) * BL__SHADOW_CELL; y++)
        for (int x = cx * BL__SHADOW_CELL; x < (cx + 1) * BL__SHADOW_CELL; x++)
            least = BL_MIN(least, s->depth[y][x]);
    return least;
}

/* A row of cells. */
static void cast_cells(const void *arg, int k) {
    const cast *all = arg;
    for (int ty = k * BL__SHADOW_CELL; ty < (k + 1) * BL__SHADOW_CELL; ty += TILE)
        for (int tx = 0; tx < BL__SHADOW_SIDE; tx += TILE) cast_tile(all->s, all->f, tx, ty);
    for (int x = 0; x < BL__SHADOW_CELLS; x++) all->s->nearest[k][x] = nearest(all->s, x, k);
}

void bl__shadow_cast(bl__shadow *s, const bl__figure3 *f, vec3 lamp) {
    bl__view3 *v = &s->view;
    *v = (bl__view3){.cx = BL__SHADOW_SIDE / 2.f, .cy = BL__SHADOW_SIDE / 2.f, .scale = 1};
    v->turn.z = lamp;
    v->turn.x = v_unit(v_cross(v3(0, 1, 0), lamp));
    v->turn.y = v_cross(lamp, v->turn.x);
    float x0 = NOTHING, x1 = -NOTHING, y0 = NOTHING, y1 = -NOTHING;
    for (int i = 0; i < f->count; i++) { /* a window just round the figure, 5 m up the light */
        vec3 q = m_back(v->turn, f->shapes[i].mid);
        float r = f->shapes[i].reach;
        x0 = fminf(x0, q.x - r), x1 = fmaxf(x1, q.x + r), y0 = fminf(y0, q.y - r), y1 = fmaxf(y1, q.y + r);
    }
    v->eye = m_apply(v->turn, v3(0.5f * (x0 + x1), 0.5f * (y0 + y1), 5));
    v->scale = fmaxf(x1 - x0, y1 - y0) * 1.06f / BL__SHADOW_SIDE;
    const cast all = {s, f};
    bl_team_run(bl_cpu_count(), BL__SHADOW_CELLS, cast_cells, &all);
}

/* Depth difference at a texel turned into shade: bilinear between the four nearest. */
static float tap(const bl__shadow *s, float x, float y, float z) {
    float fx = floorf(x - .5f), fy = floorf(y - .5f), u = x - .5f - fx, v = y - .5f - fy;
    int ix = (int)fx, iy = (int)fy;
    if (ix < 0 || iy < 0 || ix + 1 >= BL__SHADOW_SIDE || iy + 1 >= BL__SHADOW_SIDE) return 1;
    float a = s->depth[iy][ix] < z ? 0.f : 1.f, b = s->depth[iy][ix + 1] < z ? 0.f : 1.f;
    float c = s->depth[iy + 1][ix] < z ? 0.f : 1.f, d = s->depth[iy + 1][ix + 1] < z ? 0.f : 1.f;
    return f_mix(f_mix(a, b, u), f_mix(c, d, u), v);
}

static int cell_of(float x) {
    return (int)BL_CLAMP(x / BL__SHADOW_CELL, 0, BL__SHADOW_CELLS - 1);
}

/* 1 when nothing within `reach` texels of (x, y) is nearer than z: the usual case, and all taps would say so.
 */
static int in_full_light(const bl__shadow *s, float x, float y, float reach, float z) {
    const int x0 = cell_of(x - reach), x1 = cell_of(x + reach), y1 = cell_of(y + reach);
    for (int cy = cell_of(y - reach); cy <= y1; cy++)
        for (int cx = x0; cx <= x1; cx++)
            if (s->nearest[cy][cx] < z) return 0;
    return 1;
}

#define TAPS 20

float bl__shadow_light(const bl__shadow *s, vec3 p, float soft, float bias) {
    vec3 q = bl__view_project(&s->view, p);
    const float wide = 0.25f / s->view.scale;
    if (q.x < -wide || q.y < -wide || q.x > BL__SHADOW_SIDE + wide || q.y > BL__SHADOW_SIDE + wide) return 1;
    /* how far away the caster may be: the figure's middle is 5 m from the window */
    float away = fmaxf(q.z - 5, 0), radius = 1.2f + soft * (0.15f + away) / s->view.scale, sum = 0;
    if (in_full_light(s, q.x, q.y, radius + 1, q.z - bias)) return 1;
    for (int i = 0; i < TAPS; i++) { /* a sunflower's seeds */
        float r = radius * sqrtf(((float)i + .5f) / TAPS), a = 2.39996f * (float)i;
        sum += tap(s, q.x + r * cosf(a), q.y + r * sinf(a), q.z - bias);
    }
    return sum / TAPS;
}
