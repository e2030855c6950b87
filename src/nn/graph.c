/* Declaring a graph: every builder checks its arguments, declares its parameters and appends one node. */
#include "graph.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define MAX_NODES 100000

const char *const bl__op_names[BL__OP_COUNT] = {
#define BL_X(name, x, y) #name,
    BL__OP_TABLE(BL_X)
#undef BL_X
};
const unsigned char bl__op_needs_x[BL__OP_COUNT] = {
#define BL_X(name, x, y) x,
    BL__OP_TABLE(BL_X)
#undef BL_X
};
const unsigned char bl__op_needs_y[BL__OP_COUNT] = {
#define BL_X(name, x, y) y,
    BL__OP_TABLE(BL_X)
#undef BL_X
};

int bl_graph_create(bl_graph **out, bl_params *ps, bl_err *err) {
    bl_graph *g = bl_alloc(sizeof *g);
    if (!g) return bl_fail(err, BL_E_NOMEM, "not enough memory for a graph");
    g->ps = ps;
    *out = g;
    return 0;
}

void bl_graph_destroy(bl_graph **g) {
    if (!*g) return;
    bl_free((*g)->nodes);
    bl_free(*g);
    *g = NULL;
}

bl_params *bl_graph_params(const bl_graph *g) {
    return g->ps;
}

static bl_value refuse(bl_graph *g, const char *op, const char *why) {
    if (!g->err.code) (void)bl_fail(&g->err, BL_E_FORMAT, "the network cannot be built: %s: %s", op, why);
    return BL_NONE;
}

static bl_value append(bl_graph *g, const bl__node *node) {
    if (g->err.code) return BL_NONE;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] < 0 || node->in[i] >= g->n)
            return refuse(g, bl__op_names[node->op], "an input is missing");
    if (g->n == g->capacity) {
        int more = g->capacity ? g->capacity * 2 : 64;
        bl__node *p =
            more > MAX_NODES ? NULL : bl_realloc_array(g->nodes, (size_t)g->n, (size_t)more, sizeof *p);
        if (!p) {
            (void)bl_fail(&g->err, BL_E_NOMEM, "not enough memory for a network of %d operators", more);
            return BL_NONE;
        }
        g->nodes = p;
        g->capacity = more;
    }
    g->nodes[g->n] = *node;
    return g->n++;
}

int bl__channels(const bl_graph *g, bl_value v) {
    if (v < 0 || v >= g->n) return 0;
    const bl__node *n = &g->nodes[v];
    int sum = 0;
    switch (n->op) {
    case BL__OP_input:
    case BL__OP_conv2d:
    case BL__OP_conv_transpose2d:
    case BL__OP_fully_connected:
    case BL__OP_slice: return n->channels;
    case BL__OP_concat:
        for (int i = 0; i < n->n_in; i++) sum += bl__channels(g, n->in[i]);
        return sum;
    case BL__OP_pad_zero: return bl__channels(g, n->in[0]) + n->channels;
    case BL__OP_reshape: return n->c; /* may be -1: known when compiled */
    case BL__OP_depth_to_space: return bl__channels(g, n->in[0]) / (n->block * n->block);
    case BL__OP_loss_l1:
    case BL__OP_loss_mse_to:
    case BL__OP_loss_hinge:
    case BL__OP_loss_ssim:
    case BL__OP_weighted_sum: return 1;
    default: return bl__channels(g, n->in[0]);
    }
}

static int declare(bl_graph *g, const char *name, const char *suffix, int rank, const int *dims, bl_init init,
                   float scale) {
    char full[96];
    if (g->err.code) return -1;
    if (snprintf(full, sizeof full, "%s.%s", name, suffix) >= (int)sizeof full) {
        refuse(g, name, "the name is too long");
        return -1;
    }
    return bl_params_add(g->ps, full, rank, dims, init, scale, &g->err);
}

bl_value bl_input(bl_graph *g, const char *name, int channels) {
    bl__node n = {.op = BL__OP_input, .channels = channels, .weight = -1, .bias = -1};
    if (channels < 1) return refuse(g, name, "an input needs at least one channel");
    snprintf(n.name, sizeof n.name, "%s", name);
    return append(g, &n);
}

