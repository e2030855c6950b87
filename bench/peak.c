/*
 * Runs a command and prints how much memory it held at most, how long it took and how much of the processors.
 * Exit code 1: more memory than the limit; else the command's own.
 *
 *     bench_peak LABEL LIMIT_MIB COMMAND [ARGUMENTS]        // limit 0: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ballerino/base.h"

static double seconds(struct timeval t) {
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

int main(int argc, char **argv) {
    struct rusage used;
    int status = 0;
    if (argc < 4) {
        fprintf(stderr, "usage: bench_peak LABEL LIMIT_MIB COMMAND [ARGUMENTS]\n");
        return 2;
    }
    const double limit = strtod(argv[2], NULL), begun = bl_now();
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[3], argv + 3);
        perror(argv[3]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) < 0) {
        perror("bench_peak");
        return 1;
    }
    const double peak = (double)used.ru_maxrss / 1024;
    printf("%s: peak %.0f MiB", argv[1], peak);
    if (limit > 0) printf(" (limit %.0f)", limit);
    printf(", %.0f s, %.0f s of processor time\n", bl_now() - begun,
           seconds(used.ru_utime) + seconds(used.ru_stime));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench_peak: %s failed\n", argv[3]);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    return limit > 0 && peak > limit;
}
