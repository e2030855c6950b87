#include "limbs.h"

#include <math.h>
#include <stdlib.h>

#include "ballerino/base.h"
#include "series.h"

#define LEAST_SAMPLES 10    /* of a limb: fewer say nothing of its length */
#define IMAGE_QUANTILE 0.9  /* foreshortening only shortens; the rest of the upper end is bad frames */
#define LEAST_ACROSS 0.4f   /* of a limb: a shorter view of it says little of its length */
#define LEAST_METRES 0.005f /* tracks without world coordinates hold zeros */
#define NOISE 0.03f         /* the halves of four filmed clips differ by this in a limb (rms; 0.07 at most) */
#define RATIO_LEAST 0.5f    /* limbs against height: people, children too, differ by less than half of this */
#define RATIO_MOST 2.0f

/* A limb's two ends: a landmark each, or the middle of two. `sides`: the right one's landmarks are the next
 * ones. The last row is no limb but the rest of the body's height. */
enum { NOSE = BL_LIMBS, ROWS };
static const struct {
    uint8_t a[2], b[2];
    int sides;
} ends[ROWS] = {
    [BL_LIMB_TRUNK] = {{BL_LM_L_HIP, BL_LM_R_HIP}, {BL_LM_L_SHOULDER, BL_LM_R_SHOULDER}, 1},
    [BL_LIMB_NECK] = {{BL_LM_L_SHOULDER, BL_LM_R_SHOULDER}, {BL_LM_L_EAR, BL_LM_R_EAR}, 1},
    [BL_LIMB_HEAD] = {{BL_LM_L_EAR, BL_LM_L_EAR}, {BL_LM_R_EAR, BL_LM_R_EAR}, 1},
    [BL_LIMB_SHOULDERS] = {{BL_LM_L_SHOULDER, BL_LM_L_SHOULDER}, {BL_LM_R_SHOULDER, BL_LM_R_SHOULDER}, 1},
    [BL_LIMB_UPPER_ARM] = {{BL_LM_L_SHOULDER, BL_LM_L_SHOULDER}, {BL_LM_L_ELBOW, BL_LM_L_ELBOW}, 2},
    [BL_LIMB_FOREARM] = {{BL_LM_L_ELBOW, BL_LM_L_ELBOW}, {BL_LM_L_WRIST, BL_LM_L_WRIST}, 2},
    [BL_LIMB_HAND] = {{BL_LM_L_WRIST, BL_LM_L_WRIST}, {BL_LM_L_PINKY, BL_LM_L_INDEX}, 2},
    [BL_LIMB_HIPS] = {{BL_LM_L_HIP, BL_LM_L_HIP}, {BL_LM_R_HIP, BL_LM_R_HIP}, 1},
    [BL_LIMB_THIGH] = {{BL_LM_L_HIP, BL_LM_L_HIP}, {BL_LM_L_KNEE, BL_LM_L_KNEE}, 2},
    [BL_LIMB_SHIN] = {{BL_LM_L_KNEE, BL_LM_L_KNEE}, {BL_LM_L_ANKLE, BL_LM_L_ANKLE}, 2},
    [NOSE] = {{BL_LM_L_SHOULDER, BL_LM_R_SHOULDER}, {BL_LM_NOSE, BL_LM_NOSE}, 1},
};

typedef struct vec {
    float x, y, z;
} vec;

static vec between(const bl_landmark *l, int row, int side) {
    const uint8_t *a = ends[row].a, *b = ends[row].b;
    const bl_landmark *a0 = &l[a[0] + side], *a1 = &l[a[1] + side], *b0 = &l[b[0] + side],
                      *b1 = &l[b[1] + side];
    return (vec){(b0->x + b1->x - a0->x - a1->x) / 2, (b0->y + b1->y - a0->y - a1->y) / 2,
                 (b0->z + b1->z - a0->z - a1->z) / 2};
}

/* 0 when an end is not seen, else how surely both are. */
static float certainty(const bl_person *p, int row, int side) {
    const uint8_t at[4] = {ends[row].a[0], ends[row].a[1], ends[row].b[0], ends[row].b[1]};
    float least = 1;
    for (int k = 0; k < 4; k++) {
        const bl_landmark *l = &p->landmarks[at[k] + side];
        if (!bl__joint_seen(l)) return 0;
        least = BL_MIN(least, l->visibility);
    }
    return least;
}

typedef struct sample {
    float length, weight;
} sample;

static int by_length(const void *a, const void *b) {
    float x = ((const sample *)a)->length, y = ((const sample *)b)->length;
    return (x > y) - (x < y);
}

/* The length below which a part q of the weight lies; 0 with too few samples. */
static float weighted_quantile(sample *v, int64_t n, double q) {
    double all = 0, sum = 0;
    if (n < LEAST_SAMPLES) return 0;
    qsort(v, (size_t)n, sizeof *v, by_length);
    for (int64_t k = 0; k < n; k++) all += v[k].weight;
    for (int64_t k = 0; k < n; k++)
        if ((sum += v[k].weight) >= q * all) return v[k].length;
    return v[n - 1].length;
}

/* Picture's length of a limb in parts of the height that the body has at the frame's depth; 0 = not seen. */
static float image_part(const bl_pose_stats *s, const bl_track *t, const bl__path *p, int64_t k, int row,
                        int side) {
    const bl_person *person = &t->frames[k].person;
    if (!(certainty(person, row, side) > 0)) return 0;
    vec d = between(person->landmarks, row, side);
    float range = s->floor_near - s->floor_far;
    float at = range > 0 ? BL_CLAMP((p->floor[k] - s->floor_far) / range, 0, 1) : 0;
    float height = s->height_far + at * (s->height_near - s->height_far);
    return height > 0 ? hypotf(d.x * (float)t->width, d.y * (float)t->height) / height : 0;
}

