#include <math.h>

#include "ballerino/figure.h"
#include "figure/parts.h"
#include "support.h"
#include "test_people.h"

enum { W = 144, H = 192, ALL = W * H * 3 };
static const bl_view one_to_one = {0, 0, 1};

static void draw(float canvas[ALL], const bl_person *p, bl_view view, const bl_figure_options *o) {
    bl_figure_draw(canvas, W, H, p, W, H, view, o);
}

static bl_person whole(void) {
    return person_whole(72, 180, 160, W, H);
}

/* A view that shows the square of `side` frame pixels around (x, y) on the middle of the canvas. */
static bl_view zoom(float x, float y, float side) {
    float scale = W / side;
    return (bl_view){x - W / 2 / scale, y - H / 2 / scale, scale};
}

static const float *at(const float *canvas, bl_view v, float x, float y) {
    int cx = (int)floorf((x * W - v.x0) * v.scale), cy = (int)floorf((y * H - v.y0) * v.scale);
    assert_true(cx >= 0 && cx < W && cy >= 0 && cy < H);
    return canvas + (cy * W + cx) * 3;
}

static double difference(const float *a, const float *b) {
    double most = 0;
    for (int k = 0; k < ALL; k++) most = fmax(most, fabsf(a[k] - b[k]));
    return most;
}

static void what_is_left_out_is_as_if_never_seen(void **state) {
    (void)state;
    static float want[ALL], got[ALL];
    static const struct {
        int hands, face;
        uint32_t drop;
        int left, right, seen; /* which parts remain */
    } cases[] = {
        {0, 0, 0, 0, 0, 0}, {1, 1, 7, 0, 0, 0}, {0, 1, 0, 0, 0, 1}, {1, 0, 0, 1, 1, 0},
        {1, 1, 1, 0, 1, 1}, {1, 1, 2, 1, 0, 1}, {1, 1, 4, 1, 1, 0}, {1, 1, 0, 1, 1, 1},
    };
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        bl_person p = whole(), less = p;
        bl_figure_options o = bl_figure_options_default();
        assert_true(o.hands == 1 && o.face == 1 && o.drop_parts == 0);
        if (!cases[k].left) memset(&less.left_hand, 0, sizeof less.left_hand);
        if (!cases[k].right) memset(&less.right_hand, 0, sizeof less.right_hand);
        if (!cases[k].seen) memset(&less.face, 0, sizeof less.face);
        draw(want, &less, one_to_one, NULL);
        o.hands = cases[k].hands, o.face = cases[k].face, o.drop_parts = cases[k].drop;
        draw(got, &p, one_to_one, &o);
        assert_memory_equal(got, want, sizeof got);
        draw(want, &p, one_to_one, NULL);
        assert_true((difference(got, want) == 0) == (cases[k].left && cases[k].right && cases[k].seen));
    }
    bl_person none = person_standing(72, 180, 160, W, H), p = whole();
    bl_figure_options o = {.min_visibility = 0.1f}; /* a caller that sets none of it: body only */
    draw(want, &none, one_to_one, NULL);
    draw(got, &p, one_to_one, &o);
    assert_memory_equal(got, want, sizeof got);
}

/* The paper's colour of the second point of each segment on the right; on the left every colour is far from
 * every colour of the right hand. */
static void fingers_have_their_colours(void **state) {
    (void)state;
    static float c[ALL];
    static const struct {
        int a, b, r, g, blue;
    } want[] = {{0, 1, 64, 115, 231},  {3, 4, 19, 200, 217},    {0, 5, 35, 210, 170},
                {7, 8, 46, 192, 77},   {0, 9, 133, 213, 83},    {10, 11, 197, 184, 80},
                {0, 13, 208, 112, 86}, {15, 16, 255, 102, 189}, {18, 19, 141, 61, 236}};
    float colours[2][BL_HAND_POINTS][3];
    for (int left = 0; left < 2; left++) {
        bl_person p = {0};
        bl_hand *h = left ? &p.left_hand : &p.right_hand;
        *h = person_hand(72, 150, 50, 1, W, H);
        draw(c, &p, one_to_one, NULL);
        for (int b = 1; b < BL_HAND_POINTS; b++) {
            const bl_point3 *to = &h->points[b], *from = &h->points[b % 4 == 1 ? 0 : b - 1];
            const float *px = at(c, one_to_one, 0.3f * from->x + 0.7f * to->x, 0.3f * from->y + 0.7f * to->y);
            memcpy(colours[left][b], px, 3 * sizeof *px);
        }
    }
    for (size_t k = 0; k < BL_COUNT(want); k++) {
        const float *got = colours[0][want[k].b];
        assert_near(got[0] * 255, want[k].r, 1);
        assert_near(got[1] * 255, want[k].g, 1);
        assert_near(got[2] * 255, want[k].blue, 1);
    }
    for (int a = 1; a < BL_HAND_POINTS; a++)
        for (int b = 1; b < BL_HAND_POINTS; b++) {
            double squares = 0;
            for (int k = 0; k < 3; k++) squares += pow(255 * (colours[0][a][k] - colours[1][b][k]), 2);
            assert_true(sqrt(squares) > (a == b ? 140 : 50));
        }
}

