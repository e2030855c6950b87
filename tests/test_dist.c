/* A group of processes: what they do together, alone and (tests/mpi.sh) as two or three. */
#include <sys/resource.h>
#include <time.h>

#include "ballerino/dist.h"
#include "support.h"

static bl_dist *group;

static int rank(void) {
    return bl_dist_rank(group);
}
static int size(void) {
    return bl_dist_size(group);
}

static void everybody_has_a_place(void **state) {
    (void)state;
    bl_err err = {0};
    const char *asked = getenv("TEST_RANKS");
    assert_int_equal(size(), asked ? strtol(asked, NULL, 10) : 1);
    assert_in_range(rank(), 0, size() - 1);
    assert_int_equal(bl_dist_local_size(group), size());
    assert_int_equal(bl_dist_local_rank(group), rank());
    assert_in_range(bl_dist_threads(group), 1, bl_cpu_count());
    assert_true(bl_dist_threads(group) == 1 || bl_dist_threads(group) * size() <= bl_cpu_count());
    double seen[3] = {0};
    seen[rank()] = 1;
    assert_ok(bl_dist_sum_doubles(group, seen, 3, &err));
    for (int i = 0; i < 3; i++) assert_true(seen[i] == (i < size()));
}

static void sums_are_right_and_the_same_everywhere(void **state) {
    (void)state;
    enum { N = 100003 };
    bl_err err = {0};
    float *x = bl_alloc_array(N, sizeof *x), *first = bl_alloc_array(N, sizeof *x);
    for (int i = 0; i < N; i++) x[i] = 1.f / (float)(i + 3 + rank());
    assert_ok(bl_dist_sum_floats(group, x, N, &err));
    for (int i = 0; i < N; i++) {
        double want = 0;
        for (int r = 0; r < size(); r++) want += 1.0 / (i + 3 + r);
        assert_near(x[i], want, 1e-6 * want);
    }
    memcpy(first, x, N * sizeof *x);
    assert_ok(bl_dist_broadcast(group, first, N * sizeof *x, &err));
    assert_memory_equal(first, x, N * sizeof *x);
    bl_free(first);
    bl_free(x);
}

static void bytes_are_handed_out_and_collected(void **state) {
    (void)state;
    bl_err err = {0};
    char text[32], all[3][32] = {{0}};
    snprintf(text, sizeof text, "from %d", rank());
    assert_ok(bl_dist_gather(group, all, text, sizeof text, &err));
    for (int r = 0; rank() == 0 && r < size(); r++) {
        char want[32];
        snprintf(want, sizeof want, "from %d", r);
        assert_string_equal(all[r], want);
    }
    assert_ok(bl_dist_broadcast(group, text, sizeof text, &err));
    assert_string_equal(text, "from 0");
}

