/* Weights between their plain layout and oneDNN's, and their packed copies. */
#include <omp.h>

#include "cpu.h"
#include "onednn_inside.h"

int bl__fail_dnnl(bl_err *err, dnnl_status_t st, const char *what) {
    return bl_fail(err, st == dnnl_out_of_memory ? BL_E_NOMEM : BL_E_UNSUPPORTED,
                   "oneDNN cannot do the convolution (%s, status %d)", what, (int)st);
}

int bl__one_thread(void) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    return before;
}

void bl__point(bl__handle *h, const void *p) {
    union {
        const void *in;
        void *out;
    } unconst = {.in = p}; /* oneDNN's handles are not const */
    if (h->at == p) return;
    dnnl_memory_set_data_handle(h->m, unconst.out);
    h->at = p;
}

void bl__run(dnnl_primitive_t p, dnnl_stream_t stream, int n, const dnnl_exec_arg_t *args) {
    dnnl_primitive_execute(p, stream, n, args);
    dnnl_stream_wait(stream);
}

/* ---- another layout ---- */
#define SLICE 64         /* output channels: a multiple of every layout's blocks */
#define FEWEST (1 << 16) /* weights that are worth cutting */

static int slices_of(const bl__weights *w, int threads) {
    const int64_t n = (int64_t)w->out * w->in * w->kh * w->kw;
    if (threads < 2 || n < FEWEST || w->out % SLICE) return 1;
    return BL_MIN(w->out / SLICE, 2 * threads);
}

static dnnl_status_t adding(dnnl_primitive_attr_t attr) {
    dnnl_post_ops_t sum = NULL;
    dnnl_status_t st = dnnl_post_ops_create(&sum);
    if (st) return st;
#if NEW_API
    st = dnnl_post_ops_append_sum(sum, 1.f, 0, dnnl_data_type_undef);
#else
    st = dnnl_post_ops_append_sum(sum, 1.f);
#endif
    if (!st) st = dnnl_primitive_attr_set_post_ops(attr, sum);
    dnnl_post_ops_destroy(sum);
    return st;
}

static dnnl_status_t create_slice(bl__slice *s, dnnl_engine_t e, bl__desc_ref from, bl__desc_ref to,
                                  int adds) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = dnnl_primitive_attr_create(&attr);
    if (!st && adds) st = adding(attr);
    if (!st) st = dnnl_reorder_primitive_desc_create(&pd, from, e, to, e, attr);
    if (!st) st = dnnl_primitive_create(&s->p, pd);
    if (!st) st = dnnl_stream_create(&s->stream, e, dnnl_stream_default_flags);
    if (!st) st = bl__handle_create(&s->from, e, from);
    if (!st) st = bl__handle_create(&s->to, e, to);
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return st;
}

static dnnl_status_t create_slices(bl__relayout *r, dnnl_engine_t e, const bl__weights *w,
                                   bl__desc_ref packed, int back) {
    dnnl_dims_t all = {w->out, w->in, w->kh, w->kw},
                strides = {(dnnl_dim_t)w->kh * w->kw * w->in, 1, (dnnl_dim_t)w->kw * w->in, w->in};
    bl__desc plain = {0};
    dnnl_status_t st = bl__desc_strided(&plain, all, strides, dnnl_f32);
    for (int k = 0; !st && k < r->n; k++) {
        const dnnl_dim_t from = r->n > 1 ? SLICE * bl__share(w->out / SLICE, r->n, k) : 0,
                         to = r->n > 1 ? SLICE * bl__share(w->out / SLICE, r->n, k + 1) : w->out;
        dnnl_dims_t dims = {to - from, w->in, w->kh, w->kw}, first = {from, 0, 0, 0};
        bl__desc a = {0}, b = {0};
        st = bl__desc_part(&a, DESC(plain), dims, first);
        if (!st && r->n > 1) st = bl__desc_part(&b, packed, dims, first);
        bl__desc_ref other = r->n > 1 ? DESC(b) : packed;
        if (!st) st = create_slice(&r->slices[k], e, back ? other : DESC(a), back ? DESC(a) : other, back);
        bl__desc_free(&a);
        bl__desc_free(&b);
    }
    bl__desc_free(&plain);
    return st;
}

static void release_slices(bl__relayout *r) {
    for (int k = 0; k < r->n; k++) {
        bl__slice *s = &r->slices[k];
        if (s->p) dnnl_primitive_destroy(s->p);
        if (s->stream) dnnl_stream_destroy(s->stream);
        bl__handle_release(&s->from);
        bl__handle_release(&s->to);
        *s = (bl__slice){0};
    }
}

