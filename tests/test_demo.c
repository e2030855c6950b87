#include "support.h"

#include <math.h>

#include "ballerino/demo.h"
#include "demo/dance.h"

static bl_demo_options small(void) {
    bl_demo_options o = bl_demo_options_default();
    o.width = 144, o.height = 256;
    return o;
}

static bl_frame *shot(bl_demo_clip clip, int64_t index) {
    bl_err err = {0};
    bl_demo_options o = small();
    bl_frame *f = NULL;
    assert_ok(bl_demo_render(&f, clip, index, &o, &err));
    return f;
}

static int64_t difference(const bl_frame *a, const bl_frame *b) {
    int64_t sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < 3 * a->width; x++)
            sum += abs(a->data[y * a->stride + x] - b->data[y * b->stride + x]);
    return sum;
}

static void frames_are_a_function_of_their_index(void **state) {
    (void)state;
    for (int clip = 0; clip < 3; clip++) {
        bl_frame *a = shot((bl_demo_clip)clip, 37), *b = shot((bl_demo_clip)clip, 37),
                 *c = shot((bl_demo_clip)clip, 47);
        assert_int_equal(difference(a, b), 0);
        assert_true(difference(a, c) > 144 * 256); /* the dancer has moved */
        assert_int_equal(a->pts, 37);
        bl_frame_unref(&a);
        bl_frame_unref(&b);
        bl_frame_unref(&c);
    }
}

static void joints_stay_inside_the_frame(void **state) {
    (void)state;
    bl_err err = {0};
    bl_demo_options o = bl_demo_options_default();
    for (int clip = 0; clip < 3; clip++) {
        int64_t n = bl_demo_frame_count((bl_demo_clip)clip, &o);
        assert_int_equal(n, clip == BL_DEMO_TARGET ? 576 : 192);
        for (int64_t i = 0; i < n; i++) {
            float xy[BL_LANDMARKS][2];
            assert_ok(bl_demo_joints(xy, (bl_demo_clip)clip, i, &o, &err));
            for (int j = 0; j < BL_LANDMARKS; j++)
                if (!(xy[j][0] > 2 && xy[j][0] < 430 && xy[j][1] > 2 && xy[j][1] < 766))
                    fail_msg("clip %d frame %lld joint %d is at %.1f %.1f", clip, (long long)i, j,
                             (double)xy[j][0], (double)xy[j][1]);
        }
    }
}

static double bone(float xy[BL_LANDMARKS][2], int a, int b) {
    return hypot(xy[a][0] - xy[b][0], xy[a][1] - xy[b][1]);
}

/* The truth has the source's angles on the target's bones: limbs point the same way in the picture (up to
 * perspective), and are shorter. */
static void truth_dances_the_source_dance(void **state) {
    (void)state;
    bl_err err = {0};
    bl_demo_options o = bl_demo_options_default();
    static const int limbs[][2] = {{BL_LM_L_SHOULDER, BL_LM_L_ELBOW},
                                   {BL_LM_R_ELBOW, BL_LM_R_WRIST},
                                   {BL_LM_L_HIP, BL_LM_L_KNEE},
                                   {BL_LM_R_KNEE, BL_LM_R_ANKLE}};
    double worst = 0, other = 0;
    for (int64_t i = 0; i < 192; i += 5) {
        float s[BL_LANDMARKS][2], t[BL_LANDMARKS][2], d[BL_LANDMARKS][2];
        assert_ok(bl_demo_joints(s, BL_DEMO_SOURCE, i, &o, &err));
        assert_ok(bl_demo_joints(t, BL_DEMO_TRUTH, i, &o, &err));
        assert_ok(bl_demo_joints(d, BL_DEMO_TARGET, i, &o, &err));
        for (size_t k = 0; k < BL_COUNT(limbs); k++) {
            int a = limbs[k][0], b = limbs[k][1];
            if (bone(s, a, b) < 25) continue; /* towards the camera: no direction to compare */
            double ds = atan2(s[b][1] - s[a][1], s[b][0] - s[a][0]),
                   dt = atan2(t[b][1] - t[a][1], t[b][0] - t[a][0]);
            double dd = atan2(d[b][1] - d[a][1], d[b][0] - d[a][0]);
            worst = fmax(worst, fabs(remainder(ds - dt, 2 * acos(-1.0))));
            other = fmax(other, fabs(remainder(ds - dd, 2 * acos(-1.0))));
        }
        assert_true(bone(t, BL_LM_L_HIP, BL_LM_L_ANKLE) < bone(s, BL_LM_L_HIP, BL_LM_L_ANKLE));
    }
    print_message("limb directions: truth against source %.3f rad at most, target against source %.3f\n",
                  worst, other);
    assert_true(worst < 0.2); /* cameras differ by a few degrees; another dance differs by radians */
    assert_true(other > 1);
}

