/* Retargeting by limbs against the demo's dancers, whose truth is known: the source's angles on the target's
 * build. Joints are exact, so nothing here depends on the pose models. */
#include <math.h>

#include "ballerino/demo.h"
#include "ballerino/motion.h"
#include "support.h"

static bl_track *film(bl_demo_clip clip, bl_demo_pair pair) {
    bl_err err = {0};
    bl_demo_options o = bl_demo_options_default();
    bl_track *t = NULL;
    o.pair = pair;
    assert_ok(bl_track_create(&t, "demo", o.width, o.height, o.fps, &err));
    for (int64_t i = 0; i < bl_demo_frame_count(clip, &o); i++) {
        bl_track_frame f;
        assert_ok(bl_demo_person(&f, clip, i, &o, &err));
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

typedef struct pair {
    bl_track *source, *target, *truth, *global, *limbs;
    bl_pose_stats from, to;
} pair;

static void pair_finish(pair *p) {
    bl_err err = {0};
    assert_ok(bl_motion_stats(&p->from, p->source, &err));
    assert_ok(bl_motion_stats(&p->to, p->target, &err));
    assert_ok(bl_motion_normalise(&p->global, p->source, &p->from, &p->to, BL_NORMALISE_ROBUST, NULL, &err));
    assert_ok(bl_track_copy(&p->limbs, p->global, &err));
}

static pair pair_film(bl_demo_pair which) {
    pair p = {.source = film(BL_DEMO_SOURCE, which),
              .target = film(BL_DEMO_TARGET, which),
              .truth = film(BL_DEMO_TRUTH, which)};
    return p;
}

static void pair_release(pair *p) {
    bl_track_destroy(&p->source);
    bl_track_destroy(&p->target);
    bl_track_destroy(&p->truth);
    bl_track_destroy(&p->global);
    bl_track_destroy(&p->limbs);
}

static double px(const bl_track *t, int64_t k, int joint) {
    return (double)t->frames[k].person.landmarks[joint].x * t->width;
}
static double py(const bl_track *t, int64_t k, int joint) {
    return (double)t->frames[k].person.landmarks[joint].y * t->height;
}

/* Mean distance of all landmarks, pixels. */
static double joint_error(const bl_track *a, const bl_track *b) {
    double sum = 0;
    for (int64_t k = 0; k < a->n; k++)
        for (int i = 0; i < BL_LANDMARKS; i++)
            sum += hypot(px(a, k, i) - px(b, k, i), py(a, k, i) - py(b, k, i));
    return sum / (double)a->n / BL_LANDMARKS;
}

static double largest_difference(const bl_track *a, const bl_track *b) {
    double most = 0;
    for (int64_t k = 0; k < a->n; k++)
        for (int i = 0; i < BL_LANDMARKS; i++)
            most = fmax(most, hypot(px(a, k, i) - px(b, k, i), py(a, k, i) - py(b, k, i)));
    return most;
}

static void compare(bl_demo_pair which, double part) {
    bl_err err = {0};
    pair p = pair_film(which);
    pair_finish(&p);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    double global = joint_error(p.global, p.truth), limbs = joint_error(p.limbs, p.truth);
    printf("pair %d: mean joint error %.2f px globally, %.2f px by limbs\n", which, global, limbs);
    pair_release(&p);
    assert_true(limbs < part * global);
}

static void a_childs_dance_fits_a_tall_adult(void **state) {
    (void)state;
    compare(BL_DEMO_PAIR_CHILD_TO_TALL, 0.5);
}
static void an_adults_dance_fits_a_child(void **state) {
    (void)state;
    compare(BL_DEMO_PAIR_TALL_TO_CHILD, 0.5);
}
static void the_usual_pair(void **state) {
    (void)state;
    compare(BL_DEMO_PAIR_USUAL, 1);
}

static void between_equals_nothing_changes(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_ALIKE);
    pair_finish(&p);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    assert_true(largest_difference(p.global, p.limbs) < 0.5);
    pair_release(&p);
}

/* Mean size of the second difference along time, pixels: what jitter adds to. */
static double roughness(const bl_track *t, int joint) {
    double sum = 0;
    for (int64_t k = 1; k + 1 < t->n; k++)
        sum += hypot(px(t, k - 1, joint) - 2 * px(t, k, joint) + px(t, k + 1, joint),
                     py(t, k - 1, joint) - 2 * py(t, k, joint) + py(t, k + 1, joint));
    return sum / (double)(t->n - 2);
}

/* Bones are at most 1.45 times as long, and so is what they do; the standing foot adds nothing. */
static void the_result_is_as_smooth_as_the_truth(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_CHILD_TO_TALL);
    pair_finish(&p);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    static const int joints[] = {BL_LM_NOSE, BL_LM_L_WRIST, BL_LM_R_HIP, BL_LM_R_KNEE, BL_LM_L_HEEL};
    for (size_t i = 0; i < BL_COUNT(joints); i++)
        assert_true(roughness(p.limbs, joints[i]) < 1.15 * roughness(p.truth, joints[i]) + 0.1);
    pair_release(&p);
}

