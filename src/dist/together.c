/* What processes do together: they meet, and then do it. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "transport.h"

#define LOOK 50e-6           /* seconds that are looked without sleeping */
#define NAP_SHARE (1 / 16.0) /* of the time waited so far that a nap may add to it */
#define LONGEST_NAP 0.02     /* seconds */
#define PATIENCE 30          /* seconds in which the others must hear of a failure */

typedef enum kind { BARRIER = 1, BROADCAST, SUM_FLOATS, SUM_DOUBLES, GATHER, ANY, TELL } kind;

/* ---- waiting ---- */
static void nap(double seconds) {
    const double s = BL_MIN(seconds, LONGEST_NAP);
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * s)}, NULL);
}

/* patience 0: for ever. */
static int wait_for_all(bl_dist *d, double patience, bl_err *err) {
    const double t0 = bl_now();
    for (;;) {
        int all = 0, rc = d->t->met(d->c, &all, err);
        if (rc < 0 || all) return rc;
        const double waited = bl_now() - t0;
        if (patience > 0 && waited > patience)
            return bl_fail(err, BL_E_DEVICE, "the other processes did not come within %d seconds", PATIENCE);
        if (waited > LOOK)
            nap(waited * NAP_SHARE);
        else
            (void)sched_yield();
    }
}

/* The transport itself has failed: nothing can be told through it. */
static int lose(bl_dist *d, int rc) {
    d->lost = bl_status_exit_code(rc);
    return rc;
}

/* ---- meeting ---- */
static int end_with(bl_dist *d, int root, bl_err *err) {
    struct {
        int code;
        char msg[sizeof err->msg];
    } said = {.code = err->code};
    memcpy(said.msg, err->msg, sizeof said.msg);
    int rc = d->t->broadcast(d->c, &said, sizeof said, root, err);
    if (rc < 0) return lose(d, rc);
    d->ended_by = root;
    (void)bl_fail(&d->end, said.code, "%s", said.msg);
    return bl_fail(err, said.code, "%s", said.msg);
}

static int meet(bl_dist *d, kind what, size_t bytes, unsigned *bits, bl_err *err) {
    int64_t *const notes = d->notes;
    bl_err unused = {0};
    if (!err) err = &unused;
    if (d->end.code) return bl_fail(err, d->end.code, "%s", d->end.msg);
    memset(d->notes, 0, sizeof d->notes);
    if (what == TELL) notes[BL__NOTE_FAILED] = d->place.size - d->place.rank;
    notes[BL__NOTE_KIND] = what, notes[BL__NOTE_LEAST_KIND] = -(int64_t)what;
    notes[BL__NOTE_BYTES] = (int64_t)bytes, notes[BL__NOTE_LEAST_BYTES] = -(int64_t)bytes;
    for (int k = 0; bits && k < BL_DIST_BITS; k++) notes[BL__NOTE_BITS + k] = *bits >> k & 1;
    bl_err broken = {0};
    int rc = d->t->meet(d->c, notes, &broken);
    if (rc == 0) rc = wait_for_all(d, what == TELL ? PATIENCE : 0, &broken);
    if (rc < 0) {
        if (what != TELL) *err = broken;
        return lose(d, rc);
    }
    if (notes[BL__NOTE_FAILED] > 0) return end_with(d, d->place.size - (int)notes[BL__NOTE_FAILED], err);
    if (notes[BL__NOTE_KIND] != -notes[BL__NOTE_LEAST_KIND] ||
        notes[BL__NOTE_BYTES] != -notes[BL__NOTE_LEAST_BYTES])
        return bl_fail(err, BL_E_INTERNAL,
                       "the processes went different ways: are all of them the same build, "
                       "and see the same files?");
    for (int k = 0; bits && k < BL_DIST_BITS; k++) *bits |= (unsigned)(notes[BL__NOTE_BITS + k] != 0) << k;
    return 0;
}

/* ---- calls ---- */
int bl_dist_barrier(bl_dist *d, bl_err *err) {
    return d ? meet(d, BARRIER, 0, NULL, err) : 0;
}

int bl_dist_any(bl_dist *d, unsigned *bits, bl_err *err) {
    return d ? meet(d, ANY, 0, bits, err) : 0;
}

int bl_dist_broadcast(bl_dist *d, void *data, size_t bytes, bl_err *err) {
    if (!d) return 0;
    int rc = meet(d, BROADCAST, bytes, NULL, err);
    if (rc == 0 && (rc = d->t->broadcast(d->c, data, bytes, 0, err)) < 0) rc = lose(d, rc);
    return rc;
}

static int sum(bl_dist *d, kind what, void *x, int64_t n, bl_err *err) {
    if (!d) return 0;
    int rc = meet(d, what, (size_t)n, NULL, err);
    if (rc == 0 && (rc = d->t->sum(d->c, x, n, what == SUM_DOUBLES, err)) < 0) rc = lose(d, rc);
    return rc;
}

int bl_dist_sum_floats(bl_dist *d, float *x, int64_t n, bl_err *err) {
    return sum(d, SUM_FLOATS, x, n, err);
}

int bl_dist_sum_doubles(bl_dist *d, double *x, int64_t n, bl_err *err) {
    return sum(d, SUM_DOUBLES, x, n, err);
}

int bl_dist_gather(bl_dist *d, void *all, const void *mine, size_t bytes, bl_err *err) {
    if (!d) {
        memcpy(all, mine, bytes);
        return 0;
    }
    int rc = meet(d, GATHER, bytes, NULL, err);
    if (rc == 0 && (rc = d->t->gather(d->c, all, mine, bytes, err)) < 0) rc = lose(d, rc);
    return rc;
}

int bl_dist_tell(bl_dist *d, int rc, bl_err *err) {
    if (!d || rc >= 0) return 1;
    if (!d->end.code && !d->lost) {
        (void)bl_err_context(err, rc, "process %d of %d", d->place.rank, d->place.size);
        (void)meet(d, TELL, 0, NULL, err);
        if (d->lost) d->lost = bl_status_exit_code(rc);
    }
    return d->lost || d->ended_by == d->place.rank;
}
