/* Where face and hands are looked for along a track, and patches of a frame cut out and added back. */
#include <math.h>

#include "scene.h"
#include "transfer/half.h"
#include "transfer/patch.h"

enum { W = 120, H = 90, N = 32 };

static bl_frame *ramp(void) {
    bl_frame *f = NULL;
    bl_err err = {0};
    assert_ok(bl_frame_create(&f, W, H, &err));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) f->data[y * f->stride + x * 3 + c] = (uint8_t)(x + y / 2 + 10 * c);
    return f;
}

/* A linear picture stays linear: larger, smaller, beyond the border. */
static void a_cut_is_where_it_should_be(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *f = ramp();
    static uint8_t out[(N + 8) * (N + 8) * 3];
    const float sides[] = {20, 32, 64};
    for (size_t k = 0; k < BL_COUNT(sides); k++) {
        const bl__part_box b = {.cx = 60.3f, .cy = 44.8f, .side = sides[k], .seen = 1};
        assert_ok(bl__patch_cut(out, N, 4, f, &b, &err));
        for (int j = 0; j < N + 8; j++)
            for (int i = 0; i < N + 8; i++) {
                const double x = 60.3 + ((i - 4 + 0.5) / N - 0.5) * (double)sides[k] - 0.5,
                             y = 44.8 + ((j - 4 + 0.5) / N - 0.5) * (double)sides[k] - 0.5;
                if (x < 4 || y < 4 || x > W - 6 || y > H - 6) continue;
                assert_near(out[(j * (N + 8) + i) * 3], x + y / 2, 1.3);
            }
    }
    const bl__part_box corner = {.cx = 0, .cy = 0, .side = 64, .seen = 1};
    assert_ok(bl__patch_cut(out, N, 0, f, &corner, &err));
    assert_near(out[0], f->data[0], 1);
    bl_frame_unref(&f);
}

/* A constant change: whole in the middle, nothing at the edge and outside, in shares of `seen`. */
static void a_change_is_feathered(void **state) {
    (void)state;
    bl_err err = {0};
    static float change[N * N * 3];
    for (int i = 0; i < N * N * 3; i++) change[i] = 40;
    for (int half = 0; half < 2; half++) {
        bl_frame *f = ramp(), *before = ramp();
        const bl__part_box b = {.cx = 60, .cy = 45, .side = 50, .seen = half ? 0.5f : 1};
        assert_ok(bl__patch_add(f, &b, change, N, &err));
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int d = f->data[y * f->stride + x * 3] - before->data[y * before->stride + x * 3];
                const double far = fmax(fabs(x + 0.5 - 60), fabs(y + 0.5 - 45));
                if (far > 25) assert_int_equal(d, 0);
                if (far < 17) assert_near(d, half ? 20 : 40, 1);
                assert_true(d >= -1 && d <= (half ? 21 : 41));
            }
        bl_frame_unref(&f);
        bl_frame_unref(&before);
    }
    const bl__part_box away = {.cx = -100, .cy = 45, .side = 50, .seen = 1};
    bl_frame *f = ramp();
    assert_ok(bl__patch_add(f, &away, change, N, &err));
    bl_frame_unref(&f);
}

/* What was taken out and changed comes back: cut, add the difference to another picture, and it is there. */
static void cut_and_add_undo_each_other(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *f = ramp(), *flat = NULL;
    static uint8_t a[64 * 64 * 3], b[64 * 64 * 3];
    static float change[64 * 64 * 3];
    const bl__part_box box = {.cx = 60, .cy = 45, .side = 64, .seen = 1};
    assert_ok(bl_frame_create(&flat, W, H, &err));
    assert_ok(bl__patch_cut(a, 64, 0, f, &box, &err));
    assert_ok(bl__patch_cut(b, 64, 0, flat, &box, &err));
    for (int i = 0; i < 64 * 64 * 3; i++) change[i] = (float)a[i] - (float)b[i];
    assert_ok(bl__patch_add(flat, &box, change, 64, &err));
    for (int y = 30; y < 60; y++)
        for (int x = 45; x < 75; x++)
            assert_near(flat->data[y * flat->stride + x * 3], f->data[y * f->stride + x * 3], 1);
    bl_frame_unref(&f);
    bl_frame_unref(&flat);
}

