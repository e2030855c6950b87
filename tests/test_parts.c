/* Hands and face: the regions, with answers worked out by hand; when the frame before is followed; what the
 * face detector's numbers mean; what is asked of the model folder. */
#include <math.h>
#include <sys/stat.h>

#include "pose/face.h"
#include "pose/hands.h"
#include "pose/models.h"
#include "support.h"

#define DEGREE (3.14159265358979323846 / 180)
enum { W = 1000, H = 2000 }; /* not square, so that a mix-up of the two shows */

static bl__point at(double x, double y) { /* pixels */
    return (bl__point){x / W, y / H};
}

static bl_landmark mark(double x, double y) {
    return (bl_landmark){(float)(x / W), (float)(y / H), 0, 1};
}

static bl_roi square(double x, double y, double side, double degrees) {
    return (bl_roi){(float)(x / W), (float)(y / H), (float)(side / W), (float)(side / H),
                    (float)(degrees * DEGREE)};
}

static void region_is(bl_roi r, double x, double y, double side, double degrees) {
    assert_near((double)r.cx * W, x, 1e-2);
    assert_near((double)r.cy * H, y, 1e-2);
    assert_near((double)r.w * W, side, 1e-2);
    assert_near((double)r.h * H, side, 1e-2);
    assert_near((double)r.rotation / DEGREE, degrees, 1e-3);
}

static void rotations_are_of_pixels(void **state) {
    (void)state;
    assert_near(bl__roi_rotation(at(100, 300), at(100, 200), 90 * DEGREE, W, H), 0, 1e-9); /* up */
    assert_near(bl__roi_rotation(at(100, 200), at(200, 200), 90 * DEGREE, W, H), 90 * DEGREE, 1e-9);
    assert_near(bl__roi_rotation(at(100, 200), at(200, 200), 0, W, H), 0, 1e-9);
    assert_near(bl__roi_rotation(at(100, 200), at(200, 300), 0, W, H), 45 * DEGREE, 1e-9);
    assert_near(bl__roi_rotation(at(0, 0), at(0, -100), -90 * DEGREE, W, H), -180 * DEGREE, 1e-9);
}

static void regions_move_along_their_own_axes_and_become_square(void **state) {
    (void)state;
    bl_roi r = {.cx = .5f, .cy = .5f, .w = .02f, .h = .02f}; /* 20 x 40 pixels */
    region_is(bl__roi_grow(r, -0.1, 2, W, H), 500, 1000 - 4, 80, 0);
    r.rotation = (float)(90 * DEGREE); /* its up is the picture's right */
    region_is(bl__roi_grow(r, -0.1, 2, W, H), 500 + 4, 1000, 80, 90);
}

static void a_turned_box_is_tight_along_its_sides(void **state) {
    (void)state;
    /* the corners of a 60 x 20 box around (400, 700), turned by 30 degrees */
    bl__point p[4];
    for (int k = 0; k < 4; k++) {
        double x = k & 1 ? 30 : -30, y = k & 2 ? 10 : -10, c = cos(30 * DEGREE), s = sin(30 * DEGREE);
        p[k] = at(400 + x * c - y * s, 700 + x * s + y * c);
    }
    bl_roi r = bl__roi_turned_box(p, 4, 30 * DEGREE, W, H);
    assert_near((double)r.cx * W, 400, 1e-3);
    assert_near((double)r.cy * H, 700, 1e-3);
    assert_near((double)r.w * W, 60, 1e-3);
    assert_near((double)r.h * H, 20, 1e-3);
    r = bl__roi_box(p, 4, 0); /* upright: 60 cos + 20 sin wide */
    assert_near((double)r.w * W, 60 * cos(30 * DEGREE) + 10, 1e-3);
    assert_near((double)r.h * H, 30 + 20 * cos(30 * DEGREE), 1e-3);
}

/* middle = (2 * index + little finger) / 3 = (500, 500), 100 pixels above the wrist. */
static void a_hand_is_guessed_from_three_joints(void **state) {
    (void)state;
    bl_landmark body[BL_LANDMARKS] = {0};
    bl_roi r;
    body[BL_LM_R_WRIST] = mark(500, 600);
    body[BL_LM_R_PINKY] = mark(440, 480);
    body[BL_LM_R_INDEX] = mark(530, 510);
    assert_int_equal(bl__hand_guess(&r, body, BL__RIGHT, W, H), 1);
    region_is(r, 500, 500 - 20, 200 * 2.7, 0);
    assert_int_equal(bl__hand_guess(&r, body, BL__LEFT, W, H), 0);
    body[BL_LM_R_WRIST].visibility = 0.1f;
    assert_int_equal(bl__hand_guess(&r, body, BL__RIGHT, W, H), 0);
}

