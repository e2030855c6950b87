#include "raster.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "ballerino/base.h"

static void begin(bl__mask *m, int y0, int y1) {
    m->y0 = BL_MAX(y0, 0), m->y1 = BL_MIN(y1, BL__RASTER_HEIGHT - 1);
    for (int y = m->y0; y <= m->y1; y++) m->lo[y] = INT_MAX, m->hi[y] = INT_MIN;
}

static void include(bl__mask *m, int y, int x0, int x1) {
    if (y < m->y0 || y > m->y1) return;
    m->lo[y] = BL_MIN(m->lo[y], x0);
    m->hi[y] = BL_MAX(m->hi[y], x1);
}

void bl__mask_disc(bl__mask *m, int x, int y, int radius) {
    begin(m, y - radius, y + radius);
    for (int dy = -radius, half; dy <= radius; dy++) {
        for (half = 0; (half + 1) * (half + 1) + dy * dy <= radius * radius;) half++;
        include(m, y + dy, x - half, x + half);
    }
}

/* Sine of whole degrees as the drawing library of the paper's authors tabulates it, seven decimals in single
 * precision: ties in rounding depend on it. */
static double sine(int degrees) {
    degrees = (degrees % 360 + 360) % 360;
    if (degrees >= 180) return -sine(degrees - 180);
    if (degrees > 90) degrees = 180 - degrees;
    return (float)(round(sin(degrees * (3.14159265358979323846 / 180)) * 1e7) / 1e7);
}

int bl__ellipse_polygon(bl__vertex out[BL__ELLIPSE_VERTICES], int x, int y, int a, int b, int degrees) {
    double across = sine(degrees + 90), along = sine(degrees);
    int n = 0;
    for (int angle = 0; angle <= 360; angle++) {
        double ex = a * sine(angle + 90), ey = b * sine(angle);
        bl__vertex v = {(int)lrint(x + ex * across - ey * along), (int)lrint(y + ex * along + ey * across)};
        if (n == 0 || v.x != out[n - 1].x || v.y != out[n - 1].y) out[n++] = v;
    }
    return n;
}

/* Position on the minor axis after k of `major` steps when it moves `minor` in all: nearest, ties stay
 * behind. */
static int minor_at(int64_t k, int64_t major, int64_t minor) {
    return major ? (int)((2 * k * minor + major - 1) / (2 * major)) : 0;
}

/* Moves the end p of a line, along it, to the row or column `to`; the other coordinate is cut off. */
static void move_to_row(bl__vertex *p, bl__vertex other, int to) {
    p->x += (int)((double)(to - p->y) * (other.x - p->x) / (other.y - p->y));
    p->y = to;
}

static void move_to_column(bl__vertex *p, bl__vertex other, int to) {
    p->y += (int)((double)(to - p->x) * (other.y - p->y) / (other.x - p->x));
    p->x = to;
}

/* Cuts a line to the canvas, rows before columns; its steps are then counted from where it was cut, which may
 * move it by a pixel. Returns 0 where nothing is left. */
static int clip_line(bl__vertex *p, bl__vertex *q) {
    const int right = BL__RASTER_WIDTH - 1, bottom = BL__RASTER_HEIGHT - 1;
    if (BL_MAX(p->x, q->x) < 0 || BL_MIN(p->x, q->x) > right) return 0;
    if (BL_MAX(p->y, q->y) < 0 || BL_MIN(p->y, q->y) > bottom) return 0;
    if (p->y < 0 || p->y > bottom) move_to_row(p, *q, p->y < 0 ? 0 : bottom);
    if (q->y < 0 || q->y > bottom) move_to_row(q, *p, q->y < 0 ? 0 : bottom);
    if (BL_MAX(p->x, q->x) < 0 || BL_MIN(p->x, q->x) > right) return 0;
    if (p->x < 0 || p->x > right) move_to_column(p, *q, p->x < 0 ? 0 : right);
    if (q->x < 0 || q->x > right) move_to_column(q, *p, q->x < 0 ? 0 : right);
    return 1;
}

static void include_line(bl__mask *m, bl__vertex p, bl__vertex q) {
    if (!clip_line(&p, &q)) return;
    bl__vertex from = p.x <= q.x ? p : q, to = p.x <= q.x ? q : p;
    int dx = to.x - from.x, dy = abs(to.y - from.y), down = to.y >= from.y ? 1 : -1;
    int steps = BL_MAX(dx, dy);
    for (int k = 0; k <= steps; k++) {
        int x = from.x + (dx >= dy ? k : minor_at(k, dy, dx));
        int y = from.y + down * (dx >= dy ? minor_at(k, dx, dy) : k);
        include(m, y, x, x);
    }
}

/* The edge's x on each of its rows, in 16.16 fixed point accumulated from the top, rounded half up. The row
 * of the lower end belongs to the next edge, except at the very bottom, which the outline covers. */
static void include_edge(bl__mask *m, bl__vertex p, bl__vertex q) {
    if (p.y == q.y) return;
    bl__vertex top = p.y < q.y ? p : q, end = p.y < q.y ? q : p;
    int64_t rows = end.y - top.y, step = ((int64_t)(end.x - top.x) * 2 * 65536 + rows) / (2 * rows);
    for (int y = BL_MAX(top.y, m->y0); y < end.y && y <= m->y1; y++) {
        int64_t x = (int64_t)top.x * 65536 + (y - top.y) * step + 32768;
        int column = (int)(x >= 0 ? x / 65536 : -((65535 - x) / 65536)); /* floor */
        include(m, y, column, column);
    }
}

void bl__mask_convex(bl__mask *m, const bl__vertex *v, int n) {
    int y0 = INT_MAX, y1 = INT_MIN;
    for (int k = 0; k < n; k++) y0 = BL_MIN(y0, v[k].y), y1 = BL_MAX(y1, v[k].y);
    begin(m, y0, y1);
    for (int k = 0; k < n; k++) {
        include_edge(m, v[k], v[(k + 1) % n]);
        include_line(m, v[k], v[(k + 1) % n]);
    }
}

void bl__raster_blend(uint8_t *canvas, const bl__mask *m, const uint8_t rgb[3], int keep_tenths) {
    for (int y = m->y0; y <= m->y1; y++) {
        int x0 = BL_MAX(m->lo[y], 0), x1 = BL_MIN(m->hi[y], BL__RASTER_WIDTH - 1);
        uint8_t *px = canvas + ((size_t)y * BL__RASTER_WIDTH + (size_t)x0) * 3;
        for (int x = x0; x <= x1; x++, px += 3)
            for (int c = 0; c < 3; c++)
                px[c] = (uint8_t)((keep_tenths * px[c] + (10 - keep_tenths) * rgb[c] + 5) / 10);
    }
}
