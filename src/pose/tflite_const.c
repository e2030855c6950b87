/* The values of constants: float32 as they are, float16 widened, sparse rows (CSR) filled up. */
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/safetensors.h"
#include "tflite.h"

enum { SPARSE_ORDER = 0, SPARSE_BLOCKS = 1, SPARSE_DIMS = 2 };
enum {
    DIM_FORMAT = 0,
    DIM_SIZE = 1,
    DIM_SEGMENTS_TYPE = 2,
    DIM_SEGMENTS = 3,
    DIM_INDICES_TYPE = 4,
    DIM_INDICES = 5
};

static int damaged(const bl__tflite *m, const char *what, bl_err *err) {
    return bl_fail(err, BL_E_FORMAT, "%s is not a usable model: %s; fetch the models again", m->name, what);
}

static float value_at(const bl__tfl_tensor *t, size_t k) {
    if (t->type == BL__TFL_F16) {
        uint16_t h;
        memcpy(&h, t->data + 2 * k, 2);
        return bl_half_to_float(h);
    }
    float f;
    memcpy(&f, t->data + 4 * k, 4);
    return f;
}

/* One list of a sparse dimension: a table whose field 0 is a vector of i32, u16 or u8 (types 1, 2, 3). */
static bl__flat_vector index_list(bl__flat_table dim, int type_field, size_t *size) {
    int type = bl__flat_u8(dim, type_field, 0);
    *size = type == 1 ? 4 : type == 2 ? 2 : 1;
    bl__flat_vector none = {.b = dim.b};
    return type >= 1 && type <= 3 ? bl__flat_numbers(bl__flat_child(dim, type_field + 1), 0, *size) : none;
}

/* Dimensions in order, all dense but the last, no blocks. Gives the last one. */
static int sparse_layout(const bl__tfl_tensor *t, bl__flat_table *last) {
    bl__flat_vector order = bl__flat_numbers(t->sparsity, SPARSE_ORDER, 4);
    bl__flat_vector dims = bl__flat_tables(t->sparsity, SPARSE_DIMS);
    if (t->rank < 1 || order.count != (uint32_t)t->rank || dims.count != order.count) return -1;
    if (bl__flat_numbers(t->sparsity, SPARSE_BLOCKS, 4).count) return -1;
    for (uint32_t d = 0; d < dims.count; d++) {
        bl__flat_table dim = bl__flat_at(dims, d);
        int is_last = d + 1 == dims.count;
        if (bl__flat_int(order, d) != (int32_t)d || bl__flat_i8(dim, DIM_FORMAT, 0) != is_last) return -1;
        if (!is_last && bl__flat_i32(dim, DIM_SIZE, 0) != t->dims[d]) return -1;
        *last = dim;
    }
    return 0;
}

static int fill_sparse(bl__tflite *m, const bl__tfl_tensor *t, float *out, bl_err *err) {
    bl__flat_table dim = {0};
    if (sparse_layout(t, &dim) < 0) return damaged(m, "a sparse constant has an unknown layout", err);
    size_t segment_size, index_size, value_size = t->type == BL__TFL_F16 ? 2 : 4;
    bl__flat_vector segments = index_list(dim, DIM_SEGMENTS_TYPE, &segment_size);
    bl__flat_vector indices = index_list(dim, DIM_INDICES_TYPE, &index_size);
    uint32_t width = (uint32_t)t->dims[t->rank - 1], rows = (uint32_t)t->count / width;
    uint32_t stored = (uint32_t)BL_MIN(t->bytes / value_size, indices.count);
    if (m->flat.bad || segments.count != rows + 1) return damaged(m, "a sparse constant lacks rows", err);
    memset(out, 0, (size_t)t->count * sizeof *out);
    uint32_t at = bl__flat_index(segments, segment_size, 0);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t end = bl__flat_index(segments, segment_size, row + 1);
        if (end < at || end > stored) return damaged(m, "a sparse constant has wrong rows", err);
        for (; at < end; at++) {
            uint32_t column = bl__flat_index(indices, index_size, at);
            if (column >= width) return damaged(m, "a sparse constant has a wrong column", err);
            out[(size_t)row * width + column] = value_at(t, at);
        }
    }
    return 0;
}

int bl__tflite_floats(bl__tflite *m, int tensor, float *out, int64_t count, bl_err *err) {
    const bl__tfl_tensor *t = &m->tensors[tensor];
    for (int depth = 0; t->from >= 0; depth++) {
        if (depth == 4) return damaged(m, "a constant is packed too often", err);
        t = &m->tensors[t->from];
    }
    if (!t->data || t->count != count || (t->type != BL__TFL_F32 && t->type != BL__TFL_F16))
        return damaged(m, "a weight is not of the size or type that its operator needs", err);
    if (t->sparsity.at) return fill_sparse(m, t, out, err);
    for (int64_t k = 0; k < count; k++) out[k] = value_at(t, (size_t)k);
    return 0;
}

int bl__tflite_ints(bl__tflite *m, int tensor, int32_t *out, int count, bl_err *err) {
    const bl__tfl_tensor *t = tensor >= 0 ? &m->tensors[tensor] : NULL;
    if (!t || !t->data || t->type != BL__TFL_I32 || t->count != count || t->sparsity.at)
        return damaged(m, "an operator's settings are not constants", err);
    memcpy(out, t->data, (size_t)count * sizeof *out);
    return 0;
}
