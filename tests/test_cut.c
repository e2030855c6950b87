/* Where a video jumps to another shot: cuts are found, and what only looks like one is not. */
#include <math.h>

#include "ballerino/media.h"
#include "pose/cut.h"
#include "support.h"

enum { W = 160, H = 120 };

/* A textured wall that is panned by `at` pixels, with a bright square moving over it; `shot` picks the wall.
 */
static void draw(bl_frame *f, int shot, double at, int square, int light) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double v = 120 + 70 * sin((x + at) * (shot ? 0.21 : 0.07) + shot) * cos(y * (shot ? 0.05 : 0.13));
            if (abs(x - square) < 25 && abs(y - 60) < 40) v = 250;
            for (int c = 0; c < 3; c++)
                f->data[y * f->stride + x * 3 + c] = (uint8_t)BL_CLAMP(v + light, 0, 255);
        }
}

static int cuts(int frames, int cut_at, double pan, int run, int flicker) {
    bl_frame *f = NULL;
    bl_err err = {0};
    bl__cut c = {0};
    int n = 0;
    assert_ok(bl_frame_create(&f, W, H, &err));
    for (int i = 0; i < frames; i++) {
        draw(f, cut_at && i >= cut_at, i * pan, 20 + i * run % 120, flicker * (i & 1));
        int found = bl__cut_add(&c, f);
        if (found) assert_int_equal(i, cut_at);
        n += found;
    }
    bl_frame_unref(&f);
    return n;
}

static void a_jump_is_found(void **state) {
    (void)state;
    assert_int_equal(cuts(40, 20, 0, 2, 0), 1);
    assert_int_equal(cuts(40, 1, 0, 2, 0), 1); /* as early as can be */
    assert_int_equal(cuts(40, 25, 1.5, 3, 0), 1);
}

static void motion_is_not_one(void **state) {
    (void)state;
    assert_int_equal(cuts(60, 0, 0, 0, 0), 0);
    assert_int_equal(cuts(60, 0, 6, 2, 0), 0);  /* a fast pan */
    assert_int_equal(cuts(60, 0, 0, 17, 0), 0); /* somebody runs */
    assert_int_equal(cuts(60, 0, 0, 2, 14), 0); /* the lamp flickers */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_jump_is_found),
                                       cmocka_unit_test(motion_is_not_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
