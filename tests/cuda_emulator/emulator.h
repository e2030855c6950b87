/* What kernels need: their numbers, vector types, launching, and a look at every address they touch. */
#ifndef BALLERINO_EMULATOR_H
#define BALLERINO_EMULATOR_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#include "cuda_runtime.h"

#define __device__
#define __global__
#define __host__

struct bl__emu_place {
    unsigned x, y, z;
};
extern thread_local bl__emu_place threadIdx, blockIdx, blockDim, gridDim;
struct uint4 {
    uint32_t x, y, z, w;
};
struct float4 {
    float x, y, z, w;
};
static inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) {
    return uint4{x, y, z, w};
}
static inline float4 make_float4(float x, float y, float z, float w) {
    return float4{x, y, z, w};
}
using std::isfinite;

/* Device memory that is in use: a kernel's accesses must lie inside one piece of it. */
struct bl__emu_range {
    uintptr_t from, to;
};
extern thread_local bl__emu_range bl__emu_seen[4];
void bl__emu_look_up(const void *p, size_t bytes); /* ends the program when it is nowhere */
static inline void bl__emu_check(const void *p, size_t bytes) {
    const uintptr_t a = (uintptr_t)p;
    if (bytes % 16 == 0 && a % 16 != 0) bl__emu_look_up(nullptr, bytes); /* a wide access off its grid */
    for (const bl__emu_range &r : bl__emu_seen)
        if (a >= r.from && a + bytes <= r.to) return;
    bl__emu_look_up(p, bytes);
}

bool bl__emu_backwards();
static inline unsigned bl__emu_order(unsigned turn) {
    return bl__emu_backwards() ? blockDim.x - 1 - turn : turn;
}
void bl__emu_queue(cudaStream_t stream, std::function<void()> work);
/* Blocks one after the other; `kernel` goes through its threads itself (BL_THREADS). */
template <class F>
static void bl__emu_launch(cudaStream_t stream, unsigned grid_x, unsigned grid_y, unsigned threads,
                           F kernel) {
    bl__emu_queue(stream, [=] {
        const unsigned blocks = grid_x * grid_y;
        gridDim = bl__emu_place{grid_x, grid_y, 1};
        blockDim = bl__emu_place{threads, 1, 1};
        for (unsigned i = 0; i < blocks; i++) {
            const unsigned k = bl__emu_backwards() ? blocks - 1 - i : i;
            blockIdx = bl__emu_place{k % grid_x, k / grid_x, 0};
            kernel();
        }
    });
}

#endif
