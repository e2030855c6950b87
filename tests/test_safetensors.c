/* Safetensors: round trip, and every way of being damaged that we could think of. */
#include <fcntl.h>

#include "ballerino/safetensors.h"
#include "support.h"

static char path[64];

static int begin(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/bl_tensors_%d.safetensors", (int)getpid());
    return 0;
}

static int end(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static const float weights[6] = {1, -2, 3.5f, 0, 1e-30f, 7};
static const uint8_t pixels[5] = {1, 2, 3, 4, 255};
static const uint64_t words[2] = {1, UINT64_MAX};

static void write_sample(void) {
    bl_err err = {0};
    const bl_tensor t[] = {
        {.name = "pixels", .dtype = BL_DT_U8, .rank = 1, .dims = {5}, .data = pixels, .bytes = 5},
        {.name = "G.in.weight",
         .dtype = BL_DT_F32,
         .rank = 2,
         .dims = {2, 3},
         .data = weights,
         .bytes = sizeof weights},
        {.name = "rng", .dtype = BL_DT_U64, .rank = 1, .dims = {2}, .data = words, .bytes = sizeof words},
        {.name = "none", .dtype = BL_DT_F32, .rank = 2, .dims = {0, 4}, .data = weights, .bytes = 0},
        {.name = "scalar", .dtype = BL_DT_F32, .rank = 0, .data = weights + 2, .bytes = 4},
    };
    const bl_tensor_meta meta[] = {{"consent", "Jos\xc3\xa9 \"J\", 1 May\nyes\\no"}, {"empty", ""}};
    assert_ok(bl_tensors_write(path, t, (int)BL_COUNT(t), meta, (int)BL_COUNT(meta), &err));
}

static void test_round_trip(void **state) {
    (void)state;
    bl_err err = {0};
    bl_tensors *t = NULL;
    write_sample();
    assert_ok(bl_tensors_read(&t, path, &err));
    assert_int_equal(bl_tensors_count(t), 5);
    const bl_tensor *w = bl_tensors_need(t, "G.in.weight", BL_DT_F32, 2, (const int64_t[]){2, 3}, &err);
    assert_non_null(w);
    assert_memory_equal(w->data, weights, sizeof weights);
    assert_int_equal((uintptr_t)w->data % 4, 0);
    assert_int_equal((uintptr_t)bl_tensors_find(t, "rng")->data % 8, 0);
    assert_memory_equal(bl_tensors_find(t, "pixels")->data, pixels, 5);
    assert_int_equal(bl_tensors_find(t, "scalar")->rank, 0);
    assert_int_equal(bl_tensors_find(t, "none")->bytes, 0);
    assert_string_equal(bl_tensors_meta(t, "consent"), "Jos\xc3\xa9 \"J\", 1 May\nyes\\no");
    assert_string_equal(bl_tensors_meta(t, "empty"), "");
    assert_null(bl_tensors_meta(t, "other"));
    assert_null(bl_tensors_at(t, 5));
    bl_tensors_close(&t);
    assert_null(t);
    bl_tensors_close(&t);
}

static void test_need_says_what_differs(void **state) {
    (void)state;
    bl_err err = {0};
    bl_tensors *t = NULL;
    write_sample();
    assert_ok(bl_tensors_read(&t, path, &err));
    assert_null(bl_tensors_need(t, "G.in.weight", BL_DT_F32, 2, (const int64_t[]){3, 2}, &err));
    assert_int_equal(err.code, BL_E_MISMATCH);
    assert_non_null(strstr(err.msg, "G.in.weight"));
    assert_non_null(strstr(err.msg, "2x3"));
    assert_null(bl_tensors_need(t, "pixels", BL_DT_F32, 1, (const int64_t[]){5}, &err));
    assert_null(bl_tensors_need(t, "gone", BL_DT_F32, 1, (const int64_t[]){5}, &err));
    assert_non_null(strstr(err.msg, "gone"));
    bl_tensors_close(&t);
}

/* A flipped bit is refused; the only one that may pass unseen is one that renames the sha256 key itself. */
static void test_every_flipped_bit(void **state) {
    (void)state;
    bl_err err = {0};
    char *data = NULL;
    size_t size = 0;
    write_sample();
    assert_ok(bl_file_read(&data, &size, path, 1 << 20, &err));
    for (size_t bit = 0; bit < size * 8; bit++) {
        bl_tensors *t = NULL;
        data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
        int rc = bl_tensors_parse(&t, data, size, "flipped", &err);
        if (rc == 0) {
            assert_null(bl_tensors_meta(t, "sha256"));
            assert_in_range(bit / 8, 8, 8 + 26);
        } else {
            assert_true(rc == BL_E_FORMAT || rc == BL_E_UNSUPPORTED);
            assert_true(strlen(err.msg) > 20);
        }
        bl_tensors_close(&t);
        data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
    }
    bl_free(data);
}

static void test_every_truncation(void **state) {
    (void)state;
    bl_err err = {0};
    char *data = NULL;
    size_t size = 0;
    write_sample();
    assert_ok(bl_file_read(&data, &size, path, 1 << 20, &err));
    for (size_t n = 0; n < size; n++) {
        bl_tensors *t = NULL;
        char *copy = bl_alloc(n);
        memcpy(copy, data, n);
        assert_int_equal(bl_tensors_parse(&t, copy, n, "cut", &err), BL_E_FORMAT);
        assert_null(t);
        bl_free(copy);
    }
    assert_int_equal(truncate(path, 100), 0);
    bl_tensors *t = NULL;
    assert_int_equal(bl_tensors_read(&t, path, &err), BL_E_FORMAT);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(bl_tensors_read(&t, path, &err), BL_E_FORMAT);
    bl_free(data);
}

static int parse_text(const char *header, size_t body, uint64_t length_add) {
    bl_err err = {0};
    bl_tensors *t = NULL;
    size_t n = strlen(header);
    uint64_t length = n + length_add;
    char *data = bl_alloc(8 + n + body);
    memcpy(data, &length, 8);
    memcpy(data + 8, header, n);
    int rc = bl_tensors_parse(&t, data, 8 + n + body, "text", &err);
    bl_tensors_close(&t);
    bl_free(data);
    return rc;
}

static void test_lying_headers(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t body;
        int code;
    } cases[] = {
        {"{}", 0, 0},
        {"{}", 1, BL_E_FORMAT},
        {"[]", 0, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}   ", 4, 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
         BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
         BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}", 8, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 8, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-4,0]}}", 8, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]}}", 4, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"Q9\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, BL_E_UNSUPPORTED},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
         6, BL_E_FORMAT},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
         1, BL_E_FORMAT},
        {"{\"a\":7}", 0, BL_E_FORMAT},
        {"{\"__metadata__\":{\"a\":\"b\"}}", 0, 0},
        {"{\"__metadata__\":{\"a\":1}}", 0, BL_E_FORMAT},
        {"{\"__metadata__\":\"a\"}", 0, BL_E_FORMAT},
        {"{\"__metadata__\":{\"sha256\":\"00\"}}", 0, BL_E_FORMAT},
        {"{\"__metadata__\":{\"b\":\"\",\"sha256\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\"}}",
         0, BL_E_FORMAT},
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        if (parse_text(cases[i].header, cases[i].body, 0) != cases[i].code)
            fail_msg("case %zu: %s", i, cases[i].header);
    assert_int_equal(parse_text("{}", 0, 1), BL_E_FORMAT);
    assert_int_equal(parse_text("{}", 64, UINT64_MAX - 3), BL_E_FORMAT);
}

