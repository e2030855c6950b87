/* The team: every part once, whoever takes it, from any number of callers at once. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "ballerino/base.h"
#include "support.h"

static void nap(double seconds) {
    const struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&t, NULL);
}

/* ---- every part once ---- */
typedef struct tally {
    int *count; /* a part; a part that two threads did would race */
    atomic_int now, most;
} tally;

static void count_part(const void *arg, int k) {
    tally *t = *(tally *const *)arg;
    int now = atomic_fetch_add(&t->now, 1) + 1, most = atomic_load(&t->most);
    while (now > most && !atomic_compare_exchange_weak(&t->most, &most, now)) continue;
    t->count[k]++;
    atomic_fetch_sub(&t->now, 1);
}

static void run_counted(int threads, int parts) {
    tally t = {.count = bl_alloc_array((size_t)parts, sizeof *t.count)}, *p = &t;
    assert_non_null(t.count);
    bl_team_run(threads, parts, count_part, &p);
    assert_int_equal(t.now, 0);
    if (parts > 0) assert_in_range(t.most, 1, threads);
    for (int k = 0; k < parts; k++) assert_int_equal(t.count[k], 1);
    bl_free(t.count);
}

static void every_part_is_done_once(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 3, 8}, parts[] = {0, 1, 2, 3, 7, 64, 1000, 100000};
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < BL_COUNT(threads); i++)
            for (size_t k = 0; k < BL_COUNT(parts); k++)
                if (parts[k] < 100000 || round == 0) run_counted(threads[i], parts[k]);
}

/* ---- ranges ---- */
#define MOST 1000

typedef struct cuts {
    int count[MOST];
    atomic_llong sum; /* of products of the ranges' ends: tells one way of cutting from another */
} cuts;

static void count_range(const void *arg, int64_t from, int64_t to) {
    cuts *c = *(cuts *const *)arg;
    for (int64_t i = from; i < to; i++) c->count[i]++;
    atomic_fetch_add(&c->sum, (from + 1) * (to + 7));
    assert_true(from < to);
}

static void ranges_cover_all_and_are_always_the_same(void **state) {
    (void)state;
    static const int sizes[] = {0, 1, 2, 7, 64, 999, MOST};
    for (size_t i = 0; i < BL_COUNT(sizes); i++)
        for (int threads = 1; threads < 6; threads++)
            for (int round = 0, first = 0; round < 20; round++) {
                cuts c = {.sum = 0}, *p = &c;
                bl_team_split(threads, sizes[i], count_range, &p);
                for (int k = 0; k < MOST; k++) assert_int_equal(c.count[k], k < sizes[i]);
                if (round == 0) first = (int)c.sum;
                assert_int_equal(c.sum, first);
            }
}

/* ---- helpers come, also when they have slept ---- */
typedef struct meeting {
    atomic_int here;
} meeting;

static void meet(const void *arg, int k) {
    meeting *m = *(meeting *const *)arg;
    (void)k;
    atomic_fetch_add(&m->here, 1);
    for (int tries = 0; atomic_load(&m->here) < 3 && tries < 200000; tries++) nap(50e-6);
}

static void helpers_come_and_wake(void **state) {
    (void)state;
    for (int round = 0; round < 60; round++) {
        meeting m = {0}, *p = &m;
        bl_team_run(3, 3, meet, &p); /* nobody leaves before three threads are in it */
        assert_int_equal(m.here, 3);
        nap(round % 3 ? 1e-6 * round : 2e-3);
    }
}

/* ---- who is held up ---- */
typedef struct gate {
    sem_t open;
    atomic_int waiting;
} gate;

static void wait_at(const void *arg, int k) {
    gate *g = *(gate *const *)arg;
    (void)k;
    atomic_fetch_add(&g->waiting, 1);
    while (sem_wait(&g->open) != 0) continue;
}

#define STUCK 12

static void *get_stuck(void *arg) {
    bl_team_run(STUCK, STUCK, wait_at, &arg);
    return NULL;
}

static void nobody_waits_for_helpers_that_are_busy_elsewhere(void **state) {
    (void)state;
    pthread_t other;
    gate g = {.waiting = 0};
    assert_int_equal(sem_init(&g.open, 0, 0), 0);
    assert_int_equal(pthread_create(&other, NULL, get_stuck, &g), 0);
    while (atomic_load(&g.waiting) < STUCK) nap(1e-4); /* all helpers there are */
    for (int k = 0; k < 100; k++) run_counted(STUCK, 100);
    for (int k = 0; k < STUCK; k++) sem_post(&g.open);
    assert_int_equal(pthread_join(other, NULL), 0);
    sem_destroy(&g.open);
}

/* ---- many callers, and callers inside of parts ---- */
static void call_again(const void *arg, int k) {
    tally *t = *(tally *const *)arg;
    int count = 0;
    tally inner = {.count = bl_alloc_array(10, sizeof *inner.count)}, *p = &inner;
    bl_team_run(3, 10, count_part, &p);
    for (int i = 0; inner.count && i < 10; i++) count += inner.count[i];
    bl_free(inner.count);
    t->count[k] += count;
}

static void parts_may_call(void **state) {
    (void)state;
    for (int round = 0; round < 200; round++) {
        int count[6] = {0};
        tally t = {.count = count}, *p = &t;
        bl_team_run(4, 6, call_again, &p);
        for (int k = 0; k < 6; k++) assert_int_equal(count[k], 10);
    }
}

static void *call_often(void *arg) {
    atomic_int *wrong = arg;
    for (int round = 0; round < 500; round++) {
        int count[9] = {0};
        tally t = {.count = count}, *p = &t;
        bl_team_run(2 + round % 3, 9, count_part, &p);
        for (int k = 0; k < 9; k++)
            if (count[k] != 1) atomic_fetch_add(wrong, 1);
    }
    return NULL;
}

#define CALLERS 40 /* more than the team has places for */

static void callers_do_not_mind_each_other(void **state) {
    (void)state;
    pthread_t callers[CALLERS];
    atomic_int wrong = 0;
    for (int k = 0; k < CALLERS; k++)
        assert_int_equal(pthread_create(&callers[k], NULL, call_often, &wrong), 0);
    for (int k = 0; k < CALLERS; k++) assert_int_equal(pthread_join(callers[k], NULL), 0);
    assert_int_equal(wrong, 0);
}

/* ---- a fork takes no threads along ---- */
static void a_child_has_a_team_of_its_own(void **state) {
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it does not follow threads of a forked process */
#endif
    run_counted(4, 8);
    const pid_t child = fork();
    if (child == 0) {
        meeting m = {0}, *p = &m;
        bl_team_run(3, 3, meet, &p);
        _exit(m.here == 3 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_done_once),
        cmocka_unit_test(ranges_cover_all_and_are_always_the_same),
        cmocka_unit_test(helpers_come_and_wake),
        cmocka_unit_test(nobody_waits_for_helpers_that_are_busy_elsewhere),
        cmocka_unit_test(parts_may_call),
        cmocka_unit_test(callers_do_not_mind_each_other),
        cmocka_unit_test(a_child_has_a_team_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
