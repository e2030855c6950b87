#include <math.h>

#include "figure/lanczos.h"
#include "figure/paper.h"
#include "support.h"

enum { W = BL__RASTER_WIDTH, H = BL__RASTER_HEIGHT };

static int setup(void **state) {
    *state = bl_alloc((size_t)W * H * 3);
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    bl_free(*state);
    return 0;
}

static void draw(uint8_t *canvas, const bl_paper_pose *p) {
    bl_err err = {0};
    assert_ok(bl__paper_draw(canvas, p, &err));
}

static const uint8_t *at(const uint8_t *canvas, int x, int y) {
    return canvas + ((size_t)y * W + (size_t)x) * 3;
}

static void assert_rgb(const uint8_t *px, int r, int g, int b) {
    if (px[0] != r || px[1] != g || px[2] != b)
        fail_msg("pixel is %d %d %d, not %d %d %d", px[0], px[1], px[2], r, g, b);
}

static int coloured(const uint8_t *canvas) {
    int n = 0;
    for (size_t k = 0; k < (size_t)W * H; k++)
        n += canvas[k * 3] != 255 || canvas[k * 3 + 1] != 255 || canvas[k * 3 + 2] != 255;
    return n;
}

static void a_lone_joint_is_a_disc_of_radius_8_at_the_truncated_point(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}};
    body[3][0] = 500.9f, body[3][1] = 300.99f, body[3][2] = 0.01f;
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    assert_int_equal(coloured(c), 197); /* lattice points within 8 of the origin */
    assert_rgb(at(c, 500, 300), 0, 165, 255);
    assert_rgb(at(c, 508, 300), 0, 165, 255);
    assert_rgb(at(c, 509, 300), 255, 255, 255);
    assert_rgb(at(c, 500, 292), 0, 165, 255);
    assert_rgb(at(c, 505, 306), 0, 165, 255);
    assert_rgb(at(c, 506, 306), 255, 255, 255);
    body[3][2] = 0; /* missing */
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    assert_int_equal(coloured(c), 0);
}

static void a_limb_is_an_ellipse_of_half_width_4_blended_once(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}};
    body[1][0] = 400.7f, body[1][1] = 200, body[1][2] = 1; /* right shoulder to elbow */
    body[2][0] = 500.5f, body[2][1] = 200, body[2][2] = 1;
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    /* centre trunc(450.6), semi-axes trunc(49.9) and 4; 0.4 * 255 + 0.6 * (0, 55, 255) = 102, 135, 255 */
    assert_rgb(at(c, 450, 200), 102, 135, 255);
    assert_rgb(at(c, 450, 196), 102, 135, 255);
    assert_rgb(at(c, 450, 204), 102, 135, 255);
    assert_rgb(at(c, 450, 195), 255, 255, 255);
    assert_rgb(at(c, 450, 205), 255, 255, 255);
    assert_rgb(at(c, 410, 200), 102, 135, 255); /* outside the dot of radius 8 at 400 */
    /* over the dots: the shoulder's own colour, and the elbow's (0, 110, 255) under the limb's */
    assert_rgb(at(c, 401, 200), 0, 55, 255);
    assert_rgb(at(c, 400, 200), 0, 55, 255);
    assert_rgb(at(c, 498, 200), 0, 77, 255);
    assert_rgb(at(c, 500, 200), 0, 110, 255); /* beyond the ellipse's end, 450 + 49 */
}

static void limbs_are_blended_in_order_with_the_first_joints_colour(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}};
    /* neck 0 with limbs to right shoulder 1 and left shoulder 4 that lie on one another */
    body[0][0] = 600, body[0][1] = 400, body[0][2] = 1;
    body[1][0] = body[4][0] = 700, body[1][1] = body[4][1] = 400, body[1][2] = body[4][2] = 1;
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    assert_rgb(at(c, 650, 400), 41, 41, 255); /* 255 -> 102 -> 40.8 */
    /* limb 1-2 after 0-1, which cross: 0.4 * (102, 102, 255) + 0.6 * (0, 55, 255) */
    memset(body, 0, sizeof body);
    body[0][0] = 600, body[0][1] = 400, body[0][2] = 1;
    body[1][0] = 700, body[1][1] = 400, body[1][2] = 1;
    body[2][0] = 600, body[2][1] = 404, body[2][2] = 1;
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    assert_rgb(at(c, 650, 401), 41, 74, 255); /* 40.8, 73.8 */
}

