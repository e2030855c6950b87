/* Normalise: moves a source's poses into the target's picture, at the target's size and on its floor. */
#include <math.h>

#include "ballerino/base.h"
#include "floor.h"
#include "paper.h"
#include "points.h"
#include "series.h"

#define SHIFT_PART 0.1f /* of the target's width: how far the centre may move to keep arms in the picture */
#define TRAVEL_STEPS 50
#define CUT_PART 0.002f /* of the width, a frame on average: too little to scale the travel for */
#define NEARER 1e-3f    /* pixels cut off that a pixel nearer to the wanted centre is worth */

static int check_stats(const bl_pose_stats *s, const char *whose, bl_err *err) {
    const float all[] = {s->floor_near,  s->floor_far, s->height_near, s->height_far,
                         s->body_height, s->centre_x,  s->toe_median,  s->toe_max,
                         s->horizon,     s->close,     s->far};
    int good = s->width > 0 && s->height > 0 && s->frames > 0 && s->floor_near >= s->floor_far &&
               s->height_near > 0 && s->height_far > 0;
    for (size_t k = 0; k < BL_COUNT(all); k++) good &= isfinite(all[k]) != 0;
    return good ? 0
                : bl_fail(err, BL_E_MISMATCH,
                          "the %s's pose statistics are not usable; measure its video again", whose);
}

/* The part of the target's floor that the source's depth is mapped to. */
typedef struct depth_map {
    float s_far, s_range, s_height_far, s_height_near; /* range 0: the source has one scale */
    float t_far, t_range, t_height_far, t_height_near;
} depth_map;

/* A source that moves less in depth than the target did gets a part of the target's range, around where the
 * target usually stood. Depth is compared by how much the body grows from far to near, which does not depend
 * on the camera's height as the floor's range does. */
static void narrow_range(depth_map *m, float usual_floor) {
    float growth = m->s_range > 0 ? m->s_height_near / m->s_height_far : 1;
    float slope = (m->t_height_near - m->t_height_far) / m->t_range;
    if (!(slope > 1e-3f) || growth >= m->t_height_near / m->t_height_far) return;
    float usual = m->t_height_far + slope * BL_CLAMP(usual_floor - m->t_far, 0, m->t_range);
    float far_most = m->t_height_near / growth; /* beyond, the near end would leave the target's range */
    float from = BL_CLAMP(usual / sqrtf(growth), m->t_height_far, far_most);
    m->t_far += (from - m->t_height_far) / slope;
    m->t_range = (from * growth - from) / slope;
    m->t_height_far = from;
    m->t_height_near = from * growth;
}

static depth_map map_depth(const bl_pose_stats *s, const bl_pose_stats *t) {
    depth_map m = {.s_far = s->floor_far,
                   .s_range = s->floor_near - s->floor_far,
                   .s_height_far = s->height_far,
                   .s_height_near = s->height_near,
                   .t_far = t->floor_far,
                   .t_range = t->floor_near - t->floor_far,
                   .t_height_far = t->height_far,
                   .t_height_near = t->height_near};
    if (s->single_scale) m.s_range = 0;
    if (t->single_scale) m.t_range = 0;
    if (m.t_range > 0) narrow_range(&m, t->toe_median);
    return m;
}

/* Scale and vertical place for one frame's floor; the pivot is the frame's own point on the floor. */
static bl_frame_transform place(const depth_map *m, float floor) {
    float p = m->s_range > 0 ? BL_CLAMP((floor - m->s_far) / m->s_range, 0, 1) : 0.5f;
    float s = (m->t_height_far + p * (m->t_height_near - m->t_height_far)) /
              (m->s_height_far + p * (m->s_height_near - m->s_height_far));
    return (bl_frame_transform){.s = s, .ty = m->t_far + p * m->t_range - s * floor};
}

/* Horizontal extent of each usable frame around its low-passed mid-hip, and its travel from the centre, in
 * target pixels. */
typedef struct travel {
    float *offset, *left, *right;
    uint8_t *known;
    int64_t n;
} travel;

