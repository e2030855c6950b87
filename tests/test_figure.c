#include <math.h>

#include "ballerino/figure.h"
#include "support.h"
#include "test_people.h"

enum { W = 144, H = 192 };
static const bl_view one_to_one = {0, 0, 1};

static float *draw(const bl_person *p, const bl_figure_options *o) {
    float *canvas = bl_alloc(W * H * 3 * sizeof *canvas);
    assert_non_null(canvas);
    for (int k = 0; k < W * H * 3; k++) canvas[k] = 0.5f; /* must be overwritten */
    bl_figure_draw(canvas, W, H, p, W, H, one_to_one, o);
    return canvas;
}

static double sum(const float *canvas) {
    double s = 0;
    for (int k = 0; k < W * H * 3; k++) s += canvas[k];
    return s;
}

static void assert_pixel(const float *canvas, float x, float y, float r, float g, float b) {
    const float *px = canvas + ((int)y * W + (int)x) * 3;
    assert_true(fabsf(px[0] - r / 255) < 0.02f && fabsf(px[1] - g / 255) < 0.02f &&
                fabsf(px[2] - b / 255) < 0.02f);
}

static bl_person standing(void) {
    return person_standing(72, 180, 160, W, H);
}

/* The canvas pixel between two landmarks. */
static void between(const bl_person *p, int a, int b, float *x, float *y) {
    *x = (p->landmarks[a].x + p->landmarks[b].x) / 2 * W;
    *y = (p->landmarks[a].y + p->landmarks[b].y) / 2 * H;
}

static void sides_have_body25_colours(void **state) {
    (void)state;
    static const struct {
        int a, b;
        float rgb[3];
    } want[] = {
        {BL_LM_R_SHOULDER, BL_LM_R_ELBOW, {255, 170, 0}}, {BL_LM_R_ELBOW, BL_LM_R_WRIST, {255, 255, 0}},
        {BL_LM_L_SHOULDER, BL_LM_L_ELBOW, {85, 255, 0}},  {BL_LM_L_ELBOW, BL_LM_L_WRIST, {0, 255, 0}},
        {BL_LM_R_HIP, BL_LM_R_KNEE, {0, 255, 170}},       {BL_LM_R_KNEE, BL_LM_R_ANKLE, {0, 255, 255}},
        {BL_LM_L_HIP, BL_LM_L_KNEE, {0, 85, 255}},        {BL_LM_L_KNEE, BL_LM_L_ANKLE, {0, 0, 255}},
    };
    bl_person p = standing();
    float *c = draw(&p, NULL), x, y;
    for (size_t k = 0; k < BL_COUNT(want); k++) {
        between(&p, want[k].a, want[k].b, &x, &y);
        assert_pixel(c, x, y, want[k].rgb[0], want[k].rgb[1], want[k].rgb[2]);
    }
    assert_pixel(c, 72, 180 - 0.67f * 160, 255, 0, 0); /* trunk */
    assert_pixel(c, 5, 5, 0, 0, 0);
    for (int k = 0; k < W * H * 3; k++) assert_true(c[k] >= 0 && c[k] <= 1);
    bl_free(c);
}

static void nearer_limb_covers_the_farther(void **state) {
    (void)state;
    for (int left_near = 0; left_near < 2; left_near++) {
        bl_person p = standing();
        for (int k = BL_LM_L_ELBOW; k <= BL_LM_R_WRIST; k++) { /* cross the forearms on the chest */
            int left = k % 2 == 1;
            p.landmarks[k].y = (k <= BL_LM_R_ELBOW) == left ? 0.6f : 0.4f;
            p.landmarks[k].x = 0.5f + (k <= BL_LM_R_ELBOW ? 0.1f : -0.1f);
            p.landmarks[k].z = left == left_near ? -0.5f : -0.2f;
        }
        float *c = draw(&p, NULL);
        assert_pixel(c, 72, 96, left_near ? 0 : 255, 255, 0);
        bl_free(c);
    }
}

/* A tenth of a pixel changes the picture, by about as much each time, nowhere by more than two edges on top
 * of each other can (0.1 each, measured 0.16). */
