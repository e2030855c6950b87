/* The MPI module: the transport's table on MPI's calls, all on one duplicate of the world. */
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "transport.h"

#define MOST_AT_ONCE (1 << 28) /* elements of one call; MPI counts in int */

struct bl__comm {
    MPI_Comm world;
    MPI_Request meeting;
    int64_t brought[BL__NOTES];
};

const bl__transport *bl__dist_module(void); /* the one symbol that a program looks for */

static int ok(int rc, const char *what, bl_err *err) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (rc == MPI_SUCCESS) return 0;
    (void)MPI_Error_string(rc, text, &length);
    return bl_fail(err, BL_E_DEVICE, "MPI failed (%s): %.500s", what, text);
}

static void describe(char *text, size_t size) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    (void)MPI_Get_library_version(version, &length);
    version[strcspn(version, ",\n")] = 0;
    snprintf(text, size, "%s", version);
}

/* ---- opening ---- */
static int find_place(bl__comm *c, bl__place *p, bl_err *err) {
    MPI_Comm here = MPI_COMM_NULL;
    int rc = ok(MPI_Comm_rank(c->world, &p->rank), "the rank", err);
    if (rc == 0) rc = ok(MPI_Comm_size(c->world, &p->size), "the size", err);
    if (rc == 0)
        rc = ok(MPI_Comm_split_type(c->world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here),
                "who is on this machine", err);
    if (rc == 0) rc = ok(MPI_Comm_rank(here, &p->local_rank), "the local rank", err);
    if (rc == 0) rc = ok(MPI_Comm_size(here, &p->local_size), "the local size", err);
    if (rc == 0)
        rc = ok(MPI_Allreduce(MPI_IN_PLACE, p->cpus, BL__CPU_MASK, MPI_UINT8_T, MPI_BOR, here), "the cores",
                err);
    if (here != MPI_COMM_NULL) (void)MPI_Comm_free(&here);
    return rc;
}

static int open_world(bl__comm **out, bl__place *place, bl_err *err) {
    int given = 0, rc;
    bl__comm *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for MPI");
    c->world = MPI_COMM_NULL;
    /* Even where every process has its core: a short wait must not hold up the work of its team. */
    (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    rc = ok(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given), "starting", err);
    if (rc < 0) {
        bl_free(c);
        return rc;
    }
    (void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    rc = given < MPI_THREAD_FUNNELED
             ? bl_fail(err, BL_E_UNSUPPORTED, "this MPI cannot be used by programs with threads")
             : ok(MPI_Comm_dup(MPI_COMM_WORLD, &c->world), "the group", err);
    if (rc == 0) rc = ok(MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN), "the group", err);
    if (rc == 0) rc = find_place(c, place, err);
    *out = c; /* also when it failed: close ends MPI */
    return rc;
}

static void close_world(bl__comm *c) {
    if (c->world != MPI_COMM_NULL) (void)MPI_Comm_free(&c->world);
    (void)MPI_Finalize();
    bl_free(c);
}

static void abort_world(bl__comm *c, int exit_code) {
    (void)c;
    (void)MPI_Abort(MPI_COMM_WORLD, exit_code);
    _Exit(exit_code); /* MPI_Abort may come back */
}

/* ---- meeting ---- */
static int meet(bl__comm *c, int64_t notes[BL__NOTES], bl_err *err) {
    memcpy(c->brought, notes, sizeof c->brought);
    return ok(MPI_Iallreduce(c->brought, notes, BL__NOTES, MPI_INT64_T, MPI_MAX, c->world, &c->meeting),
              "meeting", err);
}

static int met(bl__comm *c, int *all, bl_err *err) {
    return ok(MPI_Test(&c->meeting, all, MPI_STATUS_IGNORE), "meeting", err);
}

/* ---- what is done when all are there ---- */
static int broadcast(bl__comm *c, void *data, size_t bytes, int root, bl_err *err) {
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < bytes; at += MOST_AT_ONCE)
        rc = ok(MPI_Bcast((char *)data + at, (int)BL_MIN(bytes - at, MOST_AT_ONCE), MPI_BYTE, root, c->world),
                "broadcast", err);
    return rc;
}

static int sum(bl__comm *c, void *x, int64_t n, int doubles, bl_err *err) {
    const size_t size = doubles ? sizeof(double) : sizeof(float);
    int rc = 0;
    for (int64_t at = 0; rc == 0 && at < n; at += MOST_AT_ONCE)
        rc = ok(MPI_Allreduce(MPI_IN_PLACE, (char *)x + (size_t)at * size, (int)BL_MIN(n - at, MOST_AT_ONCE),
                              doubles ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM, c->world),
                "sum", err);
    return rc;
}

static int gather(bl__comm *c, void *all, const void *mine, size_t bytes, bl_err *err) {
    if (bytes > INT_MAX) return bl_fail(err, BL_E_INTERNAL, "too much to gather at once");
    return ok(MPI_Gather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, 0, c->world), "gather", err);
}

const bl__transport *bl__dist_module(void) {
    static const bl__transport table = {.abi = BL__DIST_ABI,
                                        .place_size = sizeof(bl__place),
                                        .describe = describe,
                                        .open = open_world,
                                        .close = close_world,
                                        .abort = abort_world,
                                        .meet = meet,
                                        .met = met,
                                        .broadcast = broadcast,
                                        .sum = sum,
                                        .gather = gather};
    return &table;
}
