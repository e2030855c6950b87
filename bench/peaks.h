/* What the machine can do at most, measured: multiply-adds of registers, without memory. Gflop/s of all
 * threads. */
#ifndef BALLERINO_BENCH_PEAKS_H
#define BALLERINO_BENCH_PEAKS_H

typedef struct bench_peaks {
    double fp32;   /* fused multiply-add, AVX-512 or AVX2 */
    double bf16;   /* AVX512_BF16; 0: not there */
    double tiles;  /* AMX; 0: not there */
    double gbytes; /* reading memory that no cache holds, GB/s */
} bench_peaks;

bench_peaks bench_measure_peaks(int threads);

#endif
