/* A layer steadied by the one before: what agrees is blended along the limbs' motion, what does not stays. */
#include "scene.h"
#include "transfer/steady.h"

enum { W = 96, H = 128, FRAME_W = 240, FRAME_H = 320 };
static const scene room = {.w = FRAME_W, .h = FRAME_H, .fps = 25};

typedef struct fixture {
    bl__grid grid;
    bl__steady steady;
    bl__layer first, second;
    bl_track_frame then, now;
} fixture;

static void open_fixture(fixture *f, float share) {
    bl_err err = {0};
    assert_ok(bl__grid_init(&f->grid, FRAME_W, FRAME_H, 0.4, &err));
    assert_int_equal(f->grid.w, W);
    assert_int_equal(f->grid.h, H);
    assert_ok(bl__steady_init(&f->steady, share, W, H, NULL, &err));
    assert_ok(bl__layer_init(&f->first, W, H, &err));
    assert_ok(bl__layer_init(&f->second, W, H, &err));
    scene_person(&room, 3, &f->then);
    f->now = f->then;
}

static void close_fixture(fixture *f) {
    bl__layer_release(&f->first);
    bl__layer_release(&f->second);
    bl__steady_release(&f->steady);
    bl__steady_release(&f->steady);
    bl__grid_release(&f->grid);
}

static void cloth(bl__layer *l, float level, float x_shift, float y_shift) {
    for (int j = 0; j < H; j++)
        for (int i = 0; i < W; i++)
            for (int c = 0; c < 4; c++)
                l->rgba[(j * W + i) * 4 + c] =
                    c == 3 ? 1
                           : level + 40 * sinf(((float)i + x_shift) * 0.2f + (float)c) *
                                         cosf(((float)j + y_shift) * 0.15f);
}

static float at(const bl__layer *l, int x, int y) {
    return l->rgba[(y * W + x) * 4];
}

static void two_moments(fixture *f, int x, int y) {
    bl__steady_layer(&f->steady, &f->grid, &f->first, (bl__moment){&f->then.person, 0, 0});
    bl__steady_layer(&f->steady, &f->grid, &f->second, (bl__moment){&f->now.person, x, y});
}

static void test_shimmer_is_halved_and_change_kept(void **state) {
    (void)state;
    fixture f = {0};
    open_fixture(&f, 0.5f);
    cloth(&f.first, 100, 0, 0);
    cloth(&f.second, 104, 0, 0);                                          /* a little brighter */
    for (int c = 0; c < 3; c++) f.second.rgba[(40 * W + 30) * 4 + c] = 9; /* and one thing that is new */
    const float before = at(&f.first, 50, 60);
    two_moments(&f, 0, 0);
    assert_near(at(&f.first, 50, 60), before, 0); /* nothing was before it */
    /* d^2 = 48, so (1 - 48 / 64^2)^2 of one half */
    assert_near(at(&f.second, 50, 60), before + 4 - 4 * 0.5 * 0.9883 * 0.9883, 1e-3);
    assert_near(at(&f.second, 30, 40), 9, 0);
    /* the third is blended with what the second became */
    const float second = at(&f.second, 50, 60);
    cloth(&f.first, 104, 0, 0);
    bl__steady_layer(&f.steady, &f.grid, &f.first, (bl__moment){&f.now.person, 0, 0});
    assert_true(at(&f.first, 50, 60) < before + 4 - 0.4f && at(&f.first, 50, 60) > second);
    close_fixture(&f);
}

static void test_nothing_goes_over_a_restart(void **state) {
    (void)state;
    fixture f = {0};
    open_fixture(&f, 0.5f);
    cloth(&f.first, 100, 0, 0);
    cloth(&f.second, 104, 0, 0);
    const float second = at(&f.second, 50, 60);
    bl__steady_layer(&f.steady, &f.grid, &f.first, (bl__moment){&f.then.person, 0, 0});
    bl__steady_restart(&f.steady);
    bl__steady_layer(&f.steady, &f.grid, &f.second, (bl__moment){&f.now.person, 0, 0});
    assert_near(at(&f.second, 50, 60), second, 0);
    close_fixture(&f);
}

/* The person walks by a whole number of grid pixels; cloth on the body goes with it. */
static void test_it_follows_the_body(void **state) {
    (void)state;
    fixture f = {0};
    const float step = 4;
    open_fixture(&f, 0.5f);
    for (int k = 0; k < BL_LANDMARKS; k++) f.now.person.landmarks[k].x += step / W;
    cloth(&f.first, 100, 0, 0);
    cloth(&f.second, 100, -step, 0);
    const bl_person *p = &f.now.person;
    const bl_landmark *a = &p->landmarks[BL_LM_L_SHOULDER], *b = &p->landmarks[BL_LM_R_HIP];
    const int x = (int)(W * 0.5f * (a->x + b->x)), y = (int)(H * 0.5f * (a->y + b->y));
    const float body = at(&f.second, x, y);
    two_moments(&f, 0, 0);
    assert_near(at(&f.second, x, y), body, 0.8); /* the wall has a small say everywhere */
    cloth(&f.second, 100, -step, 0);             /* a body that stood still would be smeared */
    bl__steady_restart(&f.steady);
    f.now = f.then;
    two_moments(&f, 0, 0);
    assert_true(fabsf(at(&f.second, x, y) - body) > 2);
    close_fixture(&f);
}

/* The window moves over a still body: the same grid pixels are blended, and what enters is left alone. */
static void test_windows_move(void **state) {
    (void)state;
    fixture f = {0};
    open_fixture(&f, 0.5f);
    cloth(&f.first, 100, 0, 0);
    cloth(&f.second, 100, 5, 3);
    const float inside = at(&f.second, 50, 60), entered = at(&f.second, W - 2, 60);
    two_moments(&f, 5, 3);
    assert_near(at(&f.second, 50, 60), inside, 1e-3);
    assert_near(at(&f.second, W - 2, 60), entered, 0);
    close_fixture(&f);
}

static void test_shares(void **state) {
    (void)state;
    bl_gan_net net = bl_gan_net_default();
    fixture f = {0};
    net.previous = 0;
    assert_near(bl__steady_share(-1, &net), 0.5, 0);
    assert_near(bl__steady_share(0.25f, &net), 0.25, 0);
    net.previous = 1;
    assert_near(bl__steady_share(-1, &net), 0, 0);
    assert_near(bl__steady_share(0.25f, &net), 0.25, 0);
    open_fixture(&f, 0); /* off: nothing is kept, nothing is done */
    assert_null(f.steady.last);
    cloth(&f.first, 100, 0, 0);
    cloth(&f.second, 104, 0, 0);
    const float second = at(&f.second, 50, 60);
    two_moments(&f, 0, 0);
    assert_near(at(&f.second, 50, 60), second, 0);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shimmer_is_halved_and_change_kept),
        cmocka_unit_test(test_nothing_goes_over_a_restart),
        cmocka_unit_test(test_it_follows_the_body),
        cmocka_unit_test(test_windows_move),
        cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
