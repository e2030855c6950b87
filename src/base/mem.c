/* Allocation with a failure switch for tests. Blocks are 64-byte aligned and zeroed. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"

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
    size_t size = (bytes + 64) & ~(size_t)63; /* at least one line, a multiple of the alignment */
    void *p = aligned_alloc(64, size);
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

int64_t bl_mem_available(void) {
    FILE *f = fopen("/proc/meminfo", "r");
    if (!f) return 0;
    char line[128];
    long long kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1) break;
    fclose(f);
    return (int64_t)kib * 1024;
}
