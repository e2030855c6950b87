/* Boxes, pose distances, the motion field, rows and tables, against values worked out by hand. */
#include <math.h>

#include "ballerino/eval.h"
#include "ballerino/motion.h"
#include "scene.h"

enum { W = 320, H = 400 };
static const scene room = {.w = W, .h = H, .fps = 25};
static char path[64];

static bl_track_frame person_at(int64_t i) {
    bl_track_frame f;
    scene_person(&room, i, &f);
    return f;
}

static bl_frame *picture(int64_t i) {
    bl_frame *f = NULL;
    bl_err err = {0};
    assert_ok(bl_frame_create(&f, W, H, &err));
    scene_draw(&room, i, f, NULL);
    return f;
}

static void move(bl_person *p, float dx, float dy) { /* pixels */
    for (int k = 0; k < BL_LANDMARKS; k++) {
        p->landmarks[k].x += dx / W;
        p->landmarks[k].y += dy / H;
    }
}

/* ---- boxes ---- */
static void test_boxes(void **state) {
    (void)state;
    bl_box body, face, moved, mesh;
    bl_track_frame f = person_at(0);
    assert_int_equal(bl_eval_body_box(&body, &f.person, W, H), 1);
    for (int k = 0; k < BL_LANDMARKS; k++) {
        const float x = f.person.landmarks[k].x * W, y = f.person.landmarks[k].y * H;
        assert_true(x >= (float)body.x && x <= (float)(body.x + body.w));
        assert_true(y >= (float)body.y && y <= (float)(body.y + body.h));
    }
    /* half beyond the frame: clipped to it; wholly beyond: none */
    move(&f.person, -W / 2, 0);
    assert_int_equal(bl_eval_body_box(&moved, &f.person, W, H), 1);
    assert_true(moved.x == 0 && moved.w < body.w && moved.y == body.y && moved.h == body.h);
    move(&f.person, -W, 0);
    assert_int_equal(bl_eval_body_box(&moved, &f.person, W, H), 0);
    /* the scene's face is tiny: skipped; five times as large it is taken */
    f = person_at(0);
    assert_int_equal(bl_eval_face_box(&face, &f.person, W, H), 0);
    const bl_landmark nose = f.person.landmarks[BL_LM_NOSE];
    for (int k = 0; k <= BL_LM_MOUTH_R; k++) {
        bl_landmark *l = &f.person.landmarks[k];
        l->x = nose.x + 5 * (l->x - nose.x);
        l->y = nose.y + 5 * (l->y - nose.y);
    }
    assert_int_equal(bl_eval_face_box(&face, &f.person, W, H), 1);
    assert_true(abs(face.w - face.h) <= 1); /* a square, but for whole pixels */
    /* a mesh decides instead: 40 x 60 pixels and its margins */
    f.person.face.score = 1;
    for (int k = 0; k < BL_FACE_POINTS; k++)
        f.person.face.points[k] =
            (bl_point3){(100.f + 40.f * (float)(k % 2)) / W, (100.f + 60.f * (float)(k / 2 % 2)) / H, 0};
    assert_int_equal(bl_eval_face_box(&mesh, &f.person, W, H), 1);
    assert_near(mesh.x, 90, 1);
    assert_near(mesh.w, 60, 2);
    assert_near(mesh.y, 80, 1);
    assert_near(mesh.h, 95, 2);
    bl_person none = {0};
    assert_int_equal(bl_eval_body_box(&body, &none, W, H), 0);
    assert_int_equal(bl_eval_face_box(&body, &none, W, H), 0);
}

static void test_likeness_in_a_box(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *a = picture(3), *b = picture(3);
    double ssim = 0, psnr = 0;
    const bl_box box = {40, 50, 100, 80};
    for (int x = 0; x < W * 3; x++) b->data[10 * b->stride + x] ^= 255; /* outside */
    assert_ok(bl_eval_box(&ssim, &psnr, a, b, &box, &err));
    assert_near(ssim, 1, 1e-6);
    assert_near(psnr, 100, 0);
    for (int y = 0; y < box.h; y++)
        for (int x = 0; x < box.w * 3; x++) {
            uint8_t *px = &b->data[(box.y + y) * b->stride + box.x * 3 + x];
            *px = (uint8_t)(*px >= 128 ? *px - 5 : *px + 5);
        }
    assert_ok(bl_eval_box(&ssim, &psnr, a, b, &box, &err));
    assert_near(psnr, 20 * log10(255 / 5.0), 1e-6);
    assert_true(ssim < 0.9999);
    bl_frame_unref(&a);
    bl_frame_unref(&b);
}

