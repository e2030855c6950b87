/* Shapes: what each operator makes of its inputs' sizes. Refuses what cannot be, with the layer's name. */
#include "graph.h"

#define SIDE_MAX 65536

static int bad(const bl__node *n, bl_err *err, const char *why) {
    return bl_fail(err, BL_E_FORMAT, "the network does not fit its input: %s %s: %s", bl__op_names[n->op],
                   n->name, why);
}

/* TensorFlow's SAME: total = max((ceil(n/s)-1)*s + k - n, 0), the smaller half before. */
static void same(int size, int k, int s, int *before, int *after) {
    int total = ((size + s - 1) / s - 1) * s + k - size;
    if (total < 0) total = 0;
    *before = total / 2;
    *after = total - total / 2;
}

static int windowed(const bl__node *n, bl_shape x, bl_shape *out, bl_pad *pad, bl_err *err) {
    *pad = n->pad;
    if (n->tf_same) {
        same(x.h, n->kh, n->sh, &pad->top, &pad->bottom);
        same(x.w, n->kw, n->sw, &pad->left, &pad->right);
    }
    int h = x.h + pad->top + pad->bottom - n->kh, w = x.w + pad->left + pad->right - n->kw;
    if (h < 0 || w < 0) return bad(n, err, "the kernel is larger than the picture");
    out->h = h / n->sh + 1;
    out->w = w / n->sw + 1;
    return 0;
}

static int same_shape(bl_shape a, bl_shape b) {
    return a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c;
}

static int infer_reshape(const bl__node *n, bl_shape x, bl_shape *out, bl_err *err) {
    int64_t total = (int64_t)x.h * x.w * x.c, known = 1;
    int dims[3] = {n->h, n->w, n->c}, free_at = -1;
    for (int i = 0; i < 3; i++) {
        if (dims[i] == -1 && free_at < 0)
            free_at = i;
        else if (dims[i] < 1)
            return bad(n, err, "a size is not positive");
        else
            known *= dims[i];
    }
    if (free_at >= 0) dims[free_at] = known > 0 && total % known == 0 ? (int)(total / known) : 0;
    if ((int64_t)dims[0] * dims[1] * dims[2] != total) return bad(n, err, "the number of values changes");
    *out = (bl_shape){x.n, dims[0], dims[1], dims[2]};
    return 0;
}

static int infer_concat(const bl__node *n, const bl_shape *in, bl_shape *out, bl_err *err) {
    int rows = n->op == BL__OP_concat_rows;
    for (int i = 1; i < n->n_in; i++) {
        bl_shape s = in[i];
        if (s.n != in[0].n || s.w != in[0].w || (rows ? s.c != in[0].c : s.h != in[0].h))
            return bad(n, err, "the inputs' sizes differ");
        if (rows)
            out->h += s.h;
        else
            out->c += s.c;
    }
    return 0;
}

static int infer_pads(const bl__node *n, bl_shape x, bl_shape *out, bl_pad *pad, bl_err *err) {
    *pad = n->pad;
    if (pad->top < 0 || pad->left < 0 || pad->bottom < 0 || pad->right < 0 || n->channels < 0)
        return bad(n, err, "negative padding");
    if (n->op == BL__OP_pad_reflect &&
        (pad->top >= x.h || pad->bottom >= x.h || pad->left >= x.w || pad->right >= x.w))
        return bad(n, err, "the reflection is wider than the picture");
    out->h += pad->top + pad->bottom;
    out->w += pad->left + pad->right;
    if (n->op == BL__OP_pad_zero) out->c += n->channels;
    return 0;
}

static int infer_loss(const bl__node *n, const bl_shape *in, bl_shape *out, bl_err *err) {
    if ((n->op == BL__OP_loss_l1 || n->op == BL__OP_loss_ssim) && !same_shape(in[0], in[1]))
        return bad(n, err, "the two pictures differ in size");
    if (n->n_in == 3 && (in[2].n != in[0].n || in[2].h != in[0].h || in[2].w != in[0].w || in[2].c != 1))
        return bad(n, err, "the weight map has another size");
    if (n->op == BL__OP_loss_ssim && (in[0].h < 11 || in[0].w < 11))
        return bad(n, err, "SSIM needs at least 11x11 pixels");
    *out = (bl_shape){1, 1, 1, 1};
    return 0;
}