/* ---- boxes ---- */
static void boxes_have_the_size_of_a_head(void **state) {
    (void)state;
    bl_err err = {0};
    const scene s = {.w = 240, .h = 240, .fps = 25, .parts = 1};
    bl_track *t = scene_track(&s, 60);
    bl__parts p;
    for (int i = 0; i < 20; i++) t->frames[i].person.face.score = 0;
    t->frames[45].cut = 1;
    for (int i = 45; i < 60; i++) /* the next shot is elsewhere */
        for (int k = 0; k < BL_LANDMARKS; k++) t->frames[i].person.landmarks[k].x += 0.2f;
    assert_ok(bl__parts_init(&p, t, &err));
    for (int i = 0; i < 60; i++) {
        const bl__part_box *b = &p.box[BL_REGION_FACE][i];
        const bl_landmark *nose = &t->frames[i].person.landmarks[BL_LM_NOSE];
        assert_near(b->side, 0.36 * 120,
                    0.02 * 43); /* the scene's world is twice its picture: 120 pixels a metre */
        float middle = 0;       /* of nose, eyes and ears */
        for (size_t k = 0; k < 5; k++)
            middle += t->frames[i].person.landmarks[(const int[]){0, 2, 5, 7, 8}[k]].x * 48;
        assert_near(b->cx, middle, 5);
        assert_true(b->cy < nose->y * 240 + 1 && b->cy > nose->y * 240 - 20);
        if (i < 20) assert_near(b->seen, 0, 0);
        if (i > 26) assert_near(b->seen, 1, 1e-3);
        assert_true(p.box[BL_REGION_LEFT_HAND][i].seen > 0.99f);
    }
    const bl__part_box *face = p.box[BL_REGION_FACE];
    assert_true(face[20].seen < 0.5f && face[20].seen <= face[21].seen && face[21].seen <= face[22].seen);
    assert_true(face[45].cx - face[44].cx > 30); /* not smoothed across the cut */
    bl__parts_release(&p);
    bl_track_destroy(&t);
}

/* ---- samples at half the size ---- */
static int numbered(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
                    float *weight, bl_err *err) {
    (void)ctx, (void)augment, (void)err;
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            const int at = y * 8 + x;
            for (int c = 0; c < 3; c++) label[at * 3 + c] = plate[at * 3 + c] = real[at * 3 + c] = (float)x;
            weight[at] = (float)(index + y);
        }
    return 0;
}

static void half_pools_as_the_enhancer_does(void **state) {
    (void)state;
    bl_err err = {0};
    bl__half half;
    const bl_gan_source full = {.count = 5, .get = numbered};
    float label[48], plate[48], real[48], weight[16];
    assert_ok(bl__half_init(&half, &full, 8, 8, &err));
    const bl_gan_source s = bl__half_source(&half);
    assert_int_equal(s.count, 5);
    assert_ok(s.get(s.ctx, 3, 0, label, plate, real, weight, &err));
    assert_near(label[0], 0.5, 1e-6); /* columns 0 and 1 only: padding does not count */
    assert_near(plate[3], 2, 1e-6);   /* columns 1, 2, 3 */
    assert_near(real[9], 6, 1e-6);
    assert_near(weight[0], 3.5, 1e-6);
    assert_near(weight[15], 3 + 6, 1e-6);
    bl__half_release(&half);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_is_where_it_should_be),     cmocka_unit_test(a_change_is_feathered),
        cmocka_unit_test(cut_and_add_undo_each_other),     cmocka_unit_test(boxes_have_the_size_of_a_head),
        cmocka_unit_test(half_pools_as_the_enhancer_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
