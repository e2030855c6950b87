/*
 * The engine: a graph is declared once, compiled for shapes and a device, and run many times, forward and
 * backward.
 *
 *     bl_params *ps = NULL; bl_graph *g = NULL; bl_program *p = NULL;
 *     bl_params_create(&ps, &err);
 *     bl_graph_create(&g, ps, &err);
 *     bl_value x = bl_input(g, "x", 3);
 *     bl_value y = bl_conv2d(g, x, &(bl_conv2d_args){.name = "c1", .out = 8, .kh = 3, .kw = 3, .pad =
 * BL_PAD_SAME(1)}); bl_params_seal(ps, 42, &err);                                  // allocate and initialise
 * the slabs bl_program_compile(&p, g, &(bl_program_options){.inputs = ..., .outputs = ...}, &err);
 *     fill(bl_program_buffer(p, x)); bl_program_forward(p, &err); use(bl_program_buffer(p, y));
 *
 * Layout: every tensor is NHWC (channels last), float32 at the boundary; with BL_BF16 convolutions round
 * their operands to bfloat16 and sum in float32. Weights: convolution [out][kh][kw][in/groups], depthwise
 * [kh][kw][c], transposed convolution [in][kh][kw][out], fully connected [out][in], all float32 masters.
 * Errors while declaring are sticky: every builder returns -1 from then on and bl_program_compile reports the
 * first one. Threads: one program is used by one thread at a time; inside, work is split over `threads`
 * OpenMP threads with a fixed schedule, so the same thread count gives the same bits.
 */
#ifndef BALLERINO_NN_H
#define BALLERINO_NN_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_params bl_params;
typedef struct bl_graph bl_graph;
typedef struct bl_program bl_program;
typedef int bl_value; /* a tensor of a graph; negative = none or failed */
#define BL_NONE (-1)

typedef struct bl_shape {
    int n, h, w, c;
} bl_shape;

typedef enum bl_act {
    BL_ACT_NONE,
    BL_ACT_RELU,
    BL_ACT_RELU6,
    BL_ACT_LRELU /* slope 0.2 */,
    BL_ACT_TANH,
    BL_ACT_SIGMOID
} bl_act;
typedef enum bl_precision { BL_FP32, BL_BF16 } bl_precision;

/* ---- devices: where networks run. The CPU is always there; NVIDIA GPUs come with a module that is loaded at
 * run time (libballerino-cuda.so, beside the program or where BALLERINO_CUDA_MODULE says) ---- */
typedef struct bl_device bl_device; /* NULL is the CPU, everywhere */
/* `spec`: "cpu"; "cuda" or "cuda:N", else BL_E_DEVICE and one sentence why not; "auto" or NULL: the first
 * GPU, or the CPU where there is none. Parameters placed on a device are destroyed before it is closed. A
 * device may be used by several threads; they wait for each other. */
int bl_device_open(bl_device **out, const char *spec, bl_err *err);
void bl_device_close(bl_device **d);
int bl_device_index(const bl_device *d);        /* N of "cuda:N"; -1: the CPU */
const char *bl_device_name(const bl_device *d); /* "cpu", "cuda:0 (NVIDIA H100 80GB HBM3)" */
/* Waits for all that was asked of it and says whether that was done: 0, or the first failure, which lasts. */
int bl_device_check(bl_device *d, bl_err *err);
int64_t bl_device_memory_free(const bl_device *d); /* bytes that programs there can have; 0: unknown */
/* A device that only counts: on it everything is made as on `like`, which outlives it, and nothing is
 * allocated there or done; what is queued is forgotten. */
int bl_device_plan(bl_device **out, bl_device *like, bl_err *err);
int64_t bl_device_planned(const bl_device *plan); /* bytes of the device that were taken at the most */
typedef struct bl_device_info {
    char name[128], versions[160]; /* "driver 13.0, runtime 13.0, cuDNN 9.19.0" */
    int64_t memory, memory_free;   /* bytes */
    int major, minor;              /* compute capability */
} bl_device_info;
/* How many GPUs there are; negative where the module or a library that it needs is not, and *err says why. */
int bl_device_count(bl_err *err);
int bl_device_describe(bl_device_info *info, int index, bl_err *err);

/* ---- parameters: one slab each for weights, gradients, Adam's moments and the running average ---- */
typedef enum bl_init {
    BL_INIT_ZERO,
    BL_INIT_ONE,
    BL_INIT_NORMAL /* N(0, scale) */,
    BL_INIT_UNIFORM /* U(-scale, scale) */
} bl_init;

