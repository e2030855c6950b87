/* GPUs of several processes that average among themselves: NCCL, a library that is looked for when it is
 * needed, so that the module runs without it. */
#include "cuda.h"

#ifdef BL__NCCL
#include <dlfcn.h>
#include <nccl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define LIBRARY "libnccl.so.2"
#define OLDEST NCCL_VERSION(2, 10, 3) /* the first with a mean */
#define NAP_NS 20000                  /* between two looks at a queue that waits for other processes */

_Static_assert(sizeof(ncclUniqueId) == BL_DEVICE_GROUP_ID, "NCCL's id has another size");

/* X(name without nccl) */
#define CALLS(X)                                                                                             \
    X(GetVersion)                                                                                            \
    X(GetUniqueId)                                                                                           \
    X(CommInitRank)                                                                                          \
    X(CommDestroy)                                                                                           \
    X(CommAbort)                                                                                             \
    X(CommGetAsyncError)                                                                                     \
    X(AllReduce)                                                                                             \
    X(GetErrorString)

static struct {
#define BL_X(name) __typeof__(&nccl##name) name;
    CALLS(BL_X)
#undef BL_X
    bl_err err; /* why it is not there */
} nccl;

static void load(void) {
    static const struct {
        const char *name;
        void *to;
    } calls[] = {
#define BL_X(name) {"nccl" #name, &nccl.name},
        CALLS(BL_X)
#undef BL_X
    };
    int version = 0;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        (void)bl_fail(&nccl.err, BL_E_UNSUPPORTED, "NCCL cannot be loaded: %s", dlerror());
        return;
    }
    for (size_t k = 0; k < BL_COUNT(calls); k++) {
        void *found = dlsym(library, calls[k].name);
        if (!found && !nccl.err.code)
            (void)bl_fail(&nccl.err, BL_E_UNSUPPORTED, "%s has no %s", LIBRARY, calls[k].name);
        memcpy(calls[k].to, &found, sizeof found);
    }
    if (!nccl.err.code && (nccl.GetVersion(&version) != ncclSuccess || version < OLDEST))
        (void)bl_fail(&nccl.err, BL_E_UNSUPPORTED, "%s is too old (%d); 2.10 is needed", LIBRARY, version);
}

static int loaded(bl_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, load);
    return nccl.err.code ? bl_fail(err, nccl.err.code, "%s", nccl.err.msg) : 0;
}

int bl__cuda_group_describe(char *text, size_t size, bl_err *err) {
    int version = 0, rc = loaded(err);
    if (rc < 0) return rc;
    (void)nccl.GetVersion(&version);
    snprintf(text, size, "NCCL %d.%d.%d", version / 10000, version / 100 % 100, version % 100);
    return 0;
}

static int said(ncclResult_t rc, const char *what, bl_err *err) {
    if (rc == ncclSuccess) return 0;
    return bl_fail(err, BL_E_DEVICE, "NCCL failed (%s): %s", what, nccl.GetErrorString(rc));
}

int bl__cuda_group_id(void *id, bl_err *err) {
    ncclUniqueId made;
    int rc = loaded(err);
    if (rc == 0) rc = said(nccl.GetUniqueId(&made), "an id", err);
    if (rc == 0) memcpy(id, &made, sizeof made);
    return rc;
}

int bl__cuda_group_join(bl__device *d, const void *id, int rank, int size, bl_err *err) {
    ncclUniqueId given;
    ncclComm_t group = NULL;
    int rc = loaded(err);
    if (rc < 0) return rc;
    if (!bl__cuda_fine(d)) return bl_fail(err, d->err.code, "%s", d->err.msg);
    memcpy(&given, id, sizeof given);
    rc = said(nccl.CommInitRank(&group, size, given, rank), "joining", err);
    if (rc == 0) d->group = group;
    return rc;
}

/* Where it has failed, the others may never come: that is not waited for. */
void bl__cuda_group_leave(bl__device *d) {
    if (!d->group) return;
    if (d->err.code)
        (void)nccl.CommAbort(d->group);
    else
        (void)nccl.CommDestroy(d->group);
    d->group = NULL;
}

static int keep(bl__device *d, ncclResult_t rc, const char *what) {
    bl_err why = {0};
    if (said(rc, what, &why) < 0 && d->err.code == 0) d->err = why;
    return d->err.code == 0;
}

void bl__cuda_group_mean(bl__device *d, float *x, int64_t n) {
    if (!bl__cuda_fine(d)) return;
    if (!d->group)
        (void)keep(d, ncclInvalidUsage, "a mean without a group");
    else
        (void)keep(d, nccl.AllReduce(x, x, (size_t)n, ncclFloat32, ncclAvg, d->group, d->stream), "a mean");
}

/* Until the queue is empty or NCCL says that it never will be: a process that is gone leaves the others'
 * kernels waiting for ever. */
void bl__cuda_group_wait(bl__device *d) {
    const struct timespec nap = {.tv_nsec = NAP_NS};
    ncclResult_t how = ncclSuccess;
    while (d->group && d->err.code == 0) {
        const cudaError_t rc = cudaStreamQuery(d->stream);
        if (rc != cudaErrorNotReady) {
            (void)bl__cuda_ok(d, rc, "waiting");
            return;
        }
        if (!keep(d, nccl.CommGetAsyncError(d->group, &how), "waiting") ||
            (how != ncclInProgress && !keep(d, how, "another process")))
            bl__cuda_group_leave(d); /* its kernels end */
        else
            (void)nanosleep(&nap, NULL);
    }
}

#else

void bl__cuda_group_leave(bl__device *d) {
    (void)d;
}
void bl__cuda_group_wait(bl__device *d) {
    (void)d;
}

#endif