/* Each format's limbs join the joints they should: a body whose joints lie on a ring shows every limb's
 * middle. */
static void formats_have_their_own_skeletons(void **state) {
    static const struct {
        int format, a, b, r, g, blue;
    } want[] = {
        {18, 1, 2, 0, 85, 255},  {18, 15, 17, 255, 0, 255}, {18, 11, 12, 255, 85, 0},
        {23, 10, 12, 0, 255, 0}, {23, 15, 16, 255, 170, 0}, {23, 21, 22, 226, 43, 138},
        {25, 14, 21, 255, 0, 0}, {25, 22, 23, 255, 255, 0}, {25, 0, 16, 85, 0, 255},
        {25, 3, 4, 0, 170, 255},
    };
    uint8_t *c = *state;
    for (size_t k = 0; k < BL_COUNT(want); k++) {
        float body[25][3] = {{0}}, *a = body[want[k].a], *b = body[want[k].b];
        a[0] = 300, a[1] = 300, a[2] = b[2] = 1;
        b[0] = 420, b[1] = 460;
        draw(c, &(bl_paper_pose){.format = want[k].format, .body = (const float(*)[3])body});
        assert_rgb(at(c, 360, 380), (102 * 10 + 6 * want[k].r + 5) / 10, (102 * 10 + 6 * want[k].g + 5) / 10,
                   (102 * 10 + 6 * want[k].blue + 5) / 10);
    }
    for (int format = 17; format < 27; format++) {
        static float all[27][3];
        bl_err err = {0};
        int known = format == 18 || format == 23 || format == 25;
        int rc = bl__paper_draw(c, &(bl_paper_pose){.format = format, .body = (const float(*)[3])all}, &err);
        assert_int_equal(rc, known ? 0 : BL_E_USAGE);
    }
}

static void left_and_right_differ(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}};
    for (int k = 1; k < 7; k++) body[k][2] = 1;
    for (int k = 0; k < 3; k++) {
        body[1 + k][0] = 400, body[4 + k][0] = 600;
        body[1 + k][1] = body[4 + k][1] = 200.0f + 100 * (float)k;
    }
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    for (int y = 200; y <= 400; y += 50) assert_true(memcmp(at(c, 400, y), at(c, 600, y), 3) != 0);
}

static void the_face_is_eight_dots_when_sure_enough(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}}, face[70][3] = {{0}};
    bl_paper_pose p = {.format = 23, .body = (const float(*)[3])body, .face = (const float(*)[3])face};
    for (int k = 0; k < 70; k++)
        face[k][0] = 100 + 20 * (float)(k % 10), face[k][1] = 100 + 20 * (float)(k / 10), face[k][2] = 0.21f;
    draw(c, &p);
    assert_int_equal(coloured(c), 8 * 49); /* lattice points within 4 of the origin: 49 */
    static const int shown[] = {27, 30, 8, 0, 16, 33, 68, 69};
    for (int k = 0; k < 8; k++) assert_rgb(at(c, (int)face[shown[k]][0], (int)face[shown[k]][1]), 0, 0, 0);
    face[30][2] = 0; /* one missing: mean 0.207 */
    draw(c, &p);
    assert_int_equal(coloured(c), 7 * 49);
    for (int k = 0; k < 70; k++) face[k][2] = 0.19f;
    draw(c, &p);
    assert_int_equal(coloured(c), 0);
    for (int k = 0; k < 70; k++) face[k][2] = 0.2f;
    draw(c, &p);
    assert_int_equal(coloured(c), 8 * 49);
}

