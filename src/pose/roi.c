#include "roi.h"

#include <math.h>

#define PI 3.14159265358979323846

/* To -pi..pi. */
static double normalise(double a) {
    return a - 2 * PI * floor((a + PI) / (2 * PI));
}

double bl__roi_side(bl__point p0, bl__point p1, int width, int height) {
    return 2 * hypot((p1.x - p0.x) * width, (p1.y - p0.y) * height);
}

bl_roi bl__roi_from_points(bl__point p0, bl__point p1, double scale, int width, int height) {
    double side = bl__roi_side(p0, p1, width, height) * scale;
    double dx = (p1.x - p0.x) * width, dy = (p1.y - p0.y) * height;
    return (bl_roi){.cx = (float)p0.x,
                    .cy = (float)p0.y,
                    .w = (float)(side / width),
                    .h = (float)(side / height),
                    .rotation = (float)normalise(PI / 2 - atan2(-dy, dx))};
}

double bl__roi_rotation(bl__point p0, bl__point p1, double target, int width, int height) {
    return normalise(target - atan2(-(p1.y - p0.y) * height, (p1.x - p0.x) * width));
}

bl_roi bl__roi_towards(bl__point p0, bl__point p1, double target, int width, int height) {
    bl_roi r = bl__roi_from_points(p0, p1, 1, width, height);
    r.rotation = (float)bl__roi_rotation(p0, p1, target, width, height);
    return r;
}

bl_roi bl__roi_turned_box(const bl__point *p, int n, double rotation, int width, int height) {
    bl_roi upright = bl__roi_box(p, n, rotation);
    double c = cos(rotation), s = sin(rotation), x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (int k = 0; k < n; k++) {
        double dx = (p[k].x - (double)upright.cx) * width, dy = (p[k].y - (double)upright.cy) * height;
        double x = dx * c + dy * s, y = dy * c - dx * s;
        x0 = fmin(x0, x), x1 = fmax(x1, x), y0 = fmin(y0, y), y1 = fmax(y1, y);
    }
    double x = (x0 + x1) / 2, y = (y0 + y1) / 2;
    return (bl_roi){.cx = (float)((x * c - y * s) / width + (double)upright.cx),
                    .cy = (float)((x * s + y * c) / height + (double)upright.cy),
                    .w = (float)((x1 - x0) / width),
                    .h = (float)((y1 - y0) / height),
                    .rotation = (float)rotation};
}

bl_roi bl__roi_box(const bl__point *p, int n, double rotation) {
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (int k = 0; k < n; k++) {
        x0 = fmin(x0, p[k].x), x1 = fmax(x1, p[k].x);
        y0 = fmin(y0, p[k].y), y1 = fmax(y1, p[k].y);
    }
    return (bl_roi){.cx = (float)((x0 + x1) / 2),
                    .cy = (float)((y0 + y1) / 2),
                    .w = (float)(x1 - x0),
                    .h = (float)(y1 - y0),
                    .rotation = (float)rotation};
}

bl_roi bl__roi_grow(bl_roi r, double shift_y, double scale, int width, int height) {
    double w = (double)r.w * width, h = (double)r.h * height, side = fmax(w, h) * scale;
    r.cx -= (float)(h * shift_y * sin((double)r.rotation) / width);
    r.cy += (float)(h * shift_y * cos((double)r.rotation) / height);
    r.w = (float)(side / width);
    r.h = (float)(side / height);
    return r;
}

bl__point bl__roi_project(const bl_roi *r, double x, double y, int width, int height) {
    double dx = (x - .5) * (double)r->w * width, dy = (y - .5) * (double)r->h * height;
    double c = cos((double)r->rotation), s = sin((double)r->rotation);
    return (bl__point){(dx * c - dy * s) / width + (double)r->cx, (dx * s + dy * c) / height + (double)r->cy};
}

/* The place of a point along the region's axes, from its centre, in its sides. */
static bl__point inside(const bl_roi *r, double px, double py, int width, int height) {
    double dx = (px - (double)r->cx) * width, dy = (py - (double)r->cy) * height;
    double c = cos((double)r->rotation), s = sin((double)r->rotation);
    return (bl__point){(dx * c + dy * s) / ((double)r->w * width),
                       (dy * c - dx * s) / ((double)r->h * height)};
}

int bl__roi_follows(const bl_roi *before, const bl_roi *now, const bl__point *p, int n,
                    const bl__roi_limits *limits, int width, int height) {
    double turn = fabs(normalise((double)before->rotation - (double)now->rotation)) * 180 / PI;
    bl__point centre = inside(now, (double)before->cx, (double)before->cy, width, height);
    double dw = fabs((double)before->w / (double)now->w - 1),
           dh = fabs((double)before->h / (double)now->h - 1);
    if (!(turn <= limits->degrees) || !(fabs(centre.x) <= limits->shift) ||
        !(fabs(centre.y) <= limits->shift) || !(dw <= limits->growth) || !(dh <= limits->growth))
        return 0;
    double most = (1 - limits->margin) / 2;
    for (int k = 0; k < n; k++) {
        bl__point at = inside(now, p[k].x, p[k].y, width, height);
        if (!(fabs(at.x) <= most) || !(fabs(at.y) <= most)) return 0;
    }
    return 1;
}

/* Area that two circles share (the usual sum of two segments). */
static double lens(double r, double s, double d) {
    if (d >= r + s) return 0;
    if (d <= fabs(r - s)) return PI * fmin(r, s) * fmin(r, s);
    double a = acos((d * d + r * r - s * s) / (2 * d * r)), b = acos((d * d + s * s - r * r) / (2 * d * s));
    return r * r * (a - sin(2 * a) / 2) + s * s * (b - sin(2 * b) / 2);
}

double bl__roi_overlap(const bl_roi *a, const bl_roi *b, int width, int height) {
    double r = (double)a->w * width / 2, s = (double)b->w * width / 2;
    double d = hypot(((double)a->cx - (double)b->cx) * width, ((double)a->cy - (double)b->cy) * height);
    double shared = lens(r, s, d), all = PI * (r * r + s * s) - shared;
    return all > 0 ? shared / all : 0;
}

int bl__roi_usable(const bl_roi *r) {
    return fabsf(r->cx) < 100 && fabsf(r->cy) < 100 && r->w > 1e-6f && r->w < 100 && r->h > 1e-6f &&
           r->h < 100 && fabsf(r->rotation) < 100;
}
