/* Peaks on x86-64; elsewhere only memory is measured. */
#include "peaks.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/nn.h"

#define ROUNDS 3

/* The best of a few rounds of `work` on all threads, in units a second. */
static double best(void (*work)(long n, double *sink), long n, double units, int threads) {
    double fastest = 1e30, sink = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = bl_now();
#pragma omp parallel num_threads(threads) reduction(+ : sink)
        work(n, &sink);
        fastest = BL_MIN(fastest, bl_now() - start);
    }
    return sink == 12345 ? 0 : units * (double)n * threads / fastest;
}

#ifdef __x86_64__
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHAINS 12 /* independent sums: latency times two a cycle */

__attribute__((target("avx512f"))) static void fma_512(long n, double *sink) {
    __m512 sum[CHAINS], x = _mm512_set1_ps(1e-9f), y = _mm512_set1_ps(0.5f);
    for (int k = 0; k < CHAINS; k++) sum[k] = _mm512_set1_ps((float)k);
    for (long i = 0; i < n; i++)
        for (int k = 0; k < CHAINS; k++) sum[k] = _mm512_fmadd_ps(x, y, sum[k]);
    for (int k = 0; k < CHAINS; k++) *sink += (double)_mm512_reduce_add_ps(sum[k]);
}

__attribute__((target("avx2,fma"))) static void fma_256(long n, double *sink) {
    __m256 sum[CHAINS], x = _mm256_set1_ps(1e-9f), y = _mm256_set1_ps(0.5f);
    for (int k = 0; k < CHAINS; k++) sum[k] = _mm256_set1_ps((float)k);
    for (long i = 0; i < n; i++)
        for (int k = 0; k < CHAINS; k++) sum[k] = _mm256_fmadd_ps(x, y, sum[k]);
    for (int k = 0; k < CHAINS; k++) *sink += (double)_mm256_cvtss_f32(sum[k]);
}

__attribute__((target("avx512f,avx512bf16"))) static void dot_bf16(long n, double *sink) {
    __m512 sum[CHAINS];
    __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-9f), _mm512_set1_ps(1e-9f));
    for (int k = 0; k < CHAINS; k++) sum[k] = _mm512_set1_ps((float)k);
    for (long i = 0; i < n; i++)
        for (int k = 0; k < CHAINS; k++) sum[k] = _mm512_dpbf16_ps(sum[k], x, x);
    for (int k = 0; k < CHAINS; k++) *sink += (double)_mm512_reduce_add_ps(sum[k]);
}

#ifdef BL__AMX
__attribute__((target("amx-tile,amx-bf16"))) static void dot_tiles(long n, double *sink) {
    static const struct {
        unsigned char palette, start, reserved[14];
        unsigned short columns[16];
        unsigned char rows[16];
    } config = {.palette = 1,
                .columns = {64, 64, 64, 64, 64, 64, 64, 64},
                .rows = {16, 16, 16, 16, 16, 16, 16,
                         16}}; /* static: the intrinsic claims to read eight bytes of it */
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (long i = 0; i < n; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    *sink += 1;
}

static int has_tiles(void) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    return bl_cpu_has_tiles() && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#endif

static void arithmetic(bench_peaks *p, int threads) {
    const long n = 20000000;
    if (__builtin_cpu_supports("avx512f"))
        p->fp32 = 1e-9 * best(fma_512, n, 2.0 * 16 * CHAINS, threads);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        p->fp32 = 1e-9 * best(fma_256, n, 2.0 * 8 * CHAINS, threads);
    if (bl_cpu_has_bf16()) p->bf16 = 1e-9 * best(dot_bf16, n, 2.0 * 32 * CHAINS, threads);
#ifdef BL__AMX
    if (has_tiles()) p->tiles = 1e-9 * best(dot_tiles, n / 4, 2.0 * 16 * 16 * 32 * 4, threads);
#endif
}
#else
static void arithmetic(bench_peaks *p, int threads) {
    (void)p, (void)threads;
}
#endif

static const float *stream;
#define STREAM_FLOATS ((long)64 << 20)

static void read_memory(long n, double *sink) {
    const long share = STREAM_FLOATS / omp_get_num_threads();
    const float *from = stream + share * omp_get_thread_num();
    float sum[16] = {0};
    for (long r = 0; r < n; r++)
        for (long i = 0; i + 16 <= share; i += 16)
            for (int k = 0; k < 16; k++) sum[k] += from[i + k];
    for (int k = 0; k < 16; k++) *sink += (double)sum[k];
}

bench_peaks bench_measure_peaks(int threads) {
    bench_peaks p = {0};
    float *block = bl_alloc_array((size_t)STREAM_FLOATS, sizeof *block);
    arithmetic(&p, threads);
    stream = block;
    if (block) p.gbytes = 1e-9 * best(read_memory, 2, 4.0 * (double)(STREAM_FLOATS / threads), threads);
    bl_free(block);
    return p;
}