static void the_recrop_gives_centre_and_size(void **state) {
    (void)state;
    const float down[4] = {128, 128, 128, 192}, left[4] = {128, 128, 64, 128};
    bl_roi guess = square(500, 500, 256, 0);
    region_is(bl__hand_recrop(down, &guess, W, H), 500, 500 - 12.8, 128, 0);
    region_is(bl__hand_recrop(left, &guess, W, H), 500 + 12.8, 500, 128, 90);
    guess = square(500, 500, 256, 90); /* turned with it: (64, 0) right of its centre is 64 below */
    region_is(bl__hand_recrop(down, &guess, W, H), 500 + 12.8, 500, 128, 90);
}

static bl_hand upright_hand(double degrees) {
    bl_hand h = {.score = 1};
    double c = cos(degrees * DEGREE), s = sin(degrees * DEGREE);
    for (int k = 0; k < BL_HAND_POINTS; k++) {
        double x = 0, y = 0;
        if (k == 0) y = 100; /* wrist */
        if (k == 5) x = -40;
        if (k == 9) y = -20;
        if (k == 13) x = 40;
        if (k == 17) x = 60, y = 20;
        if (k == 8) y = -80; /* a finger's tip: does not count */
        h.points[k] = (bl_point3){(float)((500 + x * c - y * s) / W), (float)((900 + x * s + y * c) / H), 0};
    }
    return h;
}

/* The palm's box is x -40..60, y -20..100 around (500, 900): 120 high around (10, 40), moved up by 12. */
static void a_hand_is_followed_by_its_palm(void **state) {
    (void)state;
    for (int a = -150; a <= 150; a += 30) {
        bl_hand h = upright_hand(a);
        double c = cos(a * DEGREE), s = sin(a * DEGREE);
        region_is(bl__hand_region(&h, W, H), 500 + 10 * c - 28 * s, 900 + 10 * s + 28 * c, 240, a);
    }
}

static int follows(bl_roi before, bl_roi now, double px, double py) {
    const bl__roi_limits limits = {.degrees = 40, .shift = 0.2, .growth = 0.4, .margin = 0.1};
    bl__point p = at(px, py);
    return bl__roi_follows(&before, &now, &p, 1, &limits, W, H);
}

static void the_frame_before_is_followed_within_limits(void **state) {
    (void)state;
    const bl_roi now = square(500, 500, 100, 0);
    assert_int_equal(follows(now, now, 500, 500), 1);
    assert_int_equal(follows(square(500, 500, 100, 39), now, 500, 500), 1);
    assert_int_equal(follows(square(500, 500, 100, -41), now, 500, 500), 0);
    assert_int_equal(follows(square(500, 500, 100, 170), square(500, 500, 100, -170), 500, 500), 1);
    assert_int_equal(follows(square(519, 500, 100, 0), now, 500, 500), 1);
    assert_int_equal(follows(square(521, 500, 100, 0), now, 500, 500), 0);
    assert_int_equal(follows(square(500, 479, 100, 0), now, 500, 500), 0);
    /* along the axes of a region at 45 degrees, 25 pixels are 17.7 on each */
    assert_int_equal(follows(square(525, 500, 100, 45), square(500, 500, 100, 45), 500, 500), 1);
    assert_int_equal(follows(square(500, 500, 139, 0), now, 500, 500), 1);
    assert_int_equal(follows(square(500, 500, 141, 0), now, 500, 500), 0);
    assert_int_equal(follows(square(500, 500, 59, 0), now, 500, 500), 0);
    assert_int_equal(follows(now, now, 544, 500), 1);
    assert_int_equal(follows(now, now, 546, 500), 0);
    assert_int_equal(follows(now, now, 500, 454), 0);
    assert_int_equal(follows(now, (bl_roi){.5f, .25f, 0, 0, 0}, 500, 500), 0); /* no size: not NaN-true */
}

static void a_hand_not_seen_before_takes_the_recrop(void **state) {
    (void)state;
    bl_hand h = upright_hand(0);
    const bl_roi near = square(520, 920, 250, 5), far = square(600, 920, 250, 5);
    region_is(bl__hand_choose(&h, &near, W, H), 510, 928, 240, 0);
    region_is(bl__hand_choose(&h, &far, W, H), 600, 920, 250, 5);
    h.score = 0;
    region_is(bl__hand_choose(&h, &near, W, H), 520, 920, 250, 5);
}

