/* Stats: what normalisation must know of a subject. */
#include "ballerino/base.h"
#include "floor.h"
#include "limbs.h"
#include "paper.h"
#include "series.h"

#define HEIGHT_QUANTILE 0.9     /* of the heights at one distance: crouching lowers, bad frames raise */
#define SINGLE_SCALE_PART 0.06f /* of the body's height: a smaller range of the floor is no walk in depth */
#define SLOPE_MAX 4.0           /* body height over camera height; a camera is rarely below a quarter of it */
#define FAR_LEAST 0.2f          /* of the near height */

typedef struct columns {
    float *floor, *height, *scratch;
    int64_t n;
} columns;

static int gather(columns *c, const bl__path *p, bl_err *err) {
    c->floor = bl_alloc_array((size_t)BL_MAX(p->usable, 1) * 3, sizeof *c->floor);
    if (!c->floor) return bl_fail(err, BL_E_NOMEM, "not enough memory for statistics");
    c->height = c->floor + p->usable;
    c->scratch = c->height + p->usable;
    for (int64_t k = 0; k < p->n; k++) {
        if (!p->bodies[k].usable) continue;
        c->floor[c->n] = p->floor[k];
        c->height[c->n++] = p->bodies[k].height;
    }
    return 0;
}

static float quantile_of(columns *c, const float *v, double q) {
    for (int64_t k = 0; k < c->n; k++) c->scratch[k] = v[k];
    return bl__quantile(c->scratch, c->n, q);
}

/* Heights grow linearly with the floor's y under a fixed camera over flat ground, so that one line through
 * the upper part of all frames says more than the few frames at the ends of the range. */
static int depth_stats(bl_pose_stats *s, columns *c, bl_err *err) {
    s->body_height = quantile_of(c, c->height, 0.95);
    s->floor_near = quantile_of(c, c->floor, 0.99);
    s->floor_far = quantile_of(c, c->floor, 0.01);
    s->single_scale = !(s->floor_near - s->floor_far > SINGLE_SCALE_PART * s->body_height);
    if (!s->single_scale) {
        double a, b;
        int rc = bl__quantile_line(&a, &b, c->floor, c->height, c->n, HEIGHT_QUANTILE, 0, SLOPE_MAX, err);
        if (rc < 0) return rc;
        s->height_near = (float)(a + b * s->floor_near);
        s->height_far = BL_MAX((float)(a + b * s->floor_far), FAR_LEAST * s->height_near);
        return 0;
    }
    s->floor_near = s->floor_far = quantile_of(c, c->floor, 0.5);
    s->height_near = s->height_far = s->body_height;
    return 0;
}

static int fill(bl_pose_stats *s, const bl__path *p, bl_err *err) {
    columns c = {0};
    int rc = gather(&c, p, err);
    if (rc == 0) rc = depth_stats(s, &c, err);
    if (rc == 0) {
        int64_t n = 0;
        for (int64_t k = 0; k < p->n; k++)
            if (p->bodies[k].usable) c.height[n++] = p->bodies[k].toe;
        s->toe_median = bl__quantile(c.height, n, 0.5);
        n = 0;
        for (int64_t k = 0; k < p->n; k++)
            if (p->bodies[k].usable) c.height[n++] = p->bodies[k].hip_x;
        s->centre_x = bl__quantile(c.height, n, 0.5);
    }
    bl_free(c.floor);
    return rc;
}

int bl_motion_stats(bl_pose_stats *out, const bl_track *t, bl_err *err) {
    bl__path p = {0};
    bl_pose_stats s = {.width = t->width, .height = t->height};
    int rc = bl__path_make(&p, t, err);
    if (rc < 0) return rc;
    s.frames = p.usable;
    rc = p.usable > 0
             ? fill(&s, &p, err)
             : bl_fail(err, BL_E_FOOTAGE,
                       "no frame of %s shows a usable person; film one person with head, hips and legs "
                       "in the picture",
                       t->video && *t->video ? t->video : "the video");
    if (rc == 0) rc = bl__limb_stats(&s, t, &p, err);
    bl__path_release(&p);
    if (rc == 0) rc = bl__paper_stats(&s, t, err);
    if (rc == 0) *out = s;
    return rc;
}
