/*
 * Kernels: how an operator is carried out. A kernel plans (creates what it needs and says how much memory),
 * is bound to addresses, and then runs forward and backward any number of times without allocating.
 *
 * The plain reference (ref/) has every operator. The CPU backend (cpu/) overrides some; what it lacks falls
 * back.
 */
#ifndef BALLERINO_NN_KERNELS_H
#define BALLERINO_NN_KERNELS_H

#include "graph.h"

typedef struct bl__step bl__step;
typedef struct bl__shared bl__shared; /* what the convolutions of a program have in common (cpu/onednn.h) */
typedef struct bl__back bl__back;
typedef struct bl__device bl__device; /* a loaded backend's (device.h) */

/* With bfloat16 precision, values between operators are stored in bfloat16 where all who touch them can. */
typedef enum bl__half {
    BL__HALF_NONE, /* float32 only */
    BL__HALF_FREE, /* each value may be either */
    BL__HALF_TIED  /* either, but all inputs and the output alike; a loss: its first two inputs alike */
} bl__half;

/* Bytes behind every value and gradient that may be read, though not used. */
#define BL__OVERREAD (128 << 10)

typedef struct bl__kernel {
    bl__half half;
    /* Sets step->packed_bytes, step->saved_floats (kept from forward to backward) and step->scratch_floats
     * (free again after each call). step->want_dx and want_dw say what backward will be asked for. May be
     * NULL. */
    int (*plan)(bl__step *s, bl_err *err);
    /* Addresses are known now. May be NULL. */
    int (*bind)(bl__step *s, bl_err *err);
    void (*forward)(bl__step *s);
    /* Writes (or adds to, where the bit is set in back->add) the inputs' gradients; adds to the parameters'.
     * May overwrite back->dy. NULL: not differentiable. */
    void (*backward)(const bl__back *b);
    /* On a device: the weights have changed since the last forward. May be NULL. */
    void (*refresh)(bl__step *s);
    void (*release)(bl__step *s); /* frees step->state; may be NULL */
} bl__kernel;

/* One operator of a compiled program. */
struct bl__step {
    const bl__node *node;
    const bl__kernel *kernel;
    bl_value value; /* the node's index */
    int n_in;
    bl_shape xs[BL__MAX_IN], ys;
    bl_pad pad;      /* resolved */
    unsigned half_x; /* bit i: input i, and its gradient, are bfloat16 behind the pointer */
    int half_y;
    const float *x[BL__MAX_IN];
    float *y;
    const float *w, *b; /* weights and bias as the program reads them (master or average) */
    int no_bias;        /* a norm follows that takes the bias away again: it is neither added nor trained */
    float *dw, *db;     /* gradient slabs; NULL in inference */
    unsigned want_dx;   /* bit i: some objective needs input i's gradient */
    int want_dw;
    int64_t saved_floats, scratch_floats;
    int64_t packed_bytes; /* of weights in the kernel's own layouts, which it allocates itself */
    int plan_only;        /* allocate nothing: the program will not be run */
    float *saved, *scratch;
    int threads;
    bl_precision precision; /* of the convolutions' operands */
    bl__shared **shared;    /* the program's; made by who needs it first */
    bl_params *ps;
    void *state;
    bl__device *device;     /* where the addresses are; NULL: the CPU */
    const uint16_t *w_half; /* on a device: the weights rounded to bfloat16, or NULL */
};

/* One operator's part of one objective's backward pass. */
struct bl__back {
    bl__step *s;
    float *dy;
    float *dx[BL__MAX_IN]; /* NULL: not needed */
    unsigned add;          /* bit i: add to dx[i], else overwrite */
    int params;            /* 1: this objective trains the step's parameters */
};

int bl__threads(int wanted); /* 0 = all */
void bl__shared_destroy(bl__shared **shared);
const bl__kernel *bl__ref_kernel(bl__op op);
const bl__kernel *bl__cpu_kernel(bl__op op, const bl__node *node); /* NULL: use the reference */

