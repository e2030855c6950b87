/* Time, where the program lies, and what this process may use of the machine. */
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "ballerino/base.h"

double bl_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int bl_own_folder(char *out, size_t size) {
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n < 0) {
        const char *started = (const char *)getauxval(AT_EXECFN);
        n = started ? snprintf(out, size, "%s", started) : 0;
    }
    if (n <= 0 || (size_t)n >= size) return -1;
    out[n] = 0;
    char *slash = strrchr(out, '/');
    if (!slash) return -1;
    slash[1] = 0;
    return 0;
}

/* The share of CPUs that a container grants (cgroup v2's cpu.max), or 0 when unlimited. */
static int cgroup_cpus(void) {
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (!f) return 0;
    long long quota = 0, period = 0;
    int n = fscanf(f, "%lld %lld", &quota, &period);
    fclose(f);
    return n == 2 && quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

int bl_cpu_granted(int n) {
    const int limit = cgroup_cpus();
    return BL_MAX(1, limit > 0 ? BL_MIN(limit, n) : n);
}

int bl_cpu_count(void) {
    cpu_set_t set;
    return bl_cpu_granted(sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1);
}

void bl_cpu_mask(uint8_t *mask, size_t bytes) {
    cpu_set_t set;
    memset(mask, 0, bytes);
    if (sched_getaffinity(0, sizeof set, &set) < 0) return;
    for (size_t i = 0; i < 8 * bytes && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) mask[i / 8] = (uint8_t)(mask[i / 8] | 1 << i % 8);
}