int bl__relayout_create(bl__relayout *r, dnnl_engine_t e, const bl__weights *w, bl__desc_ref packed, int back,
                        int threads, bl_err *err) {
    *r = (bl__relayout){.n = slices_of(w, threads), .threads = threads};
    if (!(r->slices = bl_alloc_array((size_t)r->n, sizeof *r->slices)))
        return bl_fail(err, BL_E_NOMEM, "not enough memory for packed weights");
    dnnl_status_t st = create_slices(r, e, w, packed, back);
    if (st && r->n > 1) { /* a layout that cannot be cut so */
        release_slices(r);
        r->n = 1;
        st = create_slices(r, e, w, packed, back);
    }
    return st ? bl__fail_dnnl(err, st, "weight layout") : 0;
}

void bl__relayout_release(bl__relayout *r) {
    if (r->slices) release_slices(r);
    bl_free(r->slices);
    r->slices = NULL;
}

typedef struct move {
    const bl__relayout *r;
    const void *from;
    void *to;
} move;

static void move_slice(const void *arg, int k) {
    const move *m = arg;
    bl__slice *s = &m->r->slices[k];
    const int before = bl__one_thread();
    bl__point(&s->from, m->from);
    bl__point(&s->to, m->to);
    bl__run(s->p, s->stream, 2, (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, s->from.m}, {DNNL_ARG_TO, s->to.m}});
    omp_set_num_threads(before);
}

void bl__relayout_run(const bl__relayout *r, const void *from, void *to) {
    const move m = {r, from, to};
    bl_team_run(r->threads, r->n, move_slice, &m);
}

/* ---- packs ---- */
int bl__shared_make(bl__shared **out, bl_err *err) {
    if (*out) return 0;
    if (!(*out = bl_alloc(sizeof **out))) return bl_fail(err, BL_E_NOMEM, "not enough memory for a network");
    dnnl_status_t st = dnnl_engine_create(&(*out)->engine, dnnl_cpu, 0);
    return st ? bl__fail_dnnl(err, st, "set-up") : 0;
}

/* NULL, and an error, when there is no memory. */
static bl__pack *new_pack(bl__shared *shared, int param, int kind, size_t bytes, int plan_only, bl_err *err) {
    bl__pack *p = bl_alloc(sizeof *p);
    if (!p || (!plan_only && !(p->data = bl_alloc(bytes)))) {
        bl_free(p);
        (void)bl_fail(err, BL_E_NOMEM, "not enough memory for packed weights");
        return NULL;
    }
    p->param = param;
    p->kind = kind;
    p->bytes = (int64_t)bytes;
    p->next = shared->packs;
    return shared->packs = p;
}

static int same_layout(const bl__pack *p, bl__desc_ref layout) {
#if NEW_API
    const_dnnl_memory_desc_t have = NULL;
#else
    const dnnl_memory_desc_t *have = NULL;
#endif
    return dnnl_memory_get_memory_desc(p->weights, &have) == dnnl_success &&
           dnnl_memory_desc_equal(have, layout);
}

int bl__shared_find(bl__shared *shared, bl__pack **out, int param, const bl__weights *w, bl__desc_ref layout,
                    int threads, int plan_only, int64_t *bytes, bl_err *err) {
    *bytes = 0;
    for (bl__pack *p = shared->packs; p; p = p->next)
        if (p->kind == 0 && p->param == param && same_layout(p, layout)) {
            *out = p;
            return 0;
        }
    const size_t size = dnnl_memory_desc_get_size(layout);
    bl__pack *p = new_pack(shared, param, 0, size, plan_only, err);
    if (!p) return BL_E_NOMEM;
    *out = p;
    *bytes = (int64_t)size;
    dnnl_status_t st =
        dnnl_memory_create(&p->weights, layout, shared->engine, plan_only ? DNNL_MEMORY_NONE : p->data);
    if (st) return bl__fail_dnnl(err, st, "weights");
    return plan_only ? 0 : bl__relayout_create(&p->relayout, shared->engine, w, layout, 0, threads, err);
}

int64_t bl__shared_pack(bl__shared **shared, int param, int kind, int64_t bytes, int plan_only, void **data,
                        uint64_t **version, bl_err *err) {
    int rc = bl__shared_make(shared, err);
    if (rc < 0) return rc;
    bl__pack *p = (*shared)->packs;
    while (p && (p->kind != kind || p->param != param || p->bytes != bytes)) p = p->next;
    int64_t more = p ? 0 : bytes;
    if (!p && !(p = new_pack(*shared, param, kind, (size_t)bytes, plan_only, err))) return BL_E_NOMEM;
    *data = p->data;
    *version = &p->version;
    return more;
}

void bl__shared_destroy(bl__shared **sp) {
    bl__shared *s = *sp;
    if (!s) return;
    for (bl__pack *p = s->packs, *next; p; p = next) {
        next = p->next;
        bl__relayout_release(&p->relayout);
        if (p->weights) dnnl_memory_destroy(p->weights);
        bl_free(p->data);
        bl_free(p);
    }
    if (s->engine) dnnl_engine_destroy(s->engine);
    bl_free(s);
    *sp = NULL;
}