static void weight_init(bl_init *init, float *scale, bl_init asked, float asked_scale) {
    int unset = asked == BL_INIT_ZERO && asked_scale == 0;
    *init = unset ? BL_INIT_NORMAL : asked;
    *scale = unset ? 0.02f : asked_scale;
}

bl_value bl_conv2d(bl_graph *g, bl_value x, const bl_conv2d_args *a) {
    int cin = bl__channels(g, x), out = a->depthwise ? cin : a->out;
    if (cin < 1 || out < 1 || a->kh < 1 || a->kw < 1)
        return refuse(g, a->name, "channels and kernel must be positive");
    bl__node n = {.op = BL__OP_conv2d,
                  .n_in = 1,
                  .in = {x},
                  .channels = out,
                  .kh = a->kh,
                  .kw = a->kw,
                  .sh = a->sh ? a->sh : 1,
                  .sw = a->sw ? a->sw : 1,
                  .pad = a->pad,
                  .tf_same = a->tf_same,
                  .depthwise = a->depthwise,
                  .act = a->act,
                  .bias = -1};
    snprintf(n.name, sizeof n.name, "%s", a->name);
    bl_init init;
    float scale;
    weight_init(&init, &scale, a->init, a->init_scale);
    int dense[4] = {out, a->kh, a->kw, cin}, depth[3] = {a->kh, a->kw, cin};
    n.weight = a->depthwise ? declare(g, a->name, "weight", 3, depth, init, scale)
                            : declare(g, a->name, "weight", 4, dense, init, scale);
    if (!a->no_bias) n.bias = declare(g, a->name, "bias", 1, &out, BL_INIT_ZERO, 0);
    return append(g, &n);
}

bl_value bl_conv_transpose2d(bl_graph *g, bl_value x, const bl_conv_transpose2d_args *a) {
    int cin = bl__channels(g, x);
    if (cin < 1 || a->out < 1 || a->k < 1 || a->stride < 1)
        return refuse(g, a->name, "channels, kernel and stride must be positive");
    bl__node n = {.op = BL__OP_conv_transpose2d,
                  .n_in = 1,
                  .in = {x},
                  .channels = a->out,
                  .kh = a->k,
                  .kw = a->k,
                  .sh = a->stride,
                  .sw = a->stride,
                  .pad = BL_PAD_SAME(a->pad),
                  .out_pad = a->out_pad,
                  .bias = -1};
    snprintf(n.name, sizeof n.name, "%s", a->name);
    bl_init init;
    float scale;
    weight_init(&init, &scale, a->init, a->init_scale);
    n.weight = declare(g, a->name, "weight", 4, (int[4]){cin, a->k, a->k, a->out}, init, scale);
    if (!a->no_bias) n.bias = declare(g, a->name, "bias", 1, &a->out, BL_INIT_ZERO, 0);
    return append(g, &n);
}

/* How many values one sample of v has must be known when declared: v is a mean, a reshape or an input of 1x1.
 */
bl_value bl_fully_connected(bl_graph *g, bl_value x, const char *name, int out, bl_act act) {
    int cin = bl__channels(g, x);
    if (cin < 1 || out < 1) return refuse(g, name, "a fully connected layer needs a known number of inputs");
    bl__node n = {.op = BL__OP_fully_connected,
                  .n_in = 1,
                  .in = {x},
                  .channels = out,
                  .kh = 1,
                  .kw = 1,
                  .sh = 1,
                  .sw = 1,
                  .act = act};
    snprintf(n.name, sizeof n.name, "%s", name);
    n.weight = declare(g, name, "weight", 2, (int[2]){out, cin}, BL_INIT_NORMAL, 0.02f);
    n.bias = declare(g, name, "bias", 1, &out, BL_INIT_ZERO, 0);
    return append(g, &n);
}

