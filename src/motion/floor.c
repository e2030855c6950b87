#include "floor.h"

#include <string.h>

#include "ballerino/base.h"
#include "series.h"

#define ENVELOPE_SECONDS 2.0 /* faster changes of the floor are jumps and steps, not walking */
#define ENVELOPE_EXPECTILE 0.97
#define AIRBORNE_PART 0.03f /* of the body's height: feet higher than this are not on the floor */
#define FLOOR_SECONDS 1.0
#define FLOOR_EXPECTILE 0.8
#define HIP_SECONDS 1.0

/* The floor of one frame before smoothing. Guessed feet keep the distance to the hips that was last measured.
 */
static void raw_floor(bl__path *p) {
    float last = 0;
    for (int64_t k = 0; k < p->n; k++) {
        const bl__body *b = &p->bodies[k];
        if (!b->usable) continue;
        if (b->feet_measured) last = (b->toe - b->hip_y) / b->height;
        p->floor[k] = b->feet_measured || last <= 0 ? b->toe : b->hip_y + last * b->height;
        p->hip_x[k] = b->hip_x;
    }
}

static float median_height(const bl__path *p, float *scratch) {
    int64_t n = 0;
    for (int64_t k = 0; k < p->n; k++)
        if (p->bodies[k].usable) scratch[n++] = p->bodies[k].height;
    return bl__quantile(scratch, n, 0.5);
}

/* The upper envelope of the ankles. Mirroring the series at its ends keeps the curve from diving after a
 * track that starts or ends in the air. bl_free() the result. */
static float *envelope_of(const bl__path *p, double fps, bl_err *err) {
    int64_t pad = BL_MIN(p->n - 1, (int64_t)(ENVELOPE_SECONDS * fps)), n = p->n + 2 * pad;
    float *v = bl_alloc_array((size_t)n, sizeof *v);
    if (!v) {
        bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)p->n);
        return NULL;
    }
    memcpy(v + pad, p->floor, (size_t)p->n * sizeof *v);
    for (int64_t k = 1; k <= pad; k++) {
        v[pad - k] = p->floor[k];
        v[pad + p->n - 1 + k] = p->floor[p->n - 1 - k];
    }
    if (bl__series_smooth(v, n, ENVELOPE_SECONDS * fps, ENVELOPE_EXPECTILE, err) < 0) {
        bl_free(v);
        return NULL;
    }
    memmove(v, v + pad, (size_t)p->n * sizeof *v);
    return v;
}

/* The envelope tells which frames touch the floor; the floor then runs straight from touch to touch, so that
 * no part of a jump is left in it. */
static int smooth_floor(bl__path *p, uint8_t *known, float *scratch, double fps, bl_err *err) {
    float slack = AIRBORNE_PART * median_height(p, scratch);
    float *envelope = envelope_of(p, fps, err);
    if (!envelope) return BL_E_NOMEM;
    for (int64_t k = 0; k < p->n; k++) known[k] &= p->floor[k] > envelope[k] - slack;
    bl_free(envelope);
    bl__series_fill(p->floor, known, p->n);
    return bl__series_smooth(p->floor, p->n, FLOOR_SECONDS * fps, FLOOR_EXPECTILE, err);
}

static int smooth(bl__path *p, uint8_t *known, float *scratch, double fps, bl_err *err) {
    for (int64_t k = 0; k < p->n; k++) known[k] = (uint8_t)p->bodies[k].usable;
    if (bl__series_fill(p->floor, known, p->n) == 0) return 0;
    bl__series_fill(p->hip_x, known, p->n);
    bl__series_median(p->floor, p->n);
    bl__series_median(p->hip_x, p->n);
    int rc = bl__series_smooth(p->hip_x, p->n, HIP_SECONDS * fps, 0.5, err);
    return rc < 0 ? rc : smooth_floor(p, known, scratch, fps, err);
}

int bl__path_make(bl__path *out, const bl_track *t, bl_err *err) {
    bl__path p = {.n = t->n};
    uint8_t *known = NULL;
    int rc = bl__bodies(&p.bodies, &p.usable, t, err);
    if (rc < 0) return rc;
    p.floor = bl_alloc_array((size_t)BL_MAX(t->n, 1) * 3, sizeof *p.floor);
    known = bl_alloc((size_t)BL_MAX(t->n, 1));
    rc =
        p.floor && known ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)t->n);
    if (rc == 0) {
        p.hip_x = p.floor + t->n;
        raw_floor(&p);
        rc = smooth(&p, known, p.floor + 2 * t->n, t->fps > 0 ? t->fps : 30, err);
    }
    bl_free(known);
    if (rc < 0)
        bl__path_release(&p);
    else
        *out = p;
    return rc;
}

void bl__path_release(bl__path *p) {
    bl_free(p->bodies);
    bl_free(p->floor);
    *p = (bl__path){0};
}
