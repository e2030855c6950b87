/* Lanes: a stream beside the queue's, and the events by which they wait for each other. */
#include "cuda.h"

#define MOST_SLOTS 2

typedef struct lane {
    cudaStream_t stream;
    cudaEvent_t sent[MOST_SLOTS]; /* from each slot */
    cudaEvent_t taken;
} lane;

void bl__cuda_lane_free(bl__device *d, void *way) {
    lane *l = way;
    if (!l) return;
    (void)cudaSetDevice(d->index);
    if (l->stream) (void)cudaStreamSynchronize(l->stream);
    for (int k = 0; k < MOST_SLOTS; k++)
        if (l->sent[k]) (void)cudaEventDestroy(l->sent[k]);
    if (l->taken) (void)cudaEventDestroy(l->taken);
    if (l->stream) (void)cudaStreamDestroy(l->stream);
    (void)cudaGetLastError();
    bl_free(l);
}

static cudaError_t build(lane *l, int slots) {
    cudaError_t rc = cudaStreamCreateWithFlags(&l->stream, cudaStreamNonBlocking);
    if (rc == cudaSuccess) rc = cudaEventCreateWithFlags(&l->taken, cudaEventDisableTiming);
    for (int k = 0; k < slots && rc == cudaSuccess; k++)
        rc = cudaEventCreateWithFlags(&l->sent[k], cudaEventDisableTiming | cudaEventBlockingSync);
    return rc;
}

int bl__cuda_lane_create(bl__device *d, void **way, int slots, bl_err *err) {
    *way = NULL;
    if (!bl__cuda_fine(d)) return bl_fail(err, d->err.code, "%s", d->err.msg);
    lane *l = slots <= MOST_SLOTS ? bl_alloc(sizeof *l) : NULL;
    if (!l) return bl_fail(err, BL_E_NOMEM, "not enough memory for a way to the GPU");
    const cudaError_t rc = build(l, slots);
    if (rc != cudaSuccess) {
        bl__cuda_lane_free(d, l);
        return bl_fail(err, rc == cudaErrorMemoryAllocation ? BL_E_NOMEM : BL_E_DEVICE,
                       "the GPU failed (a second queue): %s", cudaGetErrorString(rc));
    }
    *way = l;
    return 0;
}

static int said(cudaError_t rc, const char *what, bl_err *err) {
    if (rc == cudaSuccess) return 0;
    (void)cudaGetLastError();
    return bl_fail(err, BL_E_DEVICE, "the GPU failed (%s): %s", what, cudaGetErrorString(rc));
}

int bl__cuda_lane_send(bl__device *d, void *way, int slot, void *to, const void *from, int64_t bytes,
                       bl_err *err) {
    lane *l = way;
    cudaError_t rc = cudaSetDevice(d->index);
    if (rc == cudaSuccess) rc = cudaStreamWaitEvent(l->stream, l->taken, 0);
    if (rc == cudaSuccess) rc = cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyHostToDevice, l->stream);
    if (rc == cudaSuccess) rc = cudaEventRecord(l->sent[slot], l->stream);
    return said(rc, "sending frames ahead", err);
}

int bl__cuda_lane_wait(bl__device *d, void *way, int slot, bl_err *err) {
    const lane *l = way;
    cudaError_t rc = cudaSetDevice(d->index);
    if (rc == cudaSuccess) rc = cudaEventSynchronize(l->sent[slot]);
    return said(rc, "waiting for frames sent ahead", err);
}

void bl__cuda_lane_join(bl__device *d, void *way, int slot) {
    const lane *l = way;
    if (bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaStreamWaitEvent(d->stream, l->sent[slot], 0), "taking frames sent ahead");
}

void bl__cuda_lane_taken(bl__device *d, void *way) {
    const lane *l = way;
    if (bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaEventRecord(l->taken, d->stream), "taking frames sent ahead");
}
