/*
 * Sums in a fixed order, in two launches each: partial sums of a part by a block, then their sum.
 *
 * columns: of [groups][rows][c], a sum over rows for each group and channel: f(group, row, channel,
 * sums[K][V]) adds a row's V channels; finish(group, channel, sums[K]) gets the totals.
 *
 * totals: of [groups][n], a sum over n: f(group, i, sums[K]); finish(group, sums[K]).
 */
#ifndef BALLERINO_NN_CUDA_REDUCE_H
#define BALLERINO_NN_CUDA_REDUCE_H

#include "launch.h"

struct Columns {
    int64_t rows;
    int c, lanes, chunks, groups_c; /* channels side by side (in Vs); parts of rows; parts of channels */
};

static inline Columns columns_of(int64_t groups, int64_t rows, int c, int V) {
    Columns g;
    g.rows = rows;
    g.c = c;
    g.lanes = 1;
    while (g.lanes < 32 && g.lanes * V < c) g.lanes *= 2;
    g.groups_c = (c + g.lanes * V - 1) / (g.lanes * V);
    const int64_t most = (rows * g.lanes + BLOCK * 4 - 1) / (BLOCK * 4), fill = 1024 / (groups * g.groups_c);
    g.chunks = (int)(most < fill ? most : fill);
    if (g.chunks < 1) g.chunks = 1;
    return g;
}

template <int V, int K, class F> __global__ void columns_kernel(F f, Columns g, Array<float> partial) {
    BL_SHARED float sums[K * V * BLOCK];
    const int group = (int)blockIdx.y / g.groups_c, cg = (int)blockIdx.y % g.groups_c;
    const int deep = BLOCK / g.lanes;
    BL_THREADS {
        const int lane = (int)threadIdx.x % g.lanes, c = (cg * g.lanes + lane) * V;
        const int64_t end = g.rows * (blockIdx.x + 1) / g.chunks;
        float sum[K][V];
        for (int k = 0; k < K; k++)
            for (int v = 0; v < V; v++) sum[k][v] = 0;
        if (c < g.c)
            for (int64_t r = g.rows * blockIdx.x / g.chunks + threadIdx.x / g.lanes; r < end; r += deep)
                f(group, r, c, sum);
        for (int k = 0; k < K; k++)
            for (int v = 0; v < V; v++) sums[(k * V + v) * BLOCK + threadIdx.x] = sum[k][v];
    }
    for (int half = deep / 2; half > 0; half /= 2) {
        BL_THREADS {
            if ((int)threadIdx.x / g.lanes < half)
                for (int k = 0; k < K * V; k++)
                    sums[k * BLOCK + threadIdx.x] += sums[k * BLOCK + threadIdx.x + half * g.lanes];
        }
    }
    BL_THREADS {
        const int c = (cg * g.lanes + (int)threadIdx.x) * V;
        if ((int)threadIdx.x < g.lanes && c < g.c)
            for (int k = 0; k < K; k++)
                for (int v = 0; v < V; v++)
                    partial[(((int64_t)group * g.chunks + blockIdx.x) * K + k) * g.c + c + v] =
                        sums[(k * V + v) * BLOCK + threadIdx.x];
    }
}

template <int K, class G> struct ColumnsFinish {
    G finish;
    Columns g;
    Array<float> partial;
    __device__ void operator()(int64_t i) const {
        const int64_t group = i / g.c;
        const int c = (int)(i % g.c);
        double sum[K];
        for (int k = 0; k < K; k++) sum[k] = 0;
        for (int p = 0; p < g.chunks; p++)
            for (int k = 0; k < K; k++) sum[k] += (double)partial[((group * g.chunks + p) * K + k) * g.c + c];
        finish((int)group, c, sum);
    }
};