static void movement_below_a_pixel_is_smooth(void **state) {
    (void)state;
    bl_person p = standing();
    float *last = draw(&p, NULL);
    double least = 1e9, most = 0;
    for (int step = 0; step < 40; step++) {
        p.landmarks[BL_LM_L_WRIST].x += 0.1f / W;
        float *c = draw(&p, NULL);
        double change = 0;
        for (int k = 0; k < W * H * 3; k++) {
            float d = fabsf(c[k] - last[k]);
            assert_true(d < 0.25f);
            change += d;
        }
        least = fmin(least, change), most = fmax(most, change);
        bl_free(last);
        last = c;
    }
    bl_free(last);
    assert_true(least > 0.5);
    assert_true(most < 1.6 * least);
}

/* Coverage sums to the capsule's area wherever it lies on the pixel grid. */
static void coverage_keeps_the_area(void **state) {
    (void)state;
    bl_figure_options o = {.thickness = 3, .min_visibility = 0.1f};
    o.drop = ~(1u << 12); /* left shin only: blue */
    for (int k = 0; k < 10; k++) {
        bl_person p = person_standing(72 + 0.13f * (float)k, 180 + 0.07f * (float)k, 160, W, H);
        const bl_landmark *a = &p.landmarks[BL_LM_L_KNEE], *b = &p.landmarks[BL_LM_L_ANKLE];
        double length = hypot((a->x - b->x) * W, (a->y - b->y) * H), ra = 3 * 1.1, rb = 3 * 0.85;
        double area = length * 3 * (0.95 + 0.7) + (ra * ra + rb * rb) * 3.14159 / 2;
        float *c = draw(&p, &o);
        double blue = 0;
        for (int px = 0; px < W * H; px++) blue += c[px * 3 + 2];
        bl_free(c);
        assert_true(fabs(blue - area) < 0.04 * area); /* measured 2 %: the discs are wider than their ends */
    }
}

static void hidden_joints_are_not_drawn_and_fade(void **state) {
    (void)state;
    bl_person p = standing();
    double full, half, none;
    float *c = draw(&p, NULL), x, y;
    full = sum(c);
    bl_free(c);
    p.landmarks[BL_LM_R_ANKLE].visibility = 0.15f;
    c = draw(&p, NULL);
    half = sum(c);
    between(&p, BL_LM_R_KNEE, BL_LM_R_ANKLE, &x, &y);
    assert_pixel(c, x, y, 0, 127.5f, 127.5f);
    bl_free(c);
    p.landmarks[BL_LM_R_ANKLE].visibility = 0.05f;
    c = draw(&p, NULL);
    none = sum(c);
    assert_pixel(c, x, y, 0, 0, 0);
    bl_free(c);
    assert_true(full > half && half > none && none > 0.8 * full);
    p.landmarks[BL_LM_L_WRIST].x = NAN;
    p.landmarks[BL_LM_L_ELBOW].y = INFINITY;
    c = draw(&p, NULL);
    assert_true(isfinite(sum(c)));
    bl_free(c);
}

static void dropped_limb_is_missing_and_others_stay(void **state) {
    (void)state;
    bl_person p = standing();
    float *all = draw(&p, NULL);
    assert_true(bl_figure_limb_count() <= 32);
    for (int k = 0; k < bl_figure_limb_count(); k++) {
        bl_figure_options o = bl_figure_options_default();
        o.drop = 1u << k;
        float *c = draw(&p, &o);
        int differ = 0;
        for (int i = 0; i < W * H * 3; i++) differ += fabsf(c[i] - all[i]) > 0.01f;
        assert_true(differ > 0 && differ < 3 * 900);
        bl_free(c);
    }
    bl_figure_options o = bl_figure_options_default();
    o.drop = UINT32_MAX;
    float *c = draw(&p, &o);
    assert_true(sum(c) == 0);
    bl_free(c);
    bl_free(all);
}

static void view_shifts_scales_and_clips(void **state) {
    (void)state;
    enum { FW = 1440, FH = 1920 };
    bl_person p = person_standing(720, 1800, 1600, FW, FH), small = standing();
    float *a = draw(&small, NULL), *b = bl_alloc(W * H * 3 * sizeof *b);
    bl_figure_draw(b, W, H, &p, FW, FH, (bl_view){0, 0, 0.1f}, NULL);
    for (int k = 0; k < W * H * 3; k++) assert_true(fabsf(a[k] - b[k]) < 0.01f);
    bl_figure_draw(b, W, H, &p, FW, FH, (bl_view){100, -200, 0.1f}, NULL); /* 10 to the left, 20 down */
    for (int y = 20; y < H; y++)
        for (int x = 0; x < W - 10; x++)
            for (int c = 0; c < 3; c++)
                assert_true(fabsf(a[((y - 20) * W + x + 10) * 3 + c] - b[(y * W + x) * 3 + c]) < 0.01f);
    static const bl_view far_away[] = {{1e9f, 0, 1}, {0, -1e9f, 1}, {0, 0, 1e9f}, {-1e30f, 1e30f, 1e9f}};
    for (size_t k = 0; k < BL_COUNT(far_away); k++) {
        bl_figure_draw(b, W, H, &p, FW, FH, far_away[k], NULL);
        assert_true(isfinite(sum(b)));
    }
    bl_free(a);
    bl_free(b);
}