static void the_face_may_have_nine_or_twenty_two_dots(void **state) {
    uint8_t *c = *state;
    static const int shown[] = {27, 30, 8,  0,  16, 33, 31, 35, 68, 69, 36, 39,
                                42, 45, 17, 21, 22, 26, 48, 51, 54, 57, 62};
    static const int counts[] = {0, 8, 9, 22, 7, 10, 70, -1};
    float body[23][3] = {{0}}, face[70][3] = {{0}};
    bl_paper_pose p = {.format = 23, .body = (const float(*)[3])body, .face = (const float(*)[3])face};
    for (int k = 0; k < 70; k++)
        face[k][0] = 100 + 20 * (float)(k % 10), face[k][1] = 100 + 20 * (float)(k / 10), face[k][2] = 1;
    for (size_t i = 0; i < BL_COUNT(counts); i++) {
        bl_err err = {0};
        p.face_points = counts[i];
        int rc = bl__paper_draw(c, &p, &err), n = counts[i] ? counts[i] : 8;
        assert_int_equal(rc, i < 4 ? 0 : BL_E_USAGE);
        if (rc < 0) continue;
        assert_int_equal(coloured(c), n * 49);
        for (size_t k = 0; k < BL_COUNT(shown); k++) {
            int always = k < 6 || k == 8 || k == 9,
                here = always || (n == 22 && k < 22) || (n == 9 && k == 22);
            assert_int_equal(*at(c, (int)face[shown[k]][0], (int)face[shown[k]][1]), here ? 0 : 255);
        }
    }
}

/* The reference computes on the decimals of a text file. In floats the mean of 300.3 and 1699.7 may be a bit
 * less than 1000, which would move the whole ellipse by a pixel. */
static void coordinates_are_what_the_text_said(void **state) {
    uint8_t *c = *state;
    static const char *const texts[] = {"100.1", "101.9",          "1065.937", "159.441",  "0",
                                        "-70.3", "1.06593726e+03", "1919.999", "0.000123", "3e20"};
    for (size_t k = 0; k < BL_COUNT(texts); k++) {
        double want = strtod(texts[k], NULL);
        assert_near(bl__as_written(strtof(texts[k], NULL)), want, 1e-4 * (strlen(texts[k]) > 8));
    }
    assert_true(isnan(bl__as_written(NAN)) && isinf(bl__as_written(INFINITY)));
    float body[23][3] = {{0}};
    int moved = 0;
    body[1][1] = body[2][1] = 400, body[1][2] = body[2][2] = 1;
    for (int k = 1; k < 10; k++) { /* the mean is 1000, half the length is 699 and some tenths */
        char text[2][32];
        snprintf(text[0], sizeof text[0], "300.%d", k);
        snprintf(text[1], sizeof text[1], "1699.%d", 10 - k);
        for (int i = 0; i < 2; i++) body[1 + i][0] = strtof(text[i], NULL);
        moved += ((double)body[1][0] + (double)body[2][0]) / 2 < 1000;
        draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
        assert_rgb(at(c, 1699, 400), 0, 77, 255);
        assert_rgb(at(c, 1700, 400), 0, 110, 255); /* the elbow's dot alone */
    }
    assert_true(moved > 0); /* the floats alone would not do */
}

static void hands_come_last_and_right_first(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}}, face[70][3] = {{0}}, right[21][3] = {{0}}, left[21][3] = {{0}};
    bl_paper_pose p = {.format = 23, .body = (const float(*)[3])body, .face = (const float(*)[3])face};
    for (int k = 0; k < 70; k++) face[k][2] = 0.5f;
    body[3][0] = face[30][0] = right[4][0] = left[8][0] = 700;
    body[3][1] = face[30][1] = right[4][1] = left[8][1] = 300;
    body[3][2] = right[4][2] = left[8][2] = 1;
    draw(c, &p);
    assert_rgb(at(c, 700, 300), 0, 0, 0); /* the face over the body's dot */
    assert_rgb(at(c, 707, 300), 0, 165, 255);
    p.left_hand = (const float(*)[3])left;
    draw(c, &p);
    assert_rgb(at(c, 703, 300), 46, 192, 77); /* radius 3 */
    assert_rgb(at(c, 704, 300), 0, 0, 0);
    p.right_hand = (const float(*)[3])right;
    draw(c, &p);
    assert_rgb(at(c, 700, 300), 46, 192, 77); /* the left over the right */
    p.left_hand = NULL;
    draw(c, &p);
    assert_rgb(at(c, 700, 300), 19, 200, 217);
}

