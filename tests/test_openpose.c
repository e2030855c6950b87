/* OpenPose folders: what is written reads back; the largest person is taken; bad files are refused. */
#include <math.h>

#include "ballerino/pose.h"
#include "support.h"

static bl_track *some_track(void) {
    bl_err err = {0};
    bl_track *t = NULL;
    assert_ok(bl_track_create(&t, "x.mp4", 640, 480, 25, &err));
    for (int i = 0; i < 3; i++) {
        bl_track_frame f = {.i = i, .t_ms = i * 40.0, .has_person = i != 1};
        for (int k = 0; f.has_person && k < BL_LANDMARKS; k++)
            f.person.landmarks[k] =
                (bl_landmark){0.2f + 0.02f * (float)k, 0.9f - 0.02f * (float)k, 0, 0.5f + 0.01f * (float)k};
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

static void folders_round_trip(void **state) {
    (void)state;
    bl_err err = {0};
    char dir[] = "/tmp/bl_openpose_XXXXXX", command[64];
    assert_non_null(mkdtemp(dir));
    for (int format = 0; format < 2; format++) {
        bl_track *t = some_track(), *u = NULL;
        assert_ok(bl_openpose_write_folder(t, dir, (bl_openpose_format)format, &err));
        assert_ok(bl_openpose_read_folder(&u, dir, 640, 480, 25, &err));
        assert_int_equal(u->n, 3);
        assert_int_equal(u->frames[1].has_person, 0);
        static const int kept[] = {BL_LM_NOSE, BL_LM_L_WRIST, BL_LM_R_ANKLE, BL_LM_L_EAR};
        for (size_t k = 0; k < BL_COUNT(kept); k++) {
            bl_landmark a = t->frames[2].person.landmarks[kept[k]],
                        b = u->frames[2].person.landmarks[kept[k]];
            assert_true(fabsf(a.x - b.x) < 1e-5f && fabsf(a.y - b.y) < 1e-5f &&
                        fabsf(a.visibility - b.visibility) < 1e-4f);
        }
        assert_true(u->frames[2].person.landmarks[BL_LM_L_PINKY].visibility == 0);
        assert_true((u->frames[2].person.landmarks[BL_LM_L_HEEL].visibility > 0) ==
                    (format == BL_OPENPOSE_BODY25));
        bl_track_destroy(&t);
        bl_track_destroy(&u);
    }
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void neck_lies_between_the_shoulders(void **state) {
    (void)state;
    bl_track *t = some_track();
    bl_openpose_person p;
    const bl_landmark *l = t->frames[0].person.landmarks;
    bl_openpose_from_landmarks(&p, &t->frames[0].person, BL_OPENPOSE_BODY25, 640, 480);
    assert_true(fabsf(p.xyc[1][0] - 320 * (l[BL_LM_L_SHOULDER].x + l[BL_LM_R_SHOULDER].x)) < 1e-3f);
    assert_true(p.xyc[20][2] == 0); /* BlazePose has no small toe */
    bl_track_destroy(&t);
}

static void one_file(bl_openpose_person *p, int scale_a, int scale_b, int *rc) {
    bl_err err = {0};
    bl_buf b;
    bl_buf_init(&b, 1 << 16);
    bl_buf_addf(&b, "{\"people\":[");
    for (int k = 0; k < 2; k++) {
        bl_buf_addf(&b, "%s{\"pose_keypoints_2d\":[", k ? "," : "");
        for (int i = 0; i < 18; i++)
            bl_buf_addf(&b, "%s%d,%d,1", i ? "," : "", (k ? scale_b : scale_a) * i,
                        (k ? scale_b : scale_a) * 2 * i);
        bl_buf_addf(&b, "]}");
    }
    bl_buf_addf(&b, "]}");
    *rc = bl_openpose_parse(p, b.data, b.size, "x.json", &err);
    bl_buf_release(&b);
}

static void the_largest_person_is_taken(void **state) {
    (void)state;
    bl_openpose_person p;
    int rc;
    one_file(&p, 3, 5, &rc);
    assert_int_equal(rc, 1);
    assert_true(p.xyc[1][0] == 5);
    one_file(&p, 7, 5, &rc);
    assert_true(p.xyc[1][0] == 7);
}

static void bad_files_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"people\":3}",
                                      "{\"people\":[{}]}",
                                      "{\"people\":[{\"pose_keypoints_2d\":[1,2,3]}]}"};
    bl_err err = {0};
    bl_openpose_person p;
    bl_track *t = NULL;
    for (size_t i = 0; i < BL_COUNT(bad); i++)
        assert_int_equal(bl_openpose_parse(&p, bad[i], strlen(bad[i]), "x.json", &err), BL_E_FORMAT);
    assert_int_equal(bl_openpose_parse(&p, "{\"people\":[]}", 13, "x.json", &err), 0);
    assert_int_equal(bl_openpose_read_folder(&t, "/nowhere", 10, 10, 25, &err), BL_E_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_round_trip), cmocka_unit_test(neck_lies_between_the_shoulders),
        cmocka_unit_test(the_largest_person_is_taken), cmocka_unit_test(bad_files_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
