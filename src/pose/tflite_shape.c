/* What an operator makes of its inputs' shapes: the file states every tensor's, and must not lie. */
#include <string.h>

#include "tflite_build.h"

int bl__tfl_shape(const bl__tfl_tensor *t, int hwc[3]) {
    hwc[0] = t->rank >= 3 ? t->dims[1] : 1;
    hwc[1] = t->rank == 4 ? t->dims[2] : 1;
    hwc[2] = t->rank >= 1 ? t->dims[t->rank - 1] : 1;
    if (t->rank > 1 && t->dims[0] != 1) return -1;
    return hwc[0] <= BL__TFL_MAX_SIDE && hwc[1] <= BL__TFL_MAX_SIDE ? 0 : -1;
}

/* Number of windows of k values, s apart, in n values. */
static int windows(int n, int k, int s, int same) {
    if (same) return (n + s - 1) / s;
    return n < k ? 0 : (n - k) / s + 1;
}

static void window_shape(const bl__tflite *m, const bl__tfl_op *op, const int in[3], int out[3]) {
    int conv = op->code != BL__TFL_MAX_POOL_2D;
    const bl__tfl_tensor *w = conv ? &m->tensors[op->in[1]] : NULL;
    out[0] = windows(in[0], conv ? w->dims[1] : op->filter_h, op->stride_h, op->same);
    out[1] = windows(in[1], conv ? w->dims[2] : op->filter_w, op->stride_w, op->same);
    out[2] = op->code == BL__TFL_CONV_2D ? w->dims[0] : in[2];
}

static int concat_shape(const bl__tflite *m, const bl__tfl_op *op, int out[3]) {
    const bl__tfl_tensor *first = &m->tensors[op->in[0]];
    int axis = op->axis < 0 ? op->axis + first->rank : op->axis, along = axis == first->rank - 1 ? 2 : 0;
    for (int k = 1; k < op->n_in; k++) {
        int more[3];
        if (bl__tfl_shape(&m->tensors[op->in[k]], more) < 0) return -1;
        for (int d = 0; d < 3; d++)
            if (d != along && more[d] != out[d]) return -1;
        out[along] += more[along];
    }
    return 0;
}

/* Operators that keep their input's shape need no case. */
static int result_shape(const bl__tflite *m, const bl__tfl_op *op, const int32_t extra[3], int out[3]) {
    int in[3];
    memcpy(in, out, sizeof in);
    switch (op->code) {
    case BL__TFL_CONV_2D:
    case BL__TFL_DEPTHWISE_CONV_2D:
    case BL__TFL_MAX_POOL_2D: window_shape(m, op, in, out); break;
    case BL__TFL_CONCATENATION: return concat_shape(m, op, out);
    case BL__TFL_PAD:
        for (int d = 0; d < 3; d++) out[d] += extra[d];
        break;
    case BL__TFL_FULLY_CONNECTED:
        out[0] = out[1] = 1;
        out[2] = m->tensors[op->in[1]].dims[0];
        break;
    case BL__TFL_MEAN: out[0] = out[1] = 1; break;
    case BL__TFL_STRIDED_SLICE: out[2] = extra[2]; break;
    case BL__TFL_DEPTH_TO_SPACE:
        out[0] *= op->block;
        out[1] *= op->block;
        out[2] /= op->block * op->block;
        break;
    default: break;
    }
    return 0;
}

int bl__tfl_check_shape(const bl__tflite *m, const bl__tfl_op *op, const int32_t extra[3], bl_err *err) {
    const bl__tfl_tensor *x = &m->tensors[op->in[0]], *y = &m->tensors[op->out[0]];
    int got[3], stated[3];
    int ok = bl__tfl_shape(x, got) == 0 && bl__tfl_shape(y, stated) == 0;
    if (ok && op->code == BL__TFL_RESHAPE)
        ok = x->count == y->count;
    else if (ok && op->code == BL__TFL_RESIZE_BILINEAR)
        ok = got[2] == stated[2];
    else if (ok)
        ok = result_shape(m, op, extra, got) == 0 && memcmp(got, stated, sizeof got) == 0;
    return ok ? 0
              : bl_fail(err, BL_E_FORMAT,
                        "%s is not a usable model: the shape of tensor %d is not what its operator makes",
                        m->name, op->out[0]);
}
