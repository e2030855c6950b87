/* Jobs lie open in a few places; who has time takes parts of them. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "ballerino/base.h"

/* How long a thread looks for what it waits for before it sleeps, in seconds: helpers for work, longer than
 * what mostly lies between two operators; callers for the end of the last part. Waking costs about as much,
 * and a neighbour does not notice it. */
#define SPIN_IDLE 50e-6
#define SPIN_DONE 20e-6

#define SHARES 4  /* parts a thread */
#define PLACES 32 /* jobs at a time; further callers work alone */
#define MOST_HELPERS 1023

/* One call of bl_team_run. All that changes while helpers come and go is in one word: how many parts nobody
 * has taken yet, how many helpers are in a part, how many may be, and whether the caller sleeps until none
 * is. fn, arg and parts are read by who is in a part, and then they stay. */
typedef struct job {
    _Alignas(64) atomic_uint_fast64_t state;
    bl_team_part *fn;
    const void *arg;
    int parts;
    sem_t done;
} job;

#define INSIDE ((uint64_t)1)
#define ASLEEP ((uint64_t)1 << 15)
#define LIMIT ((uint64_t)1 << 16)
#define LEFT ((uint64_t)1 << 32)

static inline int left_of(uint64_t state) {
    return (int)(state >> 32);
}
static inline uint64_t inside_of(uint64_t state) {
    return state & (ASLEEP - 1);
}
static inline uint64_t limit_of(uint64_t state) {
    return state / LIMIT & 0xffff;
}

