/* Element-wise operators: the vector kernels, split over the team. */
#include "cpu.h"

/* What a range of elements is made from. */
typedef struct elements {
    void *y;
    const void *x, *x2;
    bl_act act;
    int add, half;
} elements;

static void act_backward(const void *arg, int64_t from, int64_t to) {
    const elements *e = arg;
    bl__typed_of(e->half)->act_backward(bl__at(e->y, from, e->half), bl__at_const(e->x, from, e->half),
                                        bl__at_const(e->x2, from, e->half), to - from, e->act, e->add);
}

void bl__cpu_act_backward(int threads, void *dx, const void *dy, const void *y, int64_t n, bl_act act,
                          int add, int half) {
    const elements e = {.y = dx, .x = dy, .x2 = y, .act = act, .add = add, .half = half};
    bl_team_split(threads, n, act_backward, &e);
}

static void accumulate(const void *arg, int64_t from, int64_t to) {
    const elements *e = arg;
    bl__typed_of(e->half)->accumulate(bl__at(e->y, from, e->half), bl__at_const(e->x, from, e->half),
                                      to - from);
}

void bl__cpu_accumulate(int threads, void *y, const void *x, int64_t n, int half) {
    const elements e = {.y = y, .x = x, .half = half};
    bl_team_split(threads, n, accumulate, &e);
}

static void to_bf16(const void *arg, int64_t from, int64_t to) {
    const elements *e = arg;
    bl__vector()->to_bf16((uint16_t *)e->y + from, (const float *)e->x + from, to - from);
}

void bl__cpu_to_bf16(int threads, uint16_t *y, const float *x, int64_t n) {
    const elements e = {.y = y, .x = x};
    bl_team_split(threads, n, to_bf16, &e);
}

static void from_bf16(const void *arg, int64_t from, int64_t to) {
    const elements *e = arg;
    bl__vector()->from_bf16((float *)e->y + from, (const uint16_t *)e->x + from, to - from);
}

void bl__cpu_from_bf16(int threads, float *y, const uint16_t *x, int64_t n) {
    const elements e = {.y = y, .x = x};
    bl_team_split(threads, n, from_bf16, &e);
}

static void act_forward(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    bl__vector()->act_forward(s->y + from, s->x[0] + from, to - from, s->node->act);
}

static void activation_forward(bl__step *s) {
    bl_team_split(s->threads, bl__elements(s->ys), act_forward, s);
}

static void activation_backward(const bl__back *b) {
    bl__cpu_act_backward(b->s->threads, b->dx[0], b->dy, b->s->y, bl__elements(b->s->ys), b->s->node->act,
                         b->add & 1, 0);
}

const bl__kernel bl__cpu_activation = {.forward = activation_forward, .backward = activation_backward};

static void add_act(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    const int half = s->half_y;
    bl__typed_of(half)->add_act(bl__at(s->y, from, half), bl__at_const(s->x[0], from, half),
                                bl__at_const(s->x[1], from, half), to - from, s->node->act);
}

static void add_forward(bl__step *s) {
    bl_team_split(s->threads, bl__elements(s->ys), add_act, s);
}

static void add_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int k = 0; k < 2; k++)
        if (b->dx[k])
            bl__cpu_act_backward(s->threads, b->dx[k], b->dy, s->y, bl__elements(s->ys), s->node->act,
                                 (int)(b->add >> k & 1), s->half_y);
}

const bl__kernel bl__cpu_add = {.half = BL__HALF_TIED, .forward = add_forward, .backward = add_backward};

static void prelu_pixels(const void *arg, int64_t from, int64_t to) {
    const bl__step *s = arg;
    const int c = s->ys.c;
    for (int64_t i = from; i < to; i++) {
        const float *x = s->x[0] + i * c;
        float *y = s->y + i * c;
        for (int k = 0; k < c; k++) y[k] = x[k] > 0 ? x[k] : x[k] * s->w[k];
    }
}

static void prelu_forward(bl__step *s) {
    bl_team_split(s->threads, bl__elements(s->ys) / s->ys.c, prelu_pixels, s);
}

static void prelu_back_pixels(const void *arg, int64_t from, int64_t to) {
    const bl__back *b = arg;
    const bl__step *s = b->s;
    const int c = s->ys.c, add = b->add & 1;
    for (int64_t i = from; i < to; i++) {
        const float *x = s->x[0] + i * c, *dy = b->dy + i * c;
        float *dx = b->dx[0] + i * c;
        for (int k = 0; k < c; k++) {
            float g = x[k] > 0 ? dy[k] : dy[k] * s->w[k];
            dx[k] = add ? dx[k] + g : g;
        }
    }
}

static void prelu_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (b->params) {
        bl__ref_kernel(BL__OP_prelu)->backward(b);
        return;
    }
    bl_team_split(s->threads, bl__elements(s->ys) / s->ys.c, prelu_back_pixels, b);
}

const bl__kernel bl__cpu_prelu = {.forward = prelu_forward, .backward = prelu_backward};
