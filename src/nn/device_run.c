/* Running a program on a device: inputs go up, operators are queued, outputs and losses come down. */
#include "program.h"

#include <string.h>

static bl__device *queue(const bl_program *p) {
    return p->device->d;
}

static int allocate(bl_program *p, float **out, int64_t floats, bl_err *err) {
    return bl__device_alloc(p->device, (void **)out, BL_MAX(floats, 1) * (int64_t)sizeof(float), err);
}

static int allocate_hosts(bl_program *p, bl_err *err) {
    int rc = 0;
    for (int v = 0; v < p->n_values && rc == 0; v++) {
        bl__value *x = &p->v[v];
        if (!x->used || x->root != v || !x->pinned) continue;
        const int64_t bytes = bl__elements(x->shape) * (int64_t)sizeof(float);
        rc = bl__device_alloc_host(p->device, (void **)&x->host, bytes, err);
        if (rc == 0) memset(x->host, 0, (size_t)bytes);
    }
    return rc;
}

int bl__program_enter_device(bl_program *p, bl_err *err) {
    bl__device_lock(p->device);
    int rc = allocate(p, &p->arena, p->arena_floats, err);
    if (rc == 0) rc = allocate(p, &p->grads, p->grad_floats, err);
    if (rc == 0) rc = allocate(p, &p->saved, p->saved_floats, err);
    if (rc == 0) rc = allocate(p, &p->scratch, p->scratch_floats, err);
    if (rc == 0) rc = allocate_hosts(p, err);
    bl__device_unlock(p->device);
    return rc;
}

void bl__program_leave_device(bl_program *p) {
    const bl__device_ops *ops = p->device->ops;
    bl__device_lock(p->device);
    ops->graph_free(queue(p), p->refresh.graph);
    ops->graph_free(queue(p), p->forward.graph);
    ops->graph_free(queue(p), p->queued.graph);
    ops->graph_free(queue(p), p->rest.graph);
    for (int i = 0; i < p->n_objectives; i++) ops->graph_free(queue(p), p->o[i].segment.graph);
    for (int v = 0; p->v && v < p->n_values; v++) bl__device_free_host(p->device, p->v[v].host);
    bl__device_free(p->device, p->arena);
    bl__device_free(p->device, p->grads);
    bl__device_free(p->device, p->saved);
    bl__device_free(p->device, p->scratch);
    p->arena = p->grads = p->saved = p->scratch = NULL;
    bl__device_unlock(p->device);
}

void bl__device_wait(bl_program *p) {
    if (!p->pending) return;
    bl__device_lock(p->device);
    (void)p->device->ops->sync(queue(p), NULL); /* a failure is kept: the next forward or save says it */
    p->pending = 0;
    bl__device_unlock(p->device);
}

/* ---- what is queued ---- */
static void poison(const bl_program *p, void *at, int64_t elements, int half) {
    if (p->poison) p->device->ops->fill(queue(p), at, 0xff, elements * (int64_t)bl__size(half));
}

/* The time that a step takes, when somebody asked: then nothing overlaps. */
static void count_time(bl_program *p, int64_t slot, double start) {
    (void)p->device->ops->sync(queue(p), NULL);
    p->spent[slot] += bl_now() - start;
}

static void queue_refresh(bl_program *p, bl__target *unused) {
    (void)unused;
    for (int k = 0; k < p->n_steps; k++)
        if (p->steps[k].kernel->refresh) p->steps[k].kernel->refresh(&p->steps[k]);
}

/* left_out: not those inputs. */
static void copy_pinned(bl_program *p, int inputs, int left_out) {
    for (int v = 0; v < p->n_values; v++) {
        const bl__value *x = &p->v[v];
        const int64_t bytes = bl__elements(x->shape) * (int64_t)sizeof(float);
        if (!x->host || inputs != (p->nodes[v].op == BL__OP_input) || (left_out && x->left_out)) continue;
        if (inputs)
            p->device->ops->upload(queue(p), p->arena + x->offset, x->host, bytes);
        else
            p->device->ops->download(queue(p), x->host, p->arena + x->offset, bytes);
    }
}

static void queue_steps(bl_program *p, bl__target *unused) {
    (void)unused;
    for (int k = 0; k < p->n_steps; k++) {
        bl__step *s = &p->steps[k];
        const double start = p->spent ? bl_now() : 0;
        poison(p, s->y, bl__elements(s->ys), s->half_y);
        s->kernel->forward(s);
        if (p->spent) count_time(p, 2 * k, start);
    }
}

static void queue_forward(bl_program *p, bl__target *unused) {
    copy_pinned(p, 1, 0);
    queue_steps(p, unused);
    copy_pinned(p, 0, 0);
}