static int measure_travel(travel *v, const bl__path *p, const bl_frame_transform *x, float centre,
                          bl_err *err) {
    int64_t n = BL_MAX(p->n, 1);
    v->n = p->n;
    v->offset = bl_alloc_array((size_t)n * 3, sizeof *v->offset);
    v->known = bl_alloc((size_t)n);
    if (!v->offset || !v->known)
        return bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)p->n);
    v->left = v->offset + n, v->right = v->left + n;
    for (int64_t k = 0; k < p->n; k++) {
        const bl__body *b = &p->bodies[k];
        v->offset[k] = x[k].s * (p->hip_x[k] - centre);
        v->known[k] = (uint8_t)b->usable;
        if (!b->usable) continue;
        v->left[k] = x[k].s * (b->left - p->hip_x[k]);
        v->right[k] = x[k].s * (b->right - p->hip_x[k]);
    }
    bl__series_fill(v->left, v->known, p->n);
    bl__series_fill(v->right, v->known, p->n);
    bl__series_median(v->left, p->n);
    bl__series_median(v->right, p->n);
    return 0;
}

/* Where the centre must lie, lo..hi, for all frames to fit the width when travel is scaled by g. */
static void fitting_range(const travel *v, float g, float width, float *lo, float *hi) {
    *lo = -INFINITY, *hi = INFINITY;
    for (int64_t k = 0; k < v->n; k++) {
        *lo = BL_MAX(*lo, -v->left[k] - g * v->offset[k]);
        *hi = BL_MIN(*hi, width - v->right[k] - g * v->offset[k]);
    }
}

/* What sticks out of the picture, pixels a frame on average. */
static float cut_off(const travel *v, float g, float width, float centre) {
    double sum = 0;
    for (int64_t k = 0; k < v->n; k++) {
        float x = centre + g * v->offset[k];
        sum += (double)(BL_MAX(-(x + v->left[k]), 0) + BL_MAX(x + v->right[k] - width, 0));
    }
    return (float)(sum / (double)BL_MAX(v->n, 1));
}

/* What ranks centres: where equally much is cut off, the nearer one is better. Convex in the centre. */
static float misfit(const travel *v, float g, float width, float wanted, float centre) {
    return cut_off(v, g, width, centre) + NEARER * fabsf(centre - wanted);
}

/* The best centre within `reach` of the wanted one, and how much is cut off there. */
static float least_cut(const travel *v, float g, float width, float wanted, float reach, float *centre) {
    float lo = wanted - reach, hi = wanted + reach;
    for (int step = 0; step < 24; step++) {
        float a = lo + (hi - lo) / 3, b = hi - (hi - lo) / 3;
        if (misfit(v, g, width, wanted, a) <= misfit(v, g, width, wanted, b))
            hi = b;
        else
            lo = a;
    }
    *centre = (lo + hi) / 2;
    return cut_off(v, g, width, *centre);
}

/* The scale of the horizontal travel, 1 down to 0, and the centre for it, as near to the wanted one as can
 * be. The largest scale that keeps the whole figure in the picture, if half of the travel is left with it;
 * else the largest with which hardly more is cut off than must be: arms may leave the picture, but feet that
 * walk on the spot look wrong in every frame. */
static float fit_travel(const travel *v, float width, float wanted, float *centre) {
    float lo = 0, hi = width, reach = SHIFT_PART * width, cut[TRAVEL_STEPS + 1], at[TRAVEL_STEPS + 1];
    for (int step = TRAVEL_STEPS; step >= TRAVEL_STEPS / 2; step--) {
        float g = (float)step / TRAVEL_STEPS;
        fitting_range(v, g, width, &lo, &hi);
        *centre = lo <= hi ? BL_CLAMP(wanted, lo, hi) : (lo + hi) / 2;
        if (lo <= hi + 0.5f && fabsf(*centre - wanted) <= reach) return g;
    }
    float least = INFINITY;
    for (int step = 0; step <= TRAVEL_STEPS; step++) {
        cut[step] = least_cut(v, (float)step / TRAVEL_STEPS, width, wanted, reach, &at[step]);
        least = BL_MIN(least, cut[step]);
    }
    int step = TRAVEL_STEPS;
    while (cut[step] > least + CUT_PART * width) step--;
    *centre = at[step];
    return (float)step / TRAVEL_STEPS;
}

