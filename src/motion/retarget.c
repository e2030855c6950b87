/* Retarget: a normalised track with the target's own limbs. Method: bl_motion_retarget in motion.h. */
#include <math.h>

#include "ballerino/base.h"
#include "limbs.h"
#include "points.h"
#include "series.h"

#define SOLE_SOFT 0.01f /* of the body's height: soles this near to each other bear the body together */
#define TRAVEL_STEPS 20

typedef struct vec {
    float x, y, z;
} vec;

static vec add(vec a, vec b) {
    return (vec){a.x + b.x, a.y + b.y, a.z + b.z};
}
/* a + s (b - c) */
static vec stretch(vec a, float s, vec b, vec c) {
    return (vec){a.x + s * (b.x - c.x), a.y + s * (b.y - c.y), a.z + s * (b.z - c.z)};
}

/* One set of landmarks, in pixels or metres. */
typedef struct shape {
    vec at[BL_LANDMARKS];
    uint8_t seen[BL_LANDMARKS];
} shape;

/* A joint of the tree: where it was, and how far it moves. */
typedef struct node {
    vec at, shift;
} node;

static node middle(const shape *s, int left, node parent, float ratio) {
    int l = s->seen[left], r = s->seen[left + 1];
    if (!l && !r) return parent;
    vec at = l ? s->at[left] : s->at[left + 1];
    if (l && r) at = stretch(at, 0.5f, s->at[left + 1], at);
    return (node){at, stretch(parent.shift, ratio - 1, at, parent.at)};
}

/* Moves a landmark with its bone; one that is not seen only goes along, and its children hang on its parent.
 */
static node bone(shape *out, const shape *in, int k, node parent, float ratio) {
    if (!in->seen[k]) {
        out->at[k] = add(in->at[k], parent.shift);
        return parent;
    }
    node n = {in->at[k], stretch(parent.shift, ratio - 1, in->at[k], parent.at)};
    out->at[k] = add(n.at, n.shift);
    return n;
}

typedef struct grips {
    node wrist[2], head;
} grips;

static grips rescale(shape *out, const shape *in, const float r[BL_LIMBS]) {
    grips g;
    node root = middle(in, BL_LM_L_HIP, (node){0}, 1);
    root.shift = (vec){0};
    node chest = middle(in, BL_LM_L_SHOULDER, root, r[BL_LIMB_TRUNK]);
    *out = *in;
    for (int side = 0; side < 2; side++) {
        node n = bone(out, in, BL_LM_L_HIP + side, root, r[BL_LIMB_HIPS]);
        n = bone(out, in, BL_LM_L_KNEE + side, n, r[BL_LIMB_THIGH]);
        n = bone(out, in, BL_LM_L_ANKLE + side, n, r[BL_LIMB_SHIN]);
        bone(out, in, BL_LM_L_HEEL + side, n, 1); /* feet go with the height: 0.15 of it, for children too */
        bone(out, in, BL_LM_L_FOOT + side, n, 1);
        n = bone(out, in, BL_LM_L_SHOULDER + side, chest, r[BL_LIMB_SHOULDERS]);
        n = bone(out, in, BL_LM_L_ELBOW + side, n, r[BL_LIMB_UPPER_ARM]);
        g.wrist[side] = n = bone(out, in, BL_LM_L_WRIST + side, n, r[BL_LIMB_FOREARM]);
        for (int k = BL_LM_L_PINKY; k <= BL_LM_L_THUMB; k += 2) bone(out, in, k + side, n, r[BL_LIMB_HAND]);
    }
    g.head = middle(in, BL_LM_L_EAR, chest, r[BL_LIMB_NECK]);
    if (!in->seen[BL_LM_L_EAR] && !in->seen[BL_LM_R_EAR] && in->seen[BL_LM_NOSE])
        g.head = bone(out, in, BL_LM_NOSE, chest, r[BL_LIMB_NECK]);
    for (int k = BL_LM_NOSE; k <= BL_LM_MOUTH_R; k++) bone(out, in, k, g.head, r[BL_LIMB_HEAD]);
    return g;
}

/* Hands and face: about their grip, or about their own root where the body's landmark is missing. Their z is
 * counted from that root. */