int bl_params_create(bl_params **out, bl_err *err);
void bl_params_destroy(bl_params **ps);
/* Declares a parameter (or finds it: same name, same dims). Returns its index, or negative. */
int bl_params_add(bl_params *ps, const char *name, int rank, const int *dims, bl_init init, float scale,
                  bl_err *err);
int bl_params_find(const bl_params *ps, const char *name); /* index, or -1 */
int bl_params_count(const bl_params *ps);
int64_t bl_params_total(const bl_params *ps,
                        const char *prefix); /* floats in all names starting with prefix */
const char *bl_params_name(const bl_params *ps, int index);
int bl_params_rank(const bl_params *ps, int index);
const int *bl_params_dims(const bl_params *ps, int index);
int64_t bl_params_size(const bl_params *ps, int index); /* floats */
/* Before sealing: parameters whose name starts with `prefix`, declared already or later, are frozen: they
 * have weights only, are never stepped, differentiated or averaged (BL_SLAB_EMA is the weights themselves),
 * and are not part of a training state. Gradients flow through the operators that read them. */
int bl_params_freeze(bl_params *ps, const char *prefix, bl_err *err);
int bl_params_frozen(const bl_params *ps, int index);
/* Allocates and initialises. `train` also allocates gradients, both moments and the average (5 slabs, else
 * 1). */
int bl_params_seal(bl_params *ps, uint64_t seed, int train, bl_err *err);
/* In place of sealing, on a device that plans: the host keeps nothing either, and bl_params_data is not
 * asked. */
int bl_params_plan(bl_params *ps, int train, bl_err *err);
/* Before sealing: their slabs are kept on this device too, and programs that use them run there (the plain
 * reference excepted). What bl_params_data gives is the host's copy: asking brings it up to date, writing
 * counts from bl_params_touch on. */
int bl_params_place(bl_params *ps, bl_device *device, bl_err *err);
bl_device *bl_params_device(const bl_params *ps);
/* Brings everything home and says whether the device has failed meanwhile: before what matters is saved. */
int bl_params_to_host(bl_params *ps, bl_err *err);
typedef enum bl_slab { BL_SLAB_WEIGHT, BL_SLAB_GRAD, BL_SLAB_M, BL_SLAB_V, BL_SLAB_EMA } bl_slab;
float *bl_params_data(bl_params *ps, int index, bl_slab slab); /* NULL when not allocated */
/* The next parameters, one behind the other in a slab, whose names start with `prefix` and that are not
 * frozen: their floats (with the zeros between them; a multiple of 16), as bl_params_data gives them. *at
 * begins at 0; NULL: no more, or not allocated. */
float *bl_params_run(bl_params *ps, const char *prefix, bl_slab slab, int *at, int64_t *floats);
void bl_params_touch(bl_params *ps); /* say that weights were changed from outside: programs re-read them */
typedef struct bl_adam {
    float lr, beta1, beta2, eps;
    float ema;   /* 0 = no average, else its decay */
    int threads; /* 0 = all; the result is the same with any number */
} bl_adam;
/* One Adam step for all names starting with prefix; `t` = 1, 2, 3... (bias correction). Kingma & Ba 2015,
 * alg. 1. Leaves their gradients zero. */
void bl_params_adam(bl_params *ps, const char *prefix, const bl_adam *a, int64_t t);

/* ---- devices of several processes, one each, that average among themselves (NCCL); see dist.h ---- */
#define BL_DEVICE_GROUP_ID 128 /* bytes */
/* One process makes an id, all join with it. BL_E_UNSUPPORTED and why where that cannot be. */
int bl_device_group_id(bl_device *d, void *id, bl_err *err);
int bl_device_group_join(bl_device *d, const void *id, int rank, int size, bl_err *err);
/* "NCCL 2.28.9"; negative where it is not, and *err says why. */
int bl_device_group_describe(char *text, size_t size, bl_err *err);
/* Queues that gradients of `prefix` become their means over the group; all its processes must ask for the
 * same. */
int bl_params_group_mean(bl_params *ps, const char *prefix, bl_err *err);

/* ---- declaring ---- */
int bl_graph_create(bl_graph **out, bl_params *ps,
                    bl_err *err); /* ps must outlive the graph and its programs */
void bl_graph_destroy(bl_graph **g);
bl_params *bl_graph_params(const bl_graph *g);

typedef struct bl_pad {
    int top, left, bottom, right;
} bl_pad;
#define BL_PAD_SAME(k) ((bl_pad){(k), (k), (k), (k)})

