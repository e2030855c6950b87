/* Stroke: how much of a row's pixels a capsule, or a line of joined capsules, covers. */
#include <string.h>

#include "ballerino/base.h"
#include "shapes.h"

/* What the shape can touch; returns 0 when nothing inside w x h. */
static int touches(const bl_capsule *s, int w, int h, bl__box *box) {
    float r = BL_MAX(s->ra, s->rb) + 1, fw = (float)w, fh = (float)h;
    float x0 = BL_MIN(s->ax, s->bx) - r, x1 = BL_MAX(s->ax, s->bx) + r;
    float y0 = BL_MIN(s->ay, s->by) - r, y1 = BL_MAX(s->ay, s->by) + r;
    if (!(x0 < fw && x1 > 0 && y0 < fh && y1 > 0)) return 0;
    box->x0 = (int)BL_MAX(x0, 0), box->x1 = (int)BL_MIN(x1 + 1, fw);
    box->y0 = (int)BL_MAX(y0, 0), box->y1 = (int)BL_MIN(y1 + 1, fh);
    return 1;
}

static bl__brush brush(const bl_capsule *s) {
    bl__brush b = {.ax = s->ax, .ay = s->ay, .dx = s->bx - s->ax, .dy = s->by - s->ay};
    float squared = b.dx * b.dx + b.dy * b.dy;
    b.inverse = squared > 1e-12f ? 1 / squared : 0;
    b.length = sqrtf(squared);
    b.ra = s->ra, b.dr = s->rb - s->ra;
    b.reach = BL_MAX(s->ra, s->rb) + 0.5f;
    return b;
}

/* Narrows [*x0, *x1) to what row y can touch of a long shape. */
static void narrow(const bl__brush *b, float y, int *x0, int *x1) {
    if (fabsf(b->dy) < 0.05f * b->length || b->length < 1) return;
    float middle_x = b->ax + (y - b->ay) * b->dx / b->dy;
    float half = b->reach * b->length / fabsf(b->dy) + 1;
    float lo = middle_x - half, hi = middle_x + half + 1;
    if (lo > (float)*x0) *x0 = lo < (float)*x1 ? (int)lo : *x1;
    if (hi < (float)*x1) *x1 = hi > (float)*x0 ? (int)hi : *x0;
}

int bl__stroke_make(bl__stroke *out, const bl_capsule *s, int left, int w, int h) {
    int used = 0;
    out->n = 0;
    out->all = (bl__box){w, h, 0, 0};
    do {
        bl__box *b = &out->box[out->n];
        if (!touches(&s[used], w, h, b)) continue;
        out->brush[out->n++] = brush(&s[used]);
        out->all.x0 = BL_MIN(out->all.x0, b->x0), out->all.x1 = BL_MAX(out->all.x1, b->x1);
        out->all.y0 = BL_MIN(out->all.y0, b->y0), out->all.y1 = BL_MAX(out->all.y1, b->y1);
    } while (++used < left && s[used].joined && out->n < BL__STROKE_MAX);
    return used;
}

int bl__stroke_row(const bl__stroke *st, int y, int x0, int count, float *cover) {
    int any = 0;
    for (int k = 0; k < st->n; k++) {
        const bl__brush *b = &st->brush[k];
        if (y < st->box[k].y0 || y >= st->box[k].y1) continue;
        int from = BL_MAX(st->box[k].x0, x0), to = BL_MIN(st->box[k].x1, x0 + count);
        if (from < to) narrow(b, (float)y + 0.5f, &from, &to);
        if (from >= to) continue;
        if (!any) memset(cover, 0, (size_t)count * sizeof *cover);
        any = 1;
        for (int x = from; x < to; x++) {
            float c = bl__brush_coverage(b, (float)x + 0.5f, (float)y + 0.5f);
            if (c > cover[x - x0]) cover[x - x0] = c;
        }
    }
    return any;
}