static void a_bit_of_one_is_everybodys(void **state) {
    (void)state;
    bl_err err = {0};
    unsigned bits = 1u << rank(), none = 0;
    assert_ok(bl_dist_any(group, &bits, &err));
    assert_int_equal(bits, (1u << size()) - 1);
    assert_ok(bl_dist_any(group, &none, &err));
    assert_int_equal(none, 0);
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Who waits for a process that works must leave it the machine. */
static void waiting_takes_no_core(void **state) {
    (void)state;
    bl_err err = {0};
    assert_ok(bl_dist_barrier(group, &err));
    const double t0 = bl_now(), cpu = cpu_seconds();
    if (rank() == 0) nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    assert_ok(bl_dist_barrier(group, &err));
    const double waited = bl_now() - t0, share = (cpu_seconds() - cpu) / waited;
    assert_true(waited > 1.9);
    fprintf(stderr, "process %d waited %.2f s and took %.2f %% of a core\n", rank(), waited, 100 * share);
    assert_true(share < 0.05);
}

static void parameters_become_equal_and_gradients_means(void **state) {
    (void)state;
    bl_err err = {0};
    bl_params *ps = NULL;
    assert_ok(bl_params_create(&ps, &err));
    static const char *const names[] = {"G.a", "P.frozen", "G.b", "D0.a"};
    for (int i = 0; i < 4; i++)
        assert_true(bl_params_add(ps, names[i], 1, (int[]){37 + i}, BL_INIT_NORMAL, 1, &err) == i);
    assert_ok(bl_params_freeze(ps, "P.", &err));
    assert_ok(bl_params_seal(ps, (uint64_t)(7 + rank()), 1, &err)); /* everybody's own */
    if (size() > 1) {
        const int rc = bl_dist_check_params(group, ps, &err); /* rank 0 is right by definition */
        assert_int_equal(rc, rank() == 0 ? 0 : BL_E_INTERNAL);
    }
    assert_ok(bl_dist_share_params(group, ps, &err));
    assert_ok(bl_dist_check_params(group, ps, &err));
    for (int i = 0; i < 4; i += 1)
        for (int k = 0; bl_params_data(ps, i, BL_SLAB_GRAD) && k < 37 + i; k++)
            bl_params_data(ps, i, BL_SLAB_GRAD)[k] = (float)(k * (rank() + 1));
    assert_ok(bl_dist_average_gradients(group, ps, "G.", &err));
    for (int i = 0; i < 4; i++)
        for (int k = 0; bl_params_data(ps, i, BL_SLAB_GRAD) && k < 37 + i; k++) {
            const double mean = k * (size() + 1) / 2.0, own = k * (rank() + 1);
            assert_near(bl_params_data(ps, i, BL_SLAB_GRAD)[k], i == 3 ? own : mean, 1e-5 * mean);
        }
    assert_null(bl_params_data(ps, 1, BL_SLAB_GRAD));
    bl_params_destroy(&ps);
}

/* A missing call, or another size, is noticed instead of waited for. */
static void different_ways_are_noticed(void **state) {
    (void)state;
    bl_err err = {0};
    float x[4] = {0};
    if (size() == 1) skip();
    assert_int_equal(bl_dist_sum_floats(group, x, rank() == 0 ? 3 : 4, &err), BL_E_INTERNAL);
    assert_int_equal(rank() == 0 ? bl_dist_barrier(group, &err) : bl_dist_sum_floats(group, x, 4, &err),
                     BL_E_INTERNAL);
    assert_non_null(strstr(err.msg, "different ways"));
    assert_ok(bl_dist_barrier(group, &err)); /* and it can go on */
}

/* Without asking the group: what is said of many processes before they have met. */
static void the_launcher_says_the_same(void **state) {
    (void)state;
    assert_int_equal(bl_dist_launched_rank(), rank());
    assert_int_equal(bl_dist_launched_here(), bl_dist_local_size(group));
}

static void specs_are_checked(void **state) {
    (void)state;
    bl_err err = {0};
    bl_dist *other = NULL;
    assert_ok(bl_dist_open(&other, "none", &err));
    assert_null(other);
    assert_int_equal(bl_dist_open(&other, "smoke signals", &err), BL_E_USAGE);
}

/* The last one: it ends the group. */
static void one_failure_is_everybodys(void **state) {
    (void)state;
    bl_err err = {0};
    const int last = size() - 1;
    if (rank() == last) {
        const int rc = bl_fail(&err, BL_E_FOOTAGE, "nobody is in it");
        assert_int_equal(bl_dist_tell(group, rc, &err), 1);
        assert_int_equal(err.code, BL_E_FOOTAGE);
    } else {
        float x[100] = {0};
        assert_int_equal(bl_dist_sum_floats(group, x, 100, &err), BL_E_FOOTAGE);
        assert_int_equal(bl_dist_tell(group, BL_E_FOOTAGE, &err), 0);
    }
    assert_non_null(strstr(err.msg, "nobody is in it"));
    if (size() > 1) assert_int_equal(bl_dist_barrier(group, &err), BL_E_FOOTAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_has_a_place),
        cmocka_unit_test(sums_are_right_and_the_same_everywhere),
        cmocka_unit_test(bytes_are_handed_out_and_collected),
        cmocka_unit_test(a_bit_of_one_is_everybodys),
        cmocka_unit_test(waiting_takes_no_core),
        cmocka_unit_test(parameters_become_equal_and_gradients_means),
        cmocka_unit_test(different_ways_are_noticed),
        cmocka_unit_test(the_launcher_says_the_same),
        cmocka_unit_test(specs_are_checked),
        cmocka_unit_test(one_failure_is_everybodys),
    };
    bl_err err = {0};
    if (bl_dist_open(&group, NULL, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed) bl_dist_abort(group, 1);
    bl_dist_close(&group);
    return failed;
}