bl_value bl_norm_act(bl_graph *g, bl_value x, bl_value residual, bl_act act) {
    bl__node n = {.op = BL__OP_norm_act,
                  .n_in = residual >= 0 ? 2 : 1,
                  .in = {x, residual},
                  .weight = -1,
                  .bias = -1,
                  .act = act};
    return append(g, &n);
}

bl_value bl_norm_affine_act(bl_graph *g, bl_value x, const char *name, bl_value residual, bl_act act) {
    int c = bl__channels(g, x);
    bl__node n = {.op = BL__OP_norm_act, .n_in = residual >= 0 ? 2 : 1, .in = {x, residual}, .act = act};
    n.weight = declare(g, name, "weight", 1, &c, BL_INIT_ONE, 0);
    n.bias = declare(g, name, "bias", 1, &c, BL_INIT_ZERO, 0);
    return append(g, &n);
}

static bl_value simple(bl_graph *g, bl__op op, bl_value a, bl_value b, bl__node attributes) {
    attributes.op = op;
    attributes.n_in = b >= 0 ? 2 : 1;
    attributes.in[0] = a;
    attributes.in[1] = b;
    attributes.weight = attributes.bias = -1;
    return append(g, &attributes);
}

bl_value bl_activation(bl_graph *g, bl_value x, bl_act act) {
    return simple(g, BL__OP_activation, x, BL_NONE, (bl__node){.act = act});
}

bl_value bl_prelu(bl_graph *g, bl_value x, const char *name) {
    int c = bl__channels(g, x);
    bl__node n = {.op = BL__OP_prelu, .n_in = 1, .in = {x}, .bias = -1};
    n.weight = declare(g, name, "weight", 1, &c, BL_INIT_ZERO, 0);
    return append(g, &n);
}

bl_value bl_add(bl_graph *g, bl_value a, bl_value b, bl_act act) {
    if (b < 0) return refuse(g, "add", "an input is missing");
    return simple(g, BL__OP_add, a, b, (bl__node){.act = act});
}

bl_value bl_mul(bl_graph *g, bl_value a, bl_value b) {
    if (b < 0) return refuse(g, "mul", "an input is missing");
    return simple(g, BL__OP_mul, a, b, (bl__node){0});
}

bl_value bl_affine(bl_graph *g, bl_value x, float scale, float shift) {
    return simple(g, BL__OP_affine, x, BL_NONE, (bl__node){.f = {scale, shift}});
}

static bl_value gather(bl_graph *g, bl__op op, const bl_value *xs, int count, const float *weights) {
    bl__node n = {.op = op, .n_in = count, .weight = -1, .bias = -1};
    if (count < 1 || count > BL__MAX_IN) return refuse(g, bl__op_names[op], "too few or too many inputs");
    memcpy(n.in, xs, sizeof *xs * (size_t)count);
    if (weights) memcpy(n.f, weights, sizeof *weights * (size_t)count);
    return append(g, &n);
}

bl_value bl_concat(bl_graph *g, const bl_value *xs, int count) {
    return gather(g, BL__OP_concat, xs, count, NULL);
}
bl_value bl_concat_rows(bl_graph *g, const bl_value *xs, int count) {
    return gather(g, BL__OP_concat_rows, xs, count, NULL);
}
bl_value bl_weighted_sum(bl_graph *g, const bl_value *xs, const float *weights, int count) {
    return gather(g, BL__OP_weighted_sum, xs, count, weights);
}

bl_value bl_slice(bl_graph *g, bl_value x, int first, int count) {
    if (first < 0 || count < 1 || first + count > bl__channels(g, x))
        return refuse(g, "slice", "channels out of range");
    return simple(g, BL__OP_slice, x, BL_NONE, (bl__node){.first = first, .channels = count});
}

bl_value bl_pad_zero(bl_graph *g, bl_value x, bl_pad pad, int channels_after) {
    return simple(g, BL__OP_pad_zero, x, BL_NONE, (bl__node){.pad = pad, .channels = channels_after});
}

bl_value bl_pad_reflect(bl_graph *g, bl_value x, bl_pad pad) {
    return simple(g, BL__OP_pad_reflect, x, BL_NONE, (bl__node){.pad = pad});
}