/* Each line in its colour all along, ends of the loops included; dots in the eyes. */
static void the_face_has_its_lines(void **state) {
    (void)state;
    static float c[ALL];
    static const struct {
        int arc, r, g, b;
    } want[] = {{0, 200, 200, 200},  {1, 255, 140, 0},   {2, 255, 140, 0}, {3, 0, 200, 90},
                {4, 0, 200, 90},     {5, 255, 230, 0},   {6, 255, 230, 0}, {7, 0, 220, 255},
                {8, 0, 220, 255},    {9, 255, 0, 255},   {11, 255, 0, 0},  {12, 255, 0, 0},
                {13, 255, 130, 130}, {14, 255, 130, 130}};
    bl_person p = {0};
    p.face = person_face(72, 96, 120, W, H);
    draw(c, &p, one_to_one, NULL);
    for (size_t k = 0; k < BL_COUNT(want); k++) {
        const people_arc *arc = &people_face[want[k].arc];
        for (int i = 1; i < arc->n; i++) {
            const bl_point3 *a = &p.face.points[arc->points[i - 1]], *b = &p.face.points[arc->points[i]];
            const float *px = at(c, one_to_one, (a->x + b->x) / 2, (a->y + b->y) / 2);
            assert_near(px[0] * 255, want[k].r, 1);
            assert_near(px[1] * 255, want[k].g, 1);
            assert_near(px[2] * 255, want[k].b, 1);
        }
    }
    for (int side = -1; side <= 1; side += 2) {
        const float *px = at(c, one_to_one, 0.5f + (float)side * 0.17f * 120 / W, 0.5f - 0.05f * 120 / H);
        assert_true(px[0] == 1 && px[1] == 1 && px[2] == 1);
    }
}

/* Joints of a line don't stand out while it fades: its pieces are painted as one. */
static void a_fading_line_is_even(void **state) {
    (void)state;
    static float c[ALL];
    bl_person p = {0};
    p.face = person_face(72, 96, 120, W, H);
    p.face.score = 0.375f;
    draw(c, &p, one_to_one, NULL);
    const people_arc *jaw = &people_face[0];
    for (int i = 0; i < jaw->n; i++) {
        const bl_point3 *a = &p.face.points[jaw->points[i]];
        if (i > 0 && i < jaw->n - 1) assert_near(at(c, one_to_one, a->x, a->y)[0], 0.5 * 200 / 255, 0.01);
    }
}

static void parts_fade_and_never_pop(void **state) {
    (void)state;
    static float c[ALL], last[ALL], none[ALL];
    bl_person body = person_standing(72, 180, 160, W, H);
    const bl_view views[] = {one_to_one, zoom(72, 180 - 0.93f * 160, 30), zoom(99, 105, 40)};
    for (size_t v = 0; v < BL_COUNT(views); v++) {
        draw(none, &body, views[v], NULL);
        memcpy(last, none, sizeof last);
        double moved = 0;
        for (int step = 0; step <= 100; step++) {
            bl_person p = whole();
            p.face.score = p.left_hand.score = p.right_hand.score = 0.01f * (float)step;
            draw(c, &p, views[v], NULL);
            if (step <= 25) assert_memory_equal(c, none, sizeof c);
            if (step > 50) assert_memory_equal(c, last, sizeof c);
            double change = 0, all = 0;
            for (int k = 0; k < ALL; k++) change += fabsf(c[k] - last[k]), all += c[k];
            assert_true(change < 0.05 * all); /* measured 0.007, 0.029, 0.013 */
            /* measured 0.19; beside the zoomed face the neck's end moves by more than a pixel */
            if (v != 1) assert_true(difference(c, last) < 0.25);
            moved += difference(c, last);
            memcpy(last, c, sizeof last);
        }
        assert_true(moved > 0.5);
    }
    bl_person p = whole();
    p.face.score = p.left_hand.score = p.right_hand.score = NAN;
    draw(c, &p, one_to_one, NULL);
    draw(none, &body, one_to_one, NULL);
    assert_memory_equal(c, none, sizeof c);
}

/* Sticks that say less give way: black between the eyes' lines and the knuckles where discs and sticks
 * were. */
