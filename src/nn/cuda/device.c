/* The device itself: failures, memory, copies, and work kept as a graph. */
#include "cuda.h"

#include <string.h>

#define MIB ((double)(1 << 20))
#define OLDEST_MAJOR 8 /* Ampere: the first with bfloat16 */

int bl__cuda_fine(bl__device *d) {
    return d->err.code == 0 && bl__cuda_ok(d, cudaSetDevice(d->index), "choosing the device");
}

int bl__cuda_ok(bl__device *d, cudaError_t rc, const char *what) {
    if (rc == cudaSuccess) return d->err.code == 0;
    (void)cudaGetLastError(); /* it is kept here from now on */
    if (d->err.code == 0)
        (void)bl_fail(&d->err, rc == cudaErrorMemoryAllocation ? BL_E_NOMEM : BL_E_DEVICE,
                      "the GPU failed (%s): %s", what, cudaGetErrorString(rc));
    return 0;
}

int bl__cudnn_ok(bl__device *d, cudnnStatus_t rc, const char *what) {
    if (rc == CUDNN_STATUS_SUCCESS) return d->err.code == 0;
    if (d->err.code == 0)
        (void)bl_fail(&d->err, BL_E_DEVICE, "cuDNN failed (%s): %s", what, cudnnGetErrorString(rc));
    return 0;
}

/* ---- what is there ---- */
static int versions(char *text, size_t size, bl_err *err) {
    int driver = 0, runtime = 0;
    const size_t dnn = cudnnGetVersion();
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    snprintf(text, size, "driver for CUDA %d.%d, runtime %d.%d, cuDNN %d.%d.%d", driver / 1000,
             driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10, (int)(dnn / 10000),
             (int)(dnn / 100 % 100), (int)(dnn % 100));
    if ((int)(dnn / 10000) != CUDNN_MAJOR)
        return bl_fail(err, BL_E_DEVICE, "the GPU module was built for cuDNN %d and finds another one (%s)",
                       CUDNN_MAJOR, text);
    if (runtime / 1000 != CUDART_VERSION / 1000)
        return bl_fail(err, BL_E_DEVICE, "the GPU module was built for CUDA %d and finds another one (%s)",
                       CUDART_VERSION / 1000, text);
    return 0;
}

static int count_devices(bl_err *err) {
    int n = 0, driver = 0;
    const cudaError_t rc = cudaGetDeviceCount(&n);
    if (rc == cudaSuccess) return n;
    (void)cudaGetLastError();
    if (rc == cudaErrorNoDevice) return 0;
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0)
        return bl_fail(err, BL_E_DEVICE,
                       "there is no NVIDIA driver on this machine; use --device cpu or auto");
    if (rc == cudaErrorInsufficientDriver)
        return bl_fail(err, BL_E_DEVICE, "the NVIDIA driver is for CUDA %d.%d and too old: %d.%d is needed",
                       driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    return bl_fail(err, BL_E_DEVICE, "the NVIDIA GPUs cannot be counted: %s", cudaGetErrorString(rc));
}

static int describe(bl_device_info *info, int index, bl_err *err) {
    struct cudaDeviceProp prop;
    size_t has = 0, total = 0;
    int rc = versions(info->versions, sizeof info->versions, err);
    if (rc < 0) return rc;
    cudaError_t st = cudaSetDevice(index);
    if (st == cudaSuccess) st = cudaGetDeviceProperties(&prop, index);
    if (st == cudaSuccess) st = cudaMemGetInfo(&has, &total);
    if (st != cudaSuccess) {
        (void)cudaGetLastError();
        return bl_fail(err, BL_E_DEVICE, "the device cuda:%d does not answer: %s", index,
                       cudaGetErrorString(st));
    }
    snprintf(info->name, sizeof info->name, "%.120s", prop.name);
    info->memory = (int64_t)total;
    info->memory_free = (int64_t)has;
    info->major = prop.major;
    info->minor = prop.minor;
    return 0;
}

/* ---- opening ---- */
static void close_device(bl__device *d) {
    if (!d) return;
    (void)cudaSetDevice(d->index);
    bl__cuda_group_wait(d);
    bl__cuda_group_leave(d);
    if (d->stream) (void)cudaStreamSynchronize(d->stream);
    if (d->dnn) (void)cudnnDestroy(d->dnn);
    if (d->stream) (void)cudaStreamDestroy(d->stream);
    bl_free(d);
}

