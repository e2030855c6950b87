/* Inside of the engine: what a declared graph is made of. A node is one operator and the one value it makes.
 */
#ifndef BALLERINO_NN_GRAPH_H
#define BALLERINO_NN_GRAPH_H

#include "ballerino/base.h"
#include "ballerino/nn.h"

#define BL__MAX_IN 16

/* X(name, backward reads its inputs, backward reads its output) */
#define BL__OP_TABLE(X)                                                                                      \
    X(input, 0, 0)                                                                                           \
    X(conv2d, 1, 1)                                                                                          \
    X(conv_transpose2d, 1, 0)                                                                                \
    X(fully_connected, 1, 1)                                                                                 \
    X(norm_act, 1, 1)                                                                                        \
    X(activation, 0, 1)                                                                                      \
    X(prelu, 1, 0)                                                                                           \
    X(add, 0, 1)                                                                                             \
    X(mul, 1, 0)                                                                                             \
    X(affine, 0, 0)                                                                                          \
    X(concat, 0, 0)                                                                                          \
    X(concat_rows, 0, 0)                                                                                     \
    X(slice, 0, 0)                                                                                           \
    X(pad_zero, 0, 0)                                                                                        \
    X(pad_reflect, 0, 0)                                                                                     \
    X(reshape, 0, 0)                                                                                         \
    X(resize_bilinear, 0, 0)                                                                                 \
    X(upsample2, 0, 0)                                                                                       \
    X(max_pool, 1, 1)                                                                                        \
    X(avg_pool, 0, 0)                                                                                        \
    X(mean, 0, 0)                                                                                            \
    X(depth_to_space, 0, 0)                                                                                  \
    X(blend, 1, 0)                                                                                           \
    X(translate, 0, 0)                                                                                       \
    X(colour, 0, 0)                                                                                          \
    X(stop_gradient, 0, 0)                                                                                   \
    X(loss_l1, 1, 0)                                                                                         \
    X(loss_mse_to, 1, 0)                                                                                     \
    X(loss_hinge, 1, 0)                                                                                      \
    X(loss_ssim, 1, 0)                                                                                       \
    X(weighted_sum, 0, 0)

typedef enum bl__op {
#define BL_X(name, x, y) BL__OP_##name,
    BL__OP_TABLE(BL_X)
#undef BL_X
        BL__OP_COUNT
} bl__op;

typedef struct bl__node {
    bl__op op;
    int n_in;
    bl_value in[BL__MAX_IN];
    int weight, bias; /* parameter indices, or -1 */
    char name[64];
    /* attributes; each operator reads its own */
    int channels; /* input: of the value; conv, fully connected: output; pad_zero: channels after; slice:
                     count */
    int kh, kw, sh, sw;
    bl_pad pad;
    int tf_same, depthwise, out_pad;
    int first, block;
    int h, w, c; /* reshape, resize */
    bl_act act;
    float f[BL__MAX_IN]; /* affine: scale, shift; losses: target, sign, range; weighted_sum: weights */
} bl__node;

struct bl_graph {
    bl_params *ps;
    bl__node *nodes; /* value i is made by node i; inputs come before users */
    int n, capacity;
    bl_err err; /* the first error while declaring; sticky */
};

extern const char *const bl__op_names[BL__OP_COUNT];
extern const unsigned char bl__op_needs_x[BL__OP_COUNT], bl__op_needs_y[BL__OP_COUNT];

/* Output shape of a node from its inputs' shapes; also resolves tf_same into *pad. */
int bl__infer(const bl__node *node, const bl_shape *in, bl_shape *out, bl_pad *pad, bl_err *err);

/* A graph's channel counts are known while declaring, sizes only when compiled. */
int bl__channels(const bl_graph *g, bl_value v);

static inline int64_t bl__elements(bl_shape s) {
    return (int64_t)s.n * s.h * s.w * s.c;
}
static inline int64_t bl__plane(bl_shape s) {
    return (int64_t)s.h * s.w;
}

/* Version of the weights: grows whenever they change, so that programs know when to repack. */
uint64_t bl__params_version(const bl_params *ps);

#endif
