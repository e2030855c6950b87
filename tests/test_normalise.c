#include <math.h>

#include "ballerino/motion.h"
#include "support.h"
#include "test_people.h"

/* A pinhole camera over flat ground, and a subject of a height in metres. */
typedef struct scene {
    int width, height;
    double fps, focal, horizon, camera_height, body;
} scene;

/* Where the subject is: metres to the side, away, and above the floor; and how deep he crouches. */
typedef struct place {
    double x, z, jump, crouch;
} place;
typedef place (*dance)(double seconds);

static const scene tall = {1280, 720, 24, 900, 250, 1.5, 1.9};
static const scene small = {480, 800, 30, 620, 300, 1.2, 1.4};

static double scale_at(const scene *s, double z) {
    return s->body * s->focal / z;
}
static double floor_at(const scene *s, double z) {
    return s->horizon + s->camera_height * s->focal / z;
}

static double ankle_at(const scene *s, double z) {
    return floor_at(s, z) - 0.04 * scale_at(s, z);
}

static bl_person person_at(const scene *s, place at) {
    double size = scale_at(s, at.z), lift = at.jump / s->body;
    bl_person p = person_standing((float)(s->width / 2.0 + at.x * s->focal / at.z),
                                  (float)(floor_at(s, at.z) - lift * size), (float)size, s->width, s->height);
    if (at.crouch > 0) { /* everything above the shins sinks, knees go apart */
        for (int k = 0; k < BL_LANDMARKS; k++) {
            if (k >= BL_LM_L_ANKLE) continue;
            p.landmarks[k].y += (float)(at.crouch * size * (k >= BL_LM_L_KNEE ? 0.3 : 1) / s->height);
        }
    }
    return p;
}

