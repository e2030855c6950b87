/*
 * The vector kernels that read and write stored values, for one storage type: included by vector.c once with
 * float32 and once with bfloat16. T is the type, GET and PUT convert from and to float32, TYPED(name) is the
 * name. Channels go in blocks whose sums stay in registers.
 */
#define BLOCK 32

static void TYPED(act_backward)(void *dxp, const void *dyp, const void *yp, int64_t n, bl_act act, int add) {
    T *dx = dxp;
    const T *dy = dyp, *y = yp;
#define ADD(kind)                                                                                            \
    for (int64_t i = 0; i < n; i++) dx[i] = PUT(GET(dx[i]) + GET(dy[i]) * slope(GET(y[i]), kind));
#define SET(kind)                                                                                            \
    for (int64_t i = 0; i < n; i++) dx[i] = PUT(GET(dy[i]) * slope(GET(y[i]), kind));
    if (add) FOR_ACT(ADD) else FOR_ACT(SET)
#undef ADD
#undef SET
}

static void TYPED(add_act)(void *yp, const void *ap, const void *bp, int64_t n, bl_act act) {
    T *y = yp;
    const T *a = ap, *b = bp;
#define LOOP(kind)                                                                                           \
    for (int64_t i = 0; i < n; i++) y[i] = PUT(apply(GET(a[i]) + GET(b[i]), kind));
    FOR_ACT(LOOP)
#undef LOOP
}

static void TYPED(accumulate)(void *yp, const void *xp, int64_t n) {
    T *restrict y = yp;
    const T *restrict x = xp;
    for (int64_t i = 0; i < n; i++) y[i] = PUT(GET(y[i]) + GET(x[i]));
}

static void TYPED(add_bias)(void *yp, const float *restrict b, int64_t rows, int c) {
    T *restrict y = yp;
    for (int64_t i = 0; i < rows; i++)
        for (int k = 0; k < c; k++) y[i * c + k] = PUT(GET(y[i * c + k]) + b[k]);
}

static void TYPED(bias_sums)(float *restrict b, const void *yp, int64_t rows, int c) {
    const T *restrict y = yp;
    int k = 0;
    for (; k + BLOCK <= c; k += BLOCK) {
        float sum[BLOCK] = {0};
        for (int64_t i = 0; i < rows; i++)
            for (int j = 0; j < BLOCK; j++) sum[j] += GET(y[i * c + k + j]);
        for (int j = 0; j < BLOCK; j++) b[k + j] += sum[j];
    }
    for (int64_t i = 0; i < rows; i++)
        for (int j = k; j < c; j++) b[j] += GET(y[i * c + j]);
}

static void TYPED(norm_sums)(const void *xp, const float *restrict shift, int64_t rows, int c,
                             float *restrict sum, float *restrict square) {
    const T *restrict x = xp;
    int k = 0;
    for (; k + BLOCK <= c; k += BLOCK) {
        float s[BLOCK] = {0}, q[BLOCK] = {0};
        for (int64_t i = 0; i < rows; i++)
            for (int j = 0; j < BLOCK; j++) {
                float d = GET(x[i * c + k + j]) - shift[k + j];
                s[j] += d;
                q[j] += d * d;
            }
        for (int j = 0; j < BLOCK; j++) sum[k + j] += s[j], square[k + j] += q[j];
    }
    for (int64_t i = 0; i < rows; i++)
        for (int j = k; j < c; j++) {
            float d = GET(x[i * c + j]) - shift[j];
            sum[j] += d;
            square[j] += d * d;
        }
}

static void TYPED(norm_apply)(void *yp, const void *xp, const void *rp, const float *restrict mean,
                              const float *restrict scale, const float *restrict offset, int64_t rows, int c,
                              bl_act act) {
    T *restrict y = yp;
    const T *restrict x = xp, *restrict residual = rp;
#define WITH(kind)                                                                                           \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int k = 0; k < c; k++)                                                                          \
            y[i * c + k] = PUT(apply(                                                                        \
                (GET(x[i * c + k]) - mean[k]) * scale[k] + offset[k] + GET(residual[i * c + k]), kind));
#define WITHOUT(kind)                                                                                        \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int k = 0; k < c; k++)                                                                          \
            y[i * c + k] = PUT(apply((GET(x[i * c + k]) - mean[k]) * scale[k] + offset[k], kind));
    if (residual) FOR_ACT(WITH) else FOR_ACT(WITHOUT)
#undef WITH
#undef WITHOUT
}