/* ---- poses ---- */
static void give_hand(bl_hand *h, float x) {
    h->score = 1;
    for (int k = 0; k < BL_HAND_POINTS; k++) h->points[k] = (bl_point3){x / W, 0.5f, 0};
}

static void test_pose_gap(void **state) {
    (void)state;
    bl_pose_gap g;
    bl_track_frame wanted = person_at(0), found = wanted, nobody = {0};
    move(&found.person, 3, 4);
    found.person.landmarks[BL_LM_L_WRIST].visibility = 0.3f;  /* missed */
    wanted.person.landmarks[BL_LM_R_WRIST].visibility = 0.3f; /* not asked for */
    bl_eval_pose_gap(&g, &wanted, &found, W, H);
    assert_near(g.distance[BL_PART_BODY], 5, 1e-4);
    assert_int_equal(g.missed[BL_PART_BODY], 1);
    assert_true(isnan(g.distance[BL_PART_FACE]) && isnan(g.distance[BL_PART_HANDS]));
    assert_near(g.distance[BL_PART_ALL], 5, 1e-4);
    /* hands and face: one hand is off by 8, the other missing; the face is off by 2 and counts as 70 */
    give_hand(&wanted.person.left_hand, 100);
    give_hand(&wanted.person.right_hand, 200);
    give_hand(&found.person.left_hand, 108);
    wanted.person.face.score = found.person.face.score = 0.9f;
    for (int k = 0; k < BL_FACE_POINTS; k++) found.person.face.points[k].y = 2.f / H;
    bl_eval_pose_gap(&g, &wanted, &found, W, H);
    assert_near(g.distance[BL_PART_HANDS], 8, 1e-4);
    assert_near(g.distance[BL_PART_FACE], 2, 1e-4);
    assert_int_equal(g.missed[BL_PART_HANDS], 21);
    assert_int_equal(g.missed[BL_PART_FACE], 0);
    assert_int_equal(g.missed[BL_PART_ALL], 22);
    assert_near(g.distance[BL_PART_ALL], (31 * 5 + 21 * 8 + 70 * 2) / 122.0, 1e-4);
    bl_eval_pose_gap(&g, &wanted, &nobody, W, H);
    assert_true(isnan(g.distance[BL_PART_ALL]));
    assert_int_equal(g.missed[BL_PART_ALL], 32 + 42 + 70);
    bl_eval_pose_gap(&g, &nobody, &found, W, H);
    assert_int_equal(g.missed[BL_PART_ALL], 0);
}

/* ---- motion ---- */
static void flow_at(const float *field, const bl_box *b, float x, float y, float out[2]) {
    const ptrdiff_t at = ((ptrdiff_t)((int)y - b->y) * b->w + ((int)x - b->x)) * 2;
    out[0] = field[at];
    out[1] = field[at + 1];
}

static void test_motion_field(void **state) {
    (void)state;
    static float field[W * H * 2];
    const bl_box all = {0, 0, W, H};
    const bl_motion_nodes nodes = {0, 0, W, H, 1}, every_fourth = {8, 12, 9, 11, 4};
    bl_track_frame now = person_at(0), before = now;
    float v[2];
    bl_motion_field(field, &nodes, &now.person, &before.person, W, H); /* nothing moved */
    for (int i = 0; i < W * H * 2; i++) assert_near(field[i], 0, 1e-3);
    move(&before.person, -7, 5); /* all moved: the body with it, the wall not */
    bl_motion_field(field, &nodes, &now.person, &before.person, W, H);
    const bl_landmark *knee = &now.person.landmarks[BL_LM_L_KNEE];
    flow_at(field, &all, knee->x * W, knee->y * H, v);
    assert_near(v[0], -7, 0.9); /* the wall's share is exp(-2) of at least 1 */
    assert_near(v[1], 5, 0.65);
    flow_at(field, &all, 5, 5, v);
    assert_near(v[0], 0, 1e-3);
    assert_near(v[1], 0, 1e-3);
    /* a forearm turned about the elbow: half way along it moves half as far as the wrist */
    before = now;
    bl_landmark *wrist = &before.person.landmarks[BL_LM_L_WRIST];
    const bl_landmark *elbow = &now.person.landmarks[BL_LM_L_ELBOW];
    const float ex = elbow->x * W, ey = elbow->y * H, rx = wrist->x * W - ex, ry = wrist->y * H - ey;
    wrist->x = (ex + rx * cosf(0.3f) - ry * sinf(0.3f)) / W;
    wrist->y = (ey + rx * sinf(0.3f) + ry * cosf(0.3f)) / H;
    now.person.landmarks[BL_LM_L_INDEX].visibility = 0; /* the forearm alone */
    bl_motion_field(field, &nodes, &now.person, &before.person, W, H);
    const float share = 0.8f;
    flow_at(field, &all, ex + share * rx, ey + share * ry, v);
    const float wx = share * (rx * cosf(0.3f) - ry * sinf(0.3f) - rx),
                wy = share * (rx * sinf(0.3f) + ry * cosf(0.3f) - ry);
    assert_near(v[0], wx, 0.25 * hypot((double)wx, (double)wy) + 0.3);
    assert_near(v[1], wy, 0.25 * hypot((double)wx, (double)wy) + 0.3);
    float coarse[11 * 9 * 2]; /* the same points again, fewer of them */
    bl_motion_field(coarse, &every_fourth, &now.person, &before.person, W, H);
    for (int j = 0; j < 11; j++)
        for (int i = 0; i < 9; i++) {
            flow_at(field, &all, (float)(8 + 4 * i), (float)(12 + 4 * j), v);
            assert_true(coarse[(j * 9 + i) * 2] == v[0] && coarse[(j * 9 + i) * 2 + 1] == v[1]);
        }
}