typedef struct bl_conv2d_args {
    const char *name; /* parameters NAME.weight and NAME.bias */
    int out;          /* output channels (ignored for depthwise) */
    int kh, kw;
    int sh, sw;    /* strides, 0 = 1 */
    bl_pad pad;    /* zero padding */
    int tf_same;   /* 1: TensorFlow SAME padding, computed from the input's size; `pad` is ignored */
    int depthwise; /* 1: one filter a channel (multiplier 1) */
    int no_bias;
    bl_act act; /* fused */
    bl_init init;
    float init_scale; /* of the weight; default (zeros) = N(0, 0.02) */
} bl_conv2d_args;

bl_value bl_input(bl_graph *g, const char *name, int channels);
bl_value bl_conv2d(bl_graph *g, bl_value x, const bl_conv2d_args *a);
/* kernel kh x kw, stride s: output (h-1)*s - 2*pad + k + out_pad (as in PyTorch) */
typedef struct bl_conv_transpose2d_args {
    const char *name;
    int out, k, stride, pad, out_pad;
    int no_bias;
    bl_init init;
    float init_scale;
} bl_conv_transpose2d_args;
bl_value bl_conv_transpose2d(bl_graph *g, bl_value x, const bl_conv_transpose2d_args *a);
bl_value bl_fully_connected(bl_graph *g, bl_value x, const char *name, int out,
                            bl_act act); /* x flattened a sample */
/* Instance norm (eps 1e-5, biased variance, no affine), then + residual (or BL_NONE), then activation. */
bl_value bl_norm_act(bl_graph *g, bl_value x, bl_value residual, bl_act act);
/* As above with learned scale and shift a channel: parameters NAME.weight (ones) and NAME.bias (zeros). */
bl_value bl_norm_affine_act(bl_graph *g, bl_value x, const char *name, bl_value residual, bl_act act);
bl_value bl_activation(bl_graph *g, bl_value x, bl_act act);
bl_value bl_prelu(bl_graph *g, bl_value x, const char *name);     /* slope a channel: NAME.weight [c] */
bl_value bl_add(bl_graph *g, bl_value a, bl_value b, bl_act act); /* same shapes */
bl_value bl_mul(bl_graph *g, bl_value a, bl_value b); /* same shapes, or b is n,1,1,c or n,h,w,1 */
bl_value bl_affine(bl_graph *g, bl_value x, float scale, float shift); /* scale * x + shift */
bl_value bl_concat(bl_graph *g, const bl_value *xs, int count);        /* along channels */
bl_value bl_concat_rows(bl_graph *g, const bl_value *xs, int count);   /* along h (w and c equal) */
bl_value bl_slice(bl_graph *g, bl_value x, int first, int count);      /* channels */
bl_value bl_pad_zero(bl_graph *g, bl_value x, bl_pad pad, int channels_after);
bl_value bl_pad_reflect(bl_graph *g, bl_value x, bl_pad pad);
bl_value bl_reshape(bl_graph *g, bl_value x, int h, int w, int c);  /* of one sample; one of them may be -1 */
bl_value bl_resize_bilinear(bl_graph *g, bl_value x, int h, int w); /* half-pixel centres */
bl_value bl_upsample2(bl_graph *g, bl_value x);                     /* nearest, twice the size */
bl_value bl_max_pool(bl_graph *g, bl_value x, int k, int stride, int tf_same);
bl_value bl_max_pool_ceil(bl_graph *g, bl_value x, int k, int stride); /* windows may hang over the end */
bl_value bl_avg_pool(bl_graph *g, bl_value x, int k, int stride,
                     int pad);             /* padding excluded from the mean */
bl_value bl_mean(bl_graph *g, bl_value x); /* over h and w: n,1,1,c */
bl_value bl_depth_to_space(bl_graph *g, bl_value x, int block);
bl_value bl_blend(bl_graph *g, bl_value fg, bl_value mask,
                  bl_value bg); /* mask*fg + (1-mask)*bg; mask has 1 channel */
/* y(row, column) = x(row - dy, column - dx), zero outside. offset: n,1,1,2 = (dx, dy), rounded to whole
 * pixels; it gets no gradient. */
bl_value bl_translate(bl_graph *g, bl_value x, bl_value offset);
/* amounts: n,1,1,3 = (b, s, k), no gradient: brightness u = x + b; saturation v = m + s (u - m), m a pixel's
 * mean over channels; contrast y = M + k (v - M), M the mean of v over the sample. Nothing changes at (0, 1,
 * 1). */
bl_value bl_colour(bl_graph *g, bl_value x, bl_value amounts);
bl_value bl_stop_gradient(bl_graph *g, bl_value x);
/* ---- scalars (shape 1,1,1,1), all means over elements ---- */
bl_value
bl_loss_l1(bl_graph *g, bl_value a, bl_value b,
           bl_value weight); /* mean w*|a-b| / mean w; weight n,h,w,1 or BL_NONE; no gradient to weight */
