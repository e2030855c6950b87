#include "paper.h"

#include <math.h>

#include "ballerino/base.h"
#include "body.h"
#include "series.h"

#define HORIZON_PART 0.5f /* how far below the median the horizon may lie, in parts of (max - median) */
#define CLUSTER_PART 0.05f
#define OVERALL_PART 1.1f

bl__paper_body bl__paper_measure(const bl_person *p, int width, int height) {
    const bl_landmark *l = p->landmarks;
    float w = (float)width, h = (float)height, head_x = l[BL_LM_NOSE].x, head_y = l[BL_LM_NOSE].y;
    int ears =
        l[BL_LM_L_EAR].visibility >= BL__SEEN_VISIBILITY && l[BL_LM_R_EAR].visibility >= BL__SEEN_VISIBILITY;
    int ankles = l[BL_LM_L_ANKLE].visibility >= BL__SEEN_VISIBILITY &&
                 l[BL_LM_R_ANKLE].visibility >= BL__SEEN_VISIBILITY;
    if (l[BL_LM_NOSE].visibility < BL__SEEN_VISIBILITY) {
        if (!ears) return (bl__paper_body){0};
        head_x = (l[BL_LM_L_EAR].x + l[BL_LM_R_EAR].x) / 2;
        head_y = (l[BL_LM_L_EAR].y + l[BL_LM_R_EAR].y) / 2;
    }
    float foot_x = (l[BL_LM_L_ANKLE].x + l[BL_LM_R_ANKLE].x) / 2;
    float foot_y = (l[BL_LM_L_ANKLE].y + l[BL_LM_R_ANKLE].y) / 2;
    float tall = hypotf((head_x - foot_x) * w, (head_y - foot_y) * h);
    float toe = BL_MAX(l[BL_LM_L_ANKLE].y, l[BL_LM_R_ANKLE].y) * h;
    if (!ankles || !isfinite(tall) || !isfinite(toe)) return (bl__paper_body){0};
    return (bl__paper_body){.valid = 1, .toe = toe, .height = tall};
}

static float tallest_near(const bl__paper_body *b, int64_t n, float toe, float reach) {
    float best = 0;
    for (int64_t k = 0; k < n; k++)
        if (fabsf(b[k].toe - toe) <= reach) best = BL_MAX(best, b[k].height);
    return best;
}

static void clusters(bl_pose_stats *out, const bl__paper_body *b, int64_t n, float median) {
    float overall = 0;
    out->toe_max = out->horizon = median;
    for (int64_t k = 0; k < n; k++) {
        out->toe_max = BL_MAX(out->toe_max, b[k].toe);
        overall = BL_MAX(overall, b[k].height);
    }
    for (int64_t k = 0; k < n; k++)
        if (b[k].toe < median && median - b[k].toe <= HORIZON_PART * (out->toe_max - median))
            out->horizon = BL_MIN(out->horizon, b[k].toe);
    float reach = CLUSTER_PART * (out->toe_max - out->horizon);
    out->close = tallest_near(b, n, out->toe_max, reach);
    out->far = tallest_near(b, n, out->horizon, reach);
    if (overall > OVERALL_PART * out->close) out->close = overall;
    if (!(out->far > 0)) out->far = out->close;
}

int bl__paper_stats(bl_pose_stats *out, const bl_track *t, bl_err *err) {
    bl__paper_body *b = bl_alloc_array((size_t)BL_MAX(t->n, 1), sizeof *b);
    float *toes = bl_alloc_array((size_t)BL_MAX(t->n, 1), sizeof *toes);
    int64_t n = 0;
    if (b && toes)
        for (int64_t k = 0; k < t->n; k++) {
            if (!t->frames[k].has_person) continue;
            bl__paper_body one = bl__paper_measure(&t->frames[k].person, t->width, t->height);
            if (one.valid) b[n] = one, toes[n++] = one.toe;
        }
    int rc = b && toes ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)t->n);
    if (rc == 0 && n > 0) clusters(out, b, n, bl__quantile(toes, n, 0.5));
    bl_free(b);
    bl_free(toes);
    return rc;
}

/* The target's range is shrunk to the source's length around its own middle; heights follow in proportion. */
static void guard_range(bl_pose_stats *t, const bl_pose_stats *s) {
    float range = s->toe_max - s->horizon, own = t->toe_max - t->horizon, cut = (own - range) / 2;
    if (!(range < own)) return;
    float slope = (t->close - t->far) / own;
    t->toe_max -= cut, t->horizon += cut;
    t->close -= slope * cut, t->far += slope * cut;
}

void bl__paper_transforms(bl_frame_transform *out, const bl_track *source, const bl_pose_stats *s,
                          const bl_pose_stats *target) {
    bl_pose_stats t = *target;
    guard_range(&t, s);
    float near_ratio = s->close > 0 && t.close > 0 ? t.close / s->close : t.body_height / s->body_height;
    float far_ratio = s->far > 0 && t.far > 0 ? t.far / s->far : near_ratio;
    float range = s->toe_max - s->horizon, pivot = 0, scale = 1, shift = 0;
    int64_t first = -1;
    for (int64_t k = 0; k < source->n; k++) {
        const bl_track_frame *f = &source->frames[k];
        bl__paper_body b = {0};
        if (f->has_person) b = bl__paper_measure(&f->person, source->width, source->height);
        if (b.valid) {
            float p = range > 1 ? (b.toe - s->horizon) / range : 0.5f;
            shift = t.horizon + p * (t.toe_max - t.horizon) - b.toe;
            scale = far_ratio + p * (near_ratio - far_ratio);
            if (first < 0) first = k, pivot = b.toe;
        }
        out[k] = (bl_frame_transform){scale, (float)t.width / 2 - scale * (float)s->width / 2,
                                      (1 - scale) * pivot + shift};
    }
    for (int64_t k = 0; k < BL_MAX(first, 0); k++) out[k] = out[first];
}