/* Kernels on values of one storage type; sums and arithmetic are float32. */
typedef struct bl__typed {
    void (*act_backward)(void *dx, const void *dy, const void *y, int64_t n, bl_act act, int add);
    void (*add_act)(void *y, const void *a, const void *b, int64_t n, bl_act act);
    void (*accumulate)(void *y, const void *x, int64_t n); /* y += x */
    /* y[rows][c] += b[c], and b[c] += the sum over rows of y */
    void (*add_bias)(void *y, const float *b, int64_t rows, int c);
    void (*bias_sums)(float *b, const void *y, int64_t rows, int c);
    /* Sums over rows of a [rows][c] block, around shift[c]: sum[c] += x - shift, square[c] += (x - shift)^2.
     */
    void (*norm_sums)(const void *x, const float *shift, int64_t rows, int c, float *sum, float *square);
    /* y = act((x - mean) * scale + offset + residual); residual may be NULL. */
    void (*norm_apply)(void *y, const void *x, const void *residual, const float *mean, const float *scale,
                       const float *offset, int64_t rows, int c, bl_act act);
    /* dz = dy * act'(y), in place; sum[c] += dz; dot[c] += dz * (x - mean) * rstd. */
    void (*norm_back_sums)(void *dy, const void *y, const void *x, const float *mean, const float *rstd,
                           int64_t rows, int c, bl_act act, float *sum, float *dot);
    /* dx = a * (dz - m1 - (x - mean) * rstd * m2), a, m1, m2 a channel; add: += */
    void (*norm_back_apply)(void *dx, const void *dz, const void *x, const float *mean, const float *rstd,
                            const float *a, const float *m1, const float *m2, int64_t rows, int c, int add);
    /* y[n] = (add ? y : 0) + a + b + c + d */
    void (*sum4)(void *y, const void *a, const void *b, const void *c, const void *d, int64_t n, int add);
    /* sum of |a - b|; the same with a weight for each row; dx = (add ? dx : 0) + scale * sign(a - b) */
    double (*distance)(const void *a, const void *b, int64_t n);
    double (*weighted_distance)(const void *a, const void *b, const float *w, int64_t rows, int c);
    void (*put_sign)(void *dx, const void *a, const void *b, float scale, int64_t n, int add);
} bl__typed;

static inline int bl__half_x(const bl__step *s, int i) {
    return (int)(s->half_x >> i & 1);
}
static inline size_t bl__size(int half) {
    return half ? sizeof(uint16_t) : sizeof(float);
}
/* Element i behind a pointer to values of either storage. */
static inline void *bl__at(void *p, int64_t i, int half) {
    return (unsigned char *)p + i * (int64_t)bl__size(half);
}
static inline const void *bl__at_const(const void *p, int64_t i, int half) {
    return (const unsigned char *)p + i * (int64_t)bl__size(half);
}

/* ---- vector kernels: one source compiled for several instruction sets, chosen once at run time ---- */
typedef struct bl__vector_table {
    const char *isa;
    void (*adam)(float *w, float *g, float *m, float *v, float *ema, int64_t n, const bl_adam *a, int64_t t);
    void (*act_forward)(float *y, const float *x, int64_t n, bl_act act);
    void (*to_bf16)(uint16_t *y, const float *x, int64_t n); /* rounds to nearest, ties to even */
    void (*from_bf16)(float *y, const uint16_t *x, int64_t n);
    bl__typed typed[2]; /* by storage: float32, bfloat16 */
    /* y[i] = sum over k of f[k] * x[i + k * step] */
    void (*filter)(float *y, const float *x, int64_t step, const float *f, int taps, int64_t n);
    /* n windows from their moments [a, b, a^2, b^2, ab][n]: weighted SSIM, and its derivatives by a's mean,
     * by its variance and by the covariance, `plane` values apart. `range`: of the values. */
    void (*ssim)(float *value, float *derivatives, int64_t plane, const float *moments, const float *weights,
                 int64_t n, float range);
    /* Depthwise convolution, NHWC, any kernel and stride; rows y0..y1 of the output of one sample. */
    void (*depthwise)(float *y, const float *x, const float *w, const float *b, bl_shape xs, bl_shape ys,
                      int kh, int kw, int sh, int sw, bl_pad pad, bl_act act, int y0, int y1);
    /* Its input's gradient; rows y0..y1 of the input of one sample. add: += */
    void (*depthwise_back)(float *dx, const float *dy, const float *w, bl_shape xs, bl_shape ys, int kh,
                           int kw, int sh, int sw, bl_pad pad, int add, int y0, int y1);
} bl__vector_table;
const bl__vector_table *bl__vector(void);
static inline const bl__typed *bl__typed_of(int half) {
    return &bl__vector()->typed[half != 0];
}
/* Work is cut in this fixed way, so that results do not depend on timing. */
static inline int64_t bl__share(int64_t n, int parts, int i) {
    return n * i / parts;
}

#endif