static int open_device(bl__device **out, int index, bl__log_fn log, bl_err *err) {
    bl_device_info info;
    int rc = describe(&info, index, err);
    if (rc < 0) return rc;
    if (info.major < OLDEST_MAJOR)
        return bl_fail(err, BL_E_DEVICE,
                       "cuda:%d (%s, compute capability %d.%d) is too old: %d.0 (Ampere) or newer is needed",
                       index, info.name, info.major, info.minor, OLDEST_MAJOR);
    bl__device *d = bl_alloc(sizeof *d);
    if (!d) return bl_fail(err, BL_E_NOMEM, "not enough memory for a device");
    d->index = index;
    d->log = log;
    if (bl__cuda_ok(d, cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking), "a queue") &&
        bl__cudnn_ok(d, cudnnCreate(&d->dnn), "starting") &&
        bl__cudnn_ok(d, cudnnSetStream(d->dnn, d->stream), "its queue")) {
        *out = d;
        return 0;
    }
    rc = bl_fail(err, d->err.code, "%s", d->err.msg);
    close_device(d);
    return rc;
}

/* ---- memory: running out of it is told and forgotten; any other failure stays ---- */
static int too_little(int64_t bytes, const char *where, bl_err *err) {
    size_t has = 0, total = 0;
    (void)cudaGetLastError();
    (void)cudaMemGetInfo(&has, &total);
    return bl_fail(
        err, BL_E_NOMEM,
        "not enough memory %s: %.0f MB more are needed, and %.0f of the GPU's %.0f MB are free; choose a "
        "smaller size, preset or batch, or --device cpu",
        where, (double)bytes / MIB, (double)has / MIB, (double)total / MIB);
}

static int failed(bl__device *d, bl_err *err) {
    return d->err.code ? bl_fail(err, d->err.code, "%s", d->err.msg) : 0;
}

static int alloc_device(bl__device *d, void **out, int64_t bytes, bl_err *err) {
    *out = NULL;
    if (!bl__cuda_fine(d)) return failed(d, err);
    const cudaError_t rc = cudaMalloc(out, (size_t)bytes);
    if (rc == cudaErrorMemoryAllocation) return too_little(bytes, "on the GPU", err);
    return bl__cuda_ok(d, rc, "memory") ? 0 : failed(d, err);
}

static void free_device(bl__device *d, void *p) {
    if (!p) return;
    (void)cudaSetDevice(d->index);
    (void)bl__cuda_ok(d, cudaFree(p), "giving memory back");
}

static int alloc_host(bl__device *d, void **out, int64_t bytes, bl_err *err) {
    *out = NULL;
    if (!bl__cuda_fine(d)) return failed(d, err);
    const cudaError_t rc = cudaMallocHost(out, (size_t)bytes);
    if (rc == cudaErrorMemoryAllocation) return too_little(bytes, "for copies to the GPU", err);
    return bl__cuda_ok(d, rc, "host memory") ? 0 : failed(d, err);
}

static void free_host(bl__device *d, void *p) {
    if (!p) return;
    (void)cudaSetDevice(d->index);
    (void)bl__cuda_ok(d, cudaFreeHost(p), "giving host memory back");
}

/* ---- the queue ---- */
static void upload(bl__device *d, void *to, const void *from, int64_t bytes) {
    if (bytes > 0 && bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyHostToDevice, d->stream),
                          "copying to it");
}

static void download(bl__device *d, void *to, const void *from, int64_t bytes) {
    if (bytes > 0 && bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyDeviceToHost, d->stream),
                          "copying from it");
}

static void copy_within(bl__device *d, void *to, const void *from, int64_t bytes) {
    if (bytes > 0 && bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyDeviceToDevice, d->stream),
                          "copying on it");
}

static void fill(bl__device *d, void *p, int byte, int64_t bytes) {
    if (bytes > 0 && bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaMemsetAsync(p, byte, (size_t)bytes, d->stream), "filling");
}

static int sync_device(bl__device *d, bl_err *err) {
    bl__cuda_group_wait(d);
    if (bl__cuda_fine(d)) (void)bl__cuda_ok(d, cudaStreamSynchronize(d->stream), "waiting");
    return failed(d, err);
}

/* ---- marks in the queue: who waits for one sleeps, and others go on queueing ---- */
static int mark_create(bl__device *d, void **mark, bl_err *err) {
    cudaEvent_t event = NULL;
    *mark = NULL;
    if (!bl__cuda_fine(d) ||
        !bl__cuda_ok(d, cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync),
                     "a mark"))
        return failed(d, err);
    *mark = event;
    return 0;
}

