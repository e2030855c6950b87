/* Element-wise operators: the vector kernels, split over threads in fixed shares. */
#include "cpu.h"

void bl__cpu_act_backward(int threads, void *dx, const void *dy, const void *y, int64_t n, bl_act act,
                          int add, int half) {
    const bl__typed *v = bl__typed_of(half);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        int64_t a = bl__share(n, threads, t), e = bl__share(n, threads, t + 1);
        v->act_backward(bl__at(dx, a, half), bl__at_const(dy, a, half), bl__at_const(y, a, half), e - a, act,
                        add);
    }
}

void bl__cpu_accumulate(int threads, void *y, const void *x, int64_t n, int half) {
    const bl__typed *v = bl__typed_of(half);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        int64_t a = bl__share(n, threads, t), e = bl__share(n, threads, t + 1);
        v->accumulate(bl__at(y, a, half), bl__at_const(x, a, half), e - a);
    }
}

void bl__cpu_to_bf16(int threads, uint16_t *y, const float *x, int64_t n) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        int64_t a = bl__share(n, threads, t), e = bl__share(n, threads, t + 1);
        bl__vector()->to_bf16(y + a, x + a, e - a);
    }
}

void bl__cpu_from_bf16(int threads, float *y, const uint16_t *x, int64_t n) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        int64_t a = bl__share(n, threads, t), e = bl__share(n, threads, t + 1);
        bl__vector()->from_bf16(y + a, x + a, e - a);
    }
}

static void activation_forward(bl__step *s) {
    const bl__vector_table *v = bl__vector();
    int64_t n = bl__elements(s->ys);
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int t = 0; t < s->threads; t++) {
        int64_t a = bl__share(n, s->threads, t), e = bl__share(n, s->threads, t + 1);
        v->act_forward(s->y + a, s->x[0] + a, e - a, s->node->act);
    }
}

static void activation_backward(const bl__back *b) {
    bl__cpu_act_backward(b->s->threads, b->dx[0], b->dy, b->s->y, bl__elements(b->s->ys), b->s->node->act,
                         b->add & 1, 0);
}

const bl__kernel bl__cpu_activation = {.forward = activation_forward, .backward = activation_backward};

static void add_forward(bl__step *s) {
    const bl__typed *v = bl__typed_of(s->half_y);
    int64_t n = bl__elements(s->ys);
    int half = s->half_y;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int t = 0; t < s->threads; t++) {
        int64_t a = bl__share(n, s->threads, t), e = bl__share(n, s->threads, t + 1);
        v->add_act(bl__at(s->y, a, half), bl__at_const(s->x[0], a, half), bl__at_const(s->x[1], a, half),
                   e - a, s->node->act);
    }
}

static void add_backward(const bl__back *b) {
    const bl__step *s = b->s;
    for (int k = 0; k < 2; k++)
        if (b->dx[k])
            bl__cpu_act_backward(s->threads, b->dx[k], b->dy, s->y, bl__elements(s->ys), s->node->act,
                                 (int)(b->add >> k & 1), s->half_y);
}

const bl__kernel bl__cpu_add = {.half = BL__HALF_TIED, .forward = add_forward, .backward = add_backward};

static void prelu_forward(bl__step *s) {
    int64_t pixels = bl__elements(s->ys) / s->ys.c;
    int c = s->ys.c;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int64_t i = 0; i < pixels; i++) {
        const float *x = s->x[0] + i * c;
        float *y = s->y + i * c;
        for (int k = 0; k < c; k++) y[k] = x[k] > 0 ? x[k] : x[k] * s->w[k];
    }
}

static void prelu_backward(const bl__back *b) {
    const bl__step *s = b->s;
    if (b->params) {
        bl__ref_kernel(BL__OP_prelu)->backward(b);
        return;
    }
    int64_t pixels = bl__elements(s->ys) / s->ys.c;
    int c = s->ys.c, add = b->add & 1;
#pragma omp parallel for schedule(static) num_threads(s->threads)
    for (int64_t i = 0; i < pixels; i++) {
        const float *x = s->x[0] + i * c, *dy = b->dy + i * c;
        float *dx = b->dx[0] + i * c;
        for (int k = 0; k < c; k++) {
            float g = x[k] > 0 ? dy[k] : dy[k] * s->w[k];
            dx[k] = add ? dx[k] + g : g;
        }
    }
}

const bl__kernel bl__cpu_prelu = {.forward = prelu_forward, .backward = prelu_backward};