static void queue_rest(bl_program *p, bl__target *unused) {
    copy_pinned(p, 1, 1);
    queue_steps(p, unused);
    copy_pinned(p, 0, 0);
}

static void queue_backward(bl_program *p, bl__target *o) {
    p->device->ops->set(queue(p), o->backs[0].dy, 1);
    for (int k = 0; k < o->n; k++) {
        const bl__back *b = &o->backs[k];
        const double start = p->spent ? bl_now() : 0;
        for (int i = 0; i < b->s->n_in; i++)
            if (b->dx[i] && !(b->add >> i & 1))
                poison(p, b->dx[i], bl__elements(b->s->xs[i]), bl__half_x(b->s, i));
        b->s->kernel->backward(b);
        if (p->spent) count_time(p, 2 * (b->s - p->steps) + 1, start);
    }
}

/* The first time eagerly (libraries set themselves up), then kept as a graph, then only replayed. */
static void run(bl_program *p, bl__segment *s, void (*queue_work)(bl_program *, bl__target *),
                bl__target *o) {
    const bl__device_ops *ops = p->device->ops;
    bl_err why = {0};
    if (s->graph && !p->spent) {
        ops->replay(queue(p), s->graph);
        return;
    }
    if (s->runs++ == 0 || s->eager_only || p->spent) {
        queue_work(p, o);
        return;
    }
    int rc = ops->capture_begin(queue(p), &why);
    if (rc == 0) {
        queue_work(p, o);
        rc = ops->capture_end(queue(p), &s->graph, &why);
    }
    if (rc == 0) {
        ops->replay(queue(p), s->graph);
        return;
    }
    bl_log(BL_LOG_DEBUG, "device", "going without a graph: %s", why.msg);
    s->eager_only = 1;
    queue_work(p, o);
}

static void refresh(bl_program *p) {
    bl__params_ready(p->ps, p->slab, 0, 1);
    if (p->refreshed != bl__params_version(p->ps)) run(p, &p->refresh, queue_refresh, NULL);
    p->refreshed = bl__params_version(p->ps);
}

/* With inputs that have arrived; always the same ones, or the graph is made anew. */
static void run_rest(bl_program *p) {
    int changed = 0;
    for (int v = 0; v < p->n_values; v++) {
        changed |= p->v[v].arrived != p->v[v].left_out;
        p->v[v].left_out = p->v[v].arrived;
        p->v[v].arrived = 0;
    }
    if (changed) {
        (void)p->device->ops->sync(queue(p), NULL); /* it may be under way */
        p->device->ops->graph_free(queue(p), p->rest.graph);
        p->rest = (bl__segment){0};
    }
    run(p, &p->rest, queue_rest, NULL);
    p->arrived = 0;
}

int bl__device_forward(bl_program *p, bl_err *err) {
    if (p->device->like) return 0;
    bl__device_lock(p->device);
    refresh(p);
    if (p->arrived)
        run_rest(p);
    else
        run(p, &p->forward, queue_forward, NULL);
    p->pending = 1;
    if (p->n_objectives == 0) bl__device_wait(p);
    int rc = p->device->ops->failed(queue(p), err);
    bl__device_unlock(p->device);
    return rc;
}

bl_picture bl_program_picture(bl_program *p, bl_value v) {
    if (!p->device || v < 0 || v >= p->n_values || !p->v[p->v[v].root].host) return (bl_picture){0};
    const bl_shape s = p->v[v].shape;
    return (bl_picture){.data = p->arena + p->v[p->v[v].root].offset,
                        .w = s.w,
                        .h = s.n * s.h,
                        .channels = s.c,
                        .size = sizeof(float),
                        .device = p->device};
}

int bl_program_queue(bl_program *p, bl_err *err) {
    if (!p->device) return bl_fail(err, BL_E_INTERNAL, "a network on the CPU cannot be queued");
    if (p->device->like) return 0;
    bl__device_lock(p->device);
    refresh(p);
    run(p, &p->queued, queue_steps, NULL);
    p->pending = 1;
    int rc = p->device->ops->failed(queue(p), err);
    bl__device_unlock(p->device);
    return rc;
}

int bl__device_backward(bl_program *p, bl__target *o, bl_err *err) {
    if (p->device->like) return 0;
    bl__device_lock(p->device);
    bl__params_ready(p->ps, p->slab, 1, 1);
    run(p, &o->segment, queue_backward, o);
    bl__params_wrote_gradients(p->ps, 1);
    p->pending = 1;
    int rc = p->device->ops->failed(queue(p), err);
    bl__device_unlock(p->device);
    return rc;
}