static void a_face_is_guessed_and_detected(void **state) {
    (void)state;
    bl_landmark body[BL_LANDMARKS] = {0};
    for (int k = 0; k <= BL_LM_MOUTH_R; k++) body[k] = mark(500, 300);
    body[BL_LM_R_EYE] = mark(480, 290);
    body[BL_LM_L_EYE] = mark(520, 290);
    body[BL_LM_R_EAR] = mark(450, 300);
    body[BL_LM_MOUTH_L] = mark(510, 330);
    bl_roi guess = bl__face_guess(body, W, H); /* x 450..520, y 290..330 */
    region_is(guess, 485, 310, 210, 0);
    bl__detection d = {.score = 1};
    for (int k = 0; k < 6; k++) d.point[k] = (bl__point){.5, .5};
    d.point[0].x = .4, d.point[1].x = .6; /* the eyes, 42 pixels apart, are the whole box */
    region_is(bl__face_detected(&d, &guess, W, H), 485, 310, 84, 0);
    d.point[0] = (bl__point){.5, .4}, d.point[1] = (bl__point){.5, .6}; /* lying on its side */
    region_is(bl__face_detected(&d, &guess, W, H), 485 + 4.2, 310, 84, 90);
}

static void a_face_is_followed_within_closer_limits(void **state) {
    (void)state;
    bl_face f = {.score = 1};
    for (int k = 0; k < BL_FACE_POINTS; k++)
        f.points[k] = (bl_point3){(float)(450 + k % 101) / W, (float)(450 + k / 5) / H, 0};
    f.points[33] = (bl_point3){460.f / W, 480.f / H, 0};
    f.points[263] = (bl_point3){540.f / W, 480.f / H, 0};
    /* x 450..550, y 450..543 */
    bl_roi r = bl__face_region(&f, W, H), near = square(505, 500, 160, 10),
           turned = square(505, 500, 160, 20), tight = square(500, 496, 120, 0);
    region_is(r, 500, 496.5, 150, 0);
    region_is(bl__face_choose(&f, &near, W, H), 500, 496.5, 150, 0);
    region_is(bl__face_choose(&f, &turned, W, H), 505, 500, 160, 20);
    region_is(bl__face_choose(&f, &tight, W, H), 500, 496, 120, 0); /* points in its margin */
}

/* Two anchors of the second grid (8 x 8, six a cell) see the same face, one of the first another. */
static void detections_are_decoded_and_merged(void **state) {
    (void)state;
    const bl__ssd s = {.size = 128, .points = 6, .n_layers = 2, .layer = {{16, 2}, {8, 6}}};
    static float boxes[896 * 16], logits[896];
    bl__detection d[BL__SSD_MAX_FOUND];
    assert_int_equal(bl__ssd_anchors(&s), 896);
    for (int k = 0; k < 896; k++) logits[k] = -5;
    const int a = 512 + (2 * 8 + 3) * 6, b = a + 1, c = (15 * 16 + 1) * 2;
    const float log3 = logf(3);
    boxes[16 * a + 2] = boxes[16 * a + 3] = boxes[16 * b + 2] = boxes[16 * b + 3] = 32;
    boxes[16 * b] = 8;     /* to the right */
    boxes[16 * b + 4] = 8; /* and its first point too */
    boxes[16 * c + 2] = boxes[16 * c + 3] = 6.4f;
    logits[a] = log3;  /* 0.75 */
    logits[b] = 0;     /* 0.5 */
    logits[c] = 0.25f; /* between */
    assert_int_equal(bl__ssd_decode(&s, boxes, logits, d), 2);
    assert_near(d[0].score, 0.75, 1e-6);
    double shift = 0.5 / 1.25 * 8 / 128; /* weighted by score */
    assert_near(d[0].xmin, 3.5 / 8 - .125 + shift, 1e-6);
    assert_near(d[0].ymax, 2.5 / 8 + .125, 1e-6);
    assert_near(d[0].point[0].x, 3.5 / 8 + shift, 1e-6);
    assert_near(d[0].point[5].x, 3.5 / 8, 1e-6);
    assert_near(d[1].xmin, 1.5 / 16 - .025, 1e-6);
    assert_near(d[1].point[2].y, 15.5 / 16, 1e-6);
    logits[a] = logits[b] = -0.01f; /* below a half */
    assert_int_equal(bl__ssd_decode(&s, boxes, logits, d), 1);
    boxes[16 * c + 2] = -1;
    assert_int_equal(bl__ssd_decode(&s, boxes, logits, d), 0);
}

/* ---- with the models ---- */

