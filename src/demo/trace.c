#include "trace.h"

#define FAR_AWAY 1e3f
#define STEPS 40
#define SEAM 0.012f /* how softly one group meets another, metres */

void bl__view_ray(const bl__view3 *v, float px, float py, vec3 *from, vec3 *dir) {
    float x = px - v->cx, y = v->cy - py;
    if (v->focal > 0) {
        *from = v->eye;
        *dir = v_unit(m_apply(v->turn, v3(x, y, -v->focal)));
        return;
    }
    *from = v_add(v->eye, m_apply(v->turn, v3(x * v->scale, y * v->scale, 0)));
    *dir = v_mul(v->turn.z, -1);
}

vec3 bl__view_project(const bl__view3 *v, vec3 p) {
    vec3 q = m_back(v->turn, v_sub(p, v->eye));
    float s = v->focal > 0 ? v->focal / fmaxf(-q.z, 0.05f) : 1 / v->scale;
    return v3(v->cx + q.x * s, v->cy - q.y * s, -q.z);
}

void bl__crowd_gather(bl__crowd *c, const bl__figure3 *f, const bl__view3 *v, float x0, float y0, float x1,
                      float y1, float slack) {
    c->count = 0, c->near = FAR_AWAY, c->far = 0;
    for (int i = 0; i < f->count; i++) {
        const bl__shape3 *s = &f->shapes[i];
        vec3 p = bl__view_project(v, s->mid);
        float r = s->reach + slack, px = v->focal > 0 ? r * v->focal / fmaxf(p.z - r, 0.05f) : r / v->scale;
        float dx = fmaxf(fmaxf(x0 - p.x, p.x - x1), 0), dy = fmaxf(fmaxf(y0 - p.y, p.y - y1), 0);
        if (dx * dx + dy * dy > px * px) continue;
        c->of[c->count++] = s;
        float behind = v->focal > 0 ? 1.03f : 1; /* rays at the picture's edge are longer than the depth */
        c->near = fminf(c->near, p.z - r), c->far = fmaxf(c->far, (p.z + r) * behind);
    }
}

static void shape_distance(float out[BL__LANES], const bl__shape3 *s, const bl__lanes *p) {
    const mat3 *turn = &s->axes;
    if (s->ellipsoid) {
        vec3 i = v3(1 / s->d.x, 1 / s->d.y, 1 / s->d.z);
        for (int l = 0; l < BL__LANES; l++) {
            float x = p->x[l] - s->a.x, y = p->y[l] - s->a.y, z = p->z[l] - s->a.z;
            float ux = (turn->x.x * x + turn->x.y * y + turn->x.z * z) * i.x;
            float uy = (turn->y.x * x + turn->y.y * y + turn->y.z * z) * i.y;
            float uz = (turn->z.x * x + turn->z.y * y + turn->z.z * z) * i.z;
            float k0 = sqrtf(ux * ux + uy * uy + uz * uz);
            ux *= i.x, uy *= i.y, uz *= i.z;
            out[l] = k0 * (k0 - 1) / (sqrtf(ux * ux + uy * uy + uz * uz) + 1e-6f);
        }
    } else {
        for (int l = 0; l < BL__LANES; l++) {
            float x = p->x[l] - s->a.x, y = p->y[l] - s->a.y, z = p->z[l] - s->a.z;
            float t = (x * s->d.x + y * s->d.y + z * s->d.z) * s->inverse;
            t = t < 0 ? 0 : t;
            t = t > 1 ? 1 : t;
            x -= t * s->d.x, y -= t * s->d.y, z -= t * s->d.z;
            out[l] = sqrtf(x * x + y * y + z * z) - s->ra - t * s->dr;
        }
    }
    if (!s->cut) return;
    for (int l = 0; l < BL__LANES; l++) {
        float c = p->x[l] * s->n.x + p->y[l] * s->n.y + p->z[l] * s->n.z - s->c;
        out[l] = out[l] > c ? out[l] : c;
    }
}