static void test_writer_refuses_and_leaves_nothing(void **state) {
    (void)state;
    bl_err err = {0};
    bl_tensor one = {.name = "a", .dtype = BL_DT_U8, .rank = 1, .dims = {5}, .data = pixels, .bytes = 5};
    bl_tensor two[2] = {one, one};
    unlink(path);
    assert_int_equal(bl_tensors_write(path, two, 2, NULL, 0, &err), BL_E_INTERNAL);
    one.bytes = 4;
    assert_int_equal(bl_tensors_write(path, &one, 1, NULL, 0, &err), BL_E_INTERNAL);
    one.bytes = 5;
    assert_int_equal(bl_tensors_write(path, &one, 1, &(bl_tensor_meta){"k", "\xff\xfe"}, 1, &err),
                     BL_E_USAGE);
    assert_int_equal(bl_tensors_write("/dev/null/folder/x", &one, 1, NULL, 0, &err), BL_E_IO);
    assert_int_equal(access(path, F_OK), -1);
    bl_tensors *t = NULL;
    assert_int_equal(bl_tensors_read(&t, path, &err), BL_E_NOT_FOUND);
    assert_int_equal(bl_tensors_read(&t, "/tmp", &err), BL_E_NOT_FOUND);
}

static void test_out_of_memory(void **state) {
    (void)state;
    bl_err err = {0};
    write_sample();
    int ended = 0;
    for (int64_t nth = 1; nth < 50 && !ended; nth++) {
        bl_tensors *t = NULL;
        bl_mem_fail_at(nth);
        int rc = bl_tensors_read(&t, path, &err);
        bl_mem_fail_at(0);
        if (rc == 0)
            ended = 1;
        else
            assert_int_equal(rc, BL_E_NOMEM);
        bl_tensors_close(&t);
    }
    assert_int_equal(ended, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_need_says_what_differs),
        cmocka_unit_test(test_every_flipped_bit), cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_lying_headers),     cmocka_unit_test(test_writer_refuses_and_leaves_nothing),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