static double sole_y(const bl_track *t, int64_t k) {
    double l = py(t, k, BL_LM_L_HEEL) + py(t, k, BL_LM_L_FOOT);
    double r = py(t, k, BL_LM_R_HEEL) + py(t, k, BL_LM_R_FOOT);
    return fmax(l, r) / 2;
}

/* Lifts everybody in the given frames. */
static void jump(bl_track *t, int64_t from, int64_t to, float high) {
    for (int64_t k = from; k < to; k++) {
        float part = (float)(k - from) / (float)(to - from);
        for (int i = 0; i < BL_LANDMARKS; i++)
            t->frames[k].person.landmarks[i].y -= high * 4 * part * (1 - part);
    }
}

static void the_lower_sole_stays_at_its_height_also_in_the_air(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_TALL_TO_CHILD);
    jump(p.source, 80, 92, 0.1f);
    pair_finish(&p);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    double highest = 0;
    for (int64_t k = 0; k < p.limbs->n; k++) {
        assert_near(sole_y(p.limbs, k), sole_y(p.global, k), 2.5); /* 0.5 % of the height */
        highest = fmax(highest, sole_y(p.global, 70) - sole_y(p.limbs, k));
    }
    assert_true(highest > 30);
    pair_release(&p);
}

/* Where the truth's foot stands still, so does the retargeted one. */
static void standing_feet_do_not_slide(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_CHILD_TO_TALL);
    double slide = 0;
    int still = 0;
    pair_finish(&p);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    for (int foot = BL_LM_L_ANKLE; foot <= BL_LM_R_ANKLE; foot++)
        for (int64_t k = 0; k + 1 < p.truth->n; k++) {
            double dx = px(p.truth, k + 1, foot) - px(p.truth, k, foot);
            double dy = py(p.truth, k + 1, foot) - py(p.truth, k, foot);
            if (hypot(dx, dy) > 0.25) continue;
            still++;
            slide = fmax(slide, fabs(px(p.limbs, k + 1, foot) - px(p.limbs, k, foot)));
        }
    pair_release(&p);
    assert_true(still > 100);
    if (slide > 1.5) fail_msg("a standing foot slides %.2f px in one frame", slide);
}

static float apart(const bl_point3 *a, const bl_point3 *b, const bl_track *t) {
    return hypotf((a->x - b->x) * (float)t->width, (a->y - b->y) * (float)t->height);
}

/* How much longer the way from joint a to b has become in frame k. */
static double growth(const pair *p, int64_t k, int a, int b) {
    return hypot(px(p->limbs, k, a) - px(p->limbs, k, b), py(p->limbs, k, a) - py(p->limbs, k, b)) /
           hypot(px(p->global, k, a) - px(p->global, k, b), py(p->global, k, a) - py(p->global, k, b));
}

static void hands_face_and_world_take_their_lengths(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_CHILD_TO_TALL);
    for (int64_t k = 0; k < p.source->n; k++) {
        bl_person *q = &p.source->frames[k].person;
        const bl_landmark *wrist = &q->landmarks[BL_LM_L_WRIST], *nose = &q->landmarks[BL_LM_NOSE];
        q->left_hand.score = q->face.score = 1;
        for (int i = 0; i < BL_HAND_POINTS; i++)
            q->left_hand.points[i] = (bl_point3){wrist->x + 0.001f * (float)i, wrist->y, 0.001f};
        for (int i = 0; i < BL_FACE_POINTS; i++)
            q->face.points[i] = (bl_point3){nose->x + 0.0001f * (float)i, nose->y, -0.001f};
    }
    pair_finish(&p);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    for (int64_t k = 0; k < p.limbs->n; k += 17) {
        const bl_person *a = &p.global->frames[k].person, *b = &p.limbs->frames[k].person;
        double hand = growth(&p, k, BL_LM_L_INDEX, BL_LM_L_WRIST),
               head = growth(&p, k, BL_LM_L_EAR, BL_LM_R_EAR);
        assert_true(head < 0.75 && hand > 0.85 && hand < 1.05); /* builds: 0.68, 0.99 */
        assert_near(b->left_hand.points[0].x, b->landmarks[BL_LM_L_WRIST].x, 1e-5);
        assert_near(b->left_hand.points[0].y, b->landmarks[BL_LM_L_WRIST].y, 1e-5);
        assert_near(b->face.points[0].x, b->landmarks[BL_LM_NOSE].x, 1e-4);
        assert_near(apart(&b->left_hand.points[20], &b->left_hand.points[0], p.limbs),
                    hand * apart(&a->left_hand.points[20], &a->left_hand.points[0], p.limbs), 0.05);
        assert_near(apart(&b->face.points[467], &b->face.points[0], p.limbs),
                    head * apart(&a->face.points[467], &a->face.points[0], p.limbs), 0.02);
        assert_true(b->right_hand.score == 0 && b->right_hand.points[4].x == 0);
        const bl_landmark *w = b->world, *g = a->world;
        double new_ear = hypot(w[BL_LM_L_EAR].x - w[BL_LM_R_EAR].x, w[BL_LM_L_EAR].z - w[BL_LM_R_EAR].z);
        double old_ear = hypot(g[BL_LM_L_EAR].x - g[BL_LM_R_EAR].x, g[BL_LM_L_EAR].z - g[BL_LM_R_EAR].z);
        assert_near(new_ear / old_ear, head, 1e-3);
    }
    pair_release(&p);
}