static void truth_shows_the_target_where_the_target_stands(void **state) {
    (void)state;
    bl_frame *target = shot(BL_DEMO_TARGET, 0), *truth = shot(BL_DEMO_TRUTH, 0),
             *source = shot(BL_DEMO_SOURCE, 0);
    assert_true(difference(target, truth) * 10 < difference(target, source));
    bl_frame_unref(&target);
    bl_frame_unref(&truth);
    bl_frame_unref(&source);
}

/* The lower foot stands on the floor, and where the choreography puts it, also with hips and thighs out of
 * the usual proportion. */
static void feet_stand_on_the_floor(void **state) {
    (void)state;
    bl__build usual = {.height = 1.63f, .head = 1, .leg = .745f, .thigh = BL__THIGH, .hips = BL__HIP_HALF};
    usual.shoulders = .19f, usual.arm = .5f, usual.girth = 1;
    bl__build odd = usual;
    odd.thigh = .46f, odd.hips = .14f;
    for (int which = 0; which < 2; which++)
        for (double t = 0; t < 24; t += 1 / 24.0) {
            bl__angles a;
            bl__skeleton s, o;
            bl__dance(&a, (bl__dance_id)which, t);
            bl__skeleton_pose(&s, &usual, &a);
            bl__skeleton_pose(&o, &odd, &a);
            float low = fminf(s.at[J_L_ANKLE].y, s.at[J_R_ANKLE].y), sole = BL__ANKLE_UP * usual.leg;
            float odd_low = fminf(o.at[J_L_ANKLE].y, o.at[J_R_ANKLE].y);
            if (fabsf(low - sole) > 0.012f || fabsf(odd_low - sole) > 0.015f)
                fail_msg("dance %d at %.2f s: the lower ankles are %.3f and %.3f m up", which, t, (double)low,
                         (double)odd_low);
            float rise = s.at[J_L_ANKLE].y - s.at[J_R_ANKLE].y;
            if (fabsf(rise) < 0.04f) continue;
            bl__joint stands = rise > 0 ? J_R_ANKLE : J_L_ANKLE;
            assert_true(v_len(v_sub(s.at[stands], o.at[stands])) < 0.004f);
        }
}

/* Exact joints as a track: the same places as bl_demo_joints, bones as long as the build's, axes as a
 * track's. */