/* The picture's length through how much of the limb lies across the view, which the world coordinates tell.
 * Their own lengths are of no use: the models give every body nearly the same build (header). */
static float space_length(const bl_pose_stats *s, const bl_track *t, const bl__path *p, int row, sample *v) {
    int64_t n = 0;
    for (int64_t k = 0; k < t->n; k++)
        for (int side = 0; p->bodies[k].usable && side < ends[row].sides; side++) {
            vec d = between(t->frames[k].person.world, row, side);
            float length = sqrtf(d.x * d.x + d.y * d.y + d.z * d.z), flat = image_part(s, t, p, k, row, side);
            if (!(flat > 0) || !(length > LEAST_METRES) || !isfinite(length)) continue;
            float across = hypotf(d.x, d.y) / length;
            if (across < LEAST_ACROSS) continue;
            float sure = certainty(&t->frames[k].person, row, side);
            v[n++] = (sample){flat / across, sure * across * across * across * across};
        }
    return weighted_quantile(v, n, 0.5);
}

static float image_length(const bl_pose_stats *s, const bl_track *t, const bl__path *p, int row, sample *v) {
    int64_t n = 0;
    for (int64_t k = 0; k < t->n; k++)
        for (int side = 0; p->bodies[k].usable && side < ends[row].sides; side++) {
            float flat = image_part(s, t, p, k, row, side);
            if (flat > 0) v[n++] = (sample){flat, 1};
        }
    return weighted_quantile(v, n, IMAGE_QUANTILE);
}

int bl__limb_stats(bl_pose_stats *s, const bl_track *t, const bl__path *p, bl_err *err) {
    sample *v = bl_alloc_array((size_t)BL_MAX(p->usable, 1) * 2, sizeof *v);
    float length[ROWS];
    if (!v) return bl_fail(err, BL_E_NOMEM, "not enough memory to measure limbs");
    for (int row = 0; row < ROWS; row++) length[row] = space_length(s, t, p, row, v);
    const float column[] = {length[NOSE], length[BL_LIMB_TRUNK], length[BL_LIMB_THIGH], length[BL_LIMB_SHIN]};
    float body = 0;
    for (size_t k = 0; k < BL_COUNT(column); k++) body = column[k] > 0 && body >= 0 ? body + column[k] : -1;
    for (int row = 0; row < BL_LIMBS; row++) {
        s->limb_space[row] = body > 0 ? length[row] / body : 0;
        s->limb_image[row] = image_length(s, t, p, row, v);
    }
    bl_free(v);
    return 0;
}

/* ---- ratios ---- */
static int knows_limbs(const bl_pose_stats *s) {
    for (int k = 0; k < BL_LIMBS; k++)
        if (s->limb_space[k] > 0 || s->limb_image[k] > 0) return 1;
    return 0;
}

/* The two ways of measuring err differently (one by depth, one by the dance): their middle is nearer than
 * either. 0 = unknown. Differences within the noise are none; up to twice of it they come in. */
static float ratio_of(const bl_pose_stats *source, const bl_pose_stats *target, int limb) {
    float space = source->limb_space[limb] > 0 ? target->limb_space[limb] / source->limb_space[limb] : 0;
    float image = source->limb_image[limb] > 0 ? target->limb_image[limb] / source->limb_image[limb] : 0;
    float ratio = space > 0 && image > 0 ? sqrtf(space * image) : BL_MAX(space, image);
    if (!(ratio > 0)) return 0;
    ratio = BL_CLAMP(ratio, RATIO_LEAST, RATIO_MOST);
    return 1 + (ratio - 1) * BL_CLAMP(fabsf(ratio - 1) / NOISE - 1, 0, 1);
}

int bl_motion_retarget_check(const bl_pose_stats *target, bl_err *err) {
    if (knows_limbs(target)) return 0;
    return bl_fail(err, BL_E_MISMATCH,
                   "the target's limbs were never measured (a model of an older version); train it again, or "
                   "take --retarget global");
}

int bl__limb_ratios(float ratio[BL_LIMBS], const bl_pose_stats *source, const bl_pose_stats *target,
                    bl_err *err) {
    static const struct {
        uint8_t limb, instead;
    } neighbours[] = {
        {BL_LIMB_UPPER_ARM, BL_LIMB_FOREARM}, {BL_LIMB_FOREARM, BL_LIMB_UPPER_ARM},
        {BL_LIMB_HAND, BL_LIMB_FOREARM},      {BL_LIMB_THIGH, BL_LIMB_SHIN},
        {BL_LIMB_SHIN, BL_LIMB_THIGH},
    };
    int rc = bl_motion_retarget_check(target, err);
    if (rc < 0) return rc;
    if (!knows_limbs(source))
        return bl_fail(err, BL_E_MISMATCH,
                       "no limb of the source is seen often enough to be measured; take --retarget global");
    for (int k = 0; k < BL_LIMBS; k++) ratio[k] = ratio_of(source, target, k);
    for (size_t k = 0; k < BL_COUNT(neighbours); k++)
        if (!(ratio[neighbours[k].limb] > 0)) ratio[neighbours[k].limb] = ratio[neighbours[k].instead];
    for (int k = 0; k < BL_LIMBS; k++)
        if (!(ratio[k] > 0)) ratio[k] = 1;
    return 0;
}
