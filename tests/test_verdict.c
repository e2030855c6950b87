#include <math.h>

#include "ballerino/motion.h"
#include "support.h"
#include "test_people.h"

enum { W = 640, H = 480, N = 600 };

/* A dancer who stands (lively 0) or swings arms and legs (lively 1). */
static bl_track *dancer(int n, float height, float lively) {
    bl_err err = {0};
    bl_track *t = NULL;
    assert_ok(bl_track_create(&t, "synthetic", W, H, 25, &err));
    for (int k = 0; k < n; k++) {
        bl_track_frame f = {.i = k, .t_ms = 40.0 * k, .has_person = 1};
        f.person = person_standing(320, 440, height, W, H);
        for (int j = BL_LM_L_ELBOW; j <= BL_LM_R_ANKLE; j++) {
            float swing = lively * 0.25f * height * (j <= BL_LM_R_THUMB ? 1 : 0.3f);
            f.person.landmarks[j].x += swing * sinf((float)k * 0.09f + (float)(j % 2)) / W;
            f.person.landmarks[j].y -= swing * (1 + sinf((float)k * 0.13f + (float)(j % 5))) / H;
        }
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

static void lose(bl_track *t, int from, int to) {
    for (int k = from; k <= to; k++) t->frames[k].has_person = 0;
}

/* Moves hips and legs below the lower edge, where BlazePose goes on guessing them. */
static void leave_the_face(bl_track *t, int from, int to) {
    for (int k = from; k <= to; k++)
        for (int j = BL_LM_L_ELBOW; j < BL_LANDMARKS; j++) {
            t->frames[k].person.landmarks[j].y += 1;
            t->frames[k].person.landmarks[j].visibility = j % 3 ? 0.05f : 0.7f;
        }
}

static bl_verdict judge(bl_track *t, bl_purpose purpose) {
    bl_err err = {0};
    bl_verdict v;
    assert_ok(bl_motion_verdict(&v, t, purpose, NULL, &err));
    bl_track_destroy(&t);
    return v;
}

static void good_footage_passes_without_reasons(void **state) {
    (void)state;
    bl_verdict v = judge(dancer(N, 300, 1), BL_PURPOSE_TARGET);
    assert_true(v.usable);
    assert_int_equal(v.n_reasons, 0);
    assert_int_equal(v.frames, N);
    assert_int_equal(v.found, N);
    assert_int_equal(v.whole, N);
    assert_true(fabs(v.seconds - N / 25.0) < 1e-6);
    assert_true(v.camera_motion < 0);
    assert_true(v.variety > 0.4);
}

static void standing_still_is_usable_with_a_word(void **state) {
    (void)state;
    bl_verdict v = judge(dancer(N, 300, 0), BL_PURPOSE_TARGET);
    assert_true(v.usable);
    assert_true(v.variety < 0.01);
    assert_int_equal(v.n_reasons, 1);
    assert_non_null(strstr(v.reasons[0], "hardly vary"));
}

static void nobody_is_refused_for_both_purposes(void **state) {
    (void)state;
    for (int purpose = 0; purpose < 2; purpose++) {
        bl_track *t = dancer(N, 300, 1);
        lose(t, 0, N - 1);
        bl_verdict v = judge(t, (bl_purpose)purpose);
        assert_false(v.usable);
        assert_int_equal(v.n_reasons, 1);
        assert_string_equal(
            v.reasons[0],
            "Nobody was found in any of the 600 frames; film one person, whole, in good light.");
        v = judge(dancer(0, 300, 1), (bl_purpose)purpose);
        assert_false(v.usable);
        assert_non_null(strstr(v.reasons[0], "no frames"));
    }
}

static void a_face_is_refused_as_target(void **state) {
    (void)state;
    bl_track *t = dancer(N, 300, 1);
    leave_the_face(t, 0, N - 1);
    bl_verdict v = judge(t, BL_PURPOSE_TARGET);
    assert_false(v.usable);
    assert_non_null(strstr(v.reasons[0], "Only a face or shoulders"));
    assert_non_null(strstr(v.reasons[0], "frames 0-599"));
    assert_non_null(strstr(v.reasons[0], "film the whole body"));
    t = dancer(N, 300, 1); /* a few good frames do not save it */
    leave_the_face(t, 20, N - 1);
    v = judge(t, BL_PURPOSE_TARGET);
    assert_false(v.usable);
    assert_non_null(strstr(v.reasons[0], "frames 20-599"));
}

/* An animal: a skeleton is found, and the landmark model doubts it in most frames. */
static void what_is_doubted_is_refused_as_target_only(void **state) {
    (void)state;
    for (int doubted = 250; doubted <= 350; doubted += 100) {
        bl_track *t = dancer(N, 300, 1), *again = dancer(N, 300, 1);
        for (int k = 0; k < doubted; k++) t->frames[k].person.score = again->frames[k].person.score = 0.97f;
        bl_verdict v = judge(t, BL_PURPOSE_TARGET);
        assert_int_equal(v.usable, doubted < N / 2);
        assert_true(v.usable || strstr(v.reasons[0], "not a person"));
        assert_true(judge(again, BL_PURPOSE_SOURCE).usable);
    }
}

static void too_few_frames_are_refused_as_target_only(void **state) {
    (void)state;
    for (int purpose = 0; purpose < 2; purpose++) {
        bl_track *t = dancer(N, 300, 1);
        lose(t, 0, 9);
        lose(t, 40, N - 1);
        bl_verdict v = judge(t, (bl_purpose)purpose);
        assert_int_equal(v.usable, purpose == BL_PURPOSE_SOURCE);
        assert_int_equal(v.found, 30);
        assert_non_null(strstr(v.reasons[0], "frames 0-9, 40-599"));
    }
    bl_verdict v = judge(dancer(30, 300, 1), BL_PURPOSE_TARGET);
    assert_false(v.usable);
    assert_non_null(strstr(v.reasons[0], "30 frames"));
}

static void a_tiny_person_is_refused_as_target(void **state) {
    (void)state;
    bl_verdict v = judge(dancer(N, 60, 1), BL_PURPOSE_TARGET);
    assert_false(v.usable);
    assert_non_null(strstr(v.reasons[0], "pixels tall"));
    assert_true(judge(dancer(N, 60, 1), BL_PURPOSE_SOURCE).usable);
}

static void cut_feet_and_heads_are_told(void **state) {
    (void)state;
    bl_track *t = dancer(N, 300, 1);
    for (int k = 100; k < 300; k++)
        for (int j = BL_LM_L_ANKLE; j <= BL_LM_R_FOOT; j++) t->frames[k].person.landmarks[j].y += 0.2f;
    for (int k = 400; k < 500; k++)
        for (int j = 0; j <= BL_LM_MOUTH_R; j++) t->frames[k].person.landmarks[j].visibility = 0.1f;
    bl_verdict v = judge(t, BL_PURPOSE_TARGET);
    assert_true(v.usable);
    assert_int_equal(v.found, N);
    assert_int_equal(v.whole, N - 300);
    assert_int_equal(v.n_reasons, 2);
    assert_non_null(strstr(v.reasons[0], "feet"));
    assert_non_null(strstr(v.reasons[0], "frames 100-299"));
    assert_non_null(strstr(v.reasons[1], "frames 400-499"));
}

static void camera_motion_is_the_median_shift(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = dancer(N, 300, 1);
    float shift[N];
    bl_verdict v;
    for (int k = 0; k < N; k++) shift[k] = k % 10 ? 0.064f : 50;
    assert_ok(bl_motion_verdict(&v, t, BL_PURPOSE_TARGET, shift, &err));
    assert_true(fabs(v.camera_motion - 0.1) < 1e-4);
    assert_int_equal(v.n_reasons, 0);
    for (int k = 0; k < N; k++) shift[k] = 6.4f;
    assert_ok(bl_motion_verdict(&v, t, BL_PURPOSE_TARGET, shift, &err));
    assert_true(v.usable);
    assert_non_null(strstr(v.reasons[0], "camera moves"));
    bl_track_destroy(&t);
}

static void many_stretches_are_told_in_brief(void **state) {
    (void)state;
    bl_track *t = dancer(N, 300, 1);
    for (int k = 0; k < 12; k++) lose(t, k * 50, k * 50 + 2 + k);
    bl_verdict v = judge(t, BL_PURPOSE_TARGET);
    assert_non_null(strstr(v.reasons[0], "frames 400-410, 450-461, 500-512, 550-563 and 8 more stretches"));
}

static void text_fits_a_screen(void **state) {
    (void)state;
    bl_track *t = dancer(200, 300, 0);
    for (int k = 0; k < 100; k++) lose(t, 2 * k, 2 * k);
    bl_verdict v = judge(t, BL_PURPOSE_TARGET);
    char text[4096], little[20];
    int n = bl_verdict_text(&v, "a.mp4", text, sizeof text), lines = 0;
    assert_int_equal(n, (int)strlen(text));
    for (const char *c = text; *c; c++) lines += *c == '\n';
    assert_true(lines <= 20 && lines >= 6 + v.n_reasons - 1);
    assert_non_null(strstr(text, "a.mp4: usable\n"));
    for (int k = 0; k < v.n_reasons; k++) assert_non_null(strstr(text, v.reasons[k]));
    assert_int_equal(bl_verdict_text(&v, "a.mp4", little, sizeof little), n);
    assert_int_equal(strlen(little), sizeof little - 1);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    bl_track *t = dancer(80, 300, 1);
    int rc = BL_E_NOMEM, nth = 1;
    for (; rc < 0 && nth < 50; nth++) {
        bl_err err = {0};
        bl_verdict v;
        bl_mem_fail_at(nth);
        rc = bl_motion_verdict(&v, t, BL_PURPOSE_TARGET, NULL, &err);
        assert_true(rc == 0 || rc == BL_E_NOMEM);
    }
    bl_mem_fail_at(0);
    assert_true(nth > 3 && rc == 0);
    bl_track_destroy(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_footage_passes_without_reasons),
        cmocka_unit_test(standing_still_is_usable_with_a_word),
        cmocka_unit_test(nobody_is_refused_for_both_purposes),
        cmocka_unit_test(a_face_is_refused_as_target),
        cmocka_unit_test(what_is_doubted_is_refused_as_target_only),
        cmocka_unit_test(too_few_frames_are_refused_as_target_only),
        cmocka_unit_test(a_tiny_person_is_refused_as_target),
        cmocka_unit_test(cut_feet_and_heads_are_told),
        cmocka_unit_test(camera_motion_is_the_median_shift),
        cmocka_unit_test(many_stretches_are_told_in_brief),
        cmocka_unit_test(text_fits_a_screen),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
