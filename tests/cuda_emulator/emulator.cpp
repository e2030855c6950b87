#include "emulator.h"
#include "emulated.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <vector>

using Work = std::function<void()>;
struct bl__emu_graph {
    std::vector<Work> work;
};
struct bl__emu_exec {
    std::vector<Work> work;
};
/* An event's life outlasts it in queues. Records are counted; a wait is for one of them. */
struct Marks {
    bl__emu_stream *stream; /* where it was recorded last */
    unsigned recorded, done;
};
using MarksRef = std::shared_ptr<Marks>;
struct Item {
    enum Kind { WORK, RECORD, WAIT } kind;
    Work work;
    MarksRef marks;
    unsigned turn; /* of the record */
};
struct bl__emu_stream {
    std::deque<Item> queue;
    bl__emu_graph *capture;
    bool spoilt;
    int device;
    bool first; /* of its device: the others may be in a hurry */
};
struct bl__emu_event {
    MarksRef marks;
};

struct bl__emulated bl__emulated;

thread_local bl__emu_place threadIdx, blockIdx, blockDim, gridDim;
thread_local bl__emu_range bl__emu_seen[4];

namespace {
constexpr size_t PAGE = 4096, RESERVED = (size_t)4 << 30;
std::recursive_mutex all;
unsigned char *base;
size_t highest;                  /* of what was ever given out */
std::map<size_t, size_t> in_use; /* offset -> bytes */
std::map<void *, size_t> pinned;
std::set<bl__emu_stream *> streams;
bool backwards;
unsigned generation; /* of in_use: what threads remember of it may be old */
thread_local unsigned seen_generation;
thread_local int current;

bool asked(const char *name) {
    const char *value = getenv(name);
    return value && *value && *value != '0';
}
size_t device_bytes() {
    const char *mb = getenv("BALLERINO_EMULATOR_MB");
    return mb ? (size_t)strtoul(mb, nullptr, 10) << 20 : (size_t)2 << 30;
}
size_t used() {
    return (size_t)bl__emulated.used;
}
/* An allocation is asked for: shall it fail? */
bool refused() {
    return ++bl__emulated.allocations == bl__emulated.fail_at;
}
void reachable(bool yes) {
    if (base && highest && mprotect(base, highest, yes ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) abort();
}
void remember() {
    if (seen_generation == generation) return;
    seen_generation = generation;
    memset(bl__emu_seen, 0, sizeof bl__emu_seen);
}
/* Only where one of these lives is device memory in reach. */
struct Reach {
    static inline int depth;
    Reach() {
        if (depth++ == 0) reachable(true);
        backwards = asked("BALLERINO_EMULATOR_ORDER");
        remember();
    }
    ~Reach() {
        if (--depth == 0) reachable(false);
    }
};
void drain_to(const MarksRef &marks, unsigned turn);
/* The stream's next, and of other streams what it waits for. */
void advance(bl__emu_stream *s) {
    Item i = std::move(s->queue.front());
    s->queue.pop_front();
    if (i.kind == Item::WORK) i.work();
    if (i.kind == Item::RECORD) i.marks->done = i.turn;
    if (i.kind == Item::WAIT) drain_to(i.marks, i.turn);
}
void drain_to(const MarksRef &marks, unsigned turn) {
    if (marks->done >= turn) return;
    const Reach reach;
    while (marks->done < turn) {
        if (marks->stream->queue.empty()) abort();
        advance(marks->stream);
    }
}
bool blocked(const bl__emu_stream *s) {
    const Item &i = s->queue.front();
    return i.kind == Item::WAIT && i.marks->done < i.turn;
}
bool in_a_hurry() {
    const char *how = getenv("BALLERINO_EMULATOR_STREAMS");
    return how && strcmp(how, "early") == 0;
}
/* All that streams beside a device's first can do without waiting. */
void hurry() {
    if (!in_a_hurry()) return;
    for (bl__emu_stream *s : streams)
        while (!s->first && !s->queue.empty() && !blocked(s)) {
            const Reach reach;
            advance(s);
        }
}
void drain(bl__emu_stream *s) {
    if (!s->queue.empty()) {
        const Reach reach;
        while (!s->queue.empty()) advance(s);
    }
    hurry();
}
void enqueue(bl__emu_stream *s, Item i) {
    s->queue.push_back(std::move(i));
    hurry();
}
void drain_all() {
    for (bl__emu_stream *s : streams) drain(s);
}
bool spoils_capture() {
    bool any = false;
    for (bl__emu_stream *s : streams)
        if (s->capture) any = s->spoilt = true;
    return any;
}
const std::pair<const size_t, size_t> *piece(const void *p, size_t bytes) {
    const size_t at = (size_t)((const unsigned char *)p - base);
    if (!base || (const unsigned char *)p < base || at >= highest) return nullptr;
    auto next = in_use.upper_bound(at);
    if (next == in_use.begin()) return nullptr;
    auto it = std::prev(next);
    return at + bytes <= it->first + it->second ? &*it : nullptr;
}
void must_be_device(const void *p, size_t bytes, const char *what) {
    if (piece(p, bytes)) return;
    fprintf(stderr, "emulator: %s: %zu bytes at %p are not device memory\n", what, bytes, p);
    abort();
}
bool is_pinned(const void *p, size_t bytes) {
    auto next = pinned.upper_bound((void *)p);
    if (next == pinned.begin()) return false;
    auto it = std::prev(next);
    return (const unsigned char *)p + bytes <= (const unsigned char *)it->first + it->second;
}
} // namespace

bool bl__emu_backwards() {
    return backwards;
}

void bl__emu_look_up(const void *p, size_t bytes) {
    must_be_device(p, bytes, "a kernel's access");
    const auto *r = piece(p, bytes);
    static thread_local unsigned turn;
    bl__emu_seen[turn++ % 4] =
        bl__emu_range{(uintptr_t)base + r->first, (uintptr_t)base + r->first + r->second};
}

void bl__emu_queue(cudaStream_t s, Work work) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (s->capture)
        s->capture->work.push_back(std::move(work));
    else
        enqueue(s, Item{Item::WORK, std::move(work), nullptr, 0});
}

