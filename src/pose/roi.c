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