/* Without world coordinates (OpenPose) lengths come from the picture; joints that are not there stay so. */
static void the_picture_serves_where_the_world_is_unknown(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_CHILD_TO_TALL);
    bl_track *filmed[] = {p.source, p.target};
    for (int i = 0; i < 2; i++)
        for (int64_t k = 0; k < filmed[i]->n; k++) {
            bl_person *q = &filmed[i]->frames[k].person;
            memset(q->world, 0, sizeof q->world);
            if (i == 0 && k > 100) q->landmarks[BL_LM_L_ELBOW] = (bl_landmark){0};
        }
    pair_finish(&p);
    assert_true(p.from.limb_space[BL_LIMB_SHIN] == 0 && p.from.limb_image[BL_LIMB_SHIN] > 0);
    assert_ok(bl_motion_retarget(p.limbs, &p.from, &p.to, &err));
    double global = 0, limbs = 0; /* without the elbow that is missing */
    for (int64_t k = 0; k < p.limbs->n; k++)
        for (int i = 0; i < BL_LANDMARKS; i++) {
            if (i == BL_LM_L_ELBOW) continue;
            global += hypot(px(p.global, k, i) - px(p.truth, k, i), py(p.global, k, i) - py(p.truth, k, i));
            limbs += hypot(px(p.limbs, k, i) - px(p.truth, k, i), py(p.limbs, k, i) - py(p.truth, k, i));
        }
    printf("from the picture: %.2f px globally, %.2f px by limbs\n",
           global / (double)p.limbs->n / (BL_LANDMARKS - 1), limbs / (double)p.limbs->n / (BL_LANDMARKS - 1));
    pair_release(&p);
    assert_true(limbs < 0.6 * global);
}

static void unknown_limbs_are_refused_and_nothing_is_touched(void **state) {
    (void)state;
    bl_err err = {0};
    pair p = pair_film(BL_DEMO_PAIR_CHILD_TO_TALL);
    pair_finish(&p);
    bl_pose_stats old = p.to;
    memset(old.limb_space, 0, sizeof old.limb_space);
    memset(old.limb_image, 0, sizeof old.limb_image);
    assert_ok(bl_motion_retarget_check(&p.to, &err));
    assert_int_equal(bl_motion_retarget_check(&old, &err), BL_E_MISMATCH);
    assert_int_equal(bl_motion_retarget(p.limbs, &p.from, &old, &err), BL_E_MISMATCH);
    assert_int_equal(bl_motion_retarget(p.limbs, &old, &p.to, &err), BL_E_MISMATCH);
    for (int fail = 1; fail <= 3; fail++) {
        bl_mem_fail_at(fail);
        assert_int_equal(bl_motion_retarget(p.limbs, &p.from, &p.to, &err), BL_E_NOMEM);
    }
    bl_mem_fail_at(0);
    assert_true(largest_difference(p.global, p.limbs) == 0);
    pair_release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_childs_dance_fits_a_tall_adult),
        cmocka_unit_test(an_adults_dance_fits_a_child),
        cmocka_unit_test(the_usual_pair),
        cmocka_unit_test(between_equals_nothing_changes),
        cmocka_unit_test(the_result_is_as_smooth_as_the_truth),
        cmocka_unit_test(the_lower_sole_stays_at_its_height_also_in_the_air),
        cmocka_unit_test(standing_feet_do_not_slide),
        cmocka_unit_test(hands_face_and_world_take_their_lengths),
        cmocka_unit_test(the_picture_serves_where_the_world_is_unknown),
        cmocka_unit_test(unknown_limbs_are_refused_and_nothing_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
