/* OpenPose folders: what is written reads back; the largest person is taken; YAML gives the same; bad files
 * are refused. */
#include <math.h>

#include "ballerino/media.h"
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

/* A folder takes the size and rate of its video; a file is a track. */
static void tracks_load_from_either(void **state) {
    (void)state;
    bl_err err = {0};
    char dir[] = "/tmp/bl_openpose_XXXXXX", folder[64], video[64], file[64], command[64];
    bl_track *t = some_track(), *u = NULL;
    bl_writer_options o = bl_writer_options_default();
    bl_writer *w = NULL;
    bl_frame *f = NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(folder, sizeof folder, "%s/openpose", dir);
    snprintf(video, sizeof video, "%s/x.mp4", dir);
    snprintf(file, sizeof file, "%s/x.json", dir);
    o.width = 320, o.height = 240, o.time_base = (bl_rational){1, 50}, o.frame_rate = (bl_rational){50, 1};
    assert_ok(bl_writer_open(&w, video, &o, &err));
    assert_ok(bl_frame_create(&f, o.width, o.height, &err));
    f->time_base = o.time_base;
    for (f->pts = 0; f->pts < 3; f->pts++) assert_ok(bl_writer_put(w, f, &err));
    assert_ok(bl_writer_finish(w, &err));
    bl_writer_close(&w);
    bl_frame_unref(&f);
    t->width = 320, t->height = 240;
    assert_ok(bl_openpose_write_folder(t, folder, BL_OPENPOSE_BODY25, &err));
    assert_ok(bl_track_write(t, file, &err));
    for (int k = 0; k < 2; k++) {
        assert_ok(bl_track_load(&u, k ? file : folder, video, &err));
        assert_int_equal(u->n, 3);
        assert_int_equal(u->width, 320);
        assert_near(u->fps, k ? 25 : 50, 1e-9);
        assert_near(u->frames[2].person.landmarks[0].x, 0.2, 1e-5);
        bl_track_destroy(&u);
    }
    assert_int_equal(bl_track_load(&u, folder, "/nowhere.mp4", &err), BL_E_NOT_FOUND);
    assert_int_equal(bl_track_load(&u, dir, video, &err), BL_E_NOT_FOUND); /* neither kind of file in it */
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
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

/* ---- YAML ---- */
/* One file as OpenCV writes it: `people` matrices of `points`, the k-th point of person i at
 * (10 (i + 1) + k, 20 (i + 1) + 2 k), confidence 0.5. */
static void yaml(bl_buf *b, int people, int points) {
    bl_buf_init(b, 1 << 16);
    bl_buf_addf(
        b, "%%YAML:1.0\n---\n\"000_x\": !!opencv-nd-matrix\n   sizes: [ %d, %d, 3 ]\n   dt: f\n   data: [ ",
        people, points);
    for (int i = 1; i <= people; i++)
        for (int k = 0; k < points; k++)
            bl_buf_addf(b, "%s%.8e,%s %d., 5.00000000e-01", i > 1 || k ? "," : "", 10.0 * i + i * k,
                        k % 2 ? "\n      " : "", 20 * i + 2 * k);
    bl_buf_addf(b, " ]\n");
}

static const char nobody[] =
    "%YAML:1.0\n---\npose: !!opencv-matrix\n   rows: 0\n   cols: 0\n   dt: u\n   data: [ ]\n";

static void yaml_gives_what_json_gives(void **state) {
    (void)state;
    bl_err err = {0};
    bl_openpose_person p = {0};
    bl_buf body, face, hand;
    yaml(&body, 3, 25);
    yaml(&face, 3, 70);
    yaml(&hand, 3, 21);
    bl_openpose_text files[BL_OPENPOSE_FILES] = {{body.data, body.size, "a_pose.yml"},
                                                 {face.data, face.size, "a_face.yml"},
                                                 {nobody, sizeof nobody - 1, "a_hand_left.yml"},
                                                 {hand.data, hand.size, "a_hand_right.yml"}};
    assert_int_equal(bl_openpose_parse_yaml(&p, files, &err), 1);
    assert_true(p.format == BL_OPENPOSE_BODY25 && p.n == 25);
    assert_true(p.xyc[4][0] == 42 && p.xyc[4][1] == 68 && p.xyc[4][2] == 0.5f); /* the third is the widest */
    assert_true(p.face[69][0] == 30 + 3 * 69 && p.right_hand[20][1] == 100);
    assert_true(p.left_hand[3][2] == 0);
    files[BL_OPENPOSE_BODY] = (bl_openpose_text){nobody, sizeof nobody - 1, "a_pose.yml"};
    for (int k = 1; k < BL_OPENPOSE_FILES; k++) files[k].text = NULL;
    assert_int_equal(bl_openpose_parse_yaml(&p, files, &err), 0);
    bl_buf_release(&body);
    bl_buf_release(&face);
    bl_buf_release(&hand);
}

static void body23_is_put_in_order(void **state) {
    (void)state;
    bl_err err = {0};
    bl_openpose_person p = {0};
    bl_buf b;
    yaml(&b, 1, 23);
    const bl_openpose_text files[BL_OPENPOSE_FILES] = {{b.data, b.size, "a_pose.yml"}};
    assert_int_equal(bl_openpose_parse_yaml(&p, files, &err), 1);
    /* BODY_23: 0 neck, 7 mid-hip, 10 right ankle, 15 left ankle, 18 nose, 20 right ear, 21 left eye */
    static const int same[][2] = {{0, 1}, {7, 8}, {10, 11}, {15, 14}, {18, 0}, {20, 17}, {21, 16}, {12, 23}};
    for (size_t k = 0; k < BL_COUNT(same); k++) assert_true(p.xyc[same[k][1]][0] == (float)(10 + same[k][0]));
    assert_true(p.n == 25 && p.xyc[21][2] == 0 && p.xyc[24][2] == 0); /* no heels */
    bl_buf_release(&b);
    bl_buf_init(&b, 1 << 16);
    bl_buf_addf(&b, "{\"people\":[{\"pose_keypoints_2d\":[");
    for (int k = 0; k < 23; k++) bl_buf_addf(&b, "%s%d,%d,1", k ? "," : "", 10 + k, 2 * k);
    bl_buf_addf(&b, "]}]}");
    p = (bl_openpose_person){0};
    assert_int_equal(bl_openpose_parse(&p, b.data, b.size, "x.json", &err), 1);
    for (size_t k = 0; k < BL_COUNT(same); k++) assert_true(p.xyc[same[k][1]][0] == (float)(10 + same[k][0]));
    bl_buf_release(&b);
}

static void put(const char *dir, const char *name, const char *text, size_t size) {
    bl_err err = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_ok(bl_file_write(path, text, size, &err));
}

static void yaml_folders_are_read(void **state) {
    (void)state;
    for (int long_name = 0; long_name < 2; long_name++) {
        bl_err err = {0};
        bl_track *t = NULL;
        char dir[] = "/tmp/bl_openpose_XXXXXX", command[64];
        bl_buf body, hand;
        assert_non_null(mkdtemp(dir));
        yaml(&body, 1, 18);
        yaml(&hand, 1, 21);
        put(dir, long_name ? "b_pose.yaml" : "b_pose.yml", nobody, sizeof nobody - 1);
        put(dir, long_name ? "a_pose.yaml" : "a_pose.yml", body.data, body.size);
        put(dir, long_name ? "a_hand_left.yaml" : "a_hand_left.yml", hand.data, hand.size);
        assert_ok(bl_openpose_read_folder(&t, dir, 100, 100, 25, &err));
        assert_int_equal(t->n, 2);
        assert_true(t->frames[0].has_person && !t->frames[1].has_person);
        assert_near(t->frames[0].person.landmarks[BL_LM_R_WRIST].x, 0.14, 1e-6);
        assert_near(t->frames[0].person.left_hand.points[20].y, 0.60, 1e-6);
        assert_true(t->frames[0].person.right_hand.score == 0);
        bl_track_destroy(&t);
        /* a bad hand is not passed over */
        put(dir, long_name ? "a_hand_left.yaml" : "a_hand_left.yml", body.data, body.size);
        assert_int_equal(bl_openpose_read_folder(&t, dir, 100, 100, 25, &err), BL_E_FORMAT);
        assert_non_null(strstr(err.msg, "a_hand_left.y"));
        assert_null(t);
        bl_buf_release(&body);
        bl_buf_release(&hand);
        snprintf(command, sizeof command, "rm -rf %s", dir);
        assert_int_equal(system(command), 0);
    }
}

/* A body whose matrix has `from` replaced by `to`. */
static int parse_changed(const char *from, const char *to, bl_err *err) {
    bl_openpose_person p;
    bl_buf b, c;
    yaml(&b, 1, 18);
    bl_buf_init(&c, 1 << 16);
    const char *at = strstr(b.data, from);
    assert_non_null(at);
    bl_buf_add(&c, b.data, (size_t)(at - b.data));
    bl_buf_addf(&c, "%s", to);
    bl_buf_addf(&c, "%s", at + strlen(from));
    const bl_openpose_text files[BL_OPENPOSE_FILES] = {{c.data, c.size, "a_pose.yml"}};
    int rc = bl_openpose_parse_yaml(&p, files, err);
    bl_buf_release(&b);
    bl_buf_release(&c);
    return rc;
}

static void bad_yaml_is_refused(void **state) {
    (void)state;
    static const char *const bad[][2] = {{"[ 1, 18, 3 ]", "[ 2, 18, 3 ]"},     /* ends too early */
                                         {"[ 1, 18, 3 ]", "[ 1, 17, 3 ]"},     /* goes on */
                                         {"[ 1, 18, 3 ]", "[ 3, 6, 3 ]"},      /* no such body */
                                         {"[ 1, 18, 3 ]", "[ 1, 27, 2 ]"},     /* not x, y, confidence */
                                         {"[ 1, 18, 3 ]", "[ 1000, 70, 3 ]"},  /* more than the file holds */
                                         {"[ 1, 18, 3 ]", "[ 1e300, 18, 3 ]"}, /* absurd */
                                         {"[ 1, 18, 3 ]", "[ 1.5, 18, 3 ]"},   /* not whole */
                                         {"[ 1, 18, 3 ]", "[ -1, 18, 3 ]"},    /* negative */
                                         {"!!opencv-nd-matrix", "!!python/none"}, /* another type */
                                         {"dt: f", "dt: w"},                      /* not floats */
                                         {"20.", ".Nan"},
                                         {"20.", "1e7"},
                                         {"20.", "twenty"},
                                         {"20.", "0x14"},
                                         {" ]\n", "\n"}};
    bl_err err = {0};
    assert_int_equal(parse_changed("20.", "20", &err), 1);
    assert_int_equal(parse_changed("---\n", "", &err), 1);
    for (size_t i = 0; i < BL_COUNT(bad); i++) {
        assert_int_equal(parse_changed(bad[i][0], bad[i][1], &err), BL_E_FORMAT);
        assert_non_null(strstr(err.msg, "a_pose.yml"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(folders_round_trip),
                                       cmocka_unit_test(tracks_load_from_either),
                                       cmocka_unit_test(neck_lies_between_the_shoulders),
                                       cmocka_unit_test(faces_have_their_points_in_place),
                                       cmocka_unit_test(lost_points_of_a_hand_fall_back),
                                       cmocka_unit_test(the_largest_person_is_taken),
                                       cmocka_unit_test(bad_files_are_refused),
                                       cmocka_unit_test(yaml_gives_what_json_gives),
                                       cmocka_unit_test(body23_is_put_in_order),
                                       cmocka_unit_test(yaml_folders_are_read),
                                       cmocka_unit_test(bad_yaml_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
