#include "support.h"

static void status_names_and_exit_codes_are_distinct(void **state) {
    (void)state;
    assert_string_equal(bl_status_name(BL_E_FORMAT), "E_FORMAT");
    for (int a = -13; a < 0; a++)
        for (int b = a + 1; b <= 0; b++) assert_int_not_equal(bl_status_exit_code(a), bl_status_exit_code(b));
    assert_int_equal(bl_status_exit_code(-999), 1);
}

static void error_context_goes_in_front(void **state) {
    (void)state;
    bl_err err = {0};
    assert_int_equal(bl_fail(&err, BL_E_IO, "disk %s", "full"), BL_E_IO);
    assert_int_equal(bl_err_context(&err, BL_E_IO, "saving %d", 3), BL_E_IO);
    assert_string_equal(err.msg, "saving 3: disk full");
}

static void sha256_matches_fips_vectors(void **state) {
    (void)state;
    char hex[65];
    bl_sha256 s;
    bl_sha256_init(&s);
    bl_sha256_add(&s, "abc", 3);
    bl_sha256_hex(&s, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bl_sha256_init(&s);
    for (int i = 0; i < 1000000; i++) bl_sha256_add(&s, "a", 1);
    bl_sha256_hex(&s, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void atomic_write_leaves_old_file_until_commit(void **state) {
    (void)state;
    bl_err err = {0};
    char dir[] = "/tmp/bl_base_XXXXXX", path[64], part[80];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/f", dir);
    snprintf(part, sizeof part, "%s.part", path);
    assert_ok(bl_file_write(path, "old", 3, &err));
    bl_file_writer w;
    assert_ok(bl_file_begin(&w, path, &err));
    fputs("new", w.f);
    char *text;
    assert_ok(bl_file_read(&text, NULL, path, 100, &err));
    assert_string_equal(text, "old");
    bl_free(text);
    bl_file_abort(&w);
    assert_false(bl_file_exists(part));
    assert_int_equal(bl_file_read(&text, NULL, path, 2, &err), BL_E_FORMAT);
    assert_int_equal(bl_file_read(&text, NULL, dir, 2, &err), BL_E_NOT_FOUND);
    assert_int_equal(bl_file_write("/proc/nowhere/x", "a", 1, &err), BL_E_IO);
    unlink(path);
    rmdir(dir);
}

static long resident_pages(void) {
    long whole = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &whole, &resident), 2);
    fclose(f);
    return resident;
}

static void maps_are_the_file_and_can_let_go(void **state) {
    (void)state;
    enum { SIZE = 32 << 20 };
    bl_err err = {0};
    bl_map m;
    char dir[] = "/tmp/bl_base_XXXXXX", path[64], *data = bl_alloc(SIZE);
    assert_non_null(mkdtemp(dir));
    assert_non_null(data);
    for (int i = 0; i < SIZE; i++) data[i] = (char)(i % 251);
    snprintf(path, sizeof path, "%s/f", dir);
    assert_ok(bl_file_write(path, data, SIZE, &err));
    assert_ok(bl_map_open(&m, path, &err));
    assert_int_equal(m.size, SIZE);
    assert_memory_equal(m.data, data, SIZE);
    const long before = resident_pages(), page = sysconf(_SC_PAGESIZE);
    bl_map_forget(&m, 100, SIZE); /* what lies beyond the end does not matter */
    assert_true(before - resident_pages() > SIZE * 9L / 10 / page);
    assert_memory_equal(m.data, data, SIZE);
    bl_map_close(&m);
    bl_map_close(&m);
    assert_ok(bl_file_write(path, "", 0, &err));
    assert_ok(bl_map_open(&m, path, &err));
    assert_true(m.size == 0 && !m.data);
    bl_map_forget(&m, 0, 1);
    bl_map_close(&m);
    unlink(path);
    assert_int_equal(bl_map_open(&m, path, &err), BL_E_NOT_FOUND);
    assert_int_equal(bl_map_open(&m, dir, &err), BL_E_NOT_FOUND);
    rmdir(dir);
    bl_free(data);
}

static void allocation_failure_is_injected_once(void **state) {
    (void)state;
    bl_mem_fail_at(2);
    void *a = bl_alloc(1), *b = bl_alloc(1), *c = bl_alloc(1);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    bl_free(a);
    bl_free(c);
    assert_null(bl_alloc_array(SIZE_MAX / 2, 3));
}

static void buffer_respects_its_cap(void **state) {
    (void)state;
    bl_buf b;
    bl_buf_init(&b, 10);
    bl_buf_addf(&b, "%d", 12345);
    bl_buf_add(&b, "67890", 5);
    assert_string_equal(b.data, "1234567890");
    bl_buf_add(&b, "x", 1);
    assert_true(b.failed);
    bl_buf_release(&b);
}

static void rng_repeats_and_is_centred(void **state) {
    (void)state;
    bl_rng a, b;
    bl_rng_seed(&a, 7);
    bl_rng_seed(&b, 7);
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; i++) {
        double x = bl_rng_normal(&a);
        assert_true(x == bl_rng_normal(&b));
        sum += x;
        squares += x * x;
    }
    assert_true(sum / 20000 > -0.03 && sum / 20000 < 0.03);
    assert_true(squares / 20000 > 0.95 && squares / 20000 < 1.05);
}

static void queue_closes_and_drains(void **state) {
    (void)state;
    bl_queue *q = NULL;
    bl_err err = {0};
    int x = 1;
    void *item;
    assert_ok(bl_queue_create(&q, 2, &err));
    assert_int_equal(bl_queue_push(q, &x), 0);
    bl_queue_close(q);
    assert_int_equal(bl_queue_push(q, &x), -1);
    assert_int_equal(bl_queue_pop(q, &item), 1);
    assert_int_equal(bl_queue_pop(q, &item), 0);
    bl_queue_destroy(&q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_names_and_exit_codes_are_distinct),
        cmocka_unit_test(error_context_goes_in_front),
        cmocka_unit_test(sha256_matches_fips_vectors),
        cmocka_unit_test(atomic_write_leaves_old_file_until_commit),
        cmocka_unit_test(maps_are_the_file_and_can_let_go),
        cmocka_unit_test(allocation_failure_is_injected_once),
        cmocka_unit_test(buffer_respects_its_cap),
        cmocka_unit_test(rng_repeats_and_is_centred),
        cmocka_unit_test(queue_closes_and_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
