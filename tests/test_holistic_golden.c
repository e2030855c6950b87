/*
 * Our hands and faces against those of the real MediaPipe (shared data, made in fp32).
 *
 * The reference's own body landmarks go in, on every frame; presence and points of both hands and of the face
 * must come out as in the reference on every frame that it keeps (each fourth). Its landmarks between the
 * kept frames come from its body-only run over the same clip, which found the same body: the test checks that
 * on the kept frames first.
 *
 * Open loop: at each kept frame our hands and face are replaced by the reference's, so that our own tracking
 * runs for four frames before it is compared. Closed loop: our own hands and face are followed from the first
 * frame on. Following amplifies noise while a hand is seen from its edge: at frames 152 to 160 the rounding
 * of the body landmarks at 0.001 px alone moves the left hand by 20 px in the closed loop, and by 5 px within
 * four frames. Noise seen elsewhere: 0.01 px; a wrong choice of region gives 1 px and more. So a hand may be
 * off in up to three of the frames of the open loop, the mean of all must be right; in the closed loop only
 * presence is held to the reference tightly.
 *
 * Presence at a frame in between may fall on the threshold itself: the right hand's at frame 14 is 0.5000
 * plus or minus what another CPU's order of sums makes of it (0.00005), and with it the region of frame 15. A
 * kept frame that comes after such a one is left out for that hand; there may be one.
 *
 * Frames that the fast program leaves out are checked by the slow one (TEST_ALL_FRAMES).
 */
#include <jansson.h>
#include <math.h>

#include "ballerino/pose.h"
#include "pose/face.h"
#include "pose/hands.h"
#include "support.h"

#ifdef TEST_ALL_FRAMES
enum { LAST_FRAME = 1000000, CLOSED_LAST = 1000000 };
#else
enum { LAST_FRAME = 88, CLOSED_LAST = 32 }; /* 84 is the first without a face */
#endif
#define VIDEO "data/source/dance_studio.mp4"
#define BODY "data/pose_golden/dance_studio__pose_c1_smooth1_cpu.json"
#define HOLISTIC "data/pose_golden/dance_studio__holistic_c1_smooth1_cpu.json"

enum { LEFT = BL__LEFT, RIGHT = BL__RIGHT, FACE = BL__SIDES, PARTS };
static const char *const part_names[PARTS] = {"left_hand", "right_hand", "face"};

typedef struct tally {
    int frames, seen, wrong; /* compared, with the part in them, in which presence differs */
    int off;                 /* in which the mean is off by more than 0.1 px */
    int undecided;           /* left out */
    double sum, worst;       /* px; sum of the means of frames */
} tally;

static tally open_loop[PARTS], closed_loop[PARTS];
static double worst_body;
static int ready;

static double number(const json_t *array, size_t k) {
    return json_number_value(json_array_get(array, k));
}

static const json_t *frame_of(const json_t *root, int64_t i) {
    const json_t *frames = json_object_get(root, "frames");
    for (size_t k = 0; k < json_array_size(frames); k++) {
        const json_t *f = json_array_get(frames, k);
        if (json_integer_value(json_object_get(f, "i")) == i) return f;
    }
    return NULL;
}

static void compare(tally *t, const char *name, const json_t *golden, float score, const bl_point3 *p, int n,
                    const bl_frame *f) {
    const json_t *want = json_object_get(golden, name);
    int there = json_is_array(want);
    double sum = 0;
    t->frames++;
    t->seen += there;
    if (there != (score > 0)) {
        t->wrong++;
        fprintf(stderr, "frame %lld: %s %s\n", (long long)f->index, name, there ? "missed" : "invented");
        return;
    }
    if (!there) return;
    assert_int_equal(json_array_size(want), n);
    for (int k = 0; k < n; k++) {
        const json_t *w = json_array_get(want, (size_t)k);
        double x = (double)p[k].x - number(w, 0), y = (double)p[k].y - number(w, 1),
               z = (double)p[k].z - number(w, 2);
        double px = hypot(x * f->width, y * f->height);
        sum += px;
        t->worst = fmax(t->worst, fmax(px, fabs(z) * f->width));
    }
    t->sum += sum / n;
    t->off += sum / n > 0.1;
}

