/*
 * Makes small TFLite files for tests: a FlatBuffer written back to front, as the format wants (an offset
 * points forward, so children are written before their parents).
 *
 *     uint32_t name = fb_bytes(&b, "x", 1);          // a position, counted from the buffer's end
 *     uint32_t t = fb_table(&b, 2, (fb_field[]){{FB_OFFSET, name}, {FB_I32, 7}});
 *     fb_finish(&b, t);                              // b.data + b.at, FB_MAX - b.at bytes
 */
#ifndef BALLERINO_TFLITE_MAKE_H
#define BALLERINO_TFLITE_MAKE_H

#include <stdint.h>
#include <string.h>

#define FB_MAX 16384
typedef struct fb {
    uint8_t data[FB_MAX];
    uint32_t at;
} fb;
enum { FB_NONE, FB_I8, FB_I32, FB_OFFSET };
typedef struct fb_field {
    int kind;
    int32_t value;
} fb_field;

static inline void fb_push(fb *b, const void *p, uint32_t n) {
    b->at -= n;
    memcpy(b->data + b->at, p, n);
}

static inline uint32_t fb_here(const fb *b) {
    return FB_MAX - b->at;
}

/* So that the position after `more` bytes is a multiple of 4. */
static inline void fb_align(fb *b, uint32_t more) {
    while ((fb_here(b) + more) % 4) fb_push(b, "", 1);
}

static inline uint32_t fb_vector(fb *b, const void *p, uint32_t count, uint32_t size) {
    fb_align(b, count * size);
    fb_push(b, p, count * size);
    fb_push(b, &count, 4);
    return fb_here(b);
}

static inline uint32_t fb_offsets(fb *b, const uint32_t *to, uint32_t count) {
    fb_align(b, 0);
    for (uint32_t k = count; k-- > 0;) {
        uint32_t offset = fb_here(b) + 4 - to[k];
        fb_push(b, &offset, 4);
    }
    fb_push(b, &count, 4);
    return fb_here(b);
}

static inline uint32_t fb_table(fb *b, uint32_t n, const fb_field *f) {
    uint16_t vtable[32] = {0};
    fb_align(b, 0);
    uint32_t end = fb_here(b);
    for (uint32_t k = 0; k < n; k++) {
        int32_t v = f[k].kind == FB_OFFSET ? (int32_t)(fb_here(b) + 4) - f[k].value : f[k].value;
        if (f[k].kind == FB_NONE) continue;
        fb_push(b, &v, 4); /* a byte field sits in the first of four bytes */
        vtable[2 + k] = (uint16_t)fb_here(b);
    }
    int32_t back = (int32_t)(4 + 2 * n);
    fb_align(b, 0);
    if (n % 2) back += 2;
    fb_push(b, &back, 4);
    uint32_t table = fb_here(b);
    for (uint32_t k = 0; k < n; k++)
        if (vtable[2 + k]) vtable[2 + k] = (uint16_t)(table - vtable[2 + k]);
    vtable[0] = (uint16_t)(4 + 2 * n);
    vtable[1] = (uint16_t)(table - end);
    if (n % 2) fb_push(b, "\0", 2);
    fb_push(b, vtable, 4 + 2 * n);
    return table;
}

static inline void fb_finish(fb *b, uint32_t root) {
    while ((fb_here(b) + 8) % 16) fb_push(b, "", 1);
    fb_push(b, "TFL3", 4);
    uint32_t offset = fb_here(b) + 4 - root;
    fb_push(b, &offset, 4);
}

/*
 * The example: a 4x4 picture of 2 channels -> PAD by 1 -> 3x3 VALID convolution, stride 2, RELU, weights
 * float16 through DEQUANTIZE -> 1x1 convolution whose weights are sparse float16 (DENSIFY, DEQUANTIZE)
 * -> output 0; a LOGISTIC of it -> output 1.
 *
 * Tensors: 0 picture, 1 paddings, 2 padded, 3 w1 f16, 4 w1, 5 b1, 6 conv1, 7 w2 sparse f16, 8 w2 f16, 9 w2,
 * 10 conv2, 11 logistic.
 */