/* A picture that moves as the field says has no error; one that stands still, or flickers, has. */
static void test_warped_error(void **state) {
    (void)state;
    bl_frame *now = picture(0), *before = picture(0);
    static float field[W * H * 2];
    const bl_box box = {60, 70, 120, 100};
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                now->data[y * now->stride + x * 3 + c] = (uint8_t)(x / 2 + y / 4 + 20 * c);
                before->data[y * before->stride + x * 3 + c] = (uint8_t)((x + 6) / 2 + (y - 4) / 4 + 20 * c);
            }
    for (int i = 0; i < box.w * box.h; i++) field[2 * i] = -6, field[2 * i + 1] = 4;
    assert_near(bl_eval_warped_error(now, before, field, &box), 0, 1e-6);
    memset(field, 0, sizeof field);
    assert_near(bl_eval_warped_error(now, before, field, &box), 2, 0.02);
    assert_near(bl_eval_warped_error(now, now, field, &box), 0, 1e-6);
    const bl_box corner = {W - 40, H - 40, 40, 40}; /* a field that points out of the frame */
    for (int i = 0; i < 40 * 40 * 2; i++) field[i] = 1e5f;
    assert_true(bl_eval_warped_error(now, before, field, &corner) < 255);
    bl_frame_unref(&now);
    bl_frame_unref(&before);
}

/* No error for the real frames themselves; a still picture is wrong by the real change, however calm it is.
 */
static void test_change_error(void **state) {
    (void)state;
    bl_frame *now = picture(4), *before = picture(3), *still = picture(3);
    static float field[W * H * 2];
    const bl_box whole = {0, 0, W, H};
    const bl_frame *real[2] = {now, before}, *frozen[2] = {still, still};
    const double right = bl_eval_change_error(real, real, field, &whole),
                 calm = bl_eval_change_error(frozen, real, field, &whole);
    assert_near(right, 0, 1e-12);
    assert_near(bl_eval_warped_error(still, still, field, &whole), 0, 1e-12);
    assert_near(calm, bl_eval_warped_error(now, before, field, &whole), 1e-6);
    assert_true(calm > 0.5);
    bl_frame_unref(&now);
    bl_frame_unref(&before);
    bl_frame_unref(&still);
}

/* ---- rows, tables, the judge ---- */
static bl_eval_row row_of(const char *name, double ssim, double distance) {
    bl_eval_row r = {0};
    bl_err err = {0};
    snprintf(r.name, sizeof r.name, "%s", name);
    for (int i = 0; i < 3; i++) {
        bl_frame_scores s = {.i = 10 + i};
        for (int m = 0; m < BL_METRICS; m++) s.v[m] = (double)NAN;
        s.v[BL_METRIC_BODY_SSIM] = ssim + 0.01 * (i - 1);
        if (i < 2) s.v[BL_METRIC_DISTANCE_BODY] = distance;
        s.v[BL_METRIC_FLICKER] = i == 1 ? 3 : 1;
        s.v[BL_METRIC_FLICKER_REAL] = 2;
        assert_ok(bl_eval_row_add(&r, &s, &err));
    }
    bl_eval_row_means(&r);
    return r;
}