static struct team {
    job jobs[PLACES];
    _Alignas(64) atomic_uint used; /* a bit a place */
    _Alignas(64) atomic_uint open; /* a bit a job that may have parts left */
    _Alignas(64) atomic_int sleepers;
    atomic_int helpers;
    sem_t bell; /* a post a sleeper to be woken */
    pthread_mutex_t growing;
} team;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static inline void relax(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

static void wait_for(sem_t *s) {
    while (sem_wait(s) != 0 && errno == EINTR) continue;
}

/* ---- parts ---- */
/* Takes a part of the job, as helper or as caller; -1: none left, or helpers enough. */
static int take(job *j, int helper) {
    uint64_t s = atomic_load_explicit(&j->state, memory_order_relaxed);
    do {
        if (left_of(s) == 0 || (helper && inside_of(s) >= limit_of(s))) return -1;
    } while (!atomic_compare_exchange_weak_explicit(&j->state, &s, s - LEFT + (helper ? INSIDE : 0),
                                                    memory_order_acquire, memory_order_relaxed));
    return j->parts - left_of(s);
}

static void leave(job *j) {
    uint64_t s = atomic_fetch_sub_explicit(&j->state, INSIDE, memory_order_acq_rel);
    if ((s & ASLEEP) && inside_of(s) == 1 && left_of(s) == 0) sem_post(&j->done);
}

/* ---- helpers ---- */
/* Does a part of each open job that wants help; returns whether there was one. */
static int help(void) {
    int did = 0;
    unsigned open = atomic_load(&team.open);
    for (int k = 0; open; k++, open >>= 1) {
        job *j = &team.jobs[k];
        if (!(open & 1)) continue;
        for (int part; (part = take(j, 1)) >= 0; did = 1) {
            j->fn(j->arg, part);
            leave(j);
        }
    }
    return did;
}

static int help_soon(void) {
    const double until = bl_now() + SPIN_IDLE;
    do {
        for (int k = 0; k < 16; k++) {
            if (help()) return 1;
            relax();
        }
    } while (bl_now() < until);
    return 0;
}

/* Out of the list of sleepers; 0: somebody has rung, or is about to. */
static int withdraw(void) {
    int n = atomic_load(&team.sleepers);
    while (n > 0 && !atomic_compare_exchange_weak(&team.sleepers, &n, n - 1)) continue;
    return n > 0;
}

static void *work(void *arg) {
    (void)arg;
    for (;;) {
        while (help_soon()) continue;
        atomic_fetch_add(&team.sleepers, 1);
        if (help() && withdraw()) continue;
        wait_for(&team.bell);
    }
    return NULL;
}

static void wake(int wanted) {
    while (wanted-- > 0 && withdraw()) sem_post(&team.bell);
}

static void grow(int wanted) {
    pthread_attr_t a;
    if (atomic_load_explicit(&team.helpers, memory_order_relaxed) >= wanted) return;
    pthread_mutex_lock(&team.growing);
    if (pthread_attr_init(&a) == 0) {
        pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
        while (atomic_load(&team.helpers) < wanted) {
            pthread_t t;
            if (pthread_create(&t, &a, work, NULL) != 0) break;
            atomic_fetch_add(&team.helpers, 1);
        }
        pthread_attr_destroy(&a);
    }
    pthread_mutex_unlock(&team.growing);
}

/* After a fork the child has none of the threads. */
static void start(void) {
    for (int k = 0; k < PLACES; k++) {
        atomic_store(&team.jobs[k].state, 0);
        sem_init(&team.jobs[k].done, 0, 0);
    }
    sem_init(&team.bell, 0, 0);
    pthread_mutex_init(&team.growing, NULL);
    atomic_store(&team.used, 0);
    atomic_store(&team.open, 0);
    atomic_store(&team.sleepers, 0);
    atomic_store(&team.helpers, 0);
}

static void start_once(void) {
    start();
    pthread_atfork(NULL, NULL, start);
}

/* ---- callers ---- */
static job *find_place(unsigned *bit) {
    unsigned used = atomic_load_explicit(&team.used, memory_order_relaxed);
    while (~used) {
        *bit = ~used & (used + 1);
        if (atomic_compare_exchange_weak_explicit(&team.used, &used, used | *bit, memory_order_acquire,
                                                  memory_order_relaxed))
            return &team.jobs[__builtin_ctz(*bit)];
    }
    return NULL;
}

static int finished(job *j) {
    return inside_of(atomic_load_explicit(&j->state, memory_order_acquire)) == 0;
}

static void wait_until_done(job *j) {
    if (finished(j)) return;
    const double until = bl_now() + SPIN_DONE;
    do {
        for (int k = 0; k < 16; k++) {
            if (finished(j)) return;
            relax();
        }
    } while (bl_now() < until);
    if (inside_of(atomic_fetch_or_explicit(&j->state, ASLEEP, memory_order_acq_rel)) > 0) wait_for(&j->done);
}

void bl_team_run(int threads, int parts, bl_team_part *fn, const void *arg) {
    unsigned bit = 0;
    job *j = NULL;
    if (threads > 1 && parts > 1) {
        pthread_once(&once, start_once);
        grow(BL_MIN(threads - 1, MOST_HELPERS));
        j = find_place(&bit);
    }
    if (!j) {
        for (int k = 0; k < parts; k++) fn(arg, k);
        return;
    }
    const int helpers = BL_MIN(BL_MIN(threads, parts) - 1, MOST_HELPERS);
    j->fn = fn;
    j->arg = arg;
    j->parts = parts;
    atomic_store_explicit(&j->state, (uint64_t)parts * LEFT + (uint64_t)helpers * LIMIT,
                          memory_order_release);
    atomic_fetch_or(&team.open, bit);
    wake(helpers);
    for (int part; (part = take(j, 0)) >= 0;) fn(arg, part);
    atomic_fetch_and_explicit(&team.open, ~bit, memory_order_relaxed);
    wait_until_done(j);
    atomic_fetch_and_explicit(&team.used, ~bit, memory_order_release);
}

int bl_team_parts(int threads) {
    return threads > 1 ? SHARES * threads : 1;
}

typedef struct split {
    bl_team_range *fn;
    const void *arg;
    int64_t n;
    int parts;
} split;

static void split_part(const void *arg, int part) {
    const split *s = arg;
    s->fn(s->arg, s->n * part / s->parts, s->n * (part + 1) / s->parts);
}

void bl_team_split(int threads, int64_t n, bl_team_range *fn, const void *arg) {
    const split s = {fn, arg, n, (int)BL_MIN(n, bl_team_parts(threads))};
    bl_team_run(threads, s.parts, split_part, &s);
}
