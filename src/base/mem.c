/* Allocation with a failure switch for tests. Blocks are 64-byte aligned and zeroed. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ballerino/base.h"

/* Large blocks are walked through again and again: pages of 2 MiB spare the processor looking up 4 KiB ones.
 */
#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_FROM ((size_t)32 << 20)

static atomic_llong fail_countdown;

static int must_fail(void) {
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0) return 0;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

void bl_mem_fail_at(int64_t nth) {
    atomic_store(&fail_countdown, nth);
}

void *bl_alloc(size_t bytes) {
    if (must_fail() || bytes > SIZE_MAX / 2) return NULL;
    size_t page = bytes >= HUGE_FROM ? HUGE_PAGE : 64;
    size_t size = (bytes + 64) & ~(size_t)63; /* at least one line, a multiple of the alignment */
    void *p = aligned_alloc(page, (size + page - 1) & ~(page - 1));
    if (p && page == HUGE_PAGE) (void)madvise(p, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE); /* a wish */
    if (p) memset(p, 0, size);
    return p;
}

void *bl_alloc_array(size_t count, size_t size) {
    if (size && count > SIZE_MAX / 2 / size) return NULL;
    return bl_alloc(count * size);
}

void *bl_realloc_array(void *p, size_t old_count, size_t count, size_t size) {
    void *q = bl_alloc_array(count, size);
    if (!q) return NULL;
    if (p) memcpy(q, p, BL_MIN(old_count, count) * size);
    free(p);
    return q;
}

char *bl_strdup(const char *s) {
    size_t n = strlen(s) + 1;
    char *p = bl_alloc(n);
    if (p) memcpy(p, s, n);
    return p;
}

void bl_free(void *p) {
    free(p);
}

/* What the machine has left, in bytes; 0 = unknown. */
static int64_t machine_has(void) {
    FILE *f = fopen("/proc/meminfo", "r");
    if (!f) return 0;
    char line[128];
    long long kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1) break;
    fclose(f);
    return (int64_t)kib * 1024;
}

static int64_t number_in(const char *path) {
    FILE *f = fopen(path, "r");
    long long n = 0;
    if (!f) return -1;
    if (fscanf(f, "%lld", &n) != 1) n = -1; /* "max" */
    fclose(f);
    return n;
}

/* What a container (cgroup v2) grants; -1 = no limit. */
static int64_t container_has(void) {
    int64_t limit = number_in("/sys/fs/cgroup/memory.max"), used = number_in("/sys/fs/cgroup/memory.current");
    return limit > 0 && used >= 0 ? BL_MAX(limit - used, 1) : -1;
}

/* What the limit on this process's address space (ulimit -v) leaves; -1 = no limit. */
static int64_t limit_leaves(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_AS, &r) != 0 || r.rlim_cur == RLIM_INFINITY) return -1;
    int64_t pages = number_in("/proc/self/statm");
    return pages < 0 ? -1 : BL_MAX((int64_t)r.rlim_cur - pages * sysconf(_SC_PAGESIZE), 1);
}

int64_t bl_mem_available(void) {
    int64_t least = machine_has(), others[] = {container_has(), limit_leaves()};
    for (size_t i = 0; i < BL_COUNT(others); i++)
        if (others[i] > 0 && (least == 0 || others[i] < least)) least = others[i];
    return least;
}

int bl_mem_need(int64_t bytes, const char *what, bl_err *err) {
    int64_t has = bl_mem_available();
    if (has == 0 || has >= bytes) return 0;
    return bl_fail(err, BL_E_NOMEM,
                   "%s needs about %lld MB of memory and only %lld MB are free; close other programs", what,
                   (long long)(bytes >> 20), (long long)(has >> 20));
}
