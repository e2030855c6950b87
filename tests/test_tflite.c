/* The TFLite reader and runner: a hand-made model, damage of it, and the real ones where they are installed.
 */
#include <math.h>

#include "pose/models.h"
#include "pose/tflite.h"
#include "pose/tflite_net.h"
#include "support.h"
#include "tflite_make.h"

static fb example;

static const uint8_t *bytes(void) {
    return example.data + example.at;
}

static size_t size(void) {
    return FB_MAX - example.at;
}

static int setup(void **state) {
    (void)state;
    tfl_example(&example);
    const char *path = getenv("TFLITE_EXAMPLE"); /* writes the fuzz corpus' seed */
    return path ? bl_file_write(path, bytes(), size(), NULL) : 0;
}

static void example_reads_as_written(void **state) {
    (void)state;
    bl_err err = {0};
    bl__tflite *m = NULL;
    assert_ok(bl__tflite_open(&m, bytes(), size(), "example", &err));
    assert_int_equal(m->n_tensors, 12);
    assert_int_equal(m->n_ops, 4); /* the three that unpack constants are folded */
    assert_int_equal(m->ops[1].code, BL__TFL_CONV_2D);
    assert_int_equal(m->ops[1].stride_h, 2);
    assert_int_equal(m->ops[1].act, BL__TFL_ACT_RELU);
    assert_int_equal(m->ops[2].in[2], -1);
    float w[6];
    const float expected[6] = {0, 5, 0, 7, 0, 0.5f};
    assert_ok(bl__tflite_floats(m, 9, w, 6, &err));
    assert_memory_equal(w, expected, sizeof w);
    assert_int_equal(bl__tflite_floats(m, 9, w, 5, &err), BL_E_FORMAT);
    bl__tflite_close(&m);
}

/* What the example computes, by its description, at one place. */
static float expected_at(const float *x, int oy, int ox, int c) {
    static const float bias[3] = {0.5f, -1.0f, 0.0f};
    float mid[3];
    for (int o = 0; o < 3; o++) {
        mid[o] = bias[o];
        for (int k = 0; k < 18; k++) {
            int y = oy * 2 + k / 6 - 1, xx = ox * 2 + k / 2 % 3 - 1, index = o * 18 + k;
            float w = index % 3 == 0 ? 1.f : index % 3 == 1 ? -0.25f : 0.f;
            if (y >= 0 && y < 4 && xx >= 0 && xx < 4) mid[o] += w * x[(y * 4 + xx) * 2 + k % 2];
        }
        mid[o] = fmaxf(mid[o], 0);
    }
    return c == 0 ? 5 * mid[1] : 7 * mid[0] + 0.5f * mid[2];
}

static void run_example(int reference) {
    bl_err err = {0};
    bl__net *net = NULL;
    assert_ok(bl__net_open(&net, bytes(), size(), "example",
                           &(bl__net_options){.outputs = 3, .reference = reference}, &err));
    assert_int_equal(bl__net_input_count(net), 32);
    float x[32];
    for (int k = 0; k < 32; k++) bl__net_input(net)[k] = x[k] = sinf((float)k);
    assert_ok(bl__net_run(net, &err));
    assert_int_equal(bl__net_output_count(net, 0), 8);
    assert_null(bl__net_output(net, 2));
    for (int k = 0; k < 8; k++) {
        float y = expected_at(x, k / 4, k / 2 % 2, k % 2);
        assert_true(fabsf(bl__net_output(net, 0)[k] - y) < 1e-4f);
        assert_true(fabsf(bl__net_output(net, 1)[k] - 1 / (1 + expf(-y))) < 1e-5f);
    }
    bl__net_close(&net);
}

static void example_runs_as_described(void **state) {
    (void)state;
    run_example(1);
    run_example(0);
}

static void unwanted_outputs_are_left_out(void **state) {
    (void)state;
    bl_err err = {0};
    bl__net *net = NULL;
    assert_ok(bl__net_open(&net, bytes(), size(), "example", &(bl__net_options){.outputs = 2, .reference = 1},
                           &err));
    assert_null(bl__net_output(net, 0));
    assert_non_null(bl__net_output(net, 1));
    bl__net_close(&net);
}