int bl__infer(const bl__node *n, const bl_shape *in, bl_shape *out, bl_pad *pad, bl_err *err) {
    bl_shape x = n->n_in ? in[0] : (bl_shape){0, 0, 0, 0};
    *out = x;
    *pad = n->pad;
    int rc = 0;
    switch (n->op) {
    case BL__OP_conv2d:
        rc = windowed(n, x, out, pad, err);
        out->c = n->channels;
        break;
    case BL__OP_conv_transpose2d:
        out->h = (x.h - 1) * n->sh - n->pad.top - n->pad.bottom + n->kh + n->out_pad;
        out->w = (x.w - 1) * n->sw - n->pad.left - n->pad.right + n->kw + n->out_pad;
        out->c = n->channels;
        break;
    case BL__OP_fully_connected:
        *out = (bl_shape){x.n, 1, 1, n->channels};
        if (x.h != 1 || x.w != 1) rc = bad(n, err, "flatten the input first");
        break;
    case BL__OP_norm_act:
        if (n->n_in == 2 && !same_shape(x, in[1])) rc = bad(n, err, "the residual has another size");
        break;
    case BL__OP_add:
        if (!same_shape(x, in[1])) rc = bad(n, err, "the inputs' sizes differ");
        break;
    case BL__OP_mul:
        if (!same_shape(x, in[1]) && !(in[1].n == x.n && in[1].h == 1 && in[1].w == 1 && in[1].c == x.c) &&
            !(in[1].n == x.n && in[1].h == x.h && in[1].w == x.w && in[1].c == 1))
            rc = bad(n, err, "the factor's size does not fit");
        break;
    case BL__OP_concat:
    case BL__OP_concat_rows: rc = infer_concat(n, in, out, err); break;
    case BL__OP_slice: out->c = n->channels; break;
    case BL__OP_pad_zero:
    case BL__OP_pad_reflect: rc = infer_pads(n, x, out, pad, err); break;
    case BL__OP_reshape: rc = infer_reshape(n, x, out, err); break;
    case BL__OP_resize_bilinear: out->h = n->h, out->w = n->w; break;
    case BL__OP_upsample2: out->h *= 2, out->w *= 2; break;
    case BL__OP_max_pool:
    case BL__OP_avg_pool: rc = windowed(n, x, out, pad, err); break;
    case BL__OP_mean: out->h = out->w = 1; break;
    case BL__OP_depth_to_space:
        if (x.c % (n->block * n->block)) rc = bad(n, err, "channels do not divide by the block");
        *out = (bl_shape){x.n, x.h * n->block, x.w * n->block, x.c / (n->block * n->block)};
        break;
    case BL__OP_blend:
        if (!same_shape(x, in[2]) || in[1].n != x.n || in[1].h != x.h || in[1].w != x.w || in[1].c != 1)
            rc = bad(n, err, "the inputs' sizes differ");
        break;
    case BL__OP_translate:
    case BL__OP_colour:
        if (in[1].n != x.n || in[1].h != 1 || in[1].w != 1)
            rc = bad(n, err, "the amounts' size does not fit");
        break;
    case BL__OP_loss_l1:
    case BL__OP_loss_mse_to:
    case BL__OP_loss_hinge:
    case BL__OP_loss_ssim: rc = infer_loss(n, in, out, err); break;
    case BL__OP_weighted_sum:
        for (int i = 0; i < n->n_in; i++)
            if (bl__elements(in[i]) != 1) rc = bad(n, err, "only scalars can be summed");
        break;
    default: break;
    }
    if (rc < 0) return rc;
    if (out->n < 1 || out->h < 1 || out->w < 1 || out->c < 1 || out->h > SIDE_MAX || out->w > SIDE_MAX)
        return bad(n, err, "the result would be empty or too large");
    return 0;
}
