/* Reads the file's tables. Field numbers are those of TensorFlow Lite's schema (version 3). */
#include "tflite.h"

#include <string.h>

#include "ballerino/base.h"

enum { MAX_TENSORS = 1 << 14, MAX_OPS = 1 << 12 };
enum { MODEL_VERSION = 0, MODEL_CODES = 1, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4 };
enum { GRAPH_TENSORS = 0, GRAPH_INPUTS = 1, GRAPH_OUTPUTS = 2, GRAPH_OPS = 3 };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_SPARSITY = 6 };
enum { OP_CODE = 0, OP_INPUTS = 1, OP_OUTPUTS = 2, OP_OPTIONS = 4 };
enum { CODE_OLD = 0, CODE_NEW = 3 };

static int damaged(const bl__tflite *m, const char *what, bl_err *err) {
    return bl_fail(err, BL_E_FORMAT, "%s is not a usable model: %s; fetch the models again", m->name, what);
}

static size_t type_size(int type) {
    return type == BL__TFL_F16 ? 2 : type == BL__TFL_F32 || type == BL__TFL_I32 ? 4 : 0;
}

/* Shapes may have any rank that we know; a scalar is one value. */
static int read_shape(const bl__tflite *m, bl__flat_vector v, bl__tfl_tensor *t, bl_err *err) {
    if (v.count > BL__TFL_MAX_RANK) return damaged(m, "a tensor has more than 4 dimensions", err);
    t->rank = (int)v.count;
    t->count = 1;
    for (int d = 0; d < t->rank; d++) {
        int32_t n = bl__flat_int(v, (uint32_t)d);
        if (n < 1 || n > BL__TFL_MAX_COUNT || t->count * n > BL__TFL_MAX_COUNT)
            return damaged(m, "a tensor has an impossible shape", err);
        t->dims[d] = n;
        t->count *= n;
    }
    return 0;
}

static int read_tensor(bl__tflite *m, bl__flat_table in, bl__flat_vector buffers, bl__tfl_tensor *t,
                       bl_err *err) {
    int rc = read_shape(m, bl__flat_numbers(in, TENSOR_SHAPE, 4), t, err);
    if (rc < 0) return rc;
    t->from = -1;
    t->type = bl__flat_i8(in, TENSOR_TYPE, 0);
    int32_t buffer = bl__flat_i32(in, TENSOR_BUFFER, 0);
    if (buffer < 0 || (uint32_t)buffer >= buffers.count)
        return damaged(m, "a tensor names a buffer that is not there", err);
    bl__flat_vector data = bl__flat_numbers(bl__flat_at(buffers, (uint32_t)buffer), 0, 1);
    t->data = bl__flat_bytes(data);
    t->bytes = data.count;
    t->sparsity = bl__flat_child(in, TENSOR_SPARSITY);
    t->constant = t->data != NULL;
    if (t->constant && !t->sparsity.at && t->bytes != (size_t)t->count * type_size(t->type))
        return damaged(m, "a constant is not as long as its shape says", err);
    return 0;
}

static int read_tensors(bl__tflite *m, bl__flat_table graph, bl__flat_vector buffers, bl_err *err) {
    bl__flat_vector v = bl__flat_tables(graph, GRAPH_TENSORS);
    if (v.count == 0 || v.count > MAX_TENSORS) return damaged(m, "it has no tensors, or too many", err);
    m->tensors = bl_alloc_array(v.count, sizeof *m->tensors);
    if (!m->tensors) return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", m->name);
    m->n_tensors = (int)v.count;
    for (uint32_t k = 0; k < v.count && !m->flat.bad; k++) {
        int rc = read_tensor(m, bl__flat_at(v, k), buffers, &m->tensors[k], err);
        if (rc < 0) return rc;
    }
    return m->flat.bad ? damaged(m, "its tensors point outside the file", err) : 0;
}

static int read_list(const bl__tflite *m, bl__flat_vector v, int *list, int max, int optional, bl_err *err) {
    if (v.count > (uint32_t)max) return damaged(m, "an operator has too many inputs or outputs", err);
    for (uint32_t k = 0; k < v.count; k++) {
        list[k] = bl__flat_int(v, k);
        if (list[k] >= m->n_tensors || list[k] < (optional ? -1 : 0))
            return damaged(m, "an operator names a tensor that is not there", err);
    }
    return (int)v.count;
}