static void melt(float into[BL__LANES], const float d[BL__LANES], float k) {
    float inverse = 1 / k, quarter = 0.25f * k;
    for (int l = 0; l < BL__LANES; l++) {
        float a = into[l], b = d[l], gap = a > b ? a - b : b - a, low = a < b ? a : b;
        float h = 1 - gap * inverse;
        h = h > 0 ? h : 0;
        into[l] = low - h * h * quarter;
    }
}

void bl__field(float out[BL__LANES], const bl__crowd *c, const bl__lanes *p) {
    float group[BL__LANES], d[BL__LANES];
    for (int l = 0; l < BL__LANES; l++) out[l] = FAR_AWAY;
    for (int i = 0; i < c->count;) {
        bl__group g = c->of[i]->group;
        shape_distance(group, c->of[i++], p);
        for (; i < c->count && c->of[i]->group == g; i++) {
            shape_distance(d, c->of[i], p);
            melt(group, d, c->of[i]->k);
        }
        melt(out, group, SEAM);
    }
}

float bl__field_group(const bl__crowd *c, vec3 q, bl__group *best) {
    bl__lanes p = {0};
    p.x[0] = q.x, p.y[0] = q.y, p.z[0] = q.z;
    float group[BL__LANES], d[BL__LANES], low = FAR_AWAY;
    *best = G_HEAD;
    for (int i = 0; i < c->count;) {
        bl__group g = c->of[i]->group;
        shape_distance(group, c->of[i++], &p);
        for (; i < c->count && c->of[i]->group == g; i++) {
            shape_distance(d, c->of[i], &p);
            melt(group, d, c->of[i]->k);
        }
        if (group[0] < low) low = group[0], *best = g;
    }
    return low;
}

void bl__trace(float t[BL__LANES], const bl__crowd *c, const bl__lanes *from, const bl__lanes *dir,
               float eps) {
    float d[BL__LANES];
    for (int l = 0; l < BL__LANES; l++) t[l] = fmaxf(c->near, 0);
    for (int step = 0; step < STEPS; step++) {
        bl__lanes p;
        for (int l = 0; l < BL__LANES; l++) {
            p.x[l] = from->x[l] + dir->x[l] * t[l];
            p.y[l] = from->y[l] + dir->y[l] * t[l];
            p.z[l] = from->z[l] + dir->z[l] * t[l];
        }
        bl__field(d, c, &p);
        int busy = 0;
        for (int l = 0; l < BL__LANES; l++) {
            int on = d[l] > eps && t[l] < c->far;
            t[l] += on ? d[l] * 0.9f : 0;
            busy |= on;
        }
        if (!busy) break;
    }
    for (int l = 0; l < BL__LANES; l++)
        if (t[l] >= c->far || d[l] > 4 * eps) t[l] = -1;
}

void bl__normals(bl__lanes *n, const bl__crowd *c, const bl__lanes *p, float eps) {
    static const float corner[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};
    bl__lanes sum = {0};
    for (int i = 0; i < 4; i++) {
        bl__lanes q;
        float d[BL__LANES];
        for (int l = 0; l < BL__LANES; l++) {
            q.x[l] = p->x[l] + eps * corner[i][0];
            q.y[l] = p->y[l] + eps * corner[i][1];
            q.z[l] = p->z[l] + eps * corner[i][2];
        }
        bl__field(d, c, &q);
        for (int l = 0; l < BL__LANES; l++) {
            sum.x[l] += d[l] * corner[i][0];
            sum.y[l] += d[l] * corner[i][1];
            sum.z[l] += d[l] * corner[i][2];
        }
    }
    for (int l = 0; l < BL__LANES; l++) {
        vec3 u = v_unit(v3(sum.x[l], sum.y[l], sum.z[l]));
        n->x[l] = u.x, n->y[l] = u.y, n->z[l] = u.z;
    }
}