static void assert_box(const float (*body)[3], int format, int y0, int y1, int x0, int x1) {
    int box[4];
    assert_int_equal(bl_paper_face_box(box, body, format), 0);
    if (box[0] != y0 || box[1] != y1 || box[2] != x0 || box[3] != x1)
        fail_msg("box is %d %d %d %d, not %d %d %d %d", box[0], box[1], box[2], box[3], y0, y1, x0, x1);
}

static void face_boxes_are_the_papers(void **state) {
    (void)state;
    static const struct {
        float x, y;
        int y0, y1, x0, x1;
    } want[] = {
        {1065.937f, 159.441f, 11, 139, 504, 632},
        {1074.771f, 159.398f, 11, 139, 508, 636},
        {1089.440f, 156.579f, 10, 138, 516, 644}, /* the three that its sample has */
        {30, 500, 172, 300, 0, 128},              /* cut on the left */
        {1899, 500, 172, 300, 896, 1024},         /* on the right */
        {960, 20, 0, 128, 447, 575},              /* at the top */
        {960, 1070, 384, 512, 447, 575},          /* at the bottom */
        {-500, 2000, 384, 512, 0, 128},           /* far outside, as normalisation may put it */
        {NAN, INFINITY, 0, 128, 0, 128},
        {1e30f, -1e30f, 0, 128, 896, 1024},
    };
    static const int nose[3][2] = {{18, 0}, {23, 18}, {25, 0}};
    for (int f = 0; f < 3; f++)
        for (size_t k = 0; k < BL_COUNT(want); k++) {
            float body[25][3] = {{0}}, *p = body[nose[f][1]];
            p[0] = want[k].x, p[1] = want[k].y, p[2] = 0.01f;
            assert_box((const float(*)[3])body, nose[f][0], want[k].y0, want[k].y1, want[k].x0, want[k].x1);
        }
}

/* Ears where there is no nose: their mean, the right, then the left's stored place, found or not. */
static void face_boxes_without_a_nose(void **state) {
    (void)state;
    static const int ears[3][3] = {{18, 16, 17}, {23, 20, 22}, {25, 17, 18}};
    int box[4];
    for (int f = 0; f < 3; f++) {
        float body[25][3] = {{0}}, *right = body[ears[f][1]], *left = body[ears[f][2]];
        const float(*b)[3] = (const float(*)[3])body;
        assert_box(b, ears[f][0], 0, 128, 0, 128);
        right[0] = 1065.937f - 20, right[1] = 159.441f + 5;
        left[0] = 1065.937f + 20, left[1] = 159.441f - 5;
        right[2] = left[2] = 0.5f;
        assert_box(b, ears[f][0], 11, 139, 504, 632);
        left[2] = 0, left[0] = left[1] = 900;
        right[0] = 1074.771f, right[1] = 159.398f;
        assert_box(b, ears[f][0], 11, 139, 508, 636);
        right[2] = 0;
        left[0] = 1089.440f, left[1] = 156.579f;
        assert_box(b, ears[f][0], 10, 138, 516, 644);
        left[2] = 1;
        assert_box(b, ears[f][0], 10, 138, 516, 644);
    }
    for (int format = 0; format < 30; format++)
        if (format != 18 && format != 23 && format != 25)
            assert_int_equal(bl_paper_face_box(box, NULL, format), BL_E_USAGE);
}

static void hands_have_their_own_rule(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}}, hand[21][3] = {{0}};
    bl_paper_pose p = {.format = 23, .body = (const float(*)[3])body, .left_hand = (const float(*)[3])hand};
    hand[0][0] = 300, hand[0][1] = 300, hand[0][2] = 0.06f; /* wrist, thumb's base */
    hand[1][0] = 340, hand[1][1] = 300, hand[1][2] = 0.06f;
    hand[5][0] = 900, hand[5][1] = 900, hand[5][2] = 0.05f; /* not above 0.05 */
    draw(c, &p);
    assert_rgb(at(c, 303, 300), 32 * 0 + 54, 90, 231); /* 0.4 * (40, 53, 230) + 0.6 * (64, 115, 231) */
    assert_rgb(at(c, 320, 300), 140, 171, 241); /* 0.4 * 255 + 0.6 * (64, 115, 231): the second joint's */
    assert_rgb(at(c, 320, 302), 140, 171, 241);
    assert_rgb(at(c, 320, 303), 255, 255, 255);
    assert_rgb(at(c, 900, 900), 255, 255, 255);
    p.right_hand = p.left_hand; /* drawn twice: right, then left over it */
    draw(c, &p);
    assert_rgb(at(c, 320, 300), 94, 137, 235);
}