static void overlay_blends_into_what_is_there(void **state) {
    (void)state;
    bl_person p = standing();
    float *c = draw(&p, NULL), x, y;
    uint8_t *pixels = bl_alloc(448 * H);
    bl_frame f = {.width = W, .height = H, .stride = 448, .data = pixels};
    memset(pixels, 0, 448 * H);
    bl_figure_overlay(&f, &p, 1, NULL);
    for (int py = 0; py < H; py++)
        for (int k = 0; k < W * 3; k++)
            assert_true(fabsf(pixels[py * 448 + k] - 255 * c[py * W * 3 + k]) < 3);
    memset(pixels, 100, 448 * H);
    bl_figure_overlay(&f, &p, 0.5f, NULL);
    between(&p, BL_LM_L_KNEE, BL_LM_L_ANKLE, &x, &y);
    const uint8_t *px = pixels + (int)y * 448 + (int)x * 3;
    assert_int_equal(px[0], 50);
    assert_int_equal(px[2], 178);
    assert_int_equal(pixels[0], 100);
    bl_free(pixels);
    bl_free(c);
}

static void a_training_sample_is_drawn_in_under_a_millisecond(void **state) {
    (void)state;
    bl_person p = standing();
    float *c = draw(&p, NULL);
    double best = 1e9;
    for (int turn = 0; turn < 20; turn++) {
        double t0 = bl_now();
        bl_figure_draw(c, W, H, &p, W, H, one_to_one, NULL);
        best = fmin(best, bl_now() - t0);
    }
    bl_free(c);
    printf("bl_figure_draw at %dx%d: %.0f us\n", W, H, best * 1e6);
    assert_true(best < 0.02); /* measured 70 us; the bound leaves room for sanitizers and slow machines */
}

static void scale_is_pixels_a_metre(void **state) {
    (void)state;
    bl_person p = person_standing(200, 400, 340, 640, 480); /* 1.7 m in 340 pixels */
    assert_near(bl_figure_scale(&p, 640, 480, 0.3f), 200, 1);
    p.landmarks[BL_LM_L_WRIST] = (bl_landmark){.x = 9, .y = 9, .visibility = 0.2f}; /* hidden: not measured */
    p.landmarks[BL_LM_R_INDEX].x = 9;                                               /* nor are fingers */
    assert_near(bl_figure_scale(&p, 640, 480, 0.3f), 200, 2);
    p.landmarks[BL_LM_L_ELBOW].x = NAN;
    assert_near(bl_figure_scale(&p, 640, 480, 0.3f), 200, 3);
    for (int k = BL_LM_L_HIP; k < BL_LANDMARKS; k++) p.landmarks[k].visibility = 0;
    p.landmarks[BL_LM_R_WRIST].visibility = 0; /* three are left */
    assert_true(bl_figure_scale(&p, 640, 480, 0.3f) == 0);
    p = person_standing(200, 400, 340, 640, 480);
    memset(p.world, 0, sizeof p.world);
    assert_true(bl_figure_scale(&p, 640, 480, 0.3f) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_have_body25_colours),
        cmocka_unit_test(nearer_limb_covers_the_farther),
        cmocka_unit_test(movement_below_a_pixel_is_smooth),
        cmocka_unit_test(coverage_keeps_the_area),
        cmocka_unit_test(hidden_joints_are_not_drawn_and_fade),
        cmocka_unit_test(dropped_limb_is_missing_and_others_stay),
        cmocka_unit_test(view_shifts_scales_and_clips),
        cmocka_unit_test(overlay_blends_into_what_is_there),
        cmocka_unit_test(scale_is_pixels_a_metre),
        cmocka_unit_test(a_training_sample_is_drawn_in_under_a_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