/* 0 or one of the statuses that damage may give, with a sentence; and nothing half-built. */
static int tolerates(const uint8_t *data, size_t n) {
    bl_err err = {0};
    bl__net *net = NULL;
    int rc = bl__net_open(&net, data, n, "damaged", &(bl__net_options){.outputs = 3, .reference = 1}, &err);
    if (rc == 0 && bl__net_run(net, &err) < 0) fail_msg("%s", err.msg);
    bl__net_close(&net);
    if (rc != 0 && rc != BL_E_FORMAT && rc != BL_E_UNSUPPORTED) fail_msg("%d %s", rc, err.msg);
    if (rc != 0 && !strstr(err.msg, "damaged")) fail_msg("no name in: %s", err.msg);
    return rc;
}

static void every_cut_and_every_flip_is_survived(void **state) {
    (void)state;
    uint8_t *copy = bl_alloc(size());
    int refused = 0;
    for (size_t n = 0; n < size(); n++) { /* the exact size, so that a sanitizer sees any step outside */
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, bytes(), n);
        refused += tolerates(cut, n) < 0;
        free(cut);
    }
    assert_true(refused > (int)size() / 2);
    for (size_t bit = 0; bit < size() * 8; bit++) {
        memcpy(copy, bytes(), size());
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        (void)tolerates(copy, size());
    }
    bl_free(copy);
}

static void half_floats_widen_exactly(void **state) {
    (void)state;
    static const struct {
        uint16_t half;
        float value;
    } row[] = {{0x0000, 0},        {0x8000, -0.f},       {0x3c00, 1},        {0xc000, -2},
               {0x7bff, 65504},    {0x0400, 0x1p-14f},   {0x0001, 0x1p-24f}, {0x83ff, -0x3ffp-24f},
               {0x7c00, INFINITY}, {0x3555, 0x1.554p-2f}};
    bl_err err = {0};
    bl__tflite *m = NULL;
    assert_ok(bl__tflite_open(&m, bytes(), size(), "example", &err));
    uint16_t stored[54] = {0};
    for (size_t k = 0; k < BL_COUNT(row); k++) stored[k] = row[k].half;
    m->tensors[3].data = (const uint8_t *)stored;
    float w[54];
    assert_ok(bl__tflite_floats(m, 4, w, 54, &err));
    for (size_t k = 0; k < BL_COUNT(row); k++) assert_memory_equal(&w[k], &row[k].value, 4);
    bl__tflite_close(&m);
}

/* Truncated and bit-flipped real models. */
static void real_models_survive_damage(void **state) {
    (void)state;
    bl_err err = {0};
    bl_map map = {0};
    if (bl__models_open(&map, NULL, "pose_detection.tflite", &err) < 0) {
        fprintf(stderr, "SKIP: %s\n", err.msg);
        skip();
    }
    const size_t n = map.size;
    char *data = bl_alloc(n);
    assert_non_null(data);
    memcpy(data, map.data, n);
    bl_map_close(&map);
    bl_rng r;
    bl_rng_seed(&r, 11);
    for (int k = 0; k < 8; k++) {
        size_t cut = (size_t)bl_rng_below(&r, (int64_t)n);
        assert_true(tolerates((const uint8_t *)data, cut) < 0);
    }
    bl__tflite *m = NULL;
    for (int k = 0; k < 1500; k++) { /* the tables lie in front and behind the weights */
        size_t at = (size_t)bl_rng_below(&r, 100000), bit = (size_t)bl_rng_below(&r, 8);
        if (k % 2) at = n - 1 - at;
        data[at] = (char)(data[at] ^ 1 << bit);
        int rc = bl__tflite_open(&m, data, n, "damaged", &err);
        if (rc < 0 && rc != BL_E_FORMAT) fail_msg("%d %s", rc, err.msg);
        bl__tflite_close(&m);
        data[at] = (char)(data[at] ^ 1 << bit);
    }
    bl_free(data);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    bl_err err = {0};
    bl__net *net = NULL;
    int failed = 0;
    for (int64_t nth = 1; nth < 400; nth++) {
        bl_mem_fail_at(nth);
        int rc = bl__net_open(&net, bytes(), size(), "example", &(bl__net_options){.outputs = 3}, &err);
        bl_mem_fail_at(0);
        if (rc == 0) break;
        if (rc != BL_E_NOMEM) fail_msg("%lld: %d %s", (long long)nth, rc, err.msg);
        assert_null(net);
        failed++;
    }
    assert_non_null(net);
    assert_true(failed > 10);
    bl__net_close(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_reads_as_written),
        cmocka_unit_test(example_runs_as_described),
        cmocka_unit_test(unwanted_outputs_are_left_out),
        cmocka_unit_test(every_cut_and_every_flip_is_survived),
        cmocka_unit_test(half_floats_widen_exactly),
        cmocka_unit_test(real_models_survive_damage),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
