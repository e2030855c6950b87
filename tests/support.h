/* What every test program needs: cmocka with its includes, and where the shared clips lie. */
#ifndef BALLERINO_TEST_SUPPORT_H
#define BALLERINO_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four headers above first */
#include <cmocka.h>
#include <unistd.h>

#include "ballerino/base.h"

#define TEST_SKIPPED 77 /* whole program skipped: print why first */

/* Path of a file in the shared folder, or NULL (with a line on stderr) where the folder is absent. */
static inline const char *shared_path(const char *name) {
    static char path[4][1024];
    static int turn;
    const char *root = getenv("BALLERINO_SHARED");
    char *p = path[turn++ & 3];
    snprintf(p, sizeof path[0], "%s/%s", root ? root : "../shared", name);
    if (access(p, R_OK) == 0) return p;
    fprintf(stderr, "SKIP: %s is not here\n", p);
    return NULL;
}

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        int rc_ = (call);                                                                                    \
        if (rc_ < 0) fail_msg("%s: %s: %s", #call, bl_status_name(rc_), err.msg);                            \
    } while (0)

#define assert_near(a, b, tolerance)                                                                         \
    do {                                                                                                     \
        double a_ = (double)(a), b_ = (double)(b);                                                           \
        if (!(a_ - b_ <= (tolerance) && b_ - a_ <= (tolerance)))                                             \
            fail_msg("%s is %.9g, not %.9g", #a, a_, b_);                                                    \
    } while (0)

#endif