static void read_conv(bl__flat_table o, bl__tfl_op *op, int depthwise) {
    int next = depthwise ? 4 : 3;
    op->same = bl__flat_i8(o, 0, 0) == 0;
    op->stride_w = bl__flat_i32(o, 1, 0);
    op->stride_h = bl__flat_i32(o, 2, 0);
    op->multiplier = depthwise ? bl__flat_i32(o, 3, 0) : 1;
    op->act = bl__flat_i8(o, next, 0);
    op->dilation_w = bl__flat_i32(o, next + 1, 1);
    op->dilation_h = bl__flat_i32(o, next + 2, 1);
}

static void read_options(bl__flat_table o, bl__tfl_op *op) {
    switch (op->code) {
    case BL__TFL_CONV_2D: read_conv(o, op, 0); break;
    case BL__TFL_DEPTHWISE_CONV_2D: read_conv(o, op, 1); break;
    case BL__TFL_ADD: op->act = bl__flat_i8(o, 0, 0); break;
    case BL__TFL_CONCATENATION:
        op->axis = bl__flat_i32(o, 0, 0);
        op->act = bl__flat_i8(o, 1, 0);
        break;
    case BL__TFL_DEPTH_TO_SPACE: op->block = bl__flat_i32(o, 0, 0); break;
    case BL__TFL_FULLY_CONNECTED:
        op->act = bl__flat_i8(o, 0, 0);
        op->weights_format = bl__flat_i8(o, 1, 0);
        break;
    case BL__TFL_MAX_POOL_2D:
        op->same = bl__flat_i8(o, 0, 0) == 0;
        op->stride_w = bl__flat_i32(o, 1, 0);
        op->stride_h = bl__flat_i32(o, 2, 0);
        op->filter_w = bl__flat_i32(o, 3, 0);
        op->filter_h = bl__flat_i32(o, 4, 0);
        op->act = bl__flat_i8(o, 5, 0);
        break;
    case BL__TFL_RESIZE_BILINEAR: /* fields 0 and 1 are long gone */
        op->align_corners = bl__flat_u8(o, 2, 0);
        op->half_pixel = bl__flat_u8(o, 3, 0);
        break;
    case BL__TFL_STRIDED_SLICE:
        for (int k = 0; k < 5; k++) op->masks |= bl__flat_i32(o, k, 0);
        break;
    default: break; /* no options, or none that matter */
    }
}

/* Since version 3a the code is an int in field 3; older files have a byte in field 0. */
static int read_code(const bl__tflite *m, bl__flat_vector codes, bl__flat_table in, int *code, bl_err *err) {
    int32_t k = bl__flat_i32(in, OP_CODE, 0);
    if (k < 0 || (uint32_t)k >= codes.count) return damaged(m, "an operator has no code", err);
    bl__flat_table c = bl__flat_at(codes, (uint32_t)k);
    int32_t old = bl__flat_i8(c, CODE_OLD, 0), new = bl__flat_i32(c, CODE_NEW, 0);
    *code = BL_MAX(old, new);
    return 0;
}

/* A constant made of a constant: remembered, not executed. 1: it was one. */
static int fold(bl__tflite *m, const bl__tfl_op *op, bl_err *err) {
    if (op->code != BL__TFL_DEQUANTIZE && op->code != BL__TFL_DENSIFY) return 0;
    if (op->n_in != 1 || op->n_out != 1 || op->in[0] < 0 || !m->tensors[op->in[0]].constant)
        return damaged(m, "it unpacks something that is not a constant", err);
    const bl__tfl_tensor *from = &m->tensors[op->in[0]];
    bl__tfl_tensor *to = &m->tensors[op->out[0]];
    if (to->constant || to->count != from->count || to->rank != from->rank)
        return damaged(m, "a constant and its unpacked form differ in shape", err);
    to->from = op->in[0];
    to->constant = 1;
    return 1;
}

static int read_op(bl__tflite *m, bl__flat_vector codes, bl__flat_table in, bl__tfl_op *op, bl_err *err) {
    int rc = read_code(m, codes, in, &op->code, err);
    if (rc < 0) return rc;
    op->n_in = rc = read_list(m, bl__flat_numbers(in, OP_INPUTS, 4), op->in, BL__TFL_MAX_INPUTS, 1, err);
    if (rc < 0) return rc;
    op->n_out = rc = read_list(m, bl__flat_numbers(in, OP_OUTPUTS, 4), op->out, BL__TFL_MAX_OUTPUTS, 0, err);
    if (rc < 0) return rc;
    if (op->n_in < 1 || op->n_out != 1 || op->in[0] < 0)
        return damaged(m, "an operator has no input, or not one output", err);
    read_options(bl__flat_child(in, OP_OPTIONS), op);
    return 0;
}

