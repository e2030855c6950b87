/* Convolution, transposed convolution and fully connected layer, from their definitions. */
#include <string.h>

#include "ref.h"

/* Weight of output o, tap (i, j), input c: [out][kh][kw][in], depthwise [kh][kw][c]. */
static int64_t weight_at(const bl__step *s, int o, int i, int j, int c) {
    const bl__node *n = s->node;
    if (n->depthwise) return ((int64_t)i * n->kw + j) * s->ys.c + o;
    return (((int64_t)o * n->kh + i) * n->kw + j) * s->xs[0].c + c;
}

/* Calls `visit` for every product of the convolution: y += w * x. */
typedef void (*visit_fn)(void *ctx, int64_t y, int64_t w, int64_t x);

static void visit_products(const bl__step *s, visit_fn visit, void *ctx) {
    const bl__node *n = s->node;
    bl_shape xs = s->xs[0], ys = s->ys;
    for (int b = 0; b < ys.n; b++)
        for (int y = 0; y < ys.h; y++)
            for (int x = 0; x < ys.w; x++)
                for (int o = 0; o < ys.c; o++)
                    for (int i = 0; i < n->kh; i++)
                        for (int j = 0; j < n->kw; j++) {
                            int iy = y * n->sh - s->pad.top + i, ix = x * n->sw - s->pad.left + j;
                            if (iy < 0 || ix < 0 || iy >= xs.h || ix >= xs.w) continue;
                            int c0 = n->depthwise ? o : 0, c1 = n->depthwise ? o + 1 : xs.c;
                            for (int c = c0; c < c1; c++)
                                visit(ctx, at(ys, b, y, x, o), weight_at(s, o, i, j, c),
                                      at(xs, b, iy, ix, c));
                        }
}

typedef struct operands {
    const float *a, *b;
    float *out;
} operands;
static void to_y(void *ctx, int64_t y, int64_t w, int64_t x) {
    operands *p = ctx;
    p->out[y] += p->a[w] * p->b[x];
}
static void to_x(void *ctx, int64_t y, int64_t w, int64_t x) {
    operands *p = ctx;
    p->out[x] += p->a[w] * p->b[y];
}
static void to_w(void *ctx, int64_t y, int64_t w, int64_t x) {
    operands *p = ctx;
    p->out[w] += p->a[x] * p->b[y];
}

static void conv_forward(bl__step *s) {
    int64_t total = bl__elements(s->ys);
    for (int64_t i = 0; i < total; i++) s->y[i] = s->b ? s->b[i % s->ys.c] : 0;
    visit_products(s, to_y, &(operands){s->w, s->x[0], s->y});
    for (int64_t i = 0; i < total; i++) s->y[i] = bl__act(s->y[i], s->node->act);
}

static void conv_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int64_t total = bl__elements(s->ys);
    for (int64_t i = 0; i < total; i++) b->dy[i] *= bl__act_slope(s->y[i], s->node->act);
    if (b->dx[0]) {
        if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
        visit_products(s, to_x, &(operands){s->w, b->dy, b->dx[0]});
    }
    if (!b->params) return;
    visit_products(s, to_w, &(operands){s->x[0], b->dy, s->dw});
    for (int64_t i = 0; s->db && i < total; i++) s->db[i % s->ys.c] += b->dy[i];
}

const bl__kernel bl__ref_conv2d = {.forward = conv_forward, .backward = conv_backward};
const bl__kernel bl__ref_fully_connected = {.forward = conv_forward, .backward = conv_backward};

/* Transposed: y[oy*s - pad + i] += w[c][i][j][o] * x[oy], the adjoint of a convolution from y to x. */
static void visit_transposed(const bl__step *s, visit_fn visit, void *ctx) {
    const bl__node *n = s->node;
    bl_shape xs = s->xs[0], ys = s->ys;
    for (int b = 0; b < xs.n; b++)
        for (int y = 0; y < xs.h; y++)
            for (int x = 0; x < xs.w; x++)
                for (int c = 0; c < xs.c; c++)
                    for (int i = 0; i < n->kh; i++)
                        for (int j = 0; j < n->kw; j++) {
                            int oy = y * n->sh - s->pad.top + i, ox = x * n->sw - s->pad.left + j;
                            if (oy < 0 || ox < 0 || oy >= ys.h || ox >= ys.w) continue;
                            for (int o = 0; o < ys.c; o++)
                                visit(ctx, at(ys, b, oy, ox, o),
                                      (((int64_t)c * n->kh + i) * n->kw + j) * ys.c + o, at(xs, b, y, x, c));
                        }
}

static void transposed_forward(bl__step *s) {
    int64_t total = bl__elements(s->ys);
    for (int64_t i = 0; i < total; i++) s->y[i] = s->b ? s->b[i % s->ys.c] : 0;
    visit_transposed(s, to_y, &(operands){s->w, s->x[0], s->y});
}

static void transposed_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (b->dx[0]) {
        if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
        visit_transposed(s, to_x, &(operands){s->w, b->dy, b->dx[0]});
    }
    if (!b->params) return;
    visit_transposed(s, to_w, &(operands){s->x[0], b->dy, s->dw});
    for (int64_t i = 0, total = bl__elements(s->ys); s->db && i < total; i++) s->db[i % s->ys.c] += b->dy[i];
}

const bl__kernel bl__ref_conv_transpose2d = {.forward = transposed_forward, .backward = transposed_backward};