static inline uint32_t tfl_tensor(fb *b, const int32_t *dims, uint32_t rank, int type, int buffer,
                                  uint32_t sparsity) {
    uint32_t shape = fb_vector(b, dims, rank, 4);
    return fb_table(b, 7,
                    (fb_field[]){{FB_OFFSET, (int32_t)shape},
                                 {FB_I8, type},
                                 {FB_I32, buffer},
                                 {0},
                                 {0},
                                 {0},
                                 {sparsity ? FB_OFFSET : FB_NONE, (int32_t)sparsity}});
}

static inline uint32_t tfl_op(fb *b, int code, const int32_t *in, uint32_t n_in, int32_t out,
                              uint32_t options) {
    uint32_t ins = fb_vector(b, in, n_in, 4), outs = fb_vector(b, &out, 1, 4);
    return fb_table(b, 5,
                    (fb_field[]){{FB_I32, code},
                                 {FB_OFFSET, (int32_t)ins},
                                 {FB_OFFSET, (int32_t)outs},
                                 {FB_I8, 1},
                                 {options ? FB_OFFSET : FB_NONE, (int32_t)options}});
}

static inline uint32_t tfl_conv_options(fb *b, int valid, int stride, int act) {
    return fb_table(b, 4, (fb_field[]){{FB_I8, valid}, {FB_I32, stride}, {FB_I32, stride}, {FB_I8, act}});
}

static inline uint32_t tfl_indices(fb *b, const uint8_t *p, uint32_t n) {
    uint32_t v = fb_vector(b, p, n, 1);
    return fb_table(b, 1, (fb_field[]){{FB_OFFSET, (int32_t)v}});
}

/* [2,1,1,3] with rows {0, 5, 0} and {7, 0, 0.5}. */
static inline uint32_t tfl_sparsity(fb *b) {
    uint32_t segments = tfl_indices(b, (uint8_t[]){0, 1, 3}, 3),
             columns = tfl_indices(b, (uint8_t[]){1, 0, 2}, 3);
    uint32_t dims[4] = {fb_table(b, 2, (fb_field[]){{FB_I8, 0}, {FB_I32, 2}}),
                        fb_table(b, 2, (fb_field[]){{FB_I8, 0}, {FB_I32, 1}}),
                        fb_table(b, 2, (fb_field[]){{FB_I8, 0}, {FB_I32, 1}}),
                        fb_table(b, 6,
                                 (fb_field[]){{FB_I8, 1},
                                              {FB_I32, 0},
                                              {FB_I8, 3},
                                              {FB_OFFSET, (int32_t)segments},
                                              {FB_I8, 3},
                                              {FB_OFFSET, (int32_t)columns}})};
    uint32_t order = fb_vector(b, (int32_t[]){0, 1, 2, 3}, 4, 4), all = fb_offsets(b, dims, 4);
    return fb_table(b, 3, (fb_field[]){{FB_OFFSET, (int32_t)order}, {0}, {FB_OFFSET, (int32_t)all}});
}

static inline uint32_t tfl_tensors(fb *b) {
    const int32_t picture[] = {1, 4, 4, 2}, padded[] = {1, 6, 6, 2}, w1[] = {3, 3, 3, 2}, b1[] = {3},
                  c1[] = {1, 2, 2, 3}, w2[] = {2, 1, 1, 3}, c2[] = {1, 2, 2, 2}, pads[] = {4, 2};
    uint32_t sparsity = tfl_sparsity(b);
    uint32_t t[12] = {tfl_tensor(b, picture, 4, 0, 0, 0), tfl_tensor(b, pads, 2, 2, 1, 0),
                      tfl_tensor(b, padded, 4, 0, 0, 0),  tfl_tensor(b, w1, 4, 1, 2, 0),
                      tfl_tensor(b, w1, 4, 0, 0, 0),      tfl_tensor(b, b1, 1, 0, 3, 0),
                      tfl_tensor(b, c1, 4, 0, 0, 0),      tfl_tensor(b, w2, 4, 1, 4, sparsity),
                      tfl_tensor(b, w2, 4, 1, 0, 0),      tfl_tensor(b, w2, 4, 0, 0, 0),
                      tfl_tensor(b, c2, 4, 0, 0, 0),      tfl_tensor(b, c2, 4, 0, 0, 0)};
    return fb_offsets(b, t, 12);
}

