#include <signal.h>

#include "ballerino/base.h"

static volatile sig_atomic_t flag;

static void on_signal(int sig) {
    if (flag) { /* asked twice: now */
        signal(sig, SIG_DFL);
        raise(sig);
    }
    flag = 1;
}

void bl_interrupt_install(void) {
    struct sigaction a = {.sa_handler = on_signal};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, reported as one */
}

int bl_interrupted(void) {
    return flag != 0;
}

int bl_interrupt_failure(bl_err *err) {
    return bl_fail(err, BL_E_INTERRUPTED,
                   "stopped; what was done is saved, the same command goes on from here");
}

int bl_check_interrupt(bl_err *err) {
    return flag ? bl_interrupt_failure(err) : 0;
}