/* scratch: columns_scratch(groups, rows, c, K) floats. */
template <int V, int K, class F, class G>
static void columns_by(bl__device *d, const char *what, int64_t groups, int64_t rows, int c, float *scratch,
                       F f, G finish) {
    const Columns g = columns_of(groups, rows, c, V);
    launch(d, what, g.chunks, groups * g.groups_c, columns_kernel<V, K, F>, f, g, array(scratch));
    each(d, what, groups * c, ColumnsFinish<K, G>{finish, g, array(scratch)});
}
/* F is a template over V, made by F<V>{args...}. */
#define COLUMNS(d, what, K, groups, rows, c, scratch, finish, F, ...)                                        \
    do {                                                                                                     \
        if (by_eight(c))                                                                                     \
            columns_by<8, K>(d, what, groups, rows, c, scratch, F<8>{__VA_ARGS__}, finish);                  \
        else                                                                                                 \
            columns_by<1, K>(d, what, groups, rows, c, scratch, F<1>{__VA_ARGS__}, finish);                  \
    } while (0)

static inline int64_t columns_scratch(int64_t groups, int64_t rows, int c, int K) {
    return groups * columns_of(groups, rows, c, by_eight(c) ? 8 : 1).chunks * c * K;
}

/* ---- to one number ---- */
static inline int64_t totals_blocks(int64_t n) {
    const int64_t blocks = (n + BLOCK * 4 - 1) / (BLOCK * 4);
    return blocks < 1 ? 1 : blocks < 512 ? blocks : 512;
}

template <int K> static __device__ inline void tree(double *sums) { /* of K * BLOCK, one a thread */
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        BL_THREADS {
            if ((int)threadIdx.x < half)
                for (int k = 0; k < K; k++)
                    sums[k * BLOCK + threadIdx.x] += sums[k * BLOCK + threadIdx.x + half];
        }
    }
}

template <int K, class F> __global__ void totals_kernel(F f, int64_t n, Array<double> partial) {
    BL_SHARED double sums[K * BLOCK];
    BL_THREADS {
        double sum[K];
        for (int k = 0; k < K; k++) sum[k] = 0;
        for (int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x; i < n; i += (int64_t)gridDim.x * BLOCK)
            f((int)blockIdx.y, i, sum);
        for (int k = 0; k < K; k++) sums[k * BLOCK + threadIdx.x] = sum[k];
    }
    tree<K>(sums);
    BL_THREADS {
        if (threadIdx.x == 0)
            for (int k = 0; k < K; k++)
                partial[((int64_t)blockIdx.y * gridDim.x + blockIdx.x) * K + k] = sums[k * BLOCK];
    }
}

template <int K, class G> __global__ void totals_finish(G finish, int blocks, Array<double> partial) {
    BL_SHARED double sums[K * BLOCK];
    BL_THREADS {
        double sum[K];
        for (int k = 0; k < K; k++) sum[k] = 0;
        for (int i = (int)threadIdx.x; i < blocks; i += BLOCK)
            for (int k = 0; k < K; k++) sum[k] += partial[((int64_t)blockIdx.x * blocks + i) * K + k];
        for (int k = 0; k < K; k++) sums[k * BLOCK + threadIdx.x] = sum[k];
    }
    tree<K>(sums);
    BL_THREADS {
        if (threadIdx.x == 0) {
            double sum[K];
            for (int k = 0; k < K; k++) sum[k] = sums[k * BLOCK];
            finish((int)blockIdx.x, sum);
        }
    }
}

/* scratch: totals_scratch(groups, n, K) floats, at a multiple of eight bytes. */
template <int K, class F, class G>
static void totals(bl__device *d, const char *what, int64_t groups, int64_t n, float *scratch, F f,
                   G finish) {
    const int64_t blocks = totals_blocks(n);
    Array<double> partial = array((double *)(void *)scratch);
    launch(d, what, blocks, groups, totals_kernel<K, F>, f, n, partial);
    launch(d, what, groups, 1, totals_finish<K, G>, finish, (int)blocks, partial);
}
static inline int64_t totals_scratch(int64_t groups, int64_t n, int K) {
    return groups * totals_blocks(n) * K * 2;
}

#endif