bl_value bl_loss_mse_to(bl_graph *g, bl_value a, float target); /* mean (a - target)^2 */
bl_value bl_loss_hinge(bl_graph *g, bl_value a, float sign);    /* mean max(0, 1 - sign*a) */
/* 1 - mean SSIM (Gaussian 11x11, sigma 1.5, valid area, constants for range `range`; Wang et al. 2004),
 * each pixel's SSIM weighted as in bl_loss_l1. */
bl_value bl_loss_ssim(bl_graph *g, bl_value a, bl_value b, bl_value weight, float range);
bl_value bl_weighted_sum(bl_graph *g, const bl_value *scalars, const float *weights, int count);

/* ---- compiling and running ---- */
typedef struct bl_input_shape {
    bl_value value;
    int n, h, w;
} bl_input_shape;
/* A scalar that will be differentiated with respect to every parameter whose name starts with `group`. */
typedef struct bl_objective {
    bl_value loss;
    const char *group;
} bl_objective;

typedef struct bl_program_options {
    const bl_input_shape *inputs;
    int n_inputs;
    const bl_value *outputs;
    int n_outputs; /* kept readable; what feeds no output or loss is pruned */
    const bl_objective *objectives;
    int n_objectives; /* empty: inference */
    bl_precision precision;
    int reference;   /* 1: the plain reference kernels */
    bl_slab weights; /* BL_SLAB_WEIGHT or BL_SLAB_EMA */
    int threads;     /* 0 = all */
    int poison;      /* testing, on a device: whatever an operator shall write is filled with NaN before */
    int plan_only; /* 1: only to ask for memory and multiply-adds; allocates next to nothing, cannot run, and
                      the parameters need not be sealed */
} bl_program_options;

int bl_program_compile(bl_program **out, const bl_graph *g, const bl_program_options *o, bl_err *err);
void bl_program_destroy(bl_program **p);
/* Float32 NHWC buffer of an input (write before forward) or output (read after forward). NULL for any other.
 * On a device, forward and backward of a program with objectives only queue the work: asking for a buffer
 * waits for it, so ask again after each forward. */
float *bl_program_buffer(bl_program *p, bl_value v);
bl_shape bl_program_shape(const bl_program *p, bl_value v);
int bl_program_forward(bl_program *p, bl_err *err);
/* Adds d(objective)/d(parameter) to the gradient slab of the objective's group. After forward; any order, any
 * number. */
int bl_program_backward(bl_program *p, int objective, bl_err *err);
/* The gradient that backward left for an input or output value (testing); NULL when none was needed. */
int64_t bl_program_memory(const bl_program *p); /* bytes of arena, scratch and packed weights */
/* Multiply-adds of one forward: convolution k*k*Cin*Cout*Hout*Wout, transposed k*k*Cin*Cout*Hin*Win, fully
 * connected in*out; the rest is ignored. */
double bl_program_macs(const bl_program *p);
/* And of a forward and a backward of every objective. */
double bl_program_training_macs(const bl_program *p);
/* From now on every step's time is taken; earlier ones are forgotten. */
int bl_program_profile(bl_program *p, bl_err *err);
typedef struct bl_profile_row {
    const char *op, *name; /* the program's own */
    bl_shape x, y;         /* of its first input and of its output */
    int kernel, stride;
    double seconds[2], macs[2], bytes[2]; /* forward, backward; seconds of all calls, the rest of one */
} bl_profile_row;
/* Fills up to `max` rows, a row an operator; returns how many operators there are. */
int bl_program_profile_rows(const bl_program *p, bl_profile_row *rows, int max);
/* bl_program_macs of a graph, from shapes alone. */
int bl_graph_macs(const bl_graph *g, const bl_program_options *o, double *macs, bl_err *err);

/* What the CPU has, for `doctor` and for choosing: 1 when bfloat16 convolution is native. */
int bl_cpu_has_bf16(void);
/* 1 when it has tile registers for bfloat16 (AMX), and nobody told oneDNN to do without. */
int bl_cpu_has_tiles(void);
/* What `auto` means: BL_BF16 on a GPU, else the CPU's. */
bl_precision bl_device_faster_precision(const bl_device *d);
/* BL_BF16 where bfloat16 convolution is native and faster than float32, else BL_FP32; always the same here.
 */
bl_precision bl_cpu_faster_precision(void);
const char *bl_cpu_backend_version(void); /* "oneDNN 2.6.3" */
const char *bl_cpu_vector_isa(void);      /* "avx512", "avx2", "baseline" */

#ifdef __cplusplus
}
#endif
#endif
