#include "match.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/motion.h"

#define BEST 24           /* candidates by pose alone */
#define STATES (2 * BEST) /* and the frames that follow those of the entry before */
#define DIRECTIONS 0.5f   /* weight of limb directions beside joint places */
#define UNEVEN 0.03f      /* a frame shown twice or left out */
#define JUMP 0.25f        /* torso lengths: a jump must gain this */
#define JUMP_POSE 0.5f    /* and half of what the pose jumps by */
#define LEAST_TORSO 0.08f /* of the picture's height; a torso seen from above has no length */

static const int joints[] = {BL_LM_NOSE,    BL_LM_L_SHOULDER, BL_LM_R_SHOULDER, BL_LM_L_ELBOW, BL_LM_R_ELBOW,
                             BL_LM_L_WRIST, BL_LM_R_WRIST,    BL_LM_L_HIP,      BL_LM_R_HIP,   BL_LM_L_KNEE,
                             BL_LM_R_KNEE,  BL_LM_L_ANKLE,    BL_LM_R_ANKLE,    BL_LM_L_FOOT,  BL_LM_R_FOOT};
/* indices into joints */
static const int limbs[][2] = {{1, 2}, {1, 3}, {3, 5},  {2, 4},  {4, 6},   {7, 8},   {1, 7},
                               {2, 8}, {7, 9}, {9, 11}, {8, 10}, {10, 12}, {11, 13}, {12, 14}};
enum { JOINTS = BL_COUNT(joints), LIMBS = BL_COUNT(limbs) };

typedef struct feature {
    int usable;
    float x[JOINTS], y[JOINTS], seen[JOINTS];
    float ux[LIMBS], uy[LIMBS];
} feature;

static feature feature_of(const bl_track_frame *f, int w, int h) {
    feature out = {0};
    const bl_landmark *lm = f->person.landmarks;
    if (!f->has_person || !bl_motion_person_usable(&f->person)) return out;
    out.usable = 1;
    for (int k = 0; k < JOINTS; k++) {
        out.x[k] = lm[joints[k]].x * (float)w;
        out.y[k] = lm[joints[k]].y * (float)h;
        out.seen[k] = BL_CLAMP(lm[joints[k]].visibility, 0.05f, 1);
    }
    const float hx = 0.5f * (out.x[7] + out.x[8]), hy = 0.5f * (out.y[7] + out.y[8]);
    const float torso = fmaxf(LEAST_TORSO * (float)h,
                              hypotf(0.5f * (out.x[1] + out.x[2]) - hx, 0.5f * (out.y[1] + out.y[2]) - hy));
    for (int k = 0; k < JOINTS; k++) {
        out.x[k] = (out.x[k] - hx) / torso;
        out.y[k] = (out.y[k] - hy) / torso;
    }
    for (int k = 0; k < LIMBS; k++) {
        const int a = limbs[k][0], b = limbs[k][1];
        const float dx = out.x[b] - out.x[a], dy = out.y[b] - out.y[a], length = hypotf(dx, dy);
        if (length < 1e-3f) continue;
        out.ux[k] = dx / length;
        out.uy[k] = dy / length;
    }
    return out;
}

static float distance(const feature *a, const feature *b) {
    float places = 0, place_weight = 0, turns = 0, turn_weight = 0;
    for (int k = 0; k < JOINTS; k++) {
        const float w = fminf(a->seen[k], b->seen[k]), dx = a->x[k] - b->x[k], dy = a->y[k] - b->y[k];
        places += w * sqrtf(dx * dx + dy * dy);
        place_weight += w;
    }
    for (int k = 0; k < LIMBS; k++) {
        const float w = fminf(fminf(a->seen[limbs[k][0]], a->seen[limbs[k][1]]),
                              fminf(b->seen[limbs[k][0]], b->seen[limbs[k][1]]));
        turns += w * (1 - a->ux[k] * b->ux[k] - a->uy[k] * b->uy[k]);
        turn_weight += w;
    }
    return places / place_weight + DIRECTIONS * turns / turn_weight;
}

/* ---- candidates ---- */
typedef struct state {
    int64_t frame;
    float cost, total; /* of the pose; of the best path to here */
    int from;          /* the state before */
} state;

