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
        for (int k = 0; i == 2 && k < BL_HAND_POINTS; k++)
            f.person.left_hand.points[k] = (bl_point3){0.1f + 0.01f * (float)k, 0.3f, 0.5f};
        for (int k = 0; i == 2 && k < BL_FACE_POINTS; k++)
            f.person.face.points[k] = (bl_point3){0.001f * (float)k, 0.002f * (float)k, 0};
        f.person.left_hand.score = i == 2 ? 0.75f : 0;
        f.person.face.score = i == 2 ? 0.5f : 0;
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
        const bl_hand *a = &t->frames[2].person.left_hand, *b = &u->frames[2].person.left_hand;
        assert_near(b->score, 0.75, 1e-5);
        for (int k = 0; k < BL_HAND_POINTS; k++) {
            assert_near(a->points[k].x, b->points[k].x, 1e-5);
            assert_near(a->points[k].y, b->points[k].y, 1e-5);
        }
        assert_true(u->frames[2].person.right_hand.score == 0 && u->frames[0].person.left_hand.score == 0);
        assert_true(u->frames[2].person.face.score == 0); /* 70 points are no mesh */
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

static void faces_have_their_points_in_place(void **state) {
    (void)state;
    /* a few whose meaning is plain: chin, tip of the nose, outer corners of the eyes, corners and middle of
     * the lips */
    static const int plain[][2] = {{8, 152}, {30, 4},   {36, 33}, {45, 263},
                                   {48, 61}, {54, 291}, {51, 0},  {57, 17}};
    bl_track *t = some_track();
    const bl_person *p = &t->frames[2].person;
    float xyc[BL_OPENPOSE_FACE][3];
    bl_openpose_face(xyc, &p->face, 640, 480);
    for (size_t k = 0; k < BL_COUNT(plain); k++)
        assert_near(xyc[plain[k][0]][0], 640 * 0.001 * plain[k][1], 1e-3);
    for (int k = 0; k < 68; k++) {
        assert_near(xyc[k][1], 480 * 2 * xyc[k][0] / 640, 1e-3);
        assert_true(xyc[k][2] == 0.5f);
        for (int j = 0; j < k; j++) assert_true(xyc[j][0] != xyc[k][0]);
    }
    for (int eye = 0; eye < 2; eye++) {
        double x = 0;
        for (int k = 0; k < 6; k++) x += (double)xyc[36 + 6 * eye + k][0] / 6;
        assert_near(xyc[68 + eye][0], x, 1e-3);
    }
    bl_openpose_face(xyc, &t->frames[0].person.face, 640, 480);
    for (int k = 0; k < BL_OPENPOSE_FACE; k++) assert_true(xyc[k][0] == 0 && xyc[k][2] == 0);
    bl_track_destroy(&t);
}

/* Reads a folder of one file, in which the right hand's points from `first` on, every `step`-th, are not
 * found. */
static bl_hand hand_without(int first, int step) {
    bl_err err = {0};
    bl_buf b;
    bl_track *t = NULL;
    char dir[] = "/tmp/bl_openpose_XXXXXX", path[128];
    assert_non_null(mkdtemp(dir));
    bl_buf_init(&b, 1 << 16);
    bl_buf_addf(&b, "{\"people\":[{\"pose_keypoints_2d\":[");
    for (int i = 0; i < 18; i++) bl_buf_addf(&b, "%s%d,%d,1", i ? "," : "", i, 2 * i);
    bl_buf_addf(&b,
                "],\"face_keypoints_2d\":[],\"hand_left_keypoints_2d\":null,\"hand_right_keypoints_2d\":[");
    for (int k = 0; k < BL_HAND_POINTS; k++) {
        int lost = k >= first && (k - first) % step == 0;
        bl_buf_addf(&b, "%s%d,%d,%g", k ? "," : "", lost ? 0 : 10 + k, lost ? 0 : 20 + k, lost ? 0 : 0.5);
    }
    bl_buf_addf(&b, "]}]}");
    snprintf(path, sizeof path, "%s/a_keypoints.json", dir);
    assert_ok(bl_file_write(path, b.data, b.size, &err));
    assert_ok(bl_openpose_read_folder(&t, dir, 100, 100, 25, &err));
    bl_hand h = t->frames[0].person.right_hand;
    assert_true(t->frames[0].person.left_hand.score == 0);
    bl_buf_release(&b);
    bl_track_destroy(&t);
    unlink(path);
    rmdir(dir);
    return h;
}

static void lost_points_of_a_hand_fall_back(void **state) {
    (void)state;
    bl_hand h = hand_without(99, 1);
    assert_near(h.score, 0.5, 1e-6);
    assert_near(h.points[20].x, 0.30, 1e-6);
    h = hand_without(5, 14); /* base of the index finger: to the wrist; 19 of the little one: to 18 */
    assert_near(h.score, 0.5 * 19 / 21, 1e-6);
    assert_near(h.points[5].x, 0.10, 1e-6);
    assert_near(h.points[6].x, 0.16, 1e-6);
    assert_near(h.points[19].y, 0.38, 1e-6);
    assert_true(hand_without(0, 99).score == 0); /* no wrist */
    assert_true(hand_without(9, 1).score == 0);  /* 9 of 21 */
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

#define ZEROS "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
#define BODY "{\"people\":[{\"pose_keypoints_2d\":[" ZEROS "," ZEROS "," ZEROS "],"

static void bad_files_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"people\":3}",
                                      "{\"people\":[{}]}",
                                      "{\"people\":[{\"pose_keypoints_2d\":[1,2,3]}]}",
                                      BODY "\"hand_left_keypoints_2d\":[1,2,3]}]}",
                                      BODY "\"hand_right_keypoints_2d\":{\"a\":1}}]}",
                                      BODY "\"face_keypoints_2d\":\"none\"}]}"};
    bl_err err = {0};
    bl_openpose_person p;
    bl_track *t = NULL;
    for (size_t i = 0; i < BL_COUNT(bad); i++)
        assert_int_equal(bl_openpose_parse(&p, bad[i], strlen(bad[i]), "x.json", &err), BL_E_FORMAT);
    static const char empty[] = BODY "\"face_keypoints_2d\":[]}]}";
    assert_true(bl_openpose_parse(&p, empty, sizeof empty - 1, "x.json", &err) >= 0);
    assert_int_equal(bl_openpose_parse(&p, "{\"people\":[]}", 13, "x.json", &err), 0);
    assert_int_equal(bl_openpose_read_folder(&t, "/nowhere", 10, 10, 25, &err), BL_E_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(folders_round_trip),
                                       cmocka_unit_test(neck_lies_between_the_shoulders),
                                       cmocka_unit_test(faces_have_their_points_in_place),
                                       cmocka_unit_test(lost_points_of_a_hand_fall_back),
                                       cmocka_unit_test(the_largest_person_is_taken),
                                       cmocka_unit_test(bad_files_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