static int robust(bl_frame_transform *x, const bl_track *source, const bl_pose_stats *s,
                  const bl_pose_stats *t, bl_err *err) {
    bl__path p = {0};
    travel v = {0};
    depth_map m = map_depth(s, t);
    int rc = bl__path_make(&p, source, err);
    if (rc < 0) return rc;
    for (int64_t k = 0; k < p.n; k++) x[k] = place(&m, p.usable ? p.floor[k] : s->toe_median);
    rc = measure_travel(&v, &p, x, s->centre_x, err);
    if (rc == 0) {
        float centre = t->centre_x, g = 1;
        if (p.usable) g = fit_travel(&v, (float)t->width, t->centre_x, &centre);
        for (int64_t k = 0; k < p.n; k++) x[k].tx = centre + g * v.offset[k] - x[k].s * p.hip_x[k];
        if (g < 1)
            bl_log(BL_LOG_INFO, "motion",
                   "the source moves further to the sides than the target's picture is wide; its travel is "
                   "scaled by %.2f",
                   g);
    }
    bl_free(v.offset);
    bl_free(v.known);
    bl__path_release(&p);
    return rc;
}

static void letterbox(bl_frame_transform *x, int64_t n, const bl_track *s, const bl_pose_stats *t) {
    float w = (float)t->width, h = (float)t->height, sw = (float)s->width, sh = (float)s->height;
    float scale = BL_MIN(w / sw, h / sh);
    for (int64_t k = 0; k < n; k++)
        x[k] = (bl_frame_transform){scale, (w - scale * sw) / 2, (h - scale * sh) / 2};
}

static void apply(bl_person *p, bl_frame_transform x, const bl_track *from, const bl_track *to) {
    float fw = (float)from->width, fh = (float)from->height, tw = (float)to->width, th = (float)to->height;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        bl_landmark *l = &p->landmarks[k];
        l->x = (x.s * l->x * fw + x.tx) / tw;
        l->y = (x.s * l->y * fh + x.ty) / th;
        l->z = x.s * l->z * fw / tw;
    }
    for (int part = 0; part < BL_REGIONS; part++) {
        bl__points c = bl__points_of(p, (bl_region)part);
        for (int k = 0; *c.score > 0 && k < c.n; k++) {
            c.at[k].x = (x.s * c.at[k].x * fw + x.tx) / tw;
            c.at[k].y = (x.s * c.at[k].y * fh + x.ty) / th;
            c.at[k].z = x.s * c.at[k].z * fw / tw;
        }
    }
    p->roi.cx = (x.s * p->roi.cx * fw + x.tx) / tw;
    p->roi.cy = (x.s * p->roi.cy * fh + x.ty) / th;
    p->roi.w *= x.s * fw / tw;
    p->roi.h *= x.s * fh / th;
}

int bl_motion_normalise(bl_track **out, const bl_track *source, const bl_pose_stats *source_stats,
                        const bl_pose_stats *target, bl_normalise how, bl_frame_transform **transforms,
                        bl_err *err) {
    bl_track *t = NULL;
    bl_frame_transform *x = NULL;
    int rc = check_stats(target, "target", err);
    if (rc == 0 && how != BL_NORMALISE_NONE) rc = check_stats(source_stats, "source", err);
    if (rc == 0) rc = bl_track_copy(&t, source, err);
    if (rc < 0) return rc;
    x = bl_alloc_array((size_t)BL_MAX(source->n, 1), sizeof *x);
    if (!x) rc = bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)source->n);
    if (rc == 0 && how == BL_NORMALISE_ROBUST) rc = robust(x, source, source_stats, target, err);
    if (rc == 0 && how == BL_NORMALISE_PAPER) bl__paper_transforms(x, source, source_stats, target);
    if (rc == 0 && how == BL_NORMALISE_NONE) letterbox(x, source->n, source, target);
    if (rc < 0) goto fail;
    t->width = target->width, t->height = target->height;
    for (int64_t k = 0; k < t->n; k++)
        if (t->frames[k].has_person) apply(&t->frames[k].person, x[k], source, t);
    *out = t;
    if (transforms)
        *transforms = x;
    else
        bl_free(x);
    return 0;
fail:
    bl_free(x);
    bl_track_destroy(&t);
    return rc;
}