static void compare_all(tally *t, const json_t *golden, const bl_hand *left, const bl_hand *right,
                        const bl_face *face, const bl_frame *f) {
    compare(&t[LEFT], part_names[LEFT], golden, left->score, left->points, BL_HAND_POINTS, f);
    compare(&t[RIGHT], part_names[RIGHT], golden, right->score, right->points, BL_HAND_POINTS, f);
    compare(&t[FACE], part_names[FACE], golden, face->score, face->points, BL_FACE_POINTS, f);
}

/* The reference's points in place of ours. */
static void take_over(const json_t *golden, const char *name, float *score, bl_point3 *p, int n) {
    const json_t *want = json_object_get(golden, name);
    *score = json_is_array(want) ? 1 : 0;
    for (size_t k = 0; k<(size_t)n && * score> 0; k++) {
        const json_t *w = json_array_get(want, k);
        p[k] = (bl_point3){(float)number(w, 0), (float)number(w, 1), (float)number(w, 2)};
    }
}

typedef struct runs {
    bl_pose *pose; /* closed loop */
    bl__hands *hands;
    bl__face_finder *finder;
    bl_hand hand[BL__SIDES]; /* of the frame before, open loop */
    bl_face face;
    int undecided[BL__SIDES]; /* since the last kept frame */
    json_t *body, *holistic;
} runs;

static void read_body(const runs *r, const bl_frame *f, bl_landmark *out) {
    const json_t *b = json_object_get(frame_of(r->body, f->index), "landmarks"),
                 *kept = json_object_get(frame_of(r->holistic, f->index), "landmarks");
    assert_int_equal(json_array_size(b), BL_LANDMARKS);
    for (size_t k = 0; k < BL_LANDMARKS; k++) {
        const json_t *l = json_array_get(b, k), *same = json_array_get(kept, k);
        out[k] =
            (bl_landmark){(float)number(l, 0), (float)number(l, 1), (float)number(l, 2), (float)number(l, 3)};
        if (kept)
            worst_body = fmax(worst_body, hypot((number(l, 0) - number(same, 0)) * f->width,
                                                (number(l, 1) - number(same, 1)) * f->height));
    }
}

static void compare_open(runs *r, const json_t *golden, const bl_frame *f) {
    for (int s = 0; s < BL__SIDES; s++) {
        if (r->undecided[s])
            open_loop[s].undecided++;
        else
            compare(&open_loop[s], part_names[s], golden, r->hand[s].score, r->hand[s].points, BL_HAND_POINTS,
                    f);
        r->undecided[s] = 0;
    }
    compare(&open_loop[FACE], part_names[FACE], golden, r->face.score, r->face.points, BL_FACE_POINTS, f);
}

static void one_frame(runs *r, const bl_frame *f) {
    bl_err err = {0};
    bl_person p = {0};
    const json_t *golden = frame_of(r->holistic, f->index);
    read_body(r, f, p.landmarks);
    assert_ok(bl__hands_find(r->hands, f, p.landmarks, r->hand, r->hand, &err));
    assert_ok(bl__face_find(r->finder, f, p.landmarks, &r->face, &r->face, &err));
    for (int s = 0; s < BL__SIDES; s++)
        r->undecided[s] |= !golden && r->hand[s].score > 0 && r->hand[s].score < 0.5001f;
    if (golden) {
        compare_open(r, golden, f);
        for (int s = 0; s < BL__SIDES; s++)
            take_over(golden, part_names[s], &r->hand[s].score, r->hand[s].points, BL_HAND_POINTS);
        take_over(golden, part_names[FACE], &r->face.score, r->face.points, BL_FACE_POINTS);
    }
    if (f->index > CLOSED_LAST) return;
    assert_ok(bl_pose_parts(r->pose, f, &p, &err));
    if (golden) compare_all(closed_loop, golden, &p.left_hand, &p.right_hand, &p.face, f);
}