/* A folder that has only the body's models, or NULL where they are not installed. */
static const char *body_models(void) {
    static const char *const names[] = {"pose_detection.tflite", "pose_landmark_lite.tflite"};
    static char dir[] = "/tmp/bl_parts_XXXXXX";
    char from[1280], to[1280];
    bl_err err = {0};
    for (size_t k = 0; k < BL_COUNT(names); k++)
        if (bl__models_path(from, sizeof from, NULL, names[k], &err) < 0 || !bl_file_exists(from)) {
            fprintf(stderr, "SKIP: %s is not installed\n", names[k]);
            return NULL;
        }
    assert_non_null(mkdtemp(dir));
    for (size_t k = 0; k < BL_COUNT(names); k++) {
        assert_ok(bl__models_path(from, sizeof from, NULL, names[k], &err));
        snprintf(to, sizeof to, "%s/%s", dir, names[k]);
        assert_int_equal(symlink(from, to), 0);
    }
    return dir;
}

static void models_are_missed_only_when_wanted(void **state) {
    (void)state;
    bl_err err = {0};
    bl_pose *p = NULL;
    bl_person person = {.score = 1};
    char command[64];
    const char *dir = body_models();
    if (!dir) skip();
    bl_pose_options o = bl_pose_options_default();
    assert_true(o.hands && o.face);
    o.model = BL_POSE_LITE;
    o.models_dir = dir;
    o.face = 0;
    assert_int_equal(bl_pose_open(&p, &o, &err), BL_E_MODELS);
    assert_non_null(strstr(err.msg, "hand_recrop.tflite"));
    o.face = 1;
    o.hands = 0;
    assert_int_equal(bl_pose_open(&p, &o, &err), BL_E_MODELS);
    assert_non_null(strstr(err.msg, "face_detection_short_range.tflite"));
    o.face = 0;
    assert_ok(bl_pose_open(&p, &o, &err));
    assert_ok(
        bl_pose_parts(p, &(bl_frame){.width = 8, .height = 8}, &person, &err)); /* nothing is looked at */
    assert_true(person.left_hand.score == 0 && person.face.score == 0);
    bl_pose_close(&p);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* A grey picture has neither hands nor a face, wherever the body is said to be; the same for no sane place.
 */
static void nothing_is_seen_in_nothing(void **state) {
    (void)state;
    bl_err err = {0};
    bl_pose *p = NULL;
    bl_frame *f = NULL;
    bl_person person = {.score = 1}, wild = {.score = 1};
    bl_pose_options o = bl_pose_options_default();
    o.model = BL_POSE_LITE;
    int rc = bl_pose_open(&p, &o, &err);
    if (rc == BL_E_MODELS) {
        fprintf(stderr, "SKIP: %s\n", err.msg);
        skip();
    }
    assert_ok(rc);
    assert_ok(bl_frame_create(&f, 200, 100, &err));
    memset(f->data, 128, (size_t)f->stride * 100);
    for (int k = 0; k < BL_LANDMARKS; k++) {
        person.landmarks[k] = (bl_landmark){.4f + .01f * (float)(k % 7), .5f + .01f * (float)(k % 5), 0, 1};
        wild.landmarks[k] = (bl_landmark){k % 2 ? 1e6f : -1e6f, k % 3 ? NAN : 0, 0, 1};
    }
    person.landmarks[BL_LM_L_WRIST].visibility = 0;
    person.face.score = 1; /* what the caller had there is replaced */
    assert_ok(bl_pose_parts(p, f, &person, &err));
    assert_ok(bl_pose_parts(p, f, &wild, &err));
    assert_true(person.left_hand.score == 0 && person.right_hand.score == 0 && person.face.score == 0);
    assert_true(wild.left_hand.score == 0 && wild.right_hand.score == 0 && wild.face.score == 0);
    bl_frame_unref(&f);
    bl_pose_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotations_are_of_pixels),
        cmocka_unit_test(regions_move_along_their_own_axes_and_become_square),
        cmocka_unit_test(a_turned_box_is_tight_along_its_sides),
        cmocka_unit_test(a_hand_is_guessed_from_three_joints),
        cmocka_unit_test(the_recrop_gives_centre_and_size),
        cmocka_unit_test(a_hand_is_followed_by_its_palm),
        cmocka_unit_test(the_frame_before_is_followed_within_limits),
        cmocka_unit_test(a_hand_not_seen_before_takes_the_recrop),
        cmocka_unit_test(a_face_is_guessed_and_detected),
        cmocka_unit_test(a_face_is_followed_within_closer_limits),
        cmocka_unit_test(detections_are_decoded_and_merged),
        cmocka_unit_test(models_are_missed_only_when_wanted),
        cmocka_unit_test(nothing_is_seen_in_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
