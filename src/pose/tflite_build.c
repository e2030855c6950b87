#include "tflite_build.h"

#include <stdio.h>

#include "ballerino/base.h"

static int unsupported(const bl__tfl_build *b, const bl__tfl_op *op, const char *what, bl_err *err) {
    return bl_fail(err, BL_E_UNSUPPORTED, "%s has an operator that this build cannot run (code %d: %s)",
                   b->model->name, op->code, what);
}

static const bl__tfl_tensor *tensor(const bl__tfl_build *b, int t) {
    return &b->model->tensors[t];
}

static int map_act(int act, bl_act *out) {
    *out = act == BL__TFL_ACT_RELU ? BL_ACT_RELU : act == BL__TFL_ACT_RELU6 ? BL_ACT_RELU6 : BL_ACT_NONE;
    return act == BL__TFL_NO_ACT || act == BL__TFL_ACT_RELU || act == BL__TFL_ACT_RELU6 ? 0 : -1;
}

/* Remembers which constant the parameter gets; it must have the size that the engine expects. */
static int want(bl__tfl_build *b, const char *layer, const char *part, int constant, bl_err *err) {
    bl__tfl_weight *w = &b->weights[b->n_weights++];
    snprintf(w->name, sizeof w->name, "%s%s", layer, part);
    w->tensor = constant;
    int index = bl_params_find(b->params, w->name);
    if (index < 0) return 0; /* the engine refused the operator: reported after it */
    b->weight_floats += tensor(b, constant)->count;
    if (bl_params_size(b->params, index) == tensor(b, constant)->count &&
        b->weight_floats <= BL__TFL_MAX_WEIGHTS)
        return 0;
    return bl_fail(err, BL_E_FORMAT, "%s is not a usable model: the weights of tensor %s have a wrong size",
                   b->model->name, layer);
}

/* ---- one function an operator: declares it and sets the value of its output ---- */

static int add_conv(bl__tfl_build *b, const bl__tfl_op *op, const char *name, bl_value x, bl_err *err) {
    int depthwise = op->code == BL__TFL_DEPTHWISE_CONV_2D;
    const bl__tfl_tensor *w = op->n_in >= 2 && op->in[1] >= 0 ? tensor(b, op->in[1]) : NULL;
    int has_bias = op->n_in >= 3 && op->in[2] >= 0;
    bl_conv2d_args a = {.name = name, .depthwise = depthwise, .no_bias = !has_bias, .init = BL_INIT_ZERO};
    if (!w || !w->constant || w->rank != 4 || (has_bias && !tensor(b, op->in[2])->constant))
        return unsupported(b, op, "weights that are not constant", err);
    if (op->dilation_w != 1 || op->dilation_h != 1 || op->multiplier != 1 || map_act(op->act, &a.act) < 0)
        return unsupported(b, op, "dilation, multiplier or activation", err);
    if (op->stride_w < 1 || op->stride_h < 1 || w->dims[1] > 64 || w->dims[2] > 64 ||
        (depthwise && w->dims[0] != 1))
        return unsupported(b, op, "stride or kernel size", err);
    a.out = depthwise ? w->dims[3] : w->dims[0];
    a.kh = w->dims[1];
    a.kw = w->dims[2];
    a.sh = op->stride_h;
    a.sw = op->stride_w;
    a.tf_same = op->same;
    a.pad = b->pad[op->in[0]];
    a.init_scale = 1;
    b->value[op->out[0]] = bl_conv2d(b->graph, x, &a);
    int rc = want(b, name, ".weight", op->in[1], err);
    return rc == 0 && has_bias ? want(b, name, ".bias", op->in[2], err) : rc;
}

static int add_fully_connected(bl__tfl_build *b, const bl__tfl_op *op, const char *name, bl_value x,
                               bl_err *err) {
    bl_act act;
    const bl__tfl_tensor *w = op->n_in >= 2 && op->in[1] >= 0 ? tensor(b, op->in[1]) : NULL;
    if (!w || !w->constant || w->rank != 2 || op->weights_format || map_act(op->act, &act) < 0)
        return unsupported(b, op, "weights or activation", err);
    b->value[op->out[0]] = bl_fully_connected(b->graph, x, name, w->dims[0], act);
    int rc = want(b, name, ".weight", op->in[1], err);
    if (rc < 0 || op->n_in < 3 || op->in[2] < 0) return rc;
    if (!tensor(b, op->in[2])->constant) return unsupported(b, op, "a bias that is not constant", err);
    return want(b, name, ".bias", op->in[2], err);
}

