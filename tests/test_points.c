/* Hands and face in motion: strays, gaps, smoothing, normalisation. */
#include <math.h>

#include "ballerino/motion.h"
#include "support.h"
#include "test_people.h"

enum { W = 640, H = 480, TALL = 300 };

/* A hand at its wrist and a face at its nose, 0.1 and 0.12 of the body's height large; `bend` bends them. */
static void give_hand(bl_hand *h, const bl_landmark *wrist, float bend) {
    h->score = 0.9f;
    for (int k = 0; k < BL_HAND_POINTS; k++) {
        float part = (float)k / BL_HAND_POINTS * 0.1f * TALL;
        h->points[k] = (bl_point3){wrist->x + part * cosf(bend) / W, wrist->y + part * sinf(bend) / H,
                                   -0.001f * (float)k};
    }
}

static void give_face(bl_face *f, const bl_landmark *nose) {
    f->score = 0.8f;
    for (int k = 0; k < BL_FACE_POINTS; k++) {
        float a = (float)k * 0.1f, r = k == 1 ? 0 : 0.06f * TALL * (float)k / BL_FACE_POINTS;
        f->points[k] = (bl_point3){nose->x + r * cosf(a) / W, nose->y + r * sinf(a) / H, 0.001f * r};
    }
}

static void give_all(bl_person *p, float bend) {
    give_hand(&p->left_hand, &p->landmarks[BL_LM_L_WRIST], bend);
    give_hand(&p->right_hand, &p->landmarks[BL_LM_R_WRIST], bend);
    give_face(&p->face, &p->landmarks[BL_LM_NOSE]);
}

