/* Which network a training is judged by: the job's choice, the preset's, and what each stage gets. */
#include "support.h"
#include "transfer/perceptual.h"

static bl__preset preset_of(bl_preset which) {
    bl__preset p = bl__preset_of(which, BL_SCENE_COMPOSITE);
    for (int s = 0; s < BL__STAGES; s++) p.stage[s].train.w_perceptual = 0;
    return p;
}

static void nothing_is_asked_for(void **state) {
    (void)state;
    static const char *const choices[] = {NULL, "", "none"};
    for (size_t i = 0; i < BL_COUNT(choices); i++) {
        bl_err err = {0};
        bl__perceptual p = {0};
        bl__preset preset = preset_of(BL_PRESET_DRAFT);
        if (i == 2) preset.stage[BL__STAGE_MAIN].train.w_perceptual = 3;
        assert_ok(bl__perceptual_open(&p, &preset, choices[i], "/nonexistent", &err));
        for (int s = 0; s < BL__STAGES; s++) {
            assert_null(preset.stage[s].train.perceptual);
            assert_true(preset.stage[s].train.w_perceptual <= 0);
        }
        bl__perceptual_close(&p);
    }
}

/* What only a preset wants does not stand in the way where the models are missing. */
static void a_presets_wish_is_not_a_must(void **state) {
    (void)state;
    bl_err err = {0};
    bl__perceptual p = {0};
    bl__preset preset = bl__preset_of(BL_PRESET_DRAFT, BL_SCENE_COMPOSITE);
    assert_true(preset.stage[BL__STAGE_MAIN].train.w_perceptual > 0);
    assert_ok(bl__perceptual_open(&p, &preset, NULL, "/nonexistent", &err));
    assert_null(preset.stage[BL__STAGE_MAIN].train.perceptual);
    assert_true(preset.stage[BL__STAGE_MAIN].train.w_perceptual <= 0);
    bl__perceptual_close(&p);
}

static void landmark_models(void **state) {
    (void)state;
    bl_err err = {0};
    bl__perceptual p = {0};
    bl__preset preset = preset_of(BL_PRESET_DRAFT);
    preset.stage[BL__STAGE_MAIN].train.w_perceptual = 3; /* the preset's own choice */
    preset.stage[BL__STAGE_FACE].on = 1;
    int rc = bl__perceptual_open(&p, &preset, "pose", NULL, &err);
    if (rc == BL_E_MODELS) {
        printf("SKIP: %s\n", err.msg);
        bl__perceptual_close(&p);
        skip();
    }
    assert_ok(rc);
    const bl__stage_plan *m = &preset.stage[BL__STAGE_MAIN], *face = &preset.stage[BL__STAGE_FACE];
    assert_ptr_equal(m->train.perceptual, &p.on_body);
    assert_ptr_equal(face->train.perceptual, &p.on_face);
    assert_true(m->train.w_perceptual == 3 && face->train.w_perceptual > 0 && m->train.w_l1 > 0);
    bl__perceptual_close(&p);
    preset = preset_of(BL_PRESET_DRAFT);
    preset.stage[BL__STAGE_MAIN].train.w_perceptual = 3;
    assert_ok(bl__perceptual_open(&p, &preset, "", NULL, &err));
    assert_ptr_equal(preset.stage[BL__STAGE_MAIN].train.perceptual, &p.on_body);
    assert_null(preset.stage[BL__STAGE_FACE].train.perceptual);
    bl__perceptual_close(&p);
    bl__preset other = preset_of(BL_PRESET_DRAFT);
    assert_int_equal(bl__perceptual_open(&p, &other, "pose", "/nonexistent", &err), BL_E_MODELS);
    bl__perceptual_close(&p);
}

/* Only what tells the networks apart: loading would find the rest missing. */
static void write_marks(const char *path, const char *mark) {
    bl_err err = {0};
    static float w[64 * 3 * 3 * 3];
    bl_tensor t[2] = {
        {.name = "features.0.weight", .rank = 4, .dims = {64, 3, 3, 3}, .data = w, .bytes = sizeof w},
        {.name = mark, .rank = 1, .dims = {1}, .data = w, .bytes = sizeof *w}};
    bl_tensor_meta meta = {"format", "test"};
    assert_ok(bl_tensors_write(path, t, 2, &meta, 1, &err));
}

static void vgg19_from_a_file(void **state) {
    (void)state;
    bl_err err = {0};
    char path[] = "/tmp/bl_vgg_XXXXXX";
    close(mkstemp(path));
    write_marks(path, "features.16.weight");
    bl__perceptual p = {0};
    bl__preset preset = preset_of(BL_PRESET_DRAFT);
    assert_ok(bl__perceptual_open(&p, &preset, path, NULL, &err));
    assert_ptr_equal(preset.stage[BL__STAGE_MAIN].train.perceptual, &p.on_vgg19);
    assert_true(preset.stage[BL__STAGE_MAIN].train.w_l1 > 0); /* beside L1 */
    bl__perceptual_close(&p);
    preset = preset_of(
        BL_PRESET_PAPER); /* in place of L1; method.md 8: 10 a frame of two, half in the coarse stage */
    assert_ok(bl__perceptual_open(&p, &preset, path, NULL, &err));
    preset.stage[BL__STAGE_MAIN].net.width = 1024, preset.stage[BL__STAGE_MAIN].net.height = 512;
    bl__preset_coarse(&preset);
    assert_true(preset.stage[BL__STAGE_MAIN].train.w_perceptual == 20);
    assert_true(preset.stage[BL__STAGE_MAIN].train.w_l1 <= 0);
    assert_true(preset.stage[BL__STAGE_GLOBAL].train.w_perceptual == 10);
    assert_true(preset.stage[BL__STAGE_FACE].train.w_perceptual == 5);
    bl__perceptual_close(&p);
    write_marks(path, "features.17.weight");
    preset = preset_of(BL_PRESET_DRAFT);
    assert_int_equal(bl__perceptual_open(&p, &preset, path, NULL, &err), BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "VGG16"));
    bl__perceptual_close(&p);
    unlink(path);
    assert_true(bl__perceptual_open(&p, &preset, path, NULL, &err) < 0);
    bl__perceptual_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_for),
        cmocka_unit_test(a_presets_wish_is_not_a_must),
        cmocka_unit_test(landmark_models),
        cmocka_unit_test(vgg19_from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
