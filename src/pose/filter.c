#include "filter.h"

#include <math.h>

#define PI 3.14159265358979323846
#define FIRST_FREQUENCY 30.0
#define VISIBILITY_ALPHA 0.1f

void bl__euro_reset(bl__euro *f) {
    *f = (bl__euro){.min_cutoff = f->min_cutoff, .beta = f->beta, .derivate_cutoff = f->derivate_cutoff};
}

/* Weight of a new value for a cut-off frequency, at the present rate. */
static float alpha(const bl__euro *f, double cutoff) {
    return (float)(1 / (1 + f->frequency / (2 * PI * cutoff)));
}

static float low_pass(bl__low_pass *l, float x, float a, int started) {
    l->raw = x;
    l->stored = started ? a * x + (1 - a) * l->stored : x;
    return l->stored;
}

static float euro(const bl__euro *f, bl__low_pass *value, bl__low_pass *slope, float x, double value_scale) {
    double speed = f->started ? ((double)x - (double)value->raw) * value_scale * f->frequency : 0;
    double smooth = (double)low_pass(slope, (float)speed, alpha(f, f->derivate_cutoff), f->started);
    return low_pass(value, x, alpha(f, f->min_cutoff + f->beta * fabs(smooth)), f->started);
}

void bl__euro_apply(bl__euro *f, bl_landmark *p, int n, int64_t t_us, double value_scale, float sx, float sy,
                    float sz) {
    int frozen = f->started && t_us <= f->last_us;
    f->frequency = !f->started || frozen ? FIRST_FREQUENCY : 1e6 / (double)(t_us - f->last_us);
    for (int k = 0; k < n; k++) {
        p[k].visibility = low_pass(&f->visibility[k], p[k].visibility, VISIBILITY_ALPHA, f->started);
        if (frozen) continue;
        p[k].x = euro(f, &f->value[k][0], &f->slope[k][0], p[k].x * sx, value_scale) / sx;
        p[k].y = euro(f, &f->value[k][1], &f->slope[k][1], p[k].y * sy, value_scale) / sy;
        p[k].z = euro(f, &f->value[k][2], &f->slope[k][2], p[k].z * sz, value_scale) / sz;
    }
    if (!frozen) f->last_us = t_us;
    f->started = 1;
}