static void test_rows(void **state) {
    (void)state;
    bl_err err = {0};
    bl_eval_row r = row_of("full", 0.8, 2.5), back = {0};
    assert_near(r.mean[BL_METRIC_BODY_SSIM], 0.8, 1e-12);
    assert_int_equal(r.count[BL_METRIC_DISTANCE_BODY], 2);
    assert_true(isnan(r.mean[BL_METRIC_FACE_SSIM]));
    assert_near(r.mean[BL_METRIC_FLICKER_EXCESS], 5.0 / 6, 1e-12);
    assert_ok(bl_eval_row_write(&r, "a key", path, &err));
    assert_ok(bl_eval_row_read(&back, "a key", path, &err));
    assert_string_equal(back.name, "full");
    assert_int_equal(back.n, 3);
    assert_int_equal(back.frames[2].i, 12);
    for (int m = 0; m < BL_METRICS; m++) {
        assert_int_equal(isnan(back.mean[m]), isnan(r.mean[m]));
        if (!isnan(r.mean[m])) assert_near(back.mean[m], r.mean[m], 1e-9);
    }
    bl_eval_row_release(&back);
    assert_int_equal(bl_eval_row_read(&back, "another", path, &err), BL_E_MISMATCH);
    assert_ok(bl_file_write(path, "{\"format\": 3}", 13, &err));
    assert_int_equal(bl_eval_row_read(&back, "a key", path, &err), BL_E_FORMAT);
    bl_eval_row_release(&r);
}

static void test_tables(void **state) {
    (void)state;
    bl_err err = {0};
    bl_eval_row rows[] = {row_of("real", 1, 1), row_of("frame", 0.7, 3), row_of("full", 0.8, 2.5)};
    char *text = NULL;
    assert_int_equal(bl_eval_best(rows, 3, BL_METRIC_BODY_SSIM), 2); /* higher; real does not compete */
    assert_int_equal(bl_eval_best(rows, 2, BL_METRIC_DISTANCE_BODY), 1);
    assert_int_equal(bl_eval_best(rows, 3, BL_METRIC_FACE_SSIM), -1);
    assert_ok(bl_eval_tables_text(&text, rows, 3, 0, &err));
    assert_non_null(strstr(text, "Table 4."));
    assert_non_null(strstr(text, "0.8000*"));
    assert_non_null(strstr(text, "2.50*"));
    assert_non_null(strstr(text, "no weights"));
    assert_null(strstr(text, "1.0000*"));
    assert_null(strstr(text, "nan"));
    bl_free(text);
    assert_ok(bl_eval_tables_csv(&text, rows, 3, &err));
    assert_non_null(strstr(text, "\"full\",3,0.800000,,"));
    assert_null(strstr(text, "nan"));
    bl_free(text);
    for (int i = 0; i < 3; i++) bl_eval_row_release(&rows[i]);
}

static void test_judge_of_pictures(void **state) {
    (void)state;
    bl_err err = {0};
    bl_judge *j = NULL;
    bl_eval_row r = {0};
    const bl_judge_options o = {.width = W, .height = H, .fps = 25, .threads = 1, .no_pose = 1};
    assert_ok(bl_judge_open(&j, &o, &err));
    for (int64_t i = 0; i < 6; i++) {
        bl_frame *made = picture(i), *real = picture(i);
        bl_track_frame wanted = person_at(i);
        if (i == 4) wanted.has_person = 0; /* left out, and no pair across it */
        if (i % 2)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W * 3; x++) made->data[y * made->stride + x] /= 2; /* flickers */
        assert_ok(bl_judge_frame(j, made, real, &wanted, &err));
        bl_frame_unref(&made);
        bl_frame_unref(&real);
    }
    assert_ok(bl_judge_take(j, &r, &err));
    assert_int_equal(r.n, 5);
    assert_int_equal(r.frames[4].i, 5);
    assert_int_equal(r.no_face_box, 5);
    assert_int_equal(r.count[BL_METRIC_FLICKER], 3);
    assert_near(r.frames[0].v[BL_METRIC_BODY_SSIM], 1, 1e-6);
    assert_true(r.frames[1].v[BL_METRIC_BODY_SSIM] < 0.95);
    assert_true(r.mean[BL_METRIC_FLICKER_EXCESS] > 2);
    assert_true(r.mean[BL_METRIC_CHANGE_ERROR] > 10);
    assert_true(isnan(r.mean[BL_METRIC_DISTANCE_BODY]));
    bl_eval_row_release(&r);
    bl_frame *small = NULL;
    bl_track_frame wanted = person_at(0);
    assert_ok(bl_frame_create(&small, W / 2, H, &err));
    assert_int_equal(bl_judge_frame(j, small, small, &wanted, &err), BL_E_MISMATCH);
    bl_frame_unref(&small);
    bl_judge_close(&j);
    bl_judge_close(&j);
}

static int begin(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/bl_judge_%d.json", (int)getpid());
    return 0;
}

static int end(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_likeness_in_a_box),
        cmocka_unit_test(test_pose_gap),
        cmocka_unit_test(test_motion_field),
        cmocka_unit_test(test_warped_error),
        cmocka_unit_test(test_change_error),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_judge_of_pictures),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