static bl_track *film(const scene *s, dance d, double seconds) {
    bl_err err = {0};
    bl_track *t = NULL;
    assert_ok(bl_track_create(&t, "synthetic", s->width, s->height, s->fps, &err));
    for (int k = 0; k < seconds * s->fps; k++) {
        bl_track_frame f = {.i = k, .t_ms = 1000 * k / s->fps, .has_person = 1};
        f.person = person_at(s, d(k / s->fps));
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

static bl_pose_stats stats_of(const bl_track *t) {
    bl_err err = {0};
    bl_pose_stats s;
    assert_ok(bl_motion_stats(&s, t, &err));
    return s;
}

static bl_track *normalise(const bl_track *s, const bl_track *t, bl_normalise how, bl_frame_transform **x) {
    bl_err err = {0};
    bl_pose_stats from = stats_of(s), to = stats_of(t);
    bl_track *out = NULL;
    assert_ok(bl_motion_normalise(&out, s, &from, &to, how, x, &err));
    assert_int_equal(out->n, s->n);
    assert_int_equal(out->width, t->width);
    assert_int_equal(out->height, t->height);
    return out;
}

static double px(const bl_track *t, int64_t k, int joint) {
    return (double)t->frames[k].person.landmarks[joint].x * t->width;
}
static double py(const bl_track *t, int64_t k, int joint) {
    return (double)t->frames[k].person.landmarks[joint].y * t->height;
}

/* Largest distance between the track and what the camera of `s` would have filmed, in body heights there; the
 * dance is scaled from `from`'s body to the body of `s`. */
static double worst_error(const bl_track *t, const scene *s, const scene *from, dance d, double skip_s) {
    double worst = 0;
    for (int64_t k = 0; k < t->n; k++) {
        double time = (double)k / from->fps;
        if (!t->frames[k].has_person || time < skip_s || time > (double)t->n / from->fps - skip_s) continue;
        place at = d(time);
        at.x *= s->body / from->body, at.jump *= s->body / from->body;
        bl_person want = person_at(s, at);
        static const int joints[] = {BL_LM_NOSE, BL_LM_R_WRIST, BL_LM_L_HIP, BL_LM_L_ANKLE, BL_LM_R_FOOT};
        for (size_t j = 0; j < BL_COUNT(joints); j++) {
            double ex = px(t, k, joints[j]) - (double)want.landmarks[joints[j]].x * s->width;
            double ey = py(t, k, joints[j]) - (double)want.landmarks[joints[j]].y * s->height;
            worst = fmax(worst, hypot(ex, ey) / scale_at(s, at.z));
        }
    }
    return worst;
}

static place on_the_spot(double t) {
    return (place){0.05 * sin(t), 4, 0, 0};
}
static place back_and_forth(double t) {
    return (place){0.2 * sin(0.9 * t), 5 + 1.5 * sin(0.5 * t), 0, 0};
}
static place sideways(double t) {
    return (place){2.5 * sin(0.7 * t), 5, 0, 0};
}
static place jumping(double t) {
    double u = fmod(t + 0.75, 1.5); /* half a second in the air */
    return (place){0, 4, u < 0.5 ? 0.4 * 4 * (u / 0.5) * (1 - u / 0.5) : 0, 0};
}
static place jumping_and_walking(double t) {
    place p = back_and_forth(t);
    p.jump = jumping(t).jump;
    return p;
}
static place crouching(double t) {
    return (place){0, 4, 0, sin(t) > 0 ? 0.35 * sin(t) : 0};
}

static void one_scale_fits_a_small_person_to_a_tall_one(void **state) {
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        const scene *from = turn ? &tall : &small, *to = turn ? &small : &tall;
        bl_track *s = film(from, on_the_spot, 10), *t = film(to, on_the_spot, 12);
        assert_true(stats_of(s).single_scale && stats_of(t).single_scale);
        bl_track *out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
        assert_true(worst_error(out, to, from, on_the_spot, 0) < 0.01);
        bl_track_destroy(&s);
        bl_track_destroy(&t);
        bl_track_destroy(&out);
    }
}

static void walking_in_depth_follows_the_targets_perspective(void **state) {
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        const scene *from = turn ? &tall : &small, *to = turn ? &small : &tall;
        bl_track *s = film(from, back_and_forth, 40), *t = film(to, back_and_forth, 40);
        bl_pose_stats stats = stats_of(t);
        assert_false(stats.single_scale);
        assert_true(fabs(stats.floor_near - ankle_at(to, 3.5)) < 3);
        assert_true(fabs(stats.floor_far - ankle_at(to, 6.5)) < 3);
        /* nose to ankle along the bones is 0.89 of the model's height */
        assert_true(fabs(stats.height_near / stats.height_far - 6.5 / 3.5) < 0.03);
        assert_true(fabs(stats.height_near - 0.89 * scale_at(to, 3.5)) < 0.02 * scale_at(to, 3.5));
        bl_track *out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
        double worst = worst_error(out, to, from, back_and_forth, 1);
        if (worst >= 0.03) fail_msg("worst error %g of the body's height", worst);
        bl_track_destroy(&s);
        bl_track_destroy(&t);
        bl_track_destroy(&out);
    }
}

static place taking_off(double t) {
    return jumping(t + 0.75);
} /* the clip starts with a jump */