static void rescale_points(bl_person *p, bl_region part, node grip, float ratio, float w, float h) {
    bl__points c = bl__points_of(p, part);
    if (!(*c.score > 0)) return;
    vec about = grip.at;
    if (!(p->landmarks[c.anchor].visibility > 0)) about = (vec){c.at[0].x * w, c.at[0].y * h, 0};
    for (int k = 0; k < c.n; k++) {
        vec q = {c.at[k].x * w, c.at[k].y * h, 0};
        q = add(q, stretch(grip.shift, ratio - 1, q, about));
        c.at[k] = (bl_point3){q.x / w, q.y / h, c.at[k].z * ratio};
    }
}

static void rescale_world(bl_person *p, const float r[BL_LIMBS]) {
    shape in, out;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        in.at[k] = (vec){p->world[k].x, p->world[k].y, p->world[k].z};
        in.seen[k] = p->landmarks[k].visibility > 0;
    }
    rescale(&out, &in, r);
    for (int k = 0; k < BL_LANDMARKS; k++)
        p->world[k].x = out.at[k].x, p->world[k].y = out.at[k].y, p->world[k].z = out.at[k].z;
}

/* ---- where the figure stands ---- */
/* Frame by frame: the bearing sole before and after rescaling, and how far the rescaled body reaches to the
 * sides of it. Pixels. One allocation. */
typedef struct stand {
    float *x, *y, *new_x, *new_y, *left, *right;
    uint8_t *known;
    int64_t n;
    float centre; /* of the travel to the sides */
} stand;

static int stand_init(stand *s, int64_t n, bl_err *err) {
    size_t size = (size_t)BL_MAX(n, 1);
    s->n = n;
    s->x = bl_alloc_array(size * 6, sizeof *s->x);
    s->known = bl_alloc(size);
    if (!s->x || !s->known)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to retarget %lld frames", (long long)n);
    s->y = s->x + size, s->new_x = s->y + size, s->new_y = s->new_x + size;
    s->left = s->new_y + size, s->right = s->left + size;
    return 0;
}

static void stand_release(stand *s) {
    bl_free(s->x);
    bl_free(s->known);
}

/* The sole: between heel and toe; the ankle where these are missing. 0 = no such foot. */
static int sole(vec *out, const shape *s, const uint8_t seen[BL_LANDMARKS], int side) {
    int heel = BL_LM_L_HEEL + side, toe = BL_LM_L_FOOT + side, ankle = BL_LM_L_ANKLE + side;
    if (seen[heel] && seen[toe])
        *out = stretch(s->at[heel], 0.5f, s->at[toe], s->at[heel]);
    else
        *out = s->at[ankle];
    return seen[ankle] || (seen[heel] && seen[toe]);
}

/* The lower sole bears the body; the weight goes over smoothly. It follows from this frame alone, so that the
 * result is as steady as the track is. */
static void find_stand(stand *s, int64_t k, const shape *before, const shape *after, float soft) {
    vec a[2], b[2];
    float w[2];
    for (int side = 0; side < 2; side++) {
        w[side] = (float)sole(&a[side], before, before->seen, side);
        sole(&b[side], after, before->seen, side);
    }
    s->known[k] = w[0] > 0 || w[1] > 0;
    if (!s->known[k]) return;
    if (w[0] > 0 && w[1] > 0) {
        w[0] = 1 / (1 + expf((a[1].y - a[0].y) / soft));
        w[1] = 1 - w[0];
    }
    s->x[k] = w[0] * a[0].x + w[1] * a[1].x, s->y[k] = w[0] * a[0].y + w[1] * a[1].y;
    s->new_x[k] = w[0] * b[0].x + w[1] * b[1].x, s->new_y[k] = w[0] * b[0].y + w[1] * b[1].y;
    s->left[k] = INFINITY, s->right[k] = -INFINITY;
    for (int i = 0; i < BL_LANDMARKS; i++) {
        if (!before->seen[i]) continue;
        s->left[k] = BL_MIN(s->left[k], after->at[i].x - s->new_x[k]);
        s->right[k] = BL_MAX(s->right[k], after->at[i].x - s->new_x[k]);
    }
}

/* How far anything sticks out of the picture when travel is scaled by g, pixels; 0 = nothing does. */
static float overhang(const stand *s, float g, float width) {
    float most = 0;
    for (int64_t k = 0; k < s->n; k++) {
        if (!s->known[k]) continue;
        float x = s->centre + g * (s->x[k] - s->centre);
        most = BL_MAX(most, BL_MAX(-(x + s->left[k]), x + s->right[k] - width));
    }
    return most;
}