/* 0, or -1 when something is not here. */
static int open_runs(runs *r) {
    bl_err err = {0};
    const char *body = shared_path(BODY), *holistic = shared_path(HOLISTIC);
    bl_pose_options o = bl_pose_options_default();
    o.model = BL_POSE_LITE; /* not run */
    if (!body || !holistic) return -1;
    int rc = bl_pose_open(&r->pose, &o, &err);
    if (rc == BL_E_MODELS) {
        fprintf(stderr, "SKIP: %s\n", err.msg);
        return -1;
    }
    assert_ok(rc);
    assert_ok(bl__hands_open(&r->hands, NULL, NULL, bl_cpu_count(), 0, &err));
    assert_ok(bl__face_open(&r->finder, NULL, NULL, bl_cpu_count(), 0, &err));
    r->body = json_load_file(body, 0, NULL);
    r->holistic = json_load_file(holistic, 0, NULL);
    return 0;
}

static int setup(void **state) {
    (void)state;
    bl_err err = {0};
    bl_reader *reader = NULL;
    bl_frame *f = NULL;
    static runs r;
    const char *video = shared_path(VIDEO);
    if (!video || open_runs(&r) < 0) return 0;
    assert_ok(bl_reader_open(&reader, video, NULL, &err));
    while (bl_reader_next(reader, &f, &err) > 0 && f->index <= LAST_FRAME) {
        one_frame(&r, f);
        bl_frame_unref(&f);
    }
    bl_frame_unref(&f);
    bl_reader_close(&reader);
    bl_pose_close(&r.pose);
    bl__hands_close(&r.hands);
    bl__face_close(&r.finder);
    json_decref(r.body);
    json_decref(r.holistic);
    ready = 1;
    return 0;
}

static void the_body_is_the_same_in_both_runs(void **state) {
    (void)state;
    if (!ready) skip();
    assert_near(worst_body, 0, 0.002);
}

static void check(const tally *t, const char *how, int frames, double mean_px, int off) {
    if (!ready) skip();
    for (int k = 0; k < PARTS; k++, t++) {
        double mean = t->seen > t->wrong ? t->sum / (t->seen - t->wrong) : 0;
        fprintf(stderr,
                "%-10s %s: %d frames (%d left out), seen in %d, presence differs in %d, mean %.4f px, over "
                "0.1 px in %d, worst point %.4f px\n",
                part_names[k], how, t->frames, t->undecided, t->seen, t->wrong, mean, t->off, t->worst);
        assert_true(t->frames + t->undecided >= frames && t->seen >= 3 && t->undecided <= 1);
        assert_int_equal(t->wrong, 0);
        if (!(mean <= mean_px) || t->off > off)
            fail_msg("%s: mean %g px, %d frames off", part_names[k], mean, t->off);
    }
}

static void both_answers_occur(void **state) {
    (void)state;
    if (!ready) skip();
    for (int k = 0; k < PARTS; k++) assert_true(open_loop[k].seen < open_loop[k].frames);
}

static void hands_and_face_equal_mediapipe(void **state) {
    (void)state;
    check(open_loop, "open  ", LAST_FRAME < 1000 ? LAST_FRAME / 4 + 1 : 72, 0.1, 3);
}

static void on_their_own_they_stay_close(void **state) {
    (void)state;
    check(closed_loop, "closed", CLOSED_LAST < 1000 ? CLOSED_LAST / 4 + 1 : 72, 2, 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_the_same_in_both_runs),
        cmocka_unit_test(both_answers_occur),
        cmocka_unit_test(hands_and_face_equal_mediapipe),
        cmocka_unit_test(on_their_own_they_stay_close),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
