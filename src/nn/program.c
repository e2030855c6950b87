/*
 * Compiling a graph: prune, infer shapes, choose kernels, plan memory; then running it.
 *
 * Memory: values live in one arena, placed first-fit by lifetime; a value that some backward pass reads lives
 * to the end. Gradients of activations have an area of their own that the objectives take in turn.
 */
#include <stdlib.h>
#include <string.h>

#include "program.h"

int bl__threads(int wanted) {
    return wanted > 0 ? wanted : bl_cpu_count();
}

static int is_view(bl__op op) {
    return op == BL__OP_reshape || op == BL__OP_stop_gradient;
}

/* ---- placing blocks in time and space ---- */
typedef struct block {
    int64_t size, offset;
    int first, last, id;
} block;

static int by_size(const void *a, const void *b) {
    const block *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x->id - y->id;
}

/* Greedy by size: each block goes to the lowest offset free over its whole life. Returns the total, or -1. */
static int64_t place(block *b, int n) {
    qsort(b, (size_t)n, sizeof *b, by_size);
    int64_t total = 0;
    for (int i = 0; i < n; i++) {
        int64_t at = 0;
        for (int again = 1; again;) {
            again = 0;
            for (int j = 0; j < i; j++)
                if (b[j].last >= b[i].first && b[j].first <= b[i].last && at < b[j].offset + b[j].size &&
                    b[j].offset < at + b[i].size) {
                    at = b[j].offset + b[j].size;
                    again = 1;
                }
        }
        b[i].offset = at;
        total = BL_MAX(total, at + b[i].size);
    }
    return total;
}

#define OVERREAD (BL__OVERREAD / (int64_t)sizeof(float))

/* Floats that a root takes, and its gradient as well: whole cache lines. */
static int64_t padded(const bl__value *v) {
    int64_t n = v->half ? (bl__elements(v->shape) + 1) / 2 : bl__elements(v->shape);
    return (n + 15) & ~(int64_t)15;
}

/* ---- what is needed ---- */
static void mark(bl_program *p, bl_value v) {
    if (p->v[v].used) return;
    p->v[v].used = 1;
    for (int i = 0; i < p->nodes[v].n_in; i++)
        mark(p, p->nodes[v].in[i]); /* depth: a graph is at most a few thousand long */
}