static int add_add(bl__tfl_build *b, const bl__tfl_op *op, bl_value x, bl_err *err) {
    bl_act act;
    if (op->n_in != 2 || op->in[1] < 0 || b->value[op->in[1]] == BL_NONE || map_act(op->act, &act) < 0)
        return unsupported(b, op, "operands or activation", err);
    const bl__tfl_tensor *p = tensor(b, op->in[0]), *q = tensor(b, op->in[1]);
    for (int d = 0; d < BL__TFL_MAX_RANK; d++)
        if (p->rank != q->rank || p->dims[d] != q->dims[d]) return unsupported(b, op, "broadcast", err);
    b->value[op->out[0]] = bl_add(b->graph, x, b->value[op->in[1]], act);
    return 0;
}

static int add_prelu(bl__tfl_build *b, const bl__tfl_op *op, const char *name, bl_value x, bl_err *err) {
    int hwc[3];
    if (op->n_in != 2 || op->in[1] < 0 || !tensor(b, op->in[1])->constant ||
        bl__tfl_shape(tensor(b, op->in[0]), hwc) < 0 || tensor(b, op->in[1])->count != hwc[2])
        return unsupported(b, op, "slopes that are not one a channel", err);
    b->value[op->out[0]] = bl_prelu(b->graph, x, name);
    return want(b, name, ".weight", op->in[1], err);
}

static int read_pad(bl__tfl_build *b, const bl__tfl_op *op, int32_t p[8], bl_err *err) {
    int rc = op->n_in == 2 ? bl__tflite_ints(b->model, op->in[1], p, 8, err)
                           : unsupported(b, op, "its inputs", err);
    if (rc < 0) return rc;
    for (int k = 0; k < 8; k++)
        if (p[k] < 0 || p[k] > BL__TFL_MAX_SIDE || ((k < 2 || k == 6) && p[k]))
            return unsupported(b, op, "amount of padding", err);
    return 0;
}

/* All that read `t` are convolutions without padding of their own. */
static int only_plain_convs_read(const bl__tfl_build *b, int t) {
    for (int k = 0; k < b->model->n_ops; k++) {
        const bl__tfl_op *op = &b->model->ops[k];
        if (!b->needed[op->out[0]]) continue;
        int conv = op->code == BL__TFL_CONV_2D || op->code == BL__TFL_DEPTHWISE_CONV_2D;
        for (int i = 0; i < op->n_in; i++)
            if (op->in[i] == t && (!conv || op->same || i > 0)) return 0;
    }
    for (int k = 0; k < b->model->n_out; k++)
        if (b->model->out[k] == t) return 0;
    return 1;
}

static int add_pad(bl__tfl_build *b, const bl__tfl_op *op, bl_value x, bl_err *err) {
    int32_t p[8];
    int rc = read_pad(b, op, p, err);
    if (rc < 0) return rc;
    for (int d = 0; d < 3; d++) b->extra[d] = p[2 * d + 2] + p[2 * d + 3];
    bl_pad pad = {.top = p[2], .bottom = p[3], .left = p[4], .right = p[5]};
    if (p[7] == 0 && only_plain_convs_read(b, op->out[0])) {
        b->value[op->out[0]] = x;
        b->pad[op->out[0]] = pad;
    } else
        b->value[op->out[0]] = bl_pad_zero(b->graph, x, pad, p[7]);
    return 0;
}

static int add_concat(bl__tfl_build *b, const bl__tfl_op *op, bl_err *err) {
    bl_value xs[BL__TFL_MAX_INPUTS];
    const bl__tfl_tensor *first = tensor(b, op->in[0]);
    int axis = op->axis < 0 ? op->axis + first->rank : op->axis;
    if (op->act != BL__TFL_NO_ACT || axis < 1 || (axis > 1 && axis != first->rank - 1))
        return unsupported(b, op, "axis or activation", err);
    for (int k = 0; k < op->n_in; k++) {
        if (op->in[k] < 0 || b->value[op->in[k]] == BL_NONE || tensor(b, op->in[k])->rank != first->rank)
            return unsupported(b, op, "operands", err);
        xs[k] = b->value[op->in[k]];
    }
    b->value[op->out[0]] =
        axis == first->rank - 1 ? bl_concat(b->graph, xs, op->n_in) : bl_concat_rows(b->graph, xs, op->n_in);
    return 0;
}