static void TYPED(norm_back_sums)(void *dyp, const void *yp, const void *xp, const float *restrict mean,
                                  const float *restrict rstd, int64_t rows, int c, bl_act act,
                                  float *restrict sum, float *restrict dot) {
    T *restrict dy = dyp;
    const T *restrict y = yp, *restrict x = xp;
    int k = 0;
#define LOOP(kind)                                                                                           \
    for (; k + BLOCK <= c; k += BLOCK) {                                                                     \
        float s[BLOCK] = {0}, d[BLOCK] = {0};                                                                \
        for (int64_t i = 0; i < rows; i++)                                                                   \
            for (int j = 0; j < BLOCK; j++) {                                                                \
                int64_t e = i * c + k + j;                                                                   \
                float dz = GET(dy[e]) * slope(GET(y[e]), kind);                                              \
                dy[e] = PUT(dz);                                                                             \
                s[j] += dz;                                                                                  \
                d[j] += dz * ((GET(x[e]) - mean[k + j]) * rstd[k + j]);                                      \
            }                                                                                                \
        for (int j = 0; j < BLOCK; j++) sum[k + j] += s[j], dot[k + j] += d[j];                              \
    }                                                                                                        \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int j = k; j < c; j++) {                                                                        \
            float dz = GET(dy[i * c + j]) * slope(GET(y[i * c + j]), kind);                                  \
            dy[i * c + j] = PUT(dz);                                                                         \
            sum[j] += dz;                                                                                    \
            dot[j] += dz * ((GET(x[i * c + j]) - mean[j]) * rstd[j]);                                        \
        }
    FOR_ACT(LOOP)
#undef LOOP
}

static void TYPED(norm_back_apply)(void *dxp, const void *dzp, const void *xp, const float *restrict mean,
                                   const float *restrict rstd, const float *restrict a,
                                   const float *restrict m1, const float *restrict m2, int64_t rows, int c,
                                   int add) {
    T *restrict dx = dxp;
    const T *restrict dz = dzp, *restrict x = xp;
#define LOOP(BEFORE)                                                                                         \
    for (int64_t i = 0; i < rows; i++)                                                                       \
        for (int k = 0; k < c; k++) {                                                                        \
            int64_t e = i * c + k;                                                                           \
            dx[e] = PUT(BEFORE a[k] * (GET(dz[e]) - m1[k] - (GET(x[e]) - mean[k]) * rstd[k] * m2[k]));       \
        }
    if (add)
        LOOP(GET(dx[e]) +)
    else
        LOOP()
#undef LOOP
}

static void TYPED(sum4)(void *yp, const void *ap, const void *bp, const void *cp, const void *dp, int64_t n,
                        int add) {
    T *restrict y = yp;
    const T *restrict a = ap, *restrict b = bp, *restrict c = cp, *restrict d = dp;
    if (add)
        for (int64_t i = 0; i < n; i++) y[i] = PUT(GET(y[i]) + GET(a[i]) + GET(b[i]) + GET(c[i]) + GET(d[i]));
    else
        for (int64_t i = 0; i < n; i++) y[i] = PUT(GET(a[i]) + GET(b[i]) + GET(c[i]) + GET(d[i]));
}

static double TYPED(distance)(const void *ap, const void *bp, int64_t n) {
    const T *restrict a = ap, *restrict b = bp;
    float lane[BLOCK] = {0};
    double sum = 0;
    int64_t k = 0;
    for (; k + BLOCK <= n; k += BLOCK)
        for (int l = 0; l < BLOCK; l++) lane[l] += fabsf(GET(a[k + l]) - GET(b[k + l]));
    for (; k < n; k++) sum += (double)fabsf(GET(a[k]) - GET(b[k]));
    for (int l = 0; l < BLOCK; l++) sum += (double)lane[l];
    return sum;
}

static double TYPED(weighted_distance)(const void *ap, const void *bp, const float *restrict w, int64_t rows,
                                       int c) {
    const T *restrict a = ap, *restrict b = bp;
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
        float d = 0;
        for (int k = 0; k < c; k++) d += fabsf(GET(a[r * c + k]) - GET(b[r * c + k]));
        sum += (double)(w[r] * d);
    }
    return sum;
}

static void TYPED(put_sign)(void *dxp, const void *ap, const void *bp, float scale, int64_t n, int add) {
    T *dx = dxp;
    const T *a = ap, *b = bp;
    if (add)
        for (int64_t i = 0; i < n; i++) {
            float d = GET(a[i]) - GET(b[i]);
            dx[i] = PUT(GET(dx[i]) + (d > 0 ? scale : d < 0 ? -scale : 0.f));
        }
    else
        for (int64_t i = 0; i < n; i++) {
            float d = GET(a[i]) - GET(b[i]);
            dx[i] = PUT(d > 0 ? scale : d < 0 ? -scale : 0.f);
        }
}

#undef BLOCK