static int read_ops(bl__tflite *m, bl__flat_table graph, bl__flat_vector codes, bl_err *err) {
    bl__flat_vector v = bl__flat_tables(graph, GRAPH_OPS);
    if (v.count == 0 || v.count > MAX_OPS) return damaged(m, "it has no operators, or too many", err);
    m->ops = bl_alloc_array(v.count, sizeof *m->ops);
    if (!m->ops) return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", m->name);
    for (uint32_t k = 0; k < v.count && !m->flat.bad; k++) {
        bl__tfl_op op = {0};
        int rc = read_op(m, codes, bl__flat_at(v, k), &op, err);
        if (rc == 0) rc = fold(m, &op, err);
        if (rc < 0) return rc;
        if (rc == 0) m->ops[m->n_ops++] = op;
    }
    return m->flat.bad ? damaged(m, "its operators point outside the file", err) : 0;
}

/* Every operator reads only what is there by then, and no tensor is made twice. */
static int check_order(const bl__tflite *m, bl_err *err) {
    uint8_t *made = bl_alloc((size_t)m->n_tensors);
    if (!made) return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", m->name);
    int ok = 1;
    for (int t = 0; t < m->n_tensors; t++) made[t] = m->tensors[t].constant != 0;
    for (int k = 0; k < m->n_in; k++) ok = ok && !made[m->in[k]]++;
    for (int k = 0; k < m->n_ops; k++) {
        const bl__tfl_op *op = &m->ops[k];
        for (int i = 0; i < op->n_in; i++) ok = ok && (op->in[i] < 0 || made[op->in[i]]);
        ok = ok && !made[op->out[0]];
        made[op->out[0]] = 1;
    }
    for (int k = 0; k < m->n_out; k++) ok = ok && made[m->out[k]];
    bl_free(made);
    return ok ? 0 : damaged(m, "its operators are out of order", err);
}

static int read_model(bl__tflite *m, bl_err *err) {
    if (m->flat.size < 16 || memcmp(m->flat.data + 4, "TFL3", 4) != 0)
        return bl_fail(err, BL_E_FORMAT, "%s is not a TFLite model: its mark \"TFL3\" is missing", m->name);
    bl__flat_table model = bl__flat_root(&m->flat);
    bl__flat_vector graphs = bl__flat_tables(model, MODEL_SUBGRAPHS);
    if (m->flat.bad || graphs.count != 1 || bl__flat_i32(model, MODEL_VERSION, 0) != 3)
        return damaged(m, "it is not of version 3 with one graph", err);
    bl__flat_table graph = bl__flat_at(graphs, 0);
    int rc = read_tensors(m, graph, bl__flat_tables(model, MODEL_BUFFERS), err);
    if (rc == 0)
        m->n_in = rc =
            read_list(m, bl__flat_numbers(graph, GRAPH_INPUTS, 4), m->in, BL__TFL_MAX_INPUTS, 0, err);
    if (rc >= 0)
        m->n_out = rc =
            read_list(m, bl__flat_numbers(graph, GRAPH_OUTPUTS, 4), m->out, BL__TFL_MAX_OUTPUTS, 0, err);
    if (rc >= 0) rc = read_ops(m, graph, bl__flat_tables(model, MODEL_CODES), err);
    return rc < 0 ? rc : check_order(m, err);
}

int bl__tflite_open(bl__tflite **out, const void *bytes, size_t size, const char *name, bl_err *err) {
    bl__tflite *m = bl_alloc(sizeof *m);
    if (!m) return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", name);
    m->name = name;
    m->flat = (bl__flat){.data = bytes, .size = size};
    int rc = read_model(m, err);
    if (rc < 0) {
        bl__tflite_close(&m);
        return rc;
    }
    *out = m;
    return 0;
}

void bl__tflite_close(bl__tflite **m) {
    if (!*m) return;
    bl_free((*m)->tensors);
    bl_free((*m)->ops);
    bl_free(*m);
    *m = NULL;
}