typedef struct column {
    int n;
    state s[STATES];
} column;

static int has(const column *c, int64_t frame) {
    for (int i = 0; i < c->n; i++)
        if (c->s[i].frame == frame) return 1;
    return 0;
}

/* Keeps the `BEST` cheapest, cheapest first. */
static void offer(column *c, int64_t frame, float cost) {
    if (c->n == BEST && cost >= c->s[BEST - 1].cost) return;
    int at = c->n < BEST ? c->n++ : BEST - 1;
    for (; at > 0 && c->s[at - 1].cost > cost; at--) c->s[at] = c->s[at - 1];
    c->s[at] = (state){.frame = frame, .cost = cost};
}

static void candidates(column *c, const column *before, const feature *wanted, const feature *target,
                       int64_t n) {
    c->n = 0;
    for (int64_t i = 0; i < n; i++)
        if (target[i].usable) offer(c, i, distance(wanted, &target[i]));
    for (int k = 0; before && k < BL_MIN(before->n, BEST); k++) { /* so that a run can go on */
        const int64_t next = before->s[k].frame + 1;
        if (next < n && target[next].usable && c->n < STATES && !has(c, next))
            c->s[c->n++] = (state){.frame = next, .cost = distance(wanted, &target[next])};
    }
}

int bl__match_runs_on(int64_t a, int64_t b) {
    return b >= a && b <= a + 2;
}

static float step_cost(int64_t a, int64_t b, const feature *target, int64_t n) {
    if (b == a + 1) return 0;
    if (bl__match_runs_on(a, b)) return UNEVEN;
    const int64_t next = a + 1 < n && target[a + 1].usable ? a + 1 : a;
    return JUMP + JUMP_POSE * distance(&target[next], &target[b]);
}

static void extend(column *c, const column *before, const feature *target, int64_t n) {
    for (int i = 0; i < c->n; i++) {
        state *s = &c->s[i];
        s->from = -1;
        s->total = s->cost;
        float best = INFINITY;
        for (int k = 0; before && k < before->n; k++) {
            const float total = before->s[k].total + step_cost(before->s[k].frame, s->frame, target, n);
            if (total < best) {
                best = total;
                s->from = k;
                s->total = total + s->cost;
            }
        }
    }
}

static void walk_back(int64_t *choice, const column *c, int64_t k) {
    int at = 0;
    for (int i = 1; i < c[k].n; i++)
        if (c[k].s[i].total < c[k].s[at].total) at = i;
    for (; k >= 0 && c[k].n > 0; k--) {
        choice[k] = c[k].s[at].frame;
        at = c[k].s[at].from;
        if (at < 0) break;
    }
}

int bl__match(int64_t *choice, const bl_track *wanted, const bl_track *target, int64_t n_target,
              bl_err *err) {
    const int64_t n = BL_MIN(n_target, target->n);
    feature *features = bl_alloc_array((size_t)n, sizeof *features);
    column *columns = bl_alloc_array((size_t)wanted->n, sizeof *columns);
    int rc = features && columns ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to compare poses");
    int any = 0;
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        features[i] = feature_of(&target->frames[i], target->width, target->height);
        any |= features[i].usable;
    }
    if (rc == 0 && !any) rc = bl_fail(err, BL_E_FOOTAGE, "the target is usable in no frame");
    for (int64_t k = 0; rc == 0 && k < wanted->n; k++) {
        const feature f = feature_of(&wanted->frames[k], wanted->width, wanted->height);
        const column *before = k > 0 && columns[k - 1].n > 0 ? &columns[k - 1] : NULL;
        choice[k] = -1;
        if (f.usable) {
            candidates(&columns[k], before, &f, features, n);
            extend(&columns[k], before, features, n);
        }
        if (before && !f.usable) walk_back(choice, columns, k - 1);
        if (k % 64 == 0) rc = bl_check_interrupt(err);
    }
    if (rc == 0 && wanted->n > 0 && columns[wanted->n - 1].n > 0) walk_back(choice, columns, wanted->n - 1);
    bl_free(features);
    bl_free(columns);
    return rc;
}