static inline uint32_t tfl_ops(fb *b) { /* codes: 0 PAD, 1 CONV_2D, 2 DEQUANTIZE, 3 DENSIFY, 4 LOGISTIC */
    uint32_t op[7] = {tfl_op(b, 2, (int32_t[]){3}, 1, 4, 0),
                      tfl_op(b, 3, (int32_t[]){7}, 1, 8, 0),
                      tfl_op(b, 2, (int32_t[]){8}, 1, 9, 0),
                      tfl_op(b, 0, (int32_t[]){0, 1}, 2, 2, 0),
                      tfl_op(b, 1, (int32_t[]){2, 4, 5}, 3, 6, tfl_conv_options(b, 1, 2, 1)),
                      tfl_op(b, 1, (int32_t[]){6, 9, -1}, 3, 10, tfl_conv_options(b, 0, 1, 0)),
                      tfl_op(b, 4, (int32_t[]){10}, 1, 11, 0)};
    return fb_offsets(b, op, 7);
}

static inline uint32_t tfl_buffer(fb *b, const void *p, uint32_t n) {
    uint32_t v = fb_vector(b, p, n, 1);
    return fb_table(b, 1, (fb_field[]){{FB_OFFSET, (int32_t)v}});
}

static inline void tfl_example(fb *b) {
    static const int32_t pads[8] = {0, 0, 1, 1, 1, 1, 0, 0};
    static const float bias[3] = {0.5f, -1.0f, 0.0f};
    static const uint16_t sparse[3] = {0x4500 /* 5 */, 0x4700 /* 7 */, 0x3800 /* 0.5 */};
    uint16_t w1[54];
    for (int k = 0; k < 54; k++)
        w1[k] = (uint16_t)(k % 3 == 0 ? 0x3c00 /* 1 */ : k % 3 == 1 ? 0xb400 /* -0.25 */ : 0);
    *b = (fb){.at = FB_MAX};
    uint32_t buffer[5] = {fb_table(b, 0, NULL), tfl_buffer(b, pads, sizeof pads),
                          tfl_buffer(b, w1, sizeof w1), tfl_buffer(b, bias, sizeof bias),
                          tfl_buffer(b, sparse, sizeof sparse)};
    uint32_t buffers = fb_offsets(b, buffer, 5);
    static const int code[5] = {34, 3, 6, 124, 14};
    uint32_t codes[5];
    for (int k = 0; k < 5; k++) codes[k] = fb_table(b, 1, (fb_field[]){{FB_I8, code[k]}});
    uint32_t all_codes = fb_offsets(b, codes, 5), tensors = tfl_tensors(b), ops = tfl_ops(b);
    uint32_t in = fb_vector(b, (int32_t[]){0}, 1, 4), out = fb_vector(b, (int32_t[]){10, 11}, 2, 4);
    uint32_t graph = fb_table(b, 4,
                              (fb_field[]){{FB_OFFSET, (int32_t)tensors},
                                           {FB_OFFSET, (int32_t)in},
                                           {FB_OFFSET, (int32_t)out},
                                           {FB_OFFSET, (int32_t)ops}});
    uint32_t graphs = fb_offsets(b, &graph, 1);
    fb_finish(b, fb_table(b, 5,
                          (fb_field[]){{FB_I32, 3},
                                       {FB_OFFSET, (int32_t)all_codes},
                                       {FB_OFFSET, (int32_t)graphs},
                                       {0},
                                       {FB_OFFSET, (int32_t)buffers}}));
}

#endif