/* Travel goes with the legs; longer legs may not carry the figure out of the picture. */
static float travel_ratio(const stand *s, float legs, float width) {
    if (legs <= 1) return legs;
    float allowed = overhang(s, 1, width);
    for (int step = 0; step < TRAVEL_STEPS; step++) {
        float g = legs + (1 - legs) * (float)step / TRAVEL_STEPS;
        if (overhang(s, g, width) <= allowed) return g;
    }
    return 1;
}

static float legs_ratio(const float r[BL_LIMBS], const bl_pose_stats *source) {
    float thigh = source->limb_space[BL_LIMB_THIGH], shin = source->limb_space[BL_LIMB_SHIN];
    if (!(thigh > 0 && shin > 0)) thigh = shin = 1;
    return (r[BL_LIMB_THIGH] * thigh + r[BL_LIMB_SHIN] * shin) / (thigh + shin);
}

static int find_centre(stand *s, const bl_track *t, const bl_pose_stats *target, bl_err *err) {
    bl__body *bodies = NULL;
    int64_t usable = 0, n = 0;
    int rc = bl__bodies(&bodies, &usable, t, err);
    if (rc < 0) return rc;
    for (int64_t k = 0; k < t->n; k++)
        if (bodies[k].usable) s->x[n++] = bodies[k].hip_x; /* not in use yet */
    s->centre = n > 0 ? bl__quantile(s->x, n, 0.5) : target->centre_x;
    bl_free(bodies);
    return 0;
}

/* ---- a track ---- */
static void rescale_frame(stand *s, bl_track *t, int64_t k, const float r[BL_LIMBS], float soft) {
    bl_person *p = &t->frames[k].person;
    float w = (float)t->width, h = (float)t->height;
    shape in, out;
    for (int i = 0; i < BL_LANDMARKS; i++) {
        const bl_landmark *l = &p->landmarks[i];
        in.at[i] = (vec){l->x * w, l->y * h, l->z * w};
        in.seen[i] = l->visibility > 0;
    }
    grips g = rescale(&out, &in, r);
    rescale_points(p, BL_REGION_LEFT_HAND, g.wrist[0], r[BL_LIMB_HAND], w, h);
    rescale_points(p, BL_REGION_RIGHT_HAND, g.wrist[1], r[BL_LIMB_HAND], w, h);
    rescale_points(p, BL_REGION_FACE, g.head, r[BL_LIMB_HEAD], w, h);
    rescale_world(p, r);
    find_stand(s, k, &in, &out, soft);
    for (int i = 0; i < BL_LANDMARKS; i++) {
        bl_landmark *l = &p->landmarks[i];
        l->x = out.at[i].x / w, l->y = out.at[i].y / h, l->z = out.at[i].z / w;
    }
}

static void move(bl_person *p, float dx, float dy) {
    for (int i = 0; i < BL_LANDMARKS; i++) p->landmarks[i].x += dx, p->landmarks[i].y += dy;
    for (int part = 0; part < BL_REGIONS; part++) {
        bl__points c = bl__points_of(p, (bl_region)part);
        for (int i = 0; *c.score > 0 && i < c.n; i++) c.at[i].x += dx, c.at[i].y += dy;
    }
    p->roi.cx += dx, p->roi.cy += dy;
}

int bl_motion_retarget(bl_track *t, const bl_pose_stats *source, const bl_pose_stats *target, bl_err *err) {
    float r[BL_LIMBS];
    stand s = {0};
    int rc = bl__limb_ratios(r, source, target, err);
    if (rc == 0) rc = stand_init(&s, t->n, err);
    if (rc == 0) rc = find_centre(&s, t, target, err);
    if (rc == 0) {
        float soft = BL_MAX(SOLE_SOFT * target->body_height, 0.1f);
        for (int64_t k = 0; k < t->n; k++)
            if (t->frames[k].has_person) rescale_frame(&s, t, k, r, soft);
        float g = travel_ratio(&s, legs_ratio(r, source), (float)t->width);
        float *dx = s.left, *dy = s.right; /* done with */
        for (int64_t k = 0; k < t->n; k++) {
            dx[k] = s.centre + g * (s.x[k] - s.centre) - s.new_x[k];
            dy[k] = s.y[k] - s.new_y[k];
        }
        bl__series_fill(dx, s.known, t->n);
        bl__series_fill(dy, s.known, t->n);
        for (int64_t k = 0; k < t->n; k++)
            if (t->frames[k].has_person)
                move(&t->frames[k].person, dx[k] / (float)t->width, dy[k] / (float)t->height);
    }
    stand_release(&s);
    return rc;
}