static void exact_people_have_the_build_s_bones(void **state) {
    (void)state;
    bl_err err = {0};
    bl_demo_options o = bl_demo_options_default();
    o.pair = BL_DEMO_PAIR_CHILD_TO_TALL;
    for (int64_t i = 0; i < 192; i += 11) {
        bl_track_frame f;
        float xy[BL_LANDMARKS][2];
        assert_ok(bl_demo_person(&f, BL_DEMO_SOURCE, i, &o, &err));
        assert_ok(bl_demo_joints(xy, BL_DEMO_SOURCE, i, &o, &err));
        const bl_landmark *w = f.person.world, *l = f.person.landmarks;
        for (int k = 0; k < BL_LANDMARKS; k++) {
            assert_near(l[k].x * 432, xy[k][0], 1e-2);
            assert_near(l[k].y * 768, xy[k][1], 1e-2);
            if (l[k].z < l[BL_LM_L_HIP].z - 0.01f && l[k].z < l[BL_LM_R_HIP].z - 0.01f)
                assert_true(w[k].z < 0); /* towards the camera in both */
        }
        const bl_landmark *hip = &w[BL_LM_L_HIP], *knee = &w[BL_LM_L_KNEE];
        assert_near(hypot(hypot(hip->x - knee->x, hip->y - knee->y), hip->z - knee->z), .48 * .5, 1e-4);
        assert_near(w[BL_LM_L_HIP].y + w[BL_LM_R_HIP].y, 0, 1e-5);
        assert_true(w[BL_LM_NOSE].y < 0 && w[BL_LM_L_ANKLE].y > 0);
    }
}

static void bad_requests_are_refused(void **state) {
    (void)state;
    bl_frame *f = NULL;
    bl_demo_options o = small();
    assert_int_equal(bl_demo_render(&f, BL_DEMO_SOURCE, 192, &o, NULL), BL_E_USAGE);
    assert_int_equal(bl_demo_render(&f, (bl_demo_clip)3, 0, &o, NULL), BL_E_USAGE);
    o.width = 145;
    assert_int_equal(bl_demo_render(&f, BL_DEMO_SOURCE, 0, &o, NULL), BL_E_USAGE);
    o = small(), o.pair = (bl_demo_pair)4;
    assert_int_equal(bl_demo_render(&f, BL_DEMO_SOURCE, 0, &o, NULL), BL_E_USAGE);
    o = small(), o.source_seconds = NAN;
    assert_int_equal(bl_demo_render(&f, BL_DEMO_SOURCE, 0, &o, NULL), BL_E_USAGE);
    assert_null(f);
}

static void clips_and_their_sheet(void **state) {
    (void)state;
    bl_err err = {0};
    bl_demo_options o = small();
    o.source_seconds = 1, o.target_seconds = 1, o.fps = 10;
    char dir[] = "/tmp/bl_demo_XXXXXX", paths[3][64], png[64];
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d.mp4", dir, i);
        assert_ok(bl_demo_write_clip(paths[i], (bl_demo_clip)i, &o, &err));
        bl_reader *r = NULL;
        bl_frame *f = NULL;
        int n = 0;
        assert_ok(bl_reader_open(&r, paths[i], NULL, &err));
        assert_int_equal(bl_reader_info(r)->has_audio, i != BL_DEMO_TARGET);
        for (; bl_reader_next(r, &f, &err) > 0; n++) bl_frame_unref(&f);
        assert_int_equal(n, 10);
        bl_reader_close(&r);
    }
    snprintf(png, sizeof png, "%s/sheet.png", dir);
    assert_ok(bl_demo_contact_sheet(png, paths[0], paths[1], paths[2], 4, &err));
    bl_frame *sheet = NULL;
    assert_ok(bl_png_read(&sheet, png, &err));
    assert_int_equal(sheet->width, 4 * 216 + 3 * 6);
    assert_int_equal(sheet->height, 3 * 384 + 2 * 6);
    bl_frame_unref(&sheet);
    for (int i = 0; i < 3; i++) unlink(paths[i]);
    unlink(png);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left behind: no .part, no sound */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_a_function_of_their_index),
        cmocka_unit_test(joints_stay_inside_the_frame),
        cmocka_unit_test(truth_dances_the_source_dance),
        cmocka_unit_test(truth_shows_the_target_where_the_target_stands),
        cmocka_unit_test(feet_stand_on_the_floor),
        cmocka_unit_test(exact_people_have_the_build_s_bones),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(clips_and_their_sheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