bl_value bl_reshape(bl_graph *g, bl_value x, int h, int w, int c) {
    return simple(g, BL__OP_reshape, x, BL_NONE, (bl__node){.h = h, .w = w, .c = c});
}

bl_value bl_resize_bilinear(bl_graph *g, bl_value x, int h, int w) {
    return simple(g, BL__OP_resize_bilinear, x, BL_NONE, (bl__node){.h = h, .w = w});
}

bl_value bl_upsample2(bl_graph *g, bl_value x) {
    return simple(g, BL__OP_upsample2, x, BL_NONE, (bl__node){0});
}

bl_value bl_max_pool(bl_graph *g, bl_value x, int k, int stride, int tf_same) {
    return simple(g, BL__OP_max_pool, x, BL_NONE,
                  (bl__node){.kh = k, .kw = k, .sh = stride, .sw = stride, .tf_same = tf_same});
}

/* Padding at the end that lets the last, incomplete window begin inside: counted as if it were not there. */
bl_value bl_max_pool_ceil(bl_graph *g, bl_value x, int k, int stride) {
    return simple(
        g, BL__OP_max_pool, x, BL_NONE,
        (bl__node){.kh = k, .kw = k, .sh = stride, .sw = stride, .pad = {0, 0, stride - 1, stride - 1}});
}

bl_value bl_avg_pool(bl_graph *g, bl_value x, int k, int stride, int pad) {
    return simple(g, BL__OP_avg_pool, x, BL_NONE,
                  (bl__node){.kh = k, .kw = k, .sh = stride, .sw = stride, .pad = BL_PAD_SAME(pad)});
}

bl_value bl_mean(bl_graph *g, bl_value x) {
    return simple(g, BL__OP_mean, x, BL_NONE, (bl__node){0});
}

bl_value bl_depth_to_space(bl_graph *g, bl_value x, int block) {
    if (block < 1) return refuse(g, "depth_to_space", "the block must be positive");
    return simple(g, BL__OP_depth_to_space, x, BL_NONE, (bl__node){.block = block});
}

bl_value bl_blend(bl_graph *g, bl_value fg, bl_value mask, bl_value bg) {
    return gather(g, BL__OP_blend, (bl_value[3]){fg, mask, bg}, 3, NULL);
}

bl_value bl_translate(bl_graph *g, bl_value x, bl_value offset) {
    if (bl__channels(g, offset) != 2) return refuse(g, "translate", "the offset needs two channels");
    return gather(g, BL__OP_translate, (bl_value[2]){x, offset}, 2, NULL);
}

bl_value bl_colour(bl_graph *g, bl_value x, bl_value amounts) {
    if (bl__channels(g, amounts) != 3) return refuse(g, "colour", "the amounts need three channels");
    return gather(g, BL__OP_colour, (bl_value[2]){x, amounts}, 2, NULL);
}

bl_value bl_stop_gradient(bl_graph *g, bl_value x) {
    return simple(g, BL__OP_stop_gradient, x, BL_NONE, (bl__node){0});
}

bl_value bl_loss_l1(bl_graph *g, bl_value a, bl_value b, bl_value weight) {
    return gather(g, BL__OP_loss_l1, (bl_value[3]){a, b, weight}, weight >= 0 ? 3 : 2, NULL);
}

bl_value bl_loss_mse_to(bl_graph *g, bl_value a, float target) {
    return simple(g, BL__OP_loss_mse_to, a, BL_NONE, (bl__node){.f = {target}});
}

bl_value bl_loss_hinge(bl_graph *g, bl_value a, float sign) {
    return simple(g, BL__OP_loss_hinge, a, BL_NONE, (bl__node){.f = {sign}});
}

bl_value bl_loss_ssim(bl_graph *g, bl_value a, bl_value b, bl_value weight, float range) {
    return gather(g, BL__OP_loss_ssim, (bl_value[3]){a, b, weight}, weight >= 0 ? 3 : 2,
                  (float[3]){range, 0, 0});
}