static void drawing_beyond_the_canvas_is_cut(void **state) {
    uint8_t *c = *state;
    float body[23][3] = {{0}};
    body[0][0] = -50, body[0][1] = -50, body[0][2] = 1;
    body[1][0] = 1970, body[1][1] = 1130, body[1][2] = 1;
    body[7][0] = 1e20f, body[7][1] = NAN, body[7][2] = 1;
    body[4][0] = -15000, body[4][1] = 15000, body[4][2] = 1;
    draw(c, &(bl_paper_pose){.format = 23, .body = (const float(*)[3])body});
    assert_rgb(at(c, 960, 540), 102, 102, 255); /* the diagonal goes through the middle */
}

/* Area by rows of a polygon against counting points inside the true ellipse. */
static void ellipses_cover_what_they_should(void **state) {
    (void)state;
    bl__mask m;
    bl__vertex v[BL__ELLIPSE_VERTICES];
    for (int degrees = -180; degrees <= 180; degrees += 7)
        for (int a = 11; a < 90; a += 11) {
            int n = bl__ellipse_polygon(v, 500, 400, a, 4, degrees), inside = 0, covered = 0;
            assert_true(n >= 2);
            bl__mask_convex(&m, v, n);
            for (int y = m.y0; y <= m.y1; y++) {
                assert_true(m.lo[y] <= m.hi[y]);
                covered += m.hi[y] - m.lo[y] + 1;
            }
            double c = cos(degrees * 3.14159265 / 180), s = sin(degrees * 3.14159265 / 180);
            for (int y = -100; y <= 100; y++)
                for (int x = -100; x <= 100; x++) {
                    double along = x * c + y * s, across = y * c - x * s;
                    inside += along * along / ((a + 0.5) * (a + 0.5)) + across * across / (4.5 * 4.5) <= 1;
                }
            assert_true(abs(covered - inside) <= inside / 12);
        }
    /* a hand-counted one: half axes 2 and 1 */
    int n = bl__ellipse_polygon(v, 10, 10, 2, 1, 0);
    bl__mask_convex(&m, v, n);
    assert_int_equal(m.y0, 9);
    assert_int_equal(m.y1, 11);
    assert_int_equal(m.lo[10], 8);
    assert_int_equal(m.hi[10], 12);
    assert_int_equal(m.lo[9],
                     8); /* 2 cos 30 = 1.7 rounds to 2 where sin rounds to 1 (from 30 degrees: 0.5 to 0) */
    assert_int_equal(m.hi[9], 12);
}

/* Found beside OpenCV: a vertex that would round the other way with sines of full precision, and an outline
 * whose steps are counted from where the canvas cuts it. */
static void fine_points_of_the_outline(void **state) {
    (void)state;
    bl__mask m;
    bl__vertex v[BL__ELLIPSE_VERTICES];
    int n = bl__ellipse_polygon(v, 1123, 798, 264, 4, -81), there = 0;
    for (int k = 0; k < n; k++) { /* 1123 - 12.500002 */
        there += v[k].x == 1110 && v[k].y == 900;
        assert_false(v[k].x == 1111 && v[k].y == 900);
    }
    assert_int_equal(there, 1);
    /* from (-3, 10) to (4, 13): cut at (0, 11), from where column 1 is a tie and stays on row 11 */
    static const bl__vertex cut[] = {{-3, 10}, {4, 13}, {-3, 13}};
    bl__mask_convex(&m, cut, 3);
    assert_int_equal(m.hi[11], 1);
    static const bl__vertex whole[] = {{97, 10}, {104, 13}, {97, 13}};
    bl__mask_convex(&m, whole, 3);
    assert_int_equal(m.hi[11], 100);
}