static int add_max_pool(bl__tfl_build *b, const bl__tfl_op *op, bl_value x, bl_err *err) {
    if (op->filter_w != op->filter_h || op->stride_w != op->stride_h || op->act != BL__TFL_NO_ACT ||
        op->filter_w < 1 || op->filter_w > 64 || op->stride_w < 1 || op->stride_w > 64)
        return unsupported(b, op, "window or activation", err);
    b->value[op->out[0]] = bl_max_pool(b->graph, x, op->filter_w, op->stride_w, op->same);
    return 0;
}

static int add_mean(bl__tfl_build *b, const bl__tfl_op *op, bl_value x, bl_err *err) {
    int32_t axis[2];
    int rc = op->n_in == 2 ? bl__tflite_ints(b->model, op->in[1], axis, 2, err)
                           : unsupported(b, op, "its inputs", err);
    if (rc < 0) return rc;
    if (tensor(b, op->in[0])->rank != 4 || axis[0] != 1 || axis[1] != 2)
        return unsupported(b, op, "axes", err);
    b->value[op->out[0]] = bl_mean(b->graph, x);
    return 0;
}

/* Only "some channels, all of the rest". */
static int add_slice(bl__tfl_build *b, const bl__tfl_op *op, bl_value x, bl_err *err) {
    int32_t begin[4], end[4], step[4];
    const bl__tfl_tensor *t = tensor(b, op->in[0]);
    if (op->n_in != 4 || op->masks || t->rank != 4) return unsupported(b, op, "masks", err);
    int rc = bl__tflite_ints(b->model, op->in[1], begin, 4, err);
    if (rc == 0) rc = bl__tflite_ints(b->model, op->in[2], end, 4, err);
    if (rc == 0) rc = bl__tflite_ints(b->model, op->in[3], step, 4, err);
    if (rc < 0) return rc;
    for (int d = 0; d < 4; d++)
        if (step[d] != 1 || begin[d] < 0 || end[d] > t->dims[d] || begin[d] >= end[d] ||
            (d < 3 && (begin[d] || end[d] != t->dims[d])))
            return unsupported(b, op, "part", err);
    b->extra[2] = end[3] - begin[3];
    b->value[op->out[0]] = bl_slice(b->graph, x, begin[3], end[3] - begin[3]);
    return 0;
}

/* Operators that only move values, or take one input: their result's shape says it all. */
static int add_simple(bl__tfl_build *b, const bl__tfl_op *op, bl_value x, bl_err *err) {
    int hwc[3];
    bl_value *y = &b->value[op->out[0]];
    if (bl__tfl_shape(tensor(b, op->out[0]), hwc) < 0) return unsupported(b, op, "shape", err);
    switch (op->code) {
    case BL__TFL_LOGISTIC: *y = bl_activation(b->graph, x, BL_ACT_SIGMOID); return 0;
    case BL__TFL_RELU: *y = bl_activation(b->graph, x, BL_ACT_RELU); return 0;
    case BL__TFL_RELU6: *y = bl_activation(b->graph, x, BL_ACT_RELU6); return 0;
    case BL__TFL_RESHAPE: *y = bl_reshape(b->graph, x, hwc[0], hwc[1], hwc[2]); return 0;
    case BL__TFL_RESIZE_BILINEAR:
        if (op->align_corners || !op->half_pixel) return unsupported(b, op, "pixel centres", err);
        *y = bl_resize_bilinear(b->graph, x, hwc[0], hwc[1]);
        return 0;
    case BL__TFL_DEPTH_TO_SPACE:
        if (op->block < 1 || op->block > 16) return unsupported(b, op, "block", err);
        *y = bl_depth_to_space(b->graph, x, op->block);
        return 0;
    default: return unsupported(b, op, "unknown", err);
    }
}

static int add_op(bl__tfl_build *b, const bl__tfl_op *op, bl_err *err) {
    char name[24];
    bl_value x = b->value[op->in[0]];
    snprintf(name, sizeof name, "%st%d", b->prefix ? b->prefix : "", op->out[0]);
    if (x == BL_NONE) return unsupported(b, op, "its input is a constant", err);
    switch (op->code) {
    case BL__TFL_CONV_2D:
    case BL__TFL_DEPTHWISE_CONV_2D: return add_conv(b, op, name, x, err);
    case BL__TFL_FULLY_CONNECTED: return add_fully_connected(b, op, name, x, err);
    case BL__TFL_PRELU: return add_prelu(b, op, name, x, err);
    case BL__TFL_ADD: return add_add(b, op, x, err);
    case BL__TFL_PAD: return add_pad(b, op, x, err);
    case BL__TFL_CONCATENATION: return add_concat(b, op, err);
    case BL__TFL_MAX_POOL_2D: return add_max_pool(b, op, x, err);
    case BL__TFL_MEAN: return add_mean(b, op, x, err);
    case BL__TFL_STRIDED_SLICE: return add_slice(b, op, x, err);
    default: return add_simple(b, op, x, err);
    }
}

