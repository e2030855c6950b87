#include <math.h>

#include "ballerino/track.h"
#include "support.h"

static char dir[64];

static const char *in_dir(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state) {
    (void)state;
    memcpy(dir, "/tmp/bl_track_XXXXXX", sizeof "/tmp/bl_track_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    unlink(in_dir("t.json"));
    return rmdir(dir);
}

static void any_points(float *score, bl_point3 *p, int n, bl_rng *r) {
    *score = 0.01f + 0.99f * (float)bl_rng_uniform(r);
    for (int k = 0; k < n; k++)
        p[k] = (bl_point3){(float)bl_rng_normal(r), (float)bl_rng_normal(r), (float)bl_rng_normal(r)};
}

static bl_track_frame any_frame(int64_t i, bl_rng *r) {
    bl_track_frame f = {.i = i, .t_ms = (double)i * 1000 / 23.976, .has_person = i % 3 != 1};
    if (!f.has_person) return f;
    f.person.score = (float)bl_rng_uniform(r);
    for (int k = 0; k < BL_LANDMARKS; k++) {
        f.person.landmarks[k] = (bl_landmark){(float)bl_rng_normal(r), (float)bl_rng_normal(r),
                                              (float)bl_rng_normal(r), (float)bl_rng_uniform(r)};
        f.person.world[k] = (bl_landmark){(float)bl_rng_normal(r) * 1e-6f, (float)bl_rng_normal(r), 0, 1};
    }
    f.person.roi = (bl_roi){.5f, 1.f / 3, 2.1f, 1.2f, -.7f};
    if (i % 4 == 0) any_points(&f.person.left_hand.score, f.person.left_hand.points, BL_HAND_POINTS, r);
    if (i % 8 == 0) any_points(&f.person.right_hand.score, f.person.right_hand.points, BL_HAND_POINTS, r);
    if (i % 8 < 6) any_points(&f.person.face.score, f.person.face.points, BL_FACE_POINTS, r);
    return f;
}

static bl_track *any_track(int n) {
    bl_track *t = NULL;
    bl_err err = {0};
    bl_rng r;
    bl_rng_seed(&r, 5);
    assert_ok(bl_track_create(&t, "d\"an\\ce\xc3\xa9.mp4", 1080, 1920, 24000.0 / 1001, &err));
    for (int i = 0; i < n; i++) {
        bl_track_frame f = any_frame(i * 2, &r);
        assert_ok(bl_track_append(t, &f, &err));
    }
    return t;
}

static void written_track_is_read_back_bit_for_bit(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = any_track(200), *u = NULL, *c = NULL;
    assert_ok(bl_track_write(t, in_dir("t.json"), &err));
    assert_ok(bl_track_read(&u, in_dir("t.json"), &err));
    assert_ok(bl_track_copy(&c, u, &err));
    assert_string_equal(c->video, t->video);
    assert_int_equal(c->n, t->n);
    assert_true(c->fps == t->fps && c->width == 1080 && c->height == 1920);
    for (int64_t k = 0; k < t->n; k++) assert_memory_equal(&c->frames[k], &t->frames[k], sizeof *t->frames);
    bl_track_destroy(&t);
    bl_track_destroy(&u);
    bl_track_destroy(&c);
    bl_track_destroy(&c);
}

static void append_wants_ascending_frames(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = any_track(2);
    bl_track_frame f = t->frames[1];
    assert_int_equal(bl_track_append(t, &f, &err), BL_E_FORMAT);
    f.i = 9;
    f.t_ms = -1;
    assert_int_equal(bl_track_append(t, &f, &err), BL_E_FORMAT);
    f.t_ms = NAN;
    assert_int_equal(bl_track_append(t, &f, &err), BL_E_FORMAT);
    assert_int_equal(t->n, 2);
    assert_int_equal(bl_track_create(&t, "", 0, 5, 24, &err), BL_E_FORMAT);
    assert_int_equal(bl_track_create(&t, "", 5, 5, 0, &err), BL_E_FORMAT);
    bl_track_destroy(&t);
}

static void no_number_is_not_written(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = any_track(3);
    t->frames[0].person.world[4].z = NAN;
    assert_int_equal(bl_track_write(t, in_dir("nan.json"), &err), BL_E_INTERNAL);
    t->frames[0].person.world[4].z = 0;
    t->frames[0].person.face.points[467].y = INFINITY;
    assert_int_equal(bl_track_write(t, in_dir("nan.json"), &err), BL_E_INTERNAL);
    assert_false(bl_file_exists(in_dir("nan.json")));
    bl_track_destroy(&t);
}

static void parse_refuses(const char *json, int code, const char *word) {
    bl_err err = {0};
    bl_track *t = NULL;
    int rc = bl_track_parse(&t, json, strlen(json), "x.json", &err);
    if (rc != code || !strstr(err.msg, word) || !strstr(err.msg, "x.json"))
        fail_msg("%s: %d '%s' (wanted '%s')", json, rc, err.msg, word);
    assert_null(t);
}

#define HEAD "{\"format\":\"ballerino-track\",\"version\":1,\"width\":8,\"height\":9,\"fps\":30,"

static void damage_is_named(void **state) {
    (void)state;
    parse_refuses("", BL_E_FORMAT, "too early");
    parse_refuses("hello", BL_E_FORMAT, "byte 0");
    parse_refuses("{}", BL_E_FORMAT, "\"format\" is missing");
    parse_refuses("{\"format\":\"gif\"}", BL_E_FORMAT, "not a pose track");
    parse_refuses("{\"format\":\"ballerino-track\",\"version\":2}", BL_E_MISMATCH, "another version");
    parse_refuses("{\"format\":\"ballerino-track\",\"width\":1e9}", BL_E_FORMAT, "width");
    parse_refuses(HEAD "\"frames\":[", BL_E_FORMAT, "cut off");
    parse_refuses(HEAD "\"frames\":{}}", BL_E_FORMAT, "'['");
    parse_refuses(HEAD "\"frames\":[{\"i\":0.5}]}", BL_E_FORMAT, "\"i\"");
    parse_refuses(HEAD "\"frames\":[{\"i\":0,\"t_ms\":1e99}]}", BL_E_FORMAT, "\"t_ms\"");
    parse_refuses(HEAD "\"frames\":[{\"i\":0,\"t_ms\":1,\"person\":3}]}", BL_E_FORMAT, "\"person\"");
    parse_refuses(HEAD "\"frames\":[{\"i\":0,\"t_ms\":1,\"person\":{\"score\":1,\"landmarks\":[[1]]}}]}",
                  BL_E_FORMAT, "\"landmarks\"");
    parse_refuses(HEAD
                  "\"frames\":[{\"i\":3,\"t_ms\":1,\"person\":null},{\"i\":3,\"t_ms\":2,\"person\":null}]}",
                  BL_E_FORMAT, "does not come after");
    parse_refuses(HEAD "\"frames\":[]} x", BL_E_FORMAT, "the end");
    parse_refuses(HEAD "\"frames\":[],\"frames\":[]}", BL_E_FORMAT, "twice");
    parse_refuses("{\"format\":\"ballerino-track\",\"version\":1,\"width\":8,\"height\":9,\"frames\":[]}",
                  BL_E_FORMAT, "\"fps\" is missing");
}

/* Turns one word of a written track into another of the same length. */
static void a_changed_word_is_refused(const char *from, const char *to, const char *key) {
    bl_err err = {0};
    bl_track *t = any_track(1), *u = NULL;
    char *text;
    size_t size;
    assert_ok(bl_track_write(t, in_dir("t.json"), &err));
    assert_ok(bl_file_read(&text, &size, in_dir("t.json"), 1 << 20, &err));
    char *at = strstr(text, from);
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    assert_int_equal(bl_track_parse(&u, text, size, "x", &err), BL_E_FORMAT);
    assert_non_null(strstr(err.msg, key));
    bl_free(text);
    bl_track_destroy(&t);
}

static void damaged_hands_and_faces_are_named(void **state) {
    (void)state;
    a_changed_word_is_refused("\"left_hand\":{\"score\"", "\"left_hand\":{\"scare\"", "left_hand");
    a_changed_word_is_refused("\"right_hand\":{\"score\":0", "\"right_hand\":{\"score\":7", "right_hand");
    a_changed_word_is_refused("\"face\":{\"score\"", "\"face\":{\"scare\"", "face");
    a_changed_word_is_refused("\"points\":[[", "\"points\":[[],[", "left_hand");
}

static void unknown_keys_and_blanks_are_ignored(void **state) {
    (void)state;
    char text[512];
    snprintf(
        text, sizeof text,
        " { \"later\" : {\"a\":[1,{}]} ,\n%s \"frames\" : [ {\"x\":1,\"i\":4,\"t_ms\":7,\"person\":null} ] , "
        "\"end\":null } \n",
        &HEAD[1]);
    bl_err err = {0};
    bl_track *t = NULL;
    assert_ok(bl_track_parse(&t, text, strlen(text), "x", &err));
    assert_int_equal(t->n, 1);
    assert_int_equal(t->frames[0].i, 4);
    assert_string_equal(t->video, "");
    bl_track_destroy(&t);
}

static void every_cut_is_refused(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = any_track(2), *u = NULL;
    char *text;
    size_t size;
    for (int k = 0; k < 2; k++) { /* too many bytes to cut at each */
        t->frames[k].person.face = (bl_face){0};
        t->frames[k].person.right_hand = (bl_hand){0};
    }
    assert_ok(bl_track_write(t, in_dir("t.json"), &err));
    assert_ok(bl_file_read(&text, &size, in_dir("t.json"), 1 << 20, &err));
    for (size_t cut = 0; cut + 2 < size; cut++) {
        assert_int_equal(bl_track_parse(&u, text, cut, "x", &err), BL_E_FORMAT);
        assert_null(u);
    }
    bl_free(text);
    bl_track_destroy(&t);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = any_track(80), *u = NULL;
    assert_ok(bl_track_write(t, in_dir("t.json"), &err));
    int failed = 0;
    for (int64_t nth = 1; nth < 20; nth++) {
        bl_mem_fail_at(nth);
        int rc = bl_track_read(&u, in_dir("t.json"), &err);
        bl_mem_fail_at(0);
        if (rc == 0) break;
        assert_int_equal(rc, BL_E_NOMEM);
        assert_null(u);
        failed++;
    }
    assert_true(failed >= 5);
    assert_non_null(u);
    bl_track_destroy(&u);
    bl_track_destroy(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_track_is_read_back_bit_for_bit),
        cmocka_unit_test(append_wants_ascending_frames),
        cmocka_unit_test(no_number_is_not_written),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(damaged_hands_and_faces_are_named),
        cmocka_unit_test(unknown_keys_and_blanks_are_ignored),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
