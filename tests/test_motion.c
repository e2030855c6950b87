#include <math.h>

#include "ballerino/motion.h"
#include "support.h"
#include "test_people.h"

enum { W = 640, H = 480 };

static bl_track *track_of(int n, double fps) {
    bl_err err = {0};
    bl_track *t = NULL;
    assert_ok(bl_track_create(&t, "synthetic", W, H, fps, &err));
    for (int k = 0; k < n; k++) {
        bl_track_frame f = {.i = k, .t_ms = 1000 * k / fps, .has_person = 1};
        f.person = person_standing(320, 440, 300, W, H);
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

static bl_landmark *wrist(bl_track *t, int k) {
    return &t->frames[k].person.landmarks[BL_LM_L_WRIST];
}

static void lose(bl_track *t, int k) {
    t->frames[k].has_person = 0;
    memset(&t->frames[k].person, 0, sizeof t->frames[k].person);
}

static void short_gaps_are_filled_in_time_and_long_ones_stay(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(40, 25);
    for (int k = 0; k < 40; k++) wrist(t, k)->x = (float)k / 100, t->frames[k].person.world[3].x = (float)k;
    lose(t, 0);
    for (int k = 10; k < 15; k++) lose(t, k);
    for (int k = 20; k < 26; k++) lose(t, k);
    lose(t, 39);
    t->frames[11].t_ms = 1000.0 * 10.5 / 25; /* shown early */
    assert_int_equal(bl_motion_fill_gaps(t, 5, &err), 5);
    for (int k = 10; k < 15; k++) {
        double at = k == 11 ? 10.5 : k;
        assert_true(t->frames[k].has_person);
        assert_true(fabs(wrist(t, k)->x - at / 100) < 1e-5);
        assert_true(fabs(t->frames[k].person.world[3].x - at) < 1e-4);
        assert_true(wrist(t, k)->visibility == 1);
    }
    assert_false(t->frames[0].has_person || t->frames[22].has_person || t->frames[39].has_person);
    assert_int_equal(bl_motion_fill_gaps(t, 0, &err), 0);
    assert_int_equal(bl_motion_fill_gaps(t, 6, &err), 6);
    assert_int_equal(bl_motion_fill_gaps(t, 1000000, &err), BL_E_USAGE);
    bl_track_destroy(&t);
}

static void missing_joints_are_filled_like_gaps(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(20, 25);
    for (int k = 0; k < 20; k++) wrist(t, k)->x = (float)k / 100;
    for (int k = 5; k < 8; k++) *wrist(t, k) = (bl_landmark){0};
    for (int k = 12; k < 20; k++) *wrist(t, k) = (bl_landmark){0};
    assert_int_equal(bl_motion_fill_gaps(t, -1, &err), 0); /* no whole frames */
    for (int k = 5; k < 8; k++) assert_true(fabsf(wrist(t, k)->x - (float)k / 100) < 1e-5f);
    assert_true(wrist(t, 13)->visibility == 0);
    bl_track_destroy(&t);
}

/* Persons, joints and parts alike: what lies beyond a cut is another scene. */
static void nothing_is_filled_across_a_cut(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(30, 25);
    for (int k = 10; k < 13; k++) lose(t, k);
    t->frames[11].cut = 1; /* in a hole: neither side may fill it */
    *wrist(t, 20) = (bl_landmark){0};
    t->frames[21].cut = 1; /* at its end */
    for (int k = 0; k < 30; k++) {
        bl_hand *h = &t->frames[k].person.left_hand;
        h->score = t->frames[k].has_person && k != 25 && k != 28 ? 0.9f : 0;
        for (int i = 0; i < BL_HAND_POINTS && h->score > 0; i++)
            h->points[i] = (bl_point3){wrist(t, k)->x, wrist(t, k)->y, 0};
    }
    memset(&t->frames[20].person.left_hand, 0, sizeof(bl_hand)); /* lies at no wrist: would be a stray */
    t->frames[25].cut = 1;                                       /* at its beginning */
    assert_int_equal(bl_motion_fill_gaps(t, 5, &err), 0);
    for (int k = 10; k < 13; k++) assert_false(t->frames[k].has_person);
    assert_true(wrist(t, 20)->visibility == 0);
    assert_true(t->frames[20].person.left_hand.score == 0 && t->frames[25].person.left_hand.score == 0);
    assert_near(t->frames[28].person.left_hand.score, 0.9, 1e-6); /* in the middle of a shot it is filled */
    bl_track_destroy(&t);
}

/* A quadratic path is not changed at all, neither inside nor at the ends: no lag, no shrinking. */
static void smoothing_keeps_quadratic_paths(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(30, 25);
    for (int k = 0; k < 30; k++) {
        float u = (float)k;
        *wrist(t, k) = (bl_landmark){0.1f + 0.02f * u, 0.9f - 0.03f * u + 0.001f * u * u, 0.01f * u, 0.8f};
    }
    assert_ok(bl_motion_smooth(t, 9, &err));
    for (int k = 0; k < 30; k++) {
        float u = (float)k;
        const bl_landmark *l = wrist(t, k);
        assert_true(fabsf(l->x - (0.1f + 0.02f * u)) < 1e-5f);
        assert_true(fabsf(l->y - (0.9f - 0.03f * u + 0.001f * u * u)) < 1e-5f);
        assert_true(fabsf(l->z - 0.01f * u) < 1e-5f);
        assert_true(fabsf(l->visibility - 0.8f) < 1e-5f);
    }
    bl_track_destroy(&t);
}

static double wave(double k) {
    return 0.5 + 0.1 * sin(k * 0.2);
}

static void smoothing_removes_noise_without_lag(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(400, 25);
    bl_rng rng;
    double before = 0, after = 0, lag = 0;
    bl_rng_seed(&rng, 3);
    for (int k = 0; k < 400; k++) {
        double noise = 0.01 * bl_rng_normal(&rng);
        wrist(t, k)->x = (float)(wave(k) + noise);
        before += noise * noise;
    }
    assert_ok(bl_motion_smooth(t, 9, &err));
    for (int k = 0; k < 400; k++) {
        double e = wrist(t, k)->x - wave(k);
        after += e * e;
        lag += e * cos(k * 0.2); /* a delay of d frames would give -0.1 * 0.2 * d / 2 a frame */
    }
    bl_track_destroy(&t);
    assert_true(after < 0.4 * before);
    assert_true(fabs(lag / 400 / (0.1 * 0.2 / 2)) < 0.1); /* frames */
}

static void doubtful_points_count_less_and_gaps_separate(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(30, 25);
    for (int k = 0; k < 30; k++) wrist(t, k)->x = k < 15 ? 0.2f : 0.8f;
    *wrist(t, 5) = (bl_landmark){0.9f, 0.9f, 0, 0.05f};
    lose(t, 15);
    assert_ok(bl_motion_smooth(t, 7, &err));
    for (int k = 0; k < 30; k++) {
        if (k == 15) continue;
        assert_true(fabsf(wrist(t, k)->x - (k < 15 ? 0.2f : 0.8f)) < 0.01f);
    }
    assert_false(t->frames[15].has_person);
    bl_track_destroy(&t);
}

static void smoothing_windows_are_checked(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = track_of(3, 25);
    assert_ok(bl_motion_smooth(t, 1, &err));
    assert_ok(bl_motion_smooth(t, 99, &err));
    static const int bad[] = {0, -3, 4, 101};
    for (size_t k = 0; k < BL_COUNT(bad); k++)
        assert_int_equal(bl_motion_smooth(t, bad[k], &err), BL_E_USAGE);
    bl_mem_fail_at(1);
    assert_int_equal(bl_motion_smooth(t, 5, &err), BL_E_NOMEM);
    bl_mem_fail_at(0);
    bl_track_destroy(&t);
}

static void usable_means_trunk_and_legs_in_the_picture(void **state) {
    (void)state;
    bl_person p = person_standing(320, 440, 300, W, H), q = p;
    assert_true(bl_motion_person_usable(&p));
    for (int k = BL_LM_L_ANKLE; k <= BL_LM_R_FOOT; k++) q.landmarks[k].y += 0.5f; /* feet cut off */
    assert_true(bl_motion_person_usable(&q));
    for (int k = BL_LM_L_KNEE; k <= BL_LM_R_KNEE; k++) q.landmarks[k].visibility = 0.1f;
    assert_false(bl_motion_person_usable(&q));
    q = p;
    for (int k = BL_LM_L_HIP; k <= BL_LM_R_FOOT; k++) q.landmarks[k].y += 1; /* guessed below the edge */
    assert_false(bl_motion_person_usable(&q));
    q = p;
    q.landmarks[BL_LM_L_WRIST].x = NAN;
    assert_false(bl_motion_person_usable(&q));
    q = person_standing(320, 440, 10, W, H);
    assert_false(bl_motion_person_usable(&q));
    memset(&q, 0, sizeof q);
    assert_false(bl_motion_person_usable(&q));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_gaps_are_filled_in_time_and_long_ones_stay),
        cmocka_unit_test(missing_joints_are_filled_like_gaps),
        cmocka_unit_test(nothing_is_filled_across_a_cut),
        cmocka_unit_test(smoothing_keeps_quadratic_paths),
        cmocka_unit_test(smoothing_removes_noise_without_lag),
        cmocka_unit_test(doubtful_points_count_less_and_gaps_separate),
        cmocka_unit_test(smoothing_windows_are_checked),
        cmocka_unit_test(usable_means_trunk_and_legs_in_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