static void mark_free(bl__device *d, void *mark) {
    if (!mark) return;
    (void)cudaSetDevice(d->index);
    (void)bl__cuda_ok(d, cudaEventDestroy((cudaEvent_t)mark), "giving a mark back");
}

static void mark_set(bl__device *d, void *mark) {
    if (bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaEventRecord((cudaEvent_t)mark, d->stream), "setting a mark");
}

static int mark_wait(bl__device *d, void *mark, bl_err *err) {
    cudaError_t rc = cudaSetDevice(d->index);
    if (rc == cudaSuccess) rc = cudaEventSynchronize((cudaEvent_t)mark);
    if (rc == cudaSuccess) return 0;
    (void)cudaGetLastError();
    return bl_fail(err, BL_E_DEVICE, "the GPU failed (waiting for a mark): %s", cudaGetErrorString(rc));
}

/* ---- graphs ---- */
static int capture_begin(bl__device *d, bl_err *err) {
    if (!bl__cuda_fine(d)) return failed(d, err);
    const cudaError_t rc = cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal);
    if (rc == cudaSuccess) return 0;
    (void)cudaGetLastError();
    return bl_fail(err, BL_E_UNSUPPORTED, "no capture: %s", cudaGetErrorString(rc));
}

/* What failed while capturing was never done, so it is not kept. */
static int capture_end(bl__device *d, void **graph, bl_err *err) {
    cudaGraph_t g = NULL;
    cudaGraphExec_t run = NULL;
    cudaError_t rc = cudaStreamEndCapture(d->stream, &g);
    if (rc == cudaSuccess && d->err.code == 0) rc = cudaGraphInstantiateWithFlags(&run, g, 0);
    if (g) (void)cudaGraphDestroy(g);
    (void)cudaGetLastError();
    if (rc == cudaSuccess && d->err.code == 0) {
        *graph = run;
        return 0;
    }
    const char *why = d->err.code ? d->err.msg : cudaGetErrorString(rc);
    (void)bl_fail(err, BL_E_UNSUPPORTED, "the capture failed: %.500s", why);
    memset(&d->err, 0, sizeof d->err);
    return BL_E_UNSUPPORTED;
}

static void replay(bl__device *d, void *graph) {
    if (bl__cuda_fine(d))
        (void)bl__cuda_ok(d, cudaGraphLaunch((cudaGraphExec_t)graph, d->stream), "replaying a graph");
}

static void graph_free(bl__device *d, void *graph) {
    if (!graph) return;
    (void)cudaSetDevice(d->index);
    (void)bl__cuda_ok(d, cudaGraphExecDestroy((cudaGraphExec_t)graph), "giving a graph back");
}

const bl__device_ops *bl__device_module(void) {
    static const bl__device_ops ops = {.abi = BL__DEVICE_ABI,
                                       .step_size = sizeof(bl__step),
                                       .back_size = sizeof(bl__back),
                                       .node_size = sizeof(bl__node),
                                       .count = count_devices,
                                       .describe = describe,
                                       .open = open_device,
                                       .close = close_device,
                                       .alloc = alloc_device,
                                       .free = free_device,
                                       .alloc_host = alloc_host,
                                       .free_host = free_host,
                                       .upload = upload,
                                       .download = download,
                                       .copy = copy_within,
                                       .fill = fill,
                                       .set = bl__cuda_set,
                                       .round = bl__cuda_round,
                                       .adam = bl__cuda_adam,
                                       .kernel = bl__cuda_kernel,
                                       .failed = failed,
                                       .sync = sync_device,
                                       .mark_create = mark_create,
                                       .mark_free = mark_free,
                                       .mark_set = mark_set,
                                       .mark_wait = mark_wait,
                                       .lane_create = bl__cuda_lane_create,
                                       .lane_free = bl__cuda_lane_free,
                                       .lane_send = bl__cuda_lane_send,
                                       .lane_wait = bl__cuda_lane_wait,
                                       .lane_join = bl__cuda_lane_join,
                                       .lane_taken = bl__cuda_lane_taken,
                                       .pictures = &bl__cuda_pictures,
                                       .capture_begin = capture_begin,
                                       .capture_end = capture_end,
                                       .replay = replay,
#ifdef BL__NCCL
                                       .group_describe = bl__cuda_group_describe,
                                       .group_id = bl__cuda_group_id,
                                       .group_join = bl__cuda_group_join,
                                       .group_mean = bl__cuda_group_mean,
#endif
                                       .graph_free = graph_free};
    return &ops;
}