static void sticks_give_way(void **state) {
    (void)state;
    static float with[ALL], without[ALL];
    bl_person p = whole(), body = person_standing(72, 180, 160, W, H);
    bl_view head = zoom(72, 180 - 0.93f * 160, 30);
    draw(with, &p, head, NULL);
    draw(without, &body, head, NULL);
    const float *nose = at(without, head, p.landmarks[BL_LM_NOSE].x + 1.0f / W, p.landmarks[BL_LM_NOSE].y);
    assert_true(nose[0] > 0.9f);
    nose = at(with, head, p.landmarks[BL_LM_NOSE].x + 1.0f / W, p.landmarks[BL_LM_NOSE].y);
    assert_true(nose[0] == 0 && nose[1] == 0 && nose[2] == 0);
    const bl_landmark *finger = &p.landmarks[BL_LM_L_INDEX];
    memset(p.left_hand.points, 0, sizeof p.left_hand.points); /* elsewhere */
    float x = (finger->x + p.landmarks[BL_LM_L_PINKY].x) / 2;
    float y = (finger->y + p.landmarks[BL_LM_L_PINKY].y) / 2;
    draw(with, &p, one_to_one, NULL);
    draw(without, &body, one_to_one, NULL);
    assert_true(at(without, one_to_one, x, y)[1] > 0.9f);
    assert_true(at(with, one_to_one, x, y)[1] == 0);
}

static void hands_lie_over_all_and_an_arm_over_the_face(void **state) {
    (void)state;
    static float c[ALL];
    bl_person p = whole();
    p.left_hand = person_hand(72, 100, 12, 1, W, H); /* before the trunk, while its arm is far behind */
    for (int k = BL_LM_L_ELBOW; k <= BL_LM_L_WRIST; k += 2) p.landmarks[k].z = 3;
    const bl_point3 *wrist = &p.left_hand.points[0], *middle = &p.left_hand.points[9];
    draw(c, &p, one_to_one, NULL);
    const float *px = at(c, one_to_one, wrist->x, (wrist->y + middle->y) / 2);
    assert_true(px[2] > 0.3f);             /* the trunk is red */
    for (int near = 0; near < 2; near++) { /* the right forearm across the eyes */
        p = whole();
        p.landmarks[BL_LM_R_ELBOW].x = 0.3f, p.landmarks[BL_LM_R_WRIST].x = 0.7f;
        p.landmarks[BL_LM_R_ELBOW].y = p.landmarks[BL_LM_R_WRIST].y = p.landmarks[BL_LM_NOSE].y;
        p.landmarks[BL_LM_R_ELBOW].z = p.landmarks[BL_LM_R_WRIST].z = near ? -0.5f : 0.5f;
        bl_view head = zoom(72, 180 - 0.93f * 160, 30);
        draw(c, &p, head, NULL);
        px = at(c, head, p.face.points[197].x, p.face.points[197].y);
        assert_true((px[1] > 0.9f && px[2] < 0.1f) == near); /* yellow, or the nose's magenta */
    }
}

/* Thickness: at least 1.2 pixels across when small, in proportion when zoomed. */
static void thickness_suits_the_part(void **state) {
    (void)state;
    static float c[ALL];
    for (int big = 0; big < 2; big++) {
        bl_person p = {0};
        float palm = big ? 80 : 10, wide = big ? 2 * 0.0475f * 80 : 1.2f;
        p.right_hand = person_hand(72, 170, palm, 1, W, H);
        draw(c, &p, one_to_one, NULL);
        int y = (int)(170 - 1.25f * palm), x0 = 72 - (int)(0.15f * palm), x1 = 72 + (int)(0.14f * palm);
        double across = 0; /* the middle finger's first segment, (190, 223, 82) */
        for (int x = x0; x < x1; x++) across += c[(y * W + x) * 3 + 1] * 255 / 223;
        assert_near(across, wide, 0.12 * wide);
    }
    for (int big = 0; big < 2; big++) {
        bl_person p = {0};
        float height = big ? 160 : 20, wide = big ? 2 * 160 / 80.0f : 1.2f;
        p.face = person_face(72, 96, height, W, H);
        draw(c, &p, one_to_one, NULL);
        int y = (int)(96 + 0.06f * height); /* the nose's bridge, magenta */
        double across = 0;
        for (int x = 72 - (int)(0.1f * height); x < 72 + (int)(0.1f * height); x++)
            across += c[(y * W + x) * 3];
        assert_near(across, wide, 0.12 * wide);
    }
}