/* In the air the figure keeps its size and its height above the floor, scaled to the target. */
static void jumps_neither_shrink_nor_sink(void **state) {
    (void)state;
    static const dance dances[] = {jumping, taking_off};
    bl_track *t = film(&small, back_and_forth, 40), *s, *out;
    for (int d = 0; d < 2; d++) {
        bl_frame_transform *x = NULL;
        s = film(&tall, dances[d], 20);
        out = normalise(s, t, BL_NORMALISE_ROBUST, &x);
        int64_t on_floor = (int64_t)(3.7 * tall.fps); /* on the floor in both */
        double size = py(out, 0, BL_LM_L_ANKLE) - py(out, 0, BL_LM_NOSE);
        double floor = py(out, on_floor, BL_LM_L_ANKLE);
        for (int64_t k = 0; k < out->n; k++) {
            double jump = dances[d]((double)k / tall.fps).jump / tall.body * size / 0.89;
            assert_true(fabs(x[k].s / x[0].s - 1) < 0.01);
            assert_true(fabs(floor - py(out, k, BL_LM_L_ANKLE) - jump) < (d ? 0.08 : 0.01) * size);
        }
        bl_free(x);
        bl_track_destroy(&out);
        bl_track_destroy(&s);
    }
    s = film(&tall, jumping_and_walking, 40);
    out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
    double worst = worst_error(out, &small, &tall, jumping_and_walking, 1);
    if (worst >= 0.06) fail_msg("worst error %g of the body's height", worst);
    bl_track_destroy(&out);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

static void crouching_does_not_change_the_scale(void **state) {
    (void)state;
    bl_track *s = film(&tall, crouching, 30), *t = film(&small, on_the_spot, 12);
    bl_track *out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
    assert_true(worst_error(out, &small, &tall, crouching, 0) < 0.02);
    bl_track_destroy(&out);
    bl_track_destroy(&t);
    t = film(&small, crouching, 30);
    out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
    assert_true(worst_error(out, &small, &tall, crouching, 0) < 0.02);
    bl_track_destroy(&out);
    bl_track_destroy(&t);
    bl_track_destroy(&s);
}

/* What the clean source would have given, against a damaged one: all joints of frames that are whole in both.
 */
static double difference(const bl_track *a, const bl_track *b) {
    double worst = 0, size = py(a, 0, BL_LM_L_ANKLE) - py(a, 0, BL_LM_NOSE);
    for (int64_t k = 0; k < a->n; k++) {
        if (!a->frames[k].has_person || !b->frames[k].has_person) continue;
        for (int j = 0; j < BL_LM_L_KNEE; j++)
            worst = fmax(worst, hypot(px(a, k, j) - px(b, k, j), py(a, k, j) - py(b, k, j)) / size);
    }
    return worst;
}

static void hide_feet(bl_track *t, int64_t from, int64_t to, int both) {
    for (int64_t k = from; k < to && k < t->n; k++)
        for (int j = BL_LM_L_ANKLE; j <= BL_LM_R_FOOT; j++)
            if (both || j % 2 == 0) t->frames[k].person.landmarks[j] = (bl_landmark){0};
}

static void missing_ankles_are_made_up_for(void **state) {
    (void)state;
    bl_track *t = film(&small, back_and_forth, 40), *s = film(&tall, back_and_forth, 40), *damaged = NULL;
    bl_track *clean = normalise(s, t, BL_NORMALISE_ROBUST, NULL), *out;
    bl_err err = {0};
    for (int both = 0; both < 2; both++) {
        assert_ok(bl_track_copy(&damaged, s, &err));
        for (int64_t k = 0; k < s->n; k += 100) hide_feet(damaged, k, k + 30, both);
        out = normalise(damaged, t, BL_NORMALISE_ROBUST, NULL);
        assert_true(difference(clean, out) < 0.02);
        bl_track_destroy(&out);
        bl_track_destroy(&damaged);
    }
    assert_ok(bl_track_copy(&damaged, s, &err)); /* never any foot: knees only */
    hide_feet(damaged, 0, s->n, 1);
    out = normalise(damaged, t, BL_NORMALISE_ROBUST, NULL);
    assert_true(difference(clean, out) < 0.1);
    bl_track_destroy(&out);
    bl_track_destroy(&damaged);
    bl_track_destroy(&clean);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

static void bad_frames_and_absences_change_little(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = film(&small, back_and_forth, 40), *s = film(&tall, back_and_forth, 40), *damaged = NULL;
    bl_track *clean = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
    assert_ok(bl_track_copy(&damaged, s, &err));
    damaged->frames[0].has_person = 0;
    for (int64_t k = 300; k < 340; k++) damaged->frames[k].has_person = 0;
    /* somebody twice as tall, and somebody in a corner, for one frame each */
    damaged->frames[500].person = person_standing(500, 719, 700, tall.width, tall.height);
    damaged->frames[100].person = person_standing(100, 300, 100, tall.width, tall.height);
    bl_track *out = normalise(damaged, t, BL_NORMALISE_ROBUST, NULL);
    assert_false(out->frames[320].has_person);
    damaged->frames[500].has_person = damaged->frames[100].has_person = 0;
    out->frames[500].has_person = out->frames[100].has_person = 0;
    assert_true(difference(clean, out) < 0.03);
    bl_track_destroy(&out);
    bl_track_destroy(&damaged);
    bl_track_destroy(&clean);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

static void wide_travel_is_scaled_into_the_picture(void **state) {
    (void)state;
    bl_track *s = film(&tall, sideways, 20), *t = film(&small, on_the_spot, 12);
    bl_frame_transform *x = NULL;
    bl_track *out = normalise(s, t, BL_NORMALISE_ROBUST, &x);
    double least = 1e9, most = -1e9, tallness = 0;
    for (int64_t k = 0; k < out->n; k++) {
        for (int j = 0; j < BL_LANDMARKS; j++) {
            assert_true(px(out, k, j) > -1 && px(out, k, j) < small.width + 1);
            least = fmin(least, px(out, k, j)), most = fmax(most, px(out, k, j));
        }
        tallness = py(out, k, BL_LM_L_ANKLE) - py(out, k, BL_LM_NOSE);
        assert_true(fabs(tallness / (0.89 * scale_at(&small, 4)) - 1) < 0.02); /* not shrunk */
    }
    assert_true(least < 40 && most > small.width - 40); /* the picture is used */
    bl_free(x);
    bl_track_destroy(&out);
    bl_track_destroy(&t);
    t = film(&tall, on_the_spot, 12); /* room enough: nothing is scaled */
    out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
    double travel = 0, wanted = 0;
    for (int64_t k = 0; k < out->n; k++) {
        travel = fmax(travel, px(out, k, BL_LM_NOSE) - tall.width / 2);
        wanted = fmax(wanted, px(s, k, BL_LM_NOSE) - tall.width / 2);
    }
    assert_true(fabs(travel / wanted - 5.0 / 4) < 0.02);
    bl_track_destroy(&out);
    bl_track_destroy(&t);
    bl_track_destroy(&s);
}

/* A target filmed so near that its own arms leave the picture: that is no reason to dance on the spot. */
static void arms_that_cannot_fit_do_not_stop_the_travel(void **state) {
    (void)state;
    scene narrow = small;
    narrow.width = 60; /* hands hang 37 pixels to either side */
    bl_track *s = film(&tall, sideways, 20), *t = film(&narrow, on_the_spot, 12);
    bl_frame_transform *x = NULL;
    bl_track *out = normalise(s, t, BL_NORMALISE_ROBUST, &x);
    double least = 1e9, most = -1e9;
    for (int64_t k = 0; k < out->n; k++) {
        double nose = px(out, k, BL_LM_NOSE);
        least = fmin(least, nose), most = fmax(most, nose);
    }
    assert_true(most - least > 0.1 * narrow.width);
    assert_true(least > 0 && most < narrow.width);          /* the person itself stays inside */
    assert_near((least + most) / 2, narrow.width / 2.0, 1); /* and where the target stood */
    bl_free(x);
    bl_track_destroy(&out);
    bl_track_destroy(&t);
    bl_track_destroy(&s);
}

/* Feet below the lower edge are extended as BlazePose does; the figure stands where the target stood. */
static void feet_beyond_the_edge_count(void **state) {
    (void)state;
    scene low = tall;
    low.height = 580; /* the floor at 4 m is at 587: the ankles of a near subject leave */
    bl_track *s = film(&low, back_and_forth, 40), *t = film(&small, back_and_forth, 40);
    int cut = 0;
    for (int64_t k = 0; k < s->n; k++)
        for (int j = BL_LM_L_ANKLE; j <= BL_LM_R_FOOT; j++) {
            bl_landmark *l = &s->frames[k].person.landmarks[j];
            if (l->y > 1) l->visibility = 0.1f, cut++;
        }
    assert_true(cut > 100);
    bl_track *out = normalise(s, t, BL_NORMALISE_ROBUST, NULL);
    assert_true(worst_error(out, &small, &low, back_and_forth, 1) < 0.04);
    bl_track_destroy(&out);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

static place everything(double t) {
    place p = jumping_and_walking(t);
    p.x += 0.3 * sin(2 * t), p.crouch = crouching(t * 1.3).crouch * (p.jump == 0);
    return p;
}

static void a_subject_on_its_own_stats_stays_put(void **state) {
    (void)state;
    static const dance dances[] = {on_the_spot, back_and_forth, jumping_and_walking, crouching, everything};
    for (size_t d = 0; d < BL_COUNT(dances); d++)
        for (int turn = 0; turn < 2; turn++) {
            bl_track *s = film(turn ? &tall : &small, dances[d], 30);
            bl_track *out = normalise(s, s, BL_NORMALISE_ROBUST, NULL);
            double worst = difference(s, out);
            if (worst > 0.03) fail_msg("dance %zu moved by %g of the body's height", d, worst);
            bl_track_destroy(&out);
            bl_track_destroy(&s);
        }
}

static void none_is_a_letterbox(void **state) {
    (void)state;
    bl_track *s = film(&tall, back_and_forth, 5), *t = film(&small, on_the_spot, 5);
    bl_frame_transform *x = NULL;
    bl_track *out = normalise(s, t, BL_NORMALISE_NONE, &x);
    for (int64_t k = 0; k < out->n; k++) {
        assert_true(fabsf(x[k].s - 480.0f / 1280) < 1e-6f);
        assert_true(fabs(px(out, k, 5) - px(s, k, 5) * 0.375) < 0.01);
        assert_true(fabs(py(out, k, 5) - (py(s, k, 5) * 0.375 + (800 - 270) / 2.0)) < 0.01);
        assert_true(fabs(out->frames[k].person.world[5].x - s->frames[k].person.world[5].x) < 1e-9);
    }
    bl_free(x);
    bl_track_destroy(&out);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

/* The published equations by hand, on a walk where all frames are valid. */
static void paper_follows_the_published_equations(void **state) {
    (void)state;
    bl_track *s = film(&tall, back_and_forth, 40), *t = film(&small, back_and_forth, 40);
    bl_pose_stats a = stats_of(s), b = stats_of(t);
    bl_frame_transform *x = NULL;
    bl_track *out = normalise(s, t, BL_NORMALISE_PAPER, &x);
    double toe_max = ankle_at(&tall, 3.5);
    assert_true(fabs(a.toe_max - toe_max) < 1);
    assert_true(a.horizon < a.toe_median &&
                a.horizon >= a.toe_median - 0.5 * (a.toe_max - a.toe_median) - 1e-3);
    assert_true(fabs(a.close - 0.89 * scale_at(&tall, 3.5)) < 2);
    /* at the near end the scale is close over close, and the ankle of the first frame keeps its place rule */
    double range_s = a.toe_max - a.horizon, range_t = b.toe_max - b.horizon,
           cut = fmax(0, range_t - range_s) / 2;
    double top = b.horizon + cut, close = b.close - (b.close - b.far) / range_t * cut;
    double far = b.far + (b.close - b.far) / range_t * cut, y0 = py(s, 0, BL_LM_L_ANKLE);
    for (int64_t k = 0; k < s->n; k++) {
        double toe = py(s, k, BL_LM_L_ANKLE), p = (toe - a.horizon) / range_s;
        double scale = far / a.far + p * (close / a.close - far / a.far);
        double want = scale * toe + (1 - scale) * y0 + (top + p * (range_t - 2 * cut) - toe);
        assert_true(fabs(x[k].s - scale) < 1e-3);
        assert_true(fabs(py(out, k, BL_LM_L_ANKLE) - want) < 0.1);
        assert_true(fabs(px(out, k, BL_LM_NOSE) - (scale * (px(s, k, BL_LM_NOSE) - 640) + 240)) < 0.1);
    }
    /* an invalid frame takes the last one's values, those before the first valid one the first's */
    bl_free(x);
    bl_track_destroy(&out);
    s->frames[0].person.landmarks[BL_LM_L_ANKLE].visibility = 0;
    s->frames[9].has_person = 0;
    out = normalise(s, t, BL_NORMALISE_PAPER, &x);
    assert_memory_equal(&x[0], &x[1], sizeof *x);
    assert_memory_equal(&x[9], &x[8], sizeof *x);
    bl_free(x);
    bl_track_destroy(&out);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

static void paper_survives_a_subject_that_never_moves(void **state) {
    (void)state;
    bl_track *s = film(&tall, on_the_spot, 5), *t = film(&small, on_the_spot, 5);
    bl_frame_transform *x = NULL;
    bl_track *out = normalise(s, t, BL_NORMALISE_PAPER, &x);
    for (int64_t k = 0; k < out->n; k++) assert_true(x[k].s > 0.1f && x[k].s < 10 && isfinite(x[k].ty));
    bl_free(x);
    bl_track_destroy(&out);
    bl_track_destroy(&s);
    bl_track_destroy(&t);
}

static void unusable_input_is_refused(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *s = film(&tall, on_the_spot, 5), *out = NULL;
    bl_pose_stats good = stats_of(s), bad = good, none;
    bad.height_near = NAN;
    assert_int_equal(bl_motion_normalise(&out, s, &good, &bad, BL_NORMALISE_ROBUST, NULL, &err),
                     BL_E_MISMATCH);
    bad = good;
    bad.width = 0;
    assert_int_equal(bl_motion_normalise(&out, s, &good, &bad, BL_NORMALISE_NONE, NULL, &err), BL_E_MISMATCH);
    assert_null(out);
    for (int64_t k = 0; k < s->n; k++) s->frames[k].has_person = 0;
    assert_int_equal(bl_motion_stats(&none, s, &err), BL_E_FOOTAGE);
    assert_non_null(strstr(err.msg, "film one person"));
    for (int how = 0; how < 3; how++) { /* a piece of a source with nobody in it */
        bl_frame_transform *x = NULL;
        assert_ok(bl_motion_normalise(&out, s, &good, &good, (bl_normalise)how, &x, &err));
        for (int64_t k = 0; k < s->n; k++) assert_true(isfinite(x[k].s + x[k].tx + x[k].ty));
        bl_free(x);
        bl_track_destroy(&out);
    }
    bl_track_destroy(&s);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    bl_track *s = film(&tall, back_and_forth, 3);
    bl_pose_stats stats = stats_of(s), again;
    int rc = BL_E_NOMEM, nth = 1;
    for (; rc < 0 && nth < 50; nth++) {
        bl_err err = {0};
        bl_mem_fail_at(nth);
        rc = bl_motion_stats(&again, s, &err);
        assert_true(rc == 0 || rc == BL_E_NOMEM);
    }
    assert_true(rc == 0 && nth > 4);
    rc = BL_E_NOMEM;
    for (nth = 1; rc < 0 && nth < 50; nth++) {
        bl_err err = {0};
        bl_track *out = NULL;
        bl_mem_fail_at(nth);
        rc = bl_motion_normalise(&out, s, &stats, &stats, BL_NORMALISE_ROBUST, NULL, &err);
        assert_true(rc == 0 ? out != NULL : rc == BL_E_NOMEM && !out);
        bl_track_destroy(&out);
    }
    assert_true(rc == 0 && nth > 6);
    bl_mem_fail_at(0);
    bl_track_destroy(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_scale_fits_a_small_person_to_a_tall_one),
        cmocka_unit_test(walking_in_depth_follows_the_targets_perspective),
        cmocka_unit_test(jumps_neither_shrink_nor_sink),
        cmocka_unit_test(crouching_does_not_change_the_scale),
        cmocka_unit_test(missing_ankles_are_made_up_for),
        cmocka_unit_test(bad_frames_and_absences_change_little),
        cmocka_unit_test(wide_travel_is_scaled_into_the_picture),
        cmocka_unit_test(arms_that_cannot_fit_do_not_stop_the_travel),
        cmocka_unit_test(feet_beyond_the_edge_count),
        cmocka_unit_test(a_subject_on_its_own_stats_stays_put),
        cmocka_unit_test(none_is_a_letterbox),
        cmocka_unit_test(paper_follows_the_published_equations),
        cmocka_unit_test(paper_survives_a_subject_that_never_moves),
        cmocka_unit_test(unusable_input_is_refused),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