static int starts(const char *name, const char *prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static int trained(const bl_program *p, int param, const char *group) {
    return param >= 0 && starts(bl_params_name(p->ps, param), group) && !bl_params_frozen(p->ps, param);
}

static int in_group(const bl_program *p, const bl__node *n, const char *group) {
    return trained(p, n->weight, group) || trained(p, n->bias, group);
}

/* Does operator `op` pass a gradient to input i? */
static int differentiable_input(const bl__node *n, int i) {
    if (n->op == BL__OP_stop_gradient) return 0;
    if (n->op == BL__OP_loss_l1 && i == 2) return 0;
    if ((n->op == BL__OP_translate || n->op == BL__OP_colour) && i == 1) return 0; /* the amounts */
    if (n->op == BL__OP_loss_ssim && i > 0) return 0; /* the second picture is the photo */
    return 1;
}

static int find_active(bl_program *p, bl__target *o, bl_err *err) {
    unsigned char *depends = bl_alloc((size_t)p->n_values), *leads = bl_alloc((size_t)p->n_values);
    o->active = bl_alloc((size_t)p->n_values);
    if (!depends || !leads || !o->active) {
        bl_free(depends);
        bl_free(leads);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to plan the network");
    }
    for (int v = 0; v < p->n_values; v++) {
        const bl__node *n = &p->nodes[v];
        depends[v] = (unsigned char)in_group(p, n, o->group);
        for (int i = 0; i < n->n_in; i++)
            if (differentiable_input(n, i) && depends[n->in[i]]) depends[v] = 1;
    }
    leads[o->loss] = 1;
    for (int v = o->loss; v >= 0; v--)
        for (int i = 0; leads[v] && i < p->nodes[v].n_in; i++)
            if (differentiable_input(&p->nodes[v], i)) leads[p->nodes[v].in[i]] = 1;
    for (int v = 0; v < p->n_values; v++) o->active[v] = depends[v] && leads[v];
    bl_free(depends);
    bl_free(leads);
    return 0;
}

/* ---- compiling ---- */
static int infer_all(bl_program *p, const bl_program_options *o, bl_err *err) {
    for (int v = 0; v < p->n_values; v++) {
        bl__value *val = &p->v[v];
        const bl__node *n = &p->nodes[v];
        bl_shape in[BL__MAX_IN];
        bl_pad pad;
        val->root = v;
        if (!val->used) continue;
        if (n->op == BL__OP_input) {
            int found = 0;
            for (int i = 0; i < o->n_inputs; i++)
                if (o->inputs[i].value == v) {
                    val->shape = (bl_shape){o->inputs[i].n, o->inputs[i].h, o->inputs[i].w, n->channels};
                    found = val->shape.n > 0 && val->shape.h > 0 && val->shape.w > 0;
                }
            if (!found) return bl_fail(err, BL_E_INTERNAL, "the network's input %s got no size", n->name);
            val->pinned = 1;
            continue;
        }
        for (int i = 0; i < n->n_in; i++) in[i] = p->v[n->in[i]].shape;
        int rc = bl__infer(n, in, &val->shape, &pad, err);
        if (rc < 0) return rc;
        if (is_view(n->op)) val->root = p->v[n->in[0]].root;
    }
    for (int i = 0; i < o->n_outputs; i++) p->v[p->v[o->outputs[i]].root].pinned = 1;
    for (int i = 0; i < o->n_objectives; i++) p->v[p->v[o->objectives[i].loss].root].pinned = 1;
    return 0;
}

static float *param_data(const bl_program *p, int index, bl_slab slab) {
    return p->device ? bl__params_on_device(p->ps, index, slab) : bl_params_data(p->ps, index, slab);
}

static void describe_step(bl_program *p, bl__step *s, bl_value v, const bl_program_options *o) {
    const bl__node *n = &p->nodes[v];
    bl_err ignored;
    *s = (bl__step){.node = n,
                    .value = v,
                    .n_in = n->n_in,
                    .threads = p->threads,
                    .precision = p->precision,
                    .plan_only = p->plan_only,
                    .shared = &p->shared,
                    .ps = p->ps,
                    .device = p->device ? p->device->d : NULL};
    for (int i = 0; i < n->n_in; i++) s->xs[i] = p->v[n->in[i]].shape;
    (void)bl__infer(n, s->xs, &s->ys, &s->pad, &ignored);
    if (n->weight >= 0)
        s->w = param_data(p, n->weight, o->weights), s->dw = param_data(p, n->weight, BL_SLAB_GRAD);
    if (n->bias >= 0) s->b = param_data(p, n->bias, o->weights), s->db = param_data(p, n->bias, BL_SLAB_GRAD);
    if (p->device && n->weight >= 0 && p->precision == BL_BF16)
        s->w_half = bl__params_half(p->ps, n->weight, o->weights);
    for (int k = 0; k < p->n_objectives; k++) {
        if (!p->o[k].active[v]) continue;
        for (int i = 0; i < n->n_in; i++)
            if (p->o[k].active[n->in[i]] && differentiable_input(n, i)) s->want_dx |= 1u << i;
        if (in_group(p, n, p->o[k].group)) s->want_dw = 1;
    }
    s->kernel = p->device ? p->device->ops->kernel(n->op, n) : o->reference ? NULL : bl__cpu_kernel(n->op, n);
    if (!s->kernel) s->kernel = bl__ref_kernel(n->op);
}

/* A norm takes away what a convolution before it adds to a whole channel: such a bias needs no work. */
static void drop_lost_biases(bl_program *p) {
    for (int k = 0; k < p->n_steps; k++) {
        const bl__step *s = &p->steps[k];
        bl_value x = s->node->in[0];
        if (s->node->op != BL__OP_norm_act || p->step_of[x] < 0 || p->v[x].pinned) continue;
        bl__step *before = &p->steps[p->step_of[x]];
        int users = 0;
        for (int v = 0; v < p->n_values; v++)
            for (int i = 0; p->v[v].used && i < p->nodes[v].n_in; i++) users += p->nodes[v].in[i] == x;
        if (users != 1 || before->node->act != BL_ACT_NONE) continue;
        if (before->node->op == BL__OP_conv2d || before->node->op == BL__OP_conv_transpose2d)
            before->no_bias = 1, before->b = NULL, before->db = NULL;
    }
}

/* Pictures and masks stay float32, and whatever else does not come in sixteens. */
#define HALF_CHANNELS 16

static int can_be_half(const bl_program *p, const bl__step *s) {
    return p->precision == BL_BF16 && s->kernel->half != BL__HALF_NONE;
}

/* The roots that a tied kernel wants alike: its inputs, and its output unless that is a loss. */
static int tied_roots(const bl_program *p, const bl__step *s, bl_value *roots) {
    int loss = s->node->op == BL__OP_loss_l1, n = 0;
    for (int i = 0; i < (loss ? 2 : s->n_in); i++) roots[n++] = p->v[s->node->in[i]].root;
    if (!loss) roots[n++] = s->value;
    return n;
}

static void choose_half(bl_program *p) {
    for (int k = 0; k < p->n_steps; k++) {
        bl__value *y = &p->v[p->steps[k].value];
        y->half = can_be_half(p, &p->steps[k]) && !y->pinned && y->shape.c % HALF_CHANNELS == 0;
    }
    for (int k = 0; k < p->n_steps; k++)
        for (int i = 0; i < p->steps[k].n_in; i++)
            if (!can_be_half(p, &p->steps[k])) p->v[p->v[p->steps[k].node->in[i]].root].half = 0;
    for (int changed = 1; changed;) {
        changed = 0;
        for (int k = 0; k < p->n_steps; k++) {
            bl_value roots[BL__MAX_IN + 1];
            if (p->steps[k].kernel->half != BL__HALF_TIED) continue;
            int n = tied_roots(p, &p->steps[k], roots), all = 1;
            for (int i = 0; i < n; i++) all &= p->v[roots[i]].half;
            for (int i = 0; !all && i < n; i++) changed |= p->v[roots[i]].half, p->v[roots[i]].half = 0;
        }
    }
    for (int k = 0; k < p->n_steps; k++) {
        bl__step *s = &p->steps[k];
        s->half_y = p->v[s->value].half;
        for (int i = 0; i < s->n_in; i++) s->half_x |= (unsigned)p->v[p->v[s->node->in[i]].root].half << i;
    }
}

static int make_steps(bl_program *p, const bl_program_options *o, bl_err *err) {
    p->steps = bl_alloc_array((size_t)p->n_values, sizeof *p->steps);
    p->step_of = bl_alloc_array((size_t)p->n_values, sizeof *p->step_of);
    if (!p->steps || !p->step_of) return bl_fail(err, BL_E_NOMEM, "not enough memory to plan the network");
    for (int v = 0; v < p->n_values; v++) {
        p->step_of[v] = -1;
        if (!p->v[v].used || p->nodes[v].op == BL__OP_input || is_view(p->nodes[v].op)) continue;
        p->step_of[v] = p->n_steps;
        describe_step(p, &p->steps[p->n_steps++], v, o);
    }
    if (!o->reference) drop_lost_biases(p);
    choose_half(p);
    for (int k = 0; k < p->n_steps; k++) {
        bl__step *s = &p->steps[k];
        int rc = s->kernel->plan ? s->kernel->plan(s, err) : 0;
        if (rc < 0) return rc;
        if ((s->want_dx || s->want_dw) && !s->kernel->backward)
            return bl_fail(err, BL_E_UNSUPPORTED, "%s cannot be trained through", bl__op_names[s->node->op]);
        p->saved_floats += (s->saved_floats + 15) & ~(int64_t)15;
        p->scratch_floats = BL_MAX(p->scratch_floats, s->scratch_floats);
        p->packed_bytes += s->packed_bytes;
    }
    return 0;
}

/* Lifetimes in the forward timeline; what backward reads lives past its end. */
static int plan_values(bl_program *p, bl_err *err) {
    int end = p->n_steps, count = 0;
    block *b = bl_alloc_array((size_t)p->n_values, sizeof *b);
    if (!b) return bl_fail(err, BL_E_NOMEM, "not enough memory to plan the network");
    for (int v = 0; v < p->n_values; v++) p->v[v].first = p->v[v].last = -1;
    for (int k = 0; k < p->n_steps; k++) {
        const bl__step *s = &p->steps[k];
        bl__value *y = &p->v[s->value];
        y->first = y->last = k;
        int back = s->want_dx || s->want_dw;
        if (back && bl__op_needs_y[s->node->op]) y->last = end;
        for (int i = 0; i < s->n_in; i++) {
            bl__value *x = &p->v[p->v[s->node->in[i]].root];
            x->last = BL_MAX(x->last, back && bl__op_needs_x[s->node->op] ? end : k);
        }
    }
    for (int v = 0; v < p->n_values; v++) {
        bl__value *x = &p->v[v];
        if (!x->used || x->root != v) continue;
        if (x->pinned) x->first = 0, x->last = end + 1;
        b[count++] = (block){.size = padded(x), .first = x->first, .last = x->last, .id = v};
    }
    p->arena_floats = place(b, count) + OVERREAD;
    for (int i = 0; i < count; i++) p->v[b[i].id].offset = b[i].offset;
    bl_free(b);
    return 0;
}

/* Gradient of a root lives from its first writer (last consumer) to its own step's backward. Backward time
 * counts down over steps; the loss is first. */
static int plan_objective(bl_program *p, bl__target *o, bl_err *err) {
    block *b = bl_alloc_array((size_t)p->n_values, sizeof *b);
    o->grad_offset = bl_alloc_array((size_t)p->n_values, sizeof *o->grad_offset);
    o->backs = bl_alloc_array((size_t)p->n_steps + 1, sizeof *o->backs);
    int *when = bl_alloc_array((size_t)p->n_values, sizeof *when); /* first writer's time + 1, 0 = none yet */
    int count = 0;
    if (!b || !o->grad_offset || !o->backs || !when) {
        bl_free(b);
        bl_free(when);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to plan the network");
    }
    for (int v = 0; v < p->n_values; v++) o->grad_offset[v] = -1;
    when[p->v[o->loss].root] = 1;
    for (int k = p->n_steps - 1; k >= 0; k--) {
        bl__step *s = &p->steps[k];
        if (!o->active[s->value]) continue;
        bl__back *back = &o->backs[o->n++];
        *back = (bl__back){.s = s, .params = in_group(p, s->node, o->group)};
        int now = p->n_steps - k;
        for (int i = 0; i < s->n_in; i++) {
            bl_value in = s->node->in[i], root = p->v[in].root;
            if (!o->active[in] || !differentiable_input(s->node, i)) continue;
            back->dx[i] = (float *)1; /* wanted: the address comes in bind */
            if (when[root])
                back->add |= 1u << i;
            else
                when[root] = now + 1;
        }
        b[count++] = (block){
            .size = padded(&p->v[s->value]), .first = when[s->value] - 1, .last = now, .id = s->value};
    }
    p->grad_floats = BL_MAX(p->grad_floats, place(b, count) + OVERREAD);
    for (int i = 0; i < count; i++) o->grad_offset[b[i].id] = b[i].offset;
    bl_free(b);
    bl_free(when);
    return 0;
}

static int allocate(bl_program *p, bl_err *err) {
    if (p->device) return bl__program_enter_device(p, err);
    p->arena = bl_alloc_array((size_t)p->arena_floats, sizeof(float));
    p->grads = bl_alloc_array((size_t)p->grad_floats, sizeof(float));
    p->saved = bl_alloc_array((size_t)p->saved_floats, sizeof(float));
    p->scratch = bl_alloc_array((size_t)p->scratch_floats, sizeof(float));
    if (p->arena && p->grads && p->saved && p->scratch) return 0;
    return bl_fail(
        err, BL_E_NOMEM, "not enough memory: the network needs %.0f MB; choose a smaller size or preset",
        (double)(p->arena_floats + p->grad_floats + p->saved_floats + p->scratch_floats) * 4 / (1 << 20));
}

static int bind_all(bl_program *p, bl_err *err) {
    int64_t saved = 0;
    for (int k = 0; k < p->n_steps; k++) {
        bl__step *s = &p->steps[k];
        s->y = p->arena + p->v[s->value].offset;
        for (int i = 0; i < s->n_in; i++) s->x[i] = p->arena + p->v[p->v[s->node->in[i]].root].offset;
        s->saved = p->saved + saved;
        s->scratch = p->scratch;
        saved += (s->saved_floats + 15) & ~(int64_t)15;
        int rc = s->kernel->bind ? s->kernel->bind(s, err) : 0;
        if (rc < 0) return rc;
    }
    for (int k = 0; k < p->n_objectives; k++)
        for (int j = 0; j < p->o[k].n; j++) {
            bl__back *b = &p->o[k].backs[j];
            b->dy = p->grads + p->o[k].grad_offset[b->s->value];
            for (int i = 0; i < b->s->n_in; i++)
                if (b->dx[i]) b->dx[i] = p->grads + p->o[k].grad_offset[p->v[b->s->node->in[i]].root];
        }
    return 0;
}

static int check_options(const bl_graph *g, const bl_program_options *o, bl_err *err) {
    if (g->err.code) return bl_fail(err, g->err.code, "%s", g->err.msg);
    for (int i = 0; i < o->n_outputs; i++)
        if (o->outputs[i] < 0 || o->outputs[i] >= g->n)
            return bl_fail(err, BL_E_INTERNAL, "output %d of the network does not exist", i);
    for (int i = 0; i < o->n_objectives; i++)
        if (o->objectives[i].loss < 0 || o->objectives[i].loss >= g->n)
            return bl_fail(err, BL_E_INTERNAL, "objective %d does not exist", i);
    return 0;
}

int bl_program_compile(bl_program **out, const bl_graph *g, const bl_program_options *o, bl_err *err) {
    int rc = check_options(g, o, err);
    if (rc < 0) return rc;
    bl_program *p = bl_alloc(sizeof *p);
    if (!p) return bl_fail(err, BL_E_NOMEM, "not enough memory for a network");
    p->ps = g->ps;
    p->slab = o->weights;
    p->n_values = g->n;
    p->threads = bl__threads(o->threads);
    p->precision = o->precision;
    p->plan_only = o->plan_only;
    p->device = o->reference ? NULL : bl_params_device(g->ps);
    p->poison = o->poison;
    if (p->device) bl__device_lock(p->device);
    p->nodes = bl_alloc_array((size_t)g->n, sizeof *p->nodes);
    p->v = bl_alloc_array((size_t)g->n, sizeof *p->v);
    p->o = bl_alloc_array((size_t)o->n_objectives, sizeof *p->o);
    rc = BL_E_NOMEM;
    if (!p->nodes || !p->v || !p->o) {
        (void)bl_fail(err, rc, "not enough memory for a network of %d operators", g->n);
        goto fail;
    }
    memcpy(p->nodes, g->nodes, sizeof *p->nodes * (size_t)g->n);
    for (int i = 0; i < o->n_outputs; i++) mark(p, o->outputs[i]);
    for (int i = 0; i < o->n_objectives; i++) {
        p->o[i].loss = o->objectives[i].loss;
        snprintf(p->o[i].group, sizeof p->o[i].group, "%s", o->objectives[i].group);
        mark(p, p->o[i].loss);
        p->n_objectives++;
        if ((rc = find_active(p, &p->o[i], err)) < 0) goto fail;
    }
    if ((rc = infer_all(p, o, err)) < 0 || (rc = make_steps(p, o, err)) < 0 || (rc = plan_values(p, err)) < 0)
        goto fail;
    for (int i = 0; i < p->n_objectives; i++)
        if ((rc = plan_objective(p, &p->o[i], err)) < 0) goto fail;
    if (!p->plan_only && ((rc = allocate(p, err)) < 0 || (rc = bind_all(p, err)) < 0)) goto fail;
    if (p->device) bl__device_unlock(p->device);
    *out = p;
    return 0;
fail:
    if (p->device) bl__device_unlock(p->device);
    bl_program_destroy(&p);
    return rc;
}

void bl_program_destroy(bl_program **pp) {
    bl_program *p = *pp;
    if (!p) return;
    bl_device *device = p->device;
    if (device) bl__device_lock(device), bl__device_wait(p);
    for (int i = 0; i < p->n_steps; i++)
        if (p->steps[i].kernel->release) p->steps[i].kernel->release(&p->steps[i]);
    if (device) bl__program_leave_device(p), bl__device_unlock(device);
    bl__shared_destroy(&p->shared);
    for (int i = 0; i < p->n_objectives; i++) {
        bl_free(p->o[i].active);
        bl_free(p->o[i].grad_offset);
        bl_free(p->o[i].backs);
    }
    bl_free(p->o);
    bl_free(p->steps);
    bl_free(p->step_of);
    bl_free(p->v);
    bl_free(p->nodes);
    bl_free(p->arena);
    bl_free(p->grads);
    bl_free(p->saved);
    bl_free(p->scratch);
    bl_free(p->spent);
    bl_free(p);
    *pp = NULL;
}

/* ---- using ---- */
float *bl_program_buffer(bl_program *p, bl_value v) {
    if (v < 0 || v >= p->n_values || p->plan_only || !p->v[v].used || !p->v[p->v[v].root].pinned) return NULL;
    if (p->device) {
        bl__device_wait(p);
        return p->v[p->v[v].root].host;
    }
    return p->arena + p->v[p->v[v].root].offset;
}

bl_shape bl_program_shape(const bl_program *p, bl_value v) {
    return v >= 0 && v < p->n_values ? p->v[v].shape : (bl_shape){0, 0, 0, 0};
}

int bl_program_forward(bl_program *p, bl_err *err) {
    if (p->plan_only) return bl_fail(err, BL_E_INTERNAL, "the network was only planned");
    if (p->device) return bl__device_forward(p, err);
    if (bl_params_device(p->ps)) bl__params_ready(p->ps, p->slab, 0, 0);
    for (int k = 0; k < p->n_steps; k++) {
        double start = p->spent ? bl_now() : 0;
        p->steps[k].kernel->forward(&p->steps[k]);
        if (p->spent) p->spent[2 * k] += bl_now() - start;
    }
    return 0;
}

int bl_program_backward(bl_program *p, int objective_index, bl_err *err) {
    if (p->plan_only || objective_index < 0 || objective_index >= p->n_objectives)
        return bl_fail(err, BL_E_INTERNAL, "the network has no objective %d", objective_index);
    bl__target *o = &p->o[objective_index];
    if (o->n == 0) return 0; /* the loss depends on nothing trained */
    if (p->device) return bl__device_backward(p, o, err);
    if (bl_params_device(p->ps)) {
        bl__params_ready(p->ps, p->slab, 1, 0);
        bl__params_wrote_gradients(p->ps, 0);
    }
    o->backs[0].dy[0] = 1;
    for (int k = 0; k < o->n; k++) {
        double start = p->spent ? bl_now() : 0;
        o->backs[k].s->kernel->backward(&o->backs[k]);
        if (p->spent) p->spent[2 * (o->backs[k].s - p->steps) + 1] += bl_now() - start;
    }
    return 0;
}

int bl_program_profile(bl_program *p, bl_err *err) {
    bl_free(p->spent);
    p->spent = bl_alloc_array((size_t)p->n_steps, 2 * sizeof *p->spent);
    return p->spent ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory for a profile");
}

int64_t bl_program_memory(const bl_program *p) {
    return (p->arena_floats + p->grad_floats + p->saved_floats + p->scratch_floats) * (int64_t)sizeof(float) +
           p->packed_bytes;
}

static double step_macs(const bl__step *s) {
    const bl__node *n = s->node;
    double kernel = (double)n->kh * n->kw;
    if (n->op == BL__OP_conv2d) return kernel * (n->depthwise ? 1 : s->xs[0].c) * (double)bl__elements(s->ys);
    if (n->op == BL__OP_conv_transpose2d) return kernel * n->channels * (double)bl__elements(s->xs[0]);
    if (n->op == BL__OP_fully_connected) return (double)s->xs[0].c * (double)bl__elements(s->ys);
    return 0;
}

double bl_program_macs(const bl_program *p) {
    double total = 0;
    for (int k = 0; k < p->n_steps; k++) total += step_macs(&p->steps[k]);
    return total;
}

double bl_program_training_macs(const bl_program *p) {
    double total = bl_program_macs(p);
    for (int k = 0; k < p->n_objectives; k++)
        for (int j = 0; j < p->o[k].n; j++) {
            const bl__back *b = &p->o[k].backs[j];
            total += step_macs(b->s) * ((b->dx[0] != NULL) + (b->params != 0));
        }
    return total;
}

/* Bytes that must cross memory at least once: what is read and what is made, forward and backward. */
static void step_bytes(const bl__step *s, double *forward, double *backward) {
    double in = 0, out = (double)bl__elements(s->ys) * (double)bl__size(s->half_y), weights = 0;
    for (int i = 0; i < s->n_in; i++)
        in += (double)bl__elements(s->xs[i]) * (double)bl__size(bl__half_x(s, i));
    if (s->node->weight >= 0) weights = sizeof(float) * (double)bl_params_size(s->ps, s->node->weight);
    *forward = in + out + weights;
    *backward = in * (s->want_dx ? 2 : 1) + out + weights * (s->want_dw ? 2 : 1);
}

int bl_program_profile_rows(const bl_program *p, bl_profile_row *rows, int max) {
    for (int k = 0; p->spent && k < p->n_steps && k < max; k++) {
        const bl__step *s = &p->steps[k];
        bl_profile_row *r = &rows[k];
        *r = (bl_profile_row){.op = bl__op_names[s->node->op],
                              .name = s->node->name,
                              .x = s->n_in ? s->xs[0] : s->ys,
                              .y = s->ys,
                              .kernel = s->node->kh,
                              .stride = s->node->sh,
                              .seconds = {p->spent[2 * k], p->spent[2 * k + 1]},
                              .macs = {step_macs(s), 0}};
        step_bytes(s, &r->bytes[0], &r->bytes[1]);
        for (int o = 0; o < p->n_objectives; o++)
            for (int j = 0; j < p->o[o].n; j++)
                if (p->o[o].backs[j].s == s)
                    r->macs[1] +=
                        step_macs(s) * ((p->o[o].backs[j].dx[0] != NULL) + (p->o[o].backs[j].params != 0));
    }
    return p->n_steps;
}

int bl_graph_macs(const bl_graph *g, const bl_program_options *o, double *macs, bl_err *err) {
    bl_program_options plan = *o;
    bl_program *p = NULL;
    plan.plan_only = plan.reference = 1;
    plan.n_objectives = 0;
    int rc = bl_program_compile(&p, g, &plan, err);
    if (rc < 0) return rc;
    *macs = bl_program_macs(p);
    bl_program_destroy(&p);
    return 0;
}