extern "C" {
const char *cudaGetErrorString(cudaError_t rc) {
    switch (rc) {
    case cudaSuccess: return "success";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorNoDevice: return "no device";
    case cudaErrorInvalidDevice: return "invalid device";
    case cudaErrorLaunchFailure: return "told to fail";
    case cudaErrorStreamCaptureUnsupported: return "not while capturing";
    case cudaErrorStreamCaptureInvalidated: return "the capture was spoilt";
    default: return "emulated error";
    }
}
cudaError_t cudaGetLastError(void) {
    return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int *n) {
    *n = 2; /* so that a number can be wrong, and right without being 0 */
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int index) {
    if (index < 0 || index > 1) return cudaErrorInvalidDevice;
    current = index;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int index) {
    if (index < 0 || index > 1) return cudaErrorInvalidDevice;
    memset(prop, 0, sizeof *prop);
    snprintf(prop->name, sizeof prop->name, "emulated on the host");
    prop->totalGlobalMem = device_bytes();
    prop->major = 9;
    return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int *version) {
    *version = 13000;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t *left, size_t *total) {
    std::lock_guard<std::recursive_mutex> lock(all);
    *total = device_bytes();
    *left = *total > used() ? *total - used() : 0;
    return cudaSuccess;
}

/* First fit, with an unused page behind every piece. */
cudaError_t cudaMalloc(void **out, size_t bytes) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
    if (!base) {
        base = (unsigned char *)mmap(nullptr, RESERVED, PROT_NONE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED) abort();
    }
    size_t at = 0, need = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
    for (auto &a : in_use) {
        if (a.first >= at + need) break;
        at = (a.first + a.second + PAGE - 1) / PAGE * PAGE + PAGE;
    }
    if (refused() || bytes == 0 || used() + bytes > device_bytes() || at + need > RESERVED)
        return cudaErrorMemoryAllocation;
    in_use[at] = bytes;
    bl__emulated.used += (int64_t)bytes;
    if (bl__emulated.most < bl__emulated.used) bl__emulated.most = bl__emulated.used;
    generation++;
    if (highest < at + need) highest = at + need;
    reachable(true);
    memset(base + at, 0xff, bytes); /* NaN, as float32 and as bfloat16 */
    reachable(false);
    *out = base + at;
    return cudaSuccess;
}
cudaError_t cudaFree(void *p) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (!p) return cudaSuccess;
    if (spoils_capture()) return cudaErrorStreamCaptureUnsupported;
    drain_all();
    const size_t at = (size_t)((unsigned char *)p - base);
    auto it = in_use.find(at);
    if (it == in_use.end()) return cudaErrorInvalidValue;
    (void)madvise(base + at, (it->second + PAGE - 1) / PAGE * PAGE, MADV_DONTNEED);
    bl__emulated.used -= (int64_t)it->second;
    in_use.erase(it);
    generation++;
    return cudaSuccess;
}
cudaError_t cudaMallocHost(void **out, size_t bytes) {
    std::lock_guard<std::recursive_mutex> lock(all);
    *out = refused() ? nullptr : malloc(bytes);
    if (!*out) return cudaErrorMemoryAllocation;
    memset(*out, 0xff, bytes);
    pinned[*out] = bytes;
    bl__emulated.pinned += (int64_t)bytes;
    return cudaSuccess;
}
cudaError_t cudaFreeHost(void *p) {
    std::lock_guard<std::recursive_mutex> lock(all);
    drain_all();
    if (!p) return cudaSuccess;
    auto it = pinned.find(p);
    if (it == pinned.end()) return cudaErrorInvalidValue;
    bl__emulated.pinned -= (int64_t)it->second;
    pinned.erase(it);
    free(p);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t s) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (kind == cudaMemcpyDeviceToDevice) {
        must_be_device(to, bytes, "a copy");
        must_be_device(from, bytes, "a copy");
        bl__emu_queue(s, [=] { memcpy(to, from, bytes); });
        return cudaSuccess;
    }
    const bool up = kind == cudaMemcpyHostToDevice, now = !is_pinned(up ? from : to, bytes);
    must_be_device(up ? to : from, bytes, "a copy");
    if (piece(up ? from : to, 1)) {
        fprintf(stderr, "emulator: a copy's host side is device memory\n");
        abort();
    }
    if (now && s->capture) {
        s->spoilt = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    bl__emu_queue(s, [=] { memcpy(to, from, bytes); });
    if (now) {
        bl__emulated.waits++;
        drain(s);
    }
    return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void *p, int byte, size_t bytes, cudaStream_t s) {
    std::lock_guard<std::recursive_mutex> lock(all);
    must_be_device(p, bytes, "filling");
    bl__emu_queue(s, [=] { memset(p, byte, bytes); });
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned) {
    std::lock_guard<std::recursive_mutex> lock(all);
    *out = new bl__emu_stream{};
    (*out)->device = current;
    (*out)->first = true;
    for (bl__emu_stream *s : streams)
        if (s->device == current) (*out)->first = false;
    bl__emulated.things++;
    streams.insert(*out);
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
    std::lock_guard<std::recursive_mutex> lock(all);
    drain(s);
    streams.erase(s);
    delete s->capture;
    delete s;
    bl__emulated.things--;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (s->capture) {
        s->spoilt = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    bl__emulated.waits += !s->queue.empty();
    drain(s);
    return asked("BALLERINO_EMULATOR_BROKEN") ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned) {
    std::lock_guard<std::recursive_mutex> lock(all);
    *out = new bl__emu_event{std::make_shared<Marks>()};
    bl__emulated.things++;
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    std::lock_guard<std::recursive_mutex> lock(all);
    bl__emulated.things--;
    delete event;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t s) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (s->capture)
        s->spoilt = true; /* the real one would be part of the graph, and could not be waited for */
    if (s->capture) return cudaErrorStreamCaptureUnsupported;
    event->marks->stream = s;
    enqueue(s, Item{Item::RECORD, nullptr, event->marks, ++event->marks->recorded});
    return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t event, unsigned) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (s->capture) {
        s->spoilt = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    if (!asked("BALLERINO_EMULATOR_DEAF"))
        enqueue(s, Item{Item::WAIT, nullptr, event->marks, event->marks->recorded});
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    std::lock_guard<std::recursive_mutex> lock(all);
    bl__emulated.waits += event->marks->done < event->marks->recorded;
    drain_to(event->marks, event->marks->recorded);
    hurry();
    return asked("BALLERINO_EMULATOR_BROKEN") ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) {
    std::lock_guard<std::recursive_mutex> lock(all);
    if (s->capture || asked("BALLERINO_EMULATOR_NO_GRAPHS")) return cudaErrorStreamCaptureUnsupported;
    s->capture = new bl__emu_graph{};
    s->spoilt = false;
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *out) {
    std::lock_guard<std::recursive_mutex> lock(all);
    bl__emu_graph *g = s->capture;
    *out = nullptr;
    s->capture = nullptr;
    if (!g || s->spoilt) {
        delete g;
        return cudaErrorStreamCaptureInvalidated;
    }
    *out = g;
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long) {
    std::lock_guard<std::recursive_mutex> lock(all);
    *out = new bl__emu_exec{graph->work};
    bl__emulated.things++;
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s) {
    std::lock_guard<std::recursive_mutex> lock(all);
    for (const Work &w : exec->work) bl__emu_queue(s, w);
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    std::lock_guard<std::recursive_mutex> lock(all);
    bl__emulated.things--;
    delete exec;
    return cudaSuccess;
}
}