static double sinc(double x) {
    return x == 0 ? 1 : sin(3.14159265358979 * x) / (3.14159265358979 * x);
}

static void reduction_is_lanczos_of_three_lobes(void **state) {
    (void)state;
    enum { IN = 96, OUT = 51 }; /* near the ratio of 1920 to 1024 */
    bl_err err = {0};
    bl_rng rng;
    static uint8_t in[IN * 4 * 3], out[OUT * 4 * 3];
    bl_rng_seed(&rng, 5);
    for (int x = 0; x < IN; x++) /* four equal rows: the vertical pass changes nothing */
        for (int c = 0; c < 3; c++) {
            uint8_t v = (uint8_t)bl_rng_below(&rng, 256);
            for (int y = 0; y < 4; y++) in[(y * IN + x) * 3 + c] = v;
        }
    assert_ok(bl__lanczos(out, OUT * 3, OUT, 4, in, IN, 4, &err));
    for (int x = 0; x < OUT; x++)
        for (int c = 0; c < 3; c++) {
            double ratio = (double)IN / OUT, centre = (x + 0.5) * ratio, sum = 0, all = 0;
            for (int k = 0; k < IN; k++) {
                double d = (k + 0.5 - centre) / ratio, w = fabs(d) < 3 ? sinc(d) * sinc(d / 3) : 0;
                sum += w * in[k * 3 + c], all += w;
            }
            double want = fmin(fmax(sum / all, 0), 255);
            assert_true(fabs(want - out[x * 3 + c]) <= 0.51);
            assert_int_equal(out[x * 3 + c], out[(3 * OUT + x) * 3 + c]);
        }
    memset(in, 137, sizeof in);
    assert_ok(bl__lanczos(out, 10 * 3, 10, 3, in, IN, 4, &err));
    for (int k = 0; k < 90; k++) assert_int_equal(out[k], 137);
}

static void the_picture_is_1024x512_on_white(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *f = NULL;
    float body[25][3] = {{0}};
    body[0][0] = 960, body[0][1] = 540, body[0][2] = 1;
    bl_paper_pose p = {.format = 25, .body = (const float(*)[3])body};
    assert_ok(bl_figure_draw_paper(&f, &p, &err));
    assert_int_equal(f->width, 1024);
    assert_int_equal(f->height, 512);
    assert_rgb(f->data, 255, 255, 255);
    assert_rgb(f->data + 256 * f->stride + 512 * 3, 85, 0, 255);
    bl_frame_unref(&f);
    for (int nth = 1; nth < 5; nth++) {
        bl_mem_fail_at(nth);
        assert_int_equal(bl_figure_draw_paper(&f, &p, &err), BL_E_NOMEM);
        assert_null(f);
    }
    bl_mem_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lone_joint_is_a_disc_of_radius_8_at_the_truncated_point, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_limb_is_an_ellipse_of_half_width_4_blended_once, setup, teardown),
        cmocka_unit_test_setup_teardown(limbs_are_blended_in_order_with_the_first_joints_colour, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(formats_have_their_own_skeletons, setup, teardown),
        cmocka_unit_test_setup_teardown(left_and_right_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(the_face_is_eight_dots_when_sure_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(the_face_may_have_nine_or_twenty_two_dots, setup, teardown),
        cmocka_unit_test_setup_teardown(hands_have_their_own_rule, setup, teardown),
        cmocka_unit_test_setup_teardown(hands_come_last_and_right_first, setup, teardown),
        cmocka_unit_test_setup_teardown(coordinates_are_what_the_text_said, setup, teardown),
        cmocka_unit_test(face_boxes_are_the_papers),
        cmocka_unit_test(face_boxes_without_a_nose),
        cmocka_unit_test_setup_teardown(drawing_beyond_the_canvas_is_cut, setup, teardown),
        cmocka_unit_test(ellipses_cover_what_they_should),
        cmocka_unit_test(fine_points_of_the_outline),
        cmocka_unit_test(reduction_is_lanczos_of_three_lobes),
        cmocka_unit_test(the_picture_is_1024x512_on_white),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