static void mark_needed(bl__tfl_build *b) {
    const bl__tflite *m = b->model;
    for (int k = m->n_ops - 1; k >= 0; k--) {
        const bl__tfl_op *op = &m->ops[k];
        if (!b->needed[op->out[0]]) continue;
        for (int i = 0; i < op->n_in; i++)
            if (op->in[i] >= 0) b->needed[op->in[i]] = 1;
    }
}

/* The engine keeps its first complaint until something is compiled. */
static int refused(const bl__tfl_build *b, bl_err *err) {
    bl_program *none = NULL;
    int rc = bl_program_compile(&none, b->graph, &(bl_program_options){0}, err);
    bl_program_destroy(&none);
    if (rc == 0) rc = bl_fail(err, BL_E_INTERNAL, "the engine refused an operator without a word");
    return bl_err_context(err, rc, "%s", b->model->name);
}

static int prepare(bl__tfl_build *b, bl_err *err) {
    size_t n = (size_t)b->model->n_tensors;
    b->value = bl_alloc_array(n, sizeof *b->value);
    b->needed = bl_alloc(n);
    b->pad = bl_alloc_array(n, sizeof *b->pad);
    b->weights = bl_alloc_array(2 * (size_t)b->model->n_ops, sizeof *b->weights);
    if (!b->value || !b->needed || !b->pad || !b->weights)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", b->model->name);
    for (size_t k = 0; k < n; k++) b->value[k] = BL_NONE;
    return 0;
}

static int add_needed(bl__tfl_build *b, bl_err *err) {
    const bl__tflite *m = b->model;
    int rc = 0;
    mark_needed(b);
    for (int k = 0; k < m->n_ops && rc == 0; k++) {
        if (!b->needed[m->ops[k].out[0]]) continue;
        rc = add_op(b, &m->ops[k], err);
        if (rc == 0) rc = bl__tfl_check_shape(m, &m->ops[k], b->extra, err);
        if (rc == 0 && b->value[m->ops[k].out[0]] == BL_NONE) rc = refused(b, err);
    }
    return rc;
}

/* The channels of its one picture, or negative. */
static int picture_channels(const bl__tflite *m, bl_err *err) {
    int hwc[3];
    if (m->n_in != 1 || m->tensors[m->in[0]].rank != 4 || bl__tfl_shape(&m->tensors[m->in[0]], hwc) < 0)
        return bl_fail(err, BL_E_UNSUPPORTED, "%s does not take one picture, as a pose model does", m->name);
    return hwc[2];
}

int bl__tfl_build_graph(bl__tfl_build *b, unsigned wanted, bl_err *err) {
    const bl__tflite *m = b->model;
    int rc = prepare(b, err);
    if (rc < 0) return rc;
    int channels = picture_channels(m, err);
    if (channels < 0) return channels;
    for (int k = 0; k < m->n_out; k++)
        if (wanted >> k & 1) b->needed[m->out[k]] = 1;
    b->value[m->in[0]] = bl_input(b->graph, "picture", channels);
    if (b->value[m->in[0]] == BL_NONE) return refused(b, err);
    rc = add_needed(b, err);
    for (int k = 0; k < m->n_out && rc == 0; k++)
        if ((wanted >> k & 1) && b->value[m->out[k]] == BL_NONE)
            rc = bl_fail(err, BL_E_FORMAT, "%s is not a usable model: output %d is a constant", m->name, k);
    return rc;
}

int bl__tfl_build_part(bl__tfl_build *b, bl_value picture, const int *tensors, int n, bl_err *err) {
    int rc = prepare(b, err);
    if (rc < 0) return rc;
    rc = picture_channels(b->model, err);
    if (rc < 0) return rc;
    for (int k = 0; k < n; k++) b->needed[tensors[k]] = 1;
    b->value[b->model->in[0]] = picture;
    if (picture == BL_NONE) return refused(b, err);
    return add_needed(b, err);
}

void bl__tfl_build_release(bl__tfl_build *b) {
    bl_free(b->value);
    bl_free(b->needed);
    bl_free(b->pad);
    bl_free(b->weights);
    *b = (bl__tfl_build){0};
}