static bl_track *track_of(int n, float step) {
    bl_err err = {0};
    bl_track *t = NULL;
    assert_ok(bl_track_create(&t, "synthetic", W, H, 25, &err));
    for (int k = 0; k < n; k++) {
        bl_track_frame f = {.i = k, .t_ms = 40.0 * k, .has_person = 1};
        f.person = person_standing(200 + step * (float)k, 440, TALL, W, H);
        give_all(&f.person, 0.02f * (float)k);
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

static void assert_gone(const bl_hand *h) {
    static const bl_hand none;
    assert_memory_equal(h, &none, sizeof none);
}

static void a_hand_or_face_elsewhere_is_dropped(void **state) {
    (void)state;
    bl_track *t = track_of(6, 1);
    bl_person *p = &t->frames[0].person;
    for (int k = 0; k < BL_HAND_POINTS; k++) p->left_hand.points[k].x += 0.14f * TALL / W;
    for (int k = 0; k < BL_HAND_POINTS; k++)
        p->right_hand.points[k].x += 0.05f * TALL / W; /* as models err */
    p = &t->frames[1].person;
    for (int k = 0; k < BL_FACE_POINTS; k++) p->face.points[k].y += 0.13f * TALL / H;
    p = &t->frames[2].person;
    p->right_hand.points[7].z = NAN;
    p = &t->frames[3].person; /* a body without that wrist cannot contradict */
    p->landmarks[BL_LM_L_WRIST] = (bl_landmark){0};
    for (int k = 0; k < BL_HAND_POINTS; k++) p->left_hand.points[k].x += 0.4f;
    assert_int_equal(bl_motion_drop_strays(t), 3);
    assert_gone(&t->frames[0].person.left_hand);
    assert_gone(&t->frames[2].person.right_hand);
    assert_true(t->frames[1].person.face.score == 0 && t->frames[1].person.face.points[5].x == 0);
    assert_true(t->frames[0].person.right_hand.score > 0 && t->frames[3].person.left_hand.score > 0);
    assert_int_equal(bl_motion_drop_strays(t), 0);
    bl_track_destroy(&t);
}

static void short_gaps_of_a_part_are_filled_and_long_ones_stay(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(40, 0), *whole = NULL;
    for (int k = 0; k < 40; k++) { /* the left wrist swings on a curve, its hand with it */
        bl_landmark *w = &t->frames[k].person.landmarks[BL_LM_L_WRIST];
        w->x += 0.05f * sinf(0.4f * (float)k), w->y += 0.05f * cosf(0.4f * (float)k);
        give_hand(&t->frames[k].person.left_hand, w, 0);
    }
    assert_ok(bl_track_copy(&whole, t, &err));
    for (int k = 5; k < 10; k++) memset(&t->frames[k].person.left_hand, 0, sizeof(bl_hand));
    for (int k = 15; k < 21; k++) memset(&t->frames[k].person.left_hand, 0, sizeof(bl_hand));
    for (int k = 25; k < 28; k++) {
        t->frames[k].has_person = 0;
        memset(&t->frames[k].person, 0, sizeof(bl_person));
    }
    memset(&t->frames[0].person.face, 0, sizeof(bl_face)); /* at an end: nothing to fill from */
    assert_int_equal(bl_motion_fill_gaps(t, 5, &err), 3);
    for (int k = 5; k < 10; k++)
        for (int i = 0; i < BL_HAND_POINTS; i++) {
            const bl_point3 *a = &t->frames[k].person.left_hand.points[i],
                            *b = &whole->frames[k].person.left_hand.points[i];
            assert_near(a->x, b->x, 1e-5);
            assert_near(a->y, b->y, 1e-5);
            assert_near(a->z, b->z, 1e-5);
        }
    assert_near(t->frames[7].person.left_hand.score, 0.9, 1e-6);
    for (int k = 15; k < 21; k++) assert_gone(&t->frames[k].person.left_hand);
    for (int k = 25; k < 28; k++) { /* body and parts were away together */
        const bl_person *p = &t->frames[k].person;
        assert_near(p->face.points[100].x, whole->frames[k].person.face.points[100].x, 1e-5);
        assert_near(p->left_hand.points[0].x, p->landmarks[BL_LM_L_WRIST].x, 1e-5);
    }
    assert_true(t->frames[0].person.face.score == 0);
    bl_track_destroy(&t);
    bl_track_destroy(&whole);
}

static void smoothing_keeps_quadratic_paths_of_all_points(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(30, 2), *before = NULL;
    for (int k = 0; k < 30; k++)
        for (int i = 0; i < BL_FACE_POINTS; i++)
            t->frames[k].person.face.points[i].y += 1e-4f * (float)(k * k);
    assert_ok(bl_track_copy(&before, t, &err));
    for (int k = 0; k < 30; k += 3) t->frames[k].person.face.score = 0.5f; /* weights don't bend a fit */
    assert_ok(bl_motion_smooth(t, 9, &err));
    for (int k = 0; k < 30; k++)
        for (int i = 0; i < BL_FACE_POINTS; i++) {
            const bl_point3 *a = &t->frames[k].person.face.points[i],
                            *b = &before->frames[k].person.face.points[i];
            assert_near(a->x, b->x, 2e-6);
            assert_near(a->y, b->y, 2e-6);
        }
    assert_true(t->frames[15].person.face.score > 0.5f && t->frames[15].person.face.score < 0.8f);
    bl_track_destroy(&t);
    bl_track_destroy(&before);
}

/* Noise goes down; and the joint's own smoothing of the same series gives the same numbers. */
static void smoothing_equals_that_of_joints(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(200, 0);
    bl_rng rng;
    double before = 0, after = 0;
    bl_rng_seed(&rng, 5);
    float rest = t->frames[0].person.left_hand.points[20].x;
    for (int k = 0; k < 200; k++) {
        bl_person *p = &t->frames[k].person;
        p->left_hand.score = p->landmarks[BL_LM_L_ANKLE].visibility =
            0.3f + 0.7f * (float)bl_rng_uniform(&rng);
        float noise = 0.01f * (float)bl_rng_normal(&rng);
        p->left_hand.points[20].x = p->landmarks[BL_LM_L_ANKLE].x = rest + noise;
        before += noise * noise;
    }
    assert_ok(bl_motion_smooth(t, 7, &err));
    for (int k = 0; k < 200; k++) {
        const bl_person *p = &t->frames[k].person;
        assert_near(p->left_hand.points[20].x, p->landmarks[BL_LM_L_ANKLE].x, 1e-6);
        assert_near(p->left_hand.score, p->landmarks[BL_LM_L_ANKLE].visibility, 1e-6);
        double e = p->left_hand.points[20].x - rest;
        after += e * e;
    }
    assert_true(after < 0.5 * before);
    bl_track_destroy(&t);
}

static void nothing_is_mixed_across_a_missing_hand(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(31, 0), *before = NULL;
    for (int k = 0; k < 31; k++)
        for (int i = 0; i < BL_HAND_POINTS; i++)
            t->frames[k].person.right_hand.points[i].x = k < 15 ? 0.2f : 0.8f;
    memset(&t->frames[15].person.right_hand, 0, sizeof(bl_hand));
    assert_ok(bl_track_copy(&before, t, &err));
    assert_ok(bl_motion_smooth(t, 9, &err));
    for (int k = 0; k < 31; k++)
        assert_near(t->frames[k].person.right_hand.points[3].x,
                    before->frames[k].person.right_hand.points[3].x, 1e-6);
    assert_gone(&t->frames[15].person.right_hand);
    bl_track_destroy(&t);
    bl_track_destroy(&before);
}

static void bodies_don_t_feel_hands_and_face(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *with = track_of(40, 1), *bare = NULL;
    assert_ok(bl_track_copy(&bare, with, &err));
    for (int k = 0; k < 40; k++) {
        bl_person *p = &bare->frames[k].person;
        memset(&p->left_hand, 0, sizeof p->left_hand);
        memset(&p->right_hand, 0, sizeof p->right_hand);
        memset(&p->face, 0, sizeof p->face);
    }
    with->frames[20].has_person = bare->frames[20].has_person = 0;
    bl_track *both[] = {with, bare};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(bl_motion_fill_gaps(both[i], 5, &err), 1);
        assert_ok(bl_motion_smooth(both[i], 5, &err));
    }
    for (int k = 0; k < 40; k++) {
        const bl_person *a = &with->frames[k].person, *b = &bare->frames[k].person;
        assert_memory_equal(a->landmarks, b->landmarks, sizeof a->landmarks);
        assert_memory_equal(a->world, b->world, sizeof a->world);
        assert_gone(&b->left_hand);
        assert_true(b->face.score == 0 && b->face.points[467].x == 0);
    }
    bl_track_destroy(&with);
    bl_track_destroy(&bare);
}

static void normalisation_moves_them_with_the_body(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(60, 1), *out = NULL;
    bl_pose_stats from, to;
    bl_frame_transform *x = NULL;
    memset(&t->frames[3].person.face, 0, sizeof(bl_face));
    assert_ok(bl_motion_stats(&from, t, &err));
    to = from;
    to.width = 1000, to.height = 900;
    to.height_near = to.height_far = to.body_height = 1.7f * from.body_height;
    to.floor_near = to.floor_far = 800;
    assert_ok(bl_motion_normalise(&out, t, &from, &to, BL_NORMALISE_ROBUST, &x, &err));
    for (int k = 0; k < 60; k++) {
        const bl_person *a = &t->frames[k].person, *b = &out->frames[k].person;
        if (k == 3) {
            assert_true(b->face.score == 0 && b->face.points[9].x == 0);
            continue;
        }
        for (int i = 0; i < BL_FACE_POINTS; i += 13) {
            assert_near(b->face.points[i].x * 1000, x[k].s * a->face.points[i].x * W + x[k].tx, 1e-3);
            assert_near(b->face.points[i].y * 900, x[k].s * a->face.points[i].y * H + x[k].ty, 1e-3);
            assert_near(b->face.points[i].z * 1000, x[k].s * a->face.points[i].z * W, 1e-3);
        }
        assert_near(b->right_hand.points[0].x, b->landmarks[BL_LM_R_WRIST].x, 1e-5);
        assert_near(b->right_hand.points[0].y, b->landmarks[BL_LM_R_WRIST].y, 1e-5);
    }
    bl_free(x);
    bl_track_destroy(&t);
    bl_track_destroy(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_or_face_elsewhere_is_dropped),
        cmocka_unit_test(short_gaps_of_a_part_are_filled_and_long_ones_stay),
        cmocka_unit_test(smoothing_keeps_quadratic_paths_of_all_points),
        cmocka_unit_test(smoothing_equals_that_of_joints),
        cmocka_unit_test(nothing_is_mixed_across_a_missing_hand),
        cmocka_unit_test(bodies_don_t_feel_hands_and_face),
        cmocka_unit_test(normalisation_moves_them_with_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