/* As for limbs: a tenth of a pixel changes the picture a little, by about as much each time. */
static void small_movements_are_smooth(void **state) {
    (void)state;
    static float c[ALL], last[ALL];
    bl_person p = whole();
    double least = 1e9, most = 0;
    draw(last, &p, one_to_one, NULL);
    for (int step = 0; step < 40; step++) {
        for (int k = 0; k < BL_FACE_POINTS; k++) p.face.points[k].x += 0.1f / W;
        for (int k = 0; k < BL_HAND_POINTS; k++) p.left_hand.points[k].x += 0.1f / W;
        draw(c, &p, one_to_one, NULL);
        double change = 0;
        for (int k = 0; k < ALL; k++) change += fabsf(c[k] - last[k]);
        assert_true(difference(c, last) < 0.25);
        least = fmin(least, change), most = fmax(most, change);
        memcpy(last, c, sizeof last);
    }
    assert_true(least > 0.5 && most < 1.6 * least);
}

static void nonsense_does_no_harm(void **state) {
    (void)state;
    static float c[ALL];
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0};
    static const bl_view far_away[] = {{0, 0, 1}, {1e9f, 0, 1}, {0, 0, 1e9f}, {-1e30f, 1e30f, 1e9f}};
    for (size_t k = 0; k < BL_COUNT(odd); k++)
        for (size_t v = 0; v < BL_COUNT(far_away); v++) {
            bl_person p = whole();
            p.face.points[152].x = p.face.points[159].y = p.face.points[0].z = odd[k];
            p.left_hand.points[9].x = p.right_hand.points[0].z = p.landmarks[BL_LM_L_EAR].z = odd[k];
            p.left_hand.points[0].z = odd[k];
            draw(c, &p, far_away[v], NULL);
            for (int i = 0; i < ALL; i++) assert_true(c[i] >= 0 && c[i] <= 1);
        }
}

/* The lines run along a real mesh as they should: each piece is short, each loop's area is not nothing. */
static void lines_fit_a_real_mesh(void **state) {
    (void)state;
    const char *path = shared_path("data/pose_golden/dance_studio__holistic_c1_smooth1_cpu.json");
    if (!path) skip();
    char *text = NULL;
    size_t size = 0;
    bl_err err = {0};
    assert_ok(bl_file_read(&text, &size, path, 16 << 20, &err));
    char *at_face = strstr(text, "\"face\"");
    assert_non_null(at_face);
    bl_face face = {.score = 1};
    char *s = strchr(at_face, '[') + 1;
    for (int k = 0; k < BL_FACE_POINTS * 3; k++) {
        float *to = &face.points[k / 3].x;
        s += strcspn(s, "-0123456789");
        to[k % 3] = strtof(s, &s);
    }
    bl_free(text);
    const bl__placing frame = {1080, 1920, {0, 0, 1}};
    bl_capsule list[BL__FACE_SHAPES];
    int n = bl__face_shapes(list, &face, &frame);
    assert_int_equal(n, BL__FACE_SHAPES);
    bl_point3 top = bl__place(&frame, &face.points[10]), chin = bl__place(&frame, &face.points[152]);
    float height = bl__apart(&top, &chin);
    for (int k = 0; k < n; k++) {
        float length = hypotf(list[k].ax - list[k].bx, list[k].ay - list[k].by);
        assert_true(length < 0.14f * height);  /* measured 0.112 */
        assert_true(length > 0 || k >= n - 2); /* no point twice; the pupils are discs */
        if (list[k].joined) assert_true(list[k].ax == list[k - 1].bx && list[k].ay == list[k - 1].by);
    }
}

static void time_of_a_sample(void **state) {
    (void)state;
    static float c[ALL];
    bl_person p = whole();
    bl_figure_options bare = bl_figure_options_default();
    bare.hands = bare.face = 0;
    double best[2] = {1e9, 1e9};
    for (int turn = 0; turn < 40; turn++) {
        double t0 = bl_now();
        draw(c, &p, one_to_one, turn % 2 ? &bare : NULL);
        best[turn % 2] = fmin(best[turn % 2], bl_now() - t0);
    }
    printf("bl_figure_draw at %dx%d: %.0f us, without hands and face %.0f us\n", W, H, best[0] * 1e6,
           best[1] * 1e6);
    assert_true(best[0] < 0.02); /* room for sanitizers and slow machines */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_is_as_if_never_seen),
        cmocka_unit_test(fingers_have_their_colours),
        cmocka_unit_test(the_face_has_its_lines),
        cmocka_unit_test(a_fading_line_is_even),
        cmocka_unit_test(parts_fade_and_never_pop),
        cmocka_unit_test(sticks_give_way),
        cmocka_unit_test(hands_lie_over_all_and_an_arm_over_the_face),
        cmocka_unit_test(thickness_suits_the_part),
        cmocka_unit_test(small_movements_are_smooth),
        cmocka_unit_test(nonsense_does_no_harm),
        cmocka_unit_test(lines_fit_a_real_mesh),
        cmocka_unit_test(time_of_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
