#include "onednn.h"
#include "cpu.h"

#include <dnnl.h>
#include <string.h>

#define NEW_API (DNNL_VERSION_MAJOR >= 3)

/* ---- descriptors: structs in 2.x, handles in 3.x ---- */
#if NEW_API
typedef dnnl_memory_desc_t desc; /* a handle */
static int desc_strided(desc *d, const dnnl_dims_t dims, const dnnl_dims_t strides, dnnl_data_type_t type) {
    return dnnl_memory_desc_create_with_strides(d, 4, dims, type, strides);
}
static int desc_any(desc *d, const dnnl_dims_t dims, dnnl_data_type_t type) {
    return dnnl_memory_desc_create_with_tag(d, 4, dims, type, dnnl_format_tag_any);
}
static int desc_vector(desc *d, dnnl_dim_t n) {
    return dnnl_memory_desc_create_with_tag(d, 1, (dnnl_dims_t){n}, dnnl_f32, dnnl_a);
}
static void desc_free(desc *d) {
    if (*d) dnnl_memory_desc_destroy(*d);
    *d = NULL;
}
#define DESC(d) (d)
typedef const_dnnl_memory_desc_t desc_ref;
#else
typedef struct desc {
    dnnl_memory_desc_t md;
} desc;
static int desc_strided(desc *d, const dnnl_dims_t dims, const dnnl_dims_t strides, dnnl_data_type_t type) {
    return dnnl_memory_desc_init_by_strides(&d->md, 4, dims, type, strides);
}
static int desc_any(desc *d, const dnnl_dims_t dims, dnnl_data_type_t type) {
    return dnnl_memory_desc_init_by_tag(&d->md, 4, dims, type, dnnl_format_tag_any);
}
static int desc_vector(desc *d, dnnl_dim_t n) {
    return dnnl_memory_desc_init_by_tag(&d->md, 1, (dnnl_dims_t){n}, dnnl_f32, dnnl_a);
}
static void desc_free(desc *d) {
    (void)d;
}
#define DESC(d) (&(d).md)
typedef const dnnl_memory_desc_t *desc_ref;
#endif

/* One side of a primitive: its storage, and where its copy lies in scratch memory if it is stored otherwise.
 */
typedef struct side {
    int half, copied;
    int64_t at; /* bytes */
} side;

/* ---- packed weights, one copy for all convolutions of a program that read them in the same layout ---- */
typedef struct pack {
    struct pack *next;
    int param, kind; /* kind 0: oneDNN's, in the layout of `weights` */
    dnnl_memory_t weights;
    void *data;               /* NULL when only planned */
    dnnl_primitive_t reorder; /* from the plain layout */
    uint64_t version;         /* of the parameters that are in it; 0: none yet */
} pack;

struct bl__shared {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    pack *packs;
};

/* ---- one primitive ---- */
typedef struct prim {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t p;
    pack *weights;            /* what forward and backward data read */
    dnnl_memory_t gradient;   /* what backward weights makes, in its own layout, in scratch memory */
    dnnl_primitive_t reorder; /* adds it to the plain layout */
    int64_t gradient_at;
    dnnl_memory_t scratchpad;
    int64_t scratch_bytes;
    int half;        /* reads bfloat16 (activations, gradients and weights); sums are float32 */
    side big, small; /* as this primitive reads or writes them */
} prim;

struct bl__conv {
    bl__shared *shared;
    desc big[2], small[2], any[2]; /* float32 and bfloat16 */
    desc plain, bias;
    dnnl_memory_t m_big[2], m_small[2], m_bias, m_plain, m_db;
    int64_t big_n, small_n;   /* elements */
    int big_half, small_half; /* as they are stored */
    int threads, param;
    int64_t packed_bytes; /* of the packs that it was the first to need */
    float *db;            /* bias gradient of one call */
    int small_c;
    prim fwd, bwd, wgt;
};

static const char *const stages[] = {"forward", "backward data", "backward weights"};

static int fail_dnnl(bl_err *err, dnnl_status_t st, const char *what) {
    return bl_fail(err, st == dnnl_out_of_memory ? BL_E_NOMEM : BL_E_UNSUPPORTED,
                   "oneDNN cannot do the convolution (%s, status %d)", what, (int)st);
}

static int add_eltwise(dnnl_primitive_attr_t attr, bl_act act) {
    dnnl_post_ops_t ops;
    dnnl_alg_kind_t kind = act == BL_ACT_TANH      ? dnnl_eltwise_tanh
                           : act == BL_ACT_SIGMOID ? dnnl_eltwise_logistic
                           : act == BL_ACT_RELU6   ? dnnl_eltwise_clip
                                                   : dnnl_eltwise_relu;
    float alpha = act == BL_ACT_LRELU ? 0.2f : 0, beta = act == BL_ACT_RELU6 ? 6.f : 0;
    dnnl_status_t st = dnnl_post_ops_create(&ops);
    if (st) return (int)st;
#if NEW_API
    st = dnnl_post_ops_append_eltwise(ops, kind, alpha, beta);
#else
    st = dnnl_post_ops_append_eltwise(ops, 1.f, kind, alpha, beta);
#endif
    if (!st) st = dnnl_primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    return (int)st;
}

/* What oneDNN keeps of a primitive: machine code and descriptions (seen: 30 to 50 KB). */
#define PRIMITIVE_BYTES (36 << 10)

/* stage 0 forward, 1 backward data, 2 backward weights; half: what is read is bfloat16 */
static dnnl_status_t create_pd(bl__conv *c, const bl__conv_spec *s, int stage, int half,
                               dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *pd) {
    /* what is read is bfloat16; what is written is as it is stored, weight gradients float32 */
    desc *big = &c->big[half && (stage != 1 || s->big_half)],
         *small = &c->small[half && (stage || s->small_half)], *from = &c->big[half];
    desc *weights = &c->any[half && stage != 2], *read = &c->any[half];
    dnnl_dims_t stride = {s->sh, s->sw}, dilate = {0, 0}, pl = {s->pad.top, s->pad.left};
    dnnl_dims_t pr = {(dnnl_dim_t)(s->small.h - 1) * s->sh + s->kh - s->big.h - s->pad.top,
                      (dnnl_dim_t)(s->small.w - 1) * s->sw + s->kw - s->big.w - s->pad.left};
    dnnl_prop_kind_t prop =
        s->backward_data || s->backward_weights ? dnnl_forward_training : dnnl_forward_inference;
    int bias = stage == 0 ? s->bias : stage == 2;
#if NEW_API
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t st = dnnl_convolution_forward_primitive_desc_create(
        stage ? &hint : pd, c->shared->engine, prop, dnnl_convolution_direct, *from, *read,
        bias ? c->bias : NULL, *small, stride, dilate, pl, pr, stage ? NULL : attr);
    if (st || !stage) return st;
    if (stage == 1)
        st = dnnl_convolution_backward_data_primitive_desc_create(pd, c->shared->engine,
                                                                  dnnl_convolution_direct, *big, *weights,
                                                                  *small, stride, dilate, pl, pr, hint, attr);
    else
        st = dnnl_convolution_backward_weights_primitive_desc_create(
            pd, c->shared->engine, dnnl_convolution_direct, *big, *weights, c->bias, *small, stride, dilate,
            pl, pr, hint, attr);
    dnnl_primitive_desc_destroy(hint);
    return st;
#else
    dnnl_convolution_desc_t d, hint_d;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t st = dnnl_dilated_convolution_forward_desc_init(
        &hint_d, prop, dnnl_convolution_direct, DESC(*from), DESC(*read), bias ? DESC(c->bias) : NULL,
        DESC(*small), stride, dilate, pl, pr);
    if (st) return st;
    st =
        dnnl_primitive_desc_create(stage ? &hint : pd, &hint_d, stage ? NULL : attr, c->shared->engine, NULL);
    if (st || !stage) return st;
    if (stage == 1)
        st = dnnl_dilated_convolution_backward_data_desc_init(
            &d, dnnl_convolution_direct, DESC(*big), DESC(*weights), DESC(*small), stride, dilate, pl, pr);
    else
        st = dnnl_dilated_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, DESC(*big),
                                                                 DESC(*weights), DESC(c->bias), DESC(*small),
                                                                 stride, dilate, pl, pr);
    if (!st) st = dnnl_primitive_desc_create(pd, &d, attr, c->shared->engine, hint);
    dnnl_primitive_desc_destroy(hint);
    return st;
#endif
}

static int create_attr(const bl__conv_spec *s, int stage, dnnl_primitive_attr_t *attr) {
    dnnl_status_t st = dnnl_primitive_attr_create(attr);
    if (!st) st = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (!st && stage == 0 && s->act != BL_ACT_NONE) st = (dnnl_status_t)add_eltwise(*attr, s->act);
    return (int)st;
}

/* Plain -> packed (the master weights), or packed -> plain, adding (a gradient to its slab). */
static int create_reorder(bl__conv *c, dnnl_primitive_t *p, desc_ref packed, int adds, bl_err *err) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t rd = NULL;
    dnnl_post_ops_t sum = NULL;
    dnnl_engine_t e = c->shared->engine;
    dnnl_status_t st = dnnl_primitive_attr_create(&attr);
    if (!st && adds) {
        st = dnnl_post_ops_create(&sum);
#if NEW_API
        if (!st) st = dnnl_post_ops_append_sum(sum, 1.f, 0, dnnl_data_type_undef);
#else
        if (!st) st = dnnl_post_ops_append_sum(sum, 1.f);
#endif
        if (!st) st = dnnl_primitive_attr_set_post_ops(attr, sum);
    }
    desc_ref plain = DESC(c->plain);
    if (!st)
        st = adds ? dnnl_reorder_primitive_desc_create(&rd, packed, e, plain, e, attr)
                  : dnnl_reorder_primitive_desc_create(&rd, plain, e, packed, e, attr);
    if (!st) st = dnnl_primitive_create(p, rd);
    if (rd) dnnl_primitive_desc_destroy(rd);
    if (sum) dnnl_post_ops_destroy(sum);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return st ? fail_dnnl(err, st, "weight layout") : 0;
}

static int same_layout(const pack *p, desc_ref layout) {
#if NEW_API
    const_dnnl_memory_desc_t have = NULL;
#else
    const dnnl_memory_desc_t *have = NULL;
#endif
    return dnnl_memory_get_memory_desc(p->weights, &have) == dnnl_success &&
           dnnl_memory_desc_equal(have, layout);
}

/* NULL, and an error, when there is no memory. */
static pack *new_pack(bl__shared *shared, int param, int kind, size_t bytes, int plan_only, bl_err *err) {
    pack *p = bl_alloc(sizeof *p);
    if (!p || (!plan_only && !(p->data = bl_alloc(bytes)))) {
        bl_free(p);
        (void)bl_fail(err, BL_E_NOMEM, "not enough memory for packed weights");
        return NULL;
    }
    p->param = param;
    p->kind = kind;
    p->next = shared->packs;
    return shared->packs = p;
}

static int find_pack(bl__conv *c, pack **out, desc_ref layout, int plan_only, bl_err *err) {
    for (pack *p = c->shared->packs; p; p = p->next)
        if (p->kind == 0 && p->param == c->param && same_layout(p, layout)) {
            *out = p;
            return 0;
        }
    const size_t bytes = dnnl_memory_desc_get_size(layout);
    pack *p = new_pack(c->shared, c->param, 0, bytes, plan_only, err);
    if (!p) return BL_E_NOMEM;
    *out = p;
    c->packed_bytes += (int64_t)bytes;
    dnnl_status_t st =
        dnnl_memory_create(&p->weights, layout, c->shared->engine, plan_only ? DNNL_MEMORY_NONE : p->data);
    if (st) return fail_dnnl(err, st, "weights");
    return plan_only ? 0 : create_reorder(c, &p->reorder, layout, 0, err);
}

static int make_shared(bl__shared **out, bl_err *err) {
    if (*out) return 0;
    if (!(*out = bl_alloc(sizeof **out))) return bl_fail(err, BL_E_NOMEM, "not enough memory for a network");
    dnnl_status_t st = dnnl_engine_create(&(*out)->engine, dnnl_cpu, 0);
    if (!st) st = dnnl_stream_create(&(*out)->stream, (*out)->engine, dnnl_stream_default_flags);
    return st ? fail_dnnl(err, st, "set-up") : 0;
}

int64_t bl__shared_pack(bl__shared **shared, int param, int kind, int64_t bytes, int plan_only, void **data,
                        uint64_t **version, bl_err *err) {
    int rc = make_shared(shared, err);
    if (rc < 0) return rc;
    pack *p = (*shared)->packs;
    while (p && (p->kind != kind || p->param != param)) p = p->next;
    int64_t more = p ? 0 : bytes;
    if (!p && !(p = new_pack(*shared, param, kind, (size_t)bytes, plan_only, err))) return BL_E_NOMEM;
    *data = p->data;
    *version = &p->version;
    return more;
}

void bl__shared_destroy(bl__shared **sp) {
    bl__shared *s = *sp;
    if (!s) return;
    for (pack *p = s->packs, *next; p; p = next) {
        next = p->next;
        if (p->reorder) dnnl_primitive_destroy(p->reorder);
        if (p->weights) dnnl_memory_destroy(p->weights);
        bl_free(p->data);
        bl_free(p);
    }
    if (s->stream) dnnl_stream_destroy(s->stream);
    if (s->engine) dnnl_engine_destroy(s->engine);
    bl_free(s);
    *sp = NULL;
}

/* Some shapes (few channels) have no bfloat16 kernel of their own, only oneDNN's slow general one: those stay
 * float32. */
static int keep_native(dnnl_primitive_desc_t *pd) {
    const char *kernel = NULL;
    dnnl_status_t st = dnnl_primitive_desc_query(*pd, dnnl_query_impl_info_str, 0, &kernel);
    if (!st && kernel && strstr(kernel, "bf16")) return 1;
    dnnl_primitive_desc_destroy(*pd);
    *pd = NULL;
    return 0;
}

/* Behind what scratch memory already holds. */
static void place_copy(side *x, int stored_half, int64_t n, int64_t *end) {
    x->copied = x->half != stored_half;
    if (!x->copied) return;
    x->at = (*end + 63) / 64 * 64;
    *end = x->at + n * (int64_t)bl__size(x->half);
}

/* oneDNN 2.6's 1x1 kernels without tiles give wrong gradients in bfloat16 where channels do not come in
 * sixteens (64 to 3 channels, 12x40 pixels: off by a third). */
static int trusted(const bl__conv_spec *s) {
    return s->kh * s->kw > 1 || (s->big.c % 16 == 0 && s->small.c % 16 == 0);
}

static int create_prim(bl__conv *c, const bl__conv_spec *s, int stage, prim *p, bl_err *err) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t st = (dnnl_status_t)create_attr(s, stage, &attr);
    if (!st && s->half && trusted(s))
        p->half = !create_pd(c, s, stage, 1, attr, &p->pd) && keep_native(&p->pd);
    if (!st && !p->half) st = create_pd(c, s, stage, 0, attr, &p->pd);
    if (attr) dnnl_primitive_attr_destroy(attr);
    c->packed_bytes += PRIMITIVE_BYTES;
    if (!st && !s->plan_only) st = dnnl_primitive_create(&p->p, p->pd);
    if (st) return fail_dnnl(err, st, stages[stage]);
    desc_ref w = dnnl_primitive_desc_query_md(
        p->pd, stage == 2 ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    desc_ref scratch = dnnl_primitive_desc_query_md(p->pd, dnnl_query_scratchpad_md, 0);
    p->scratch_bytes = (int64_t)dnnl_memory_desc_get_size(scratch);
    p->big.half = p->half && (stage != 1 || s->big_half);
    p->small.half = p->half && (stage || s->small_half);
    place_copy(&p->big, s->big_half, c->big_n, &p->scratch_bytes);
    place_copy(&p->small, s->small_half, c->small_n, &p->scratch_bytes);
    if (stage == 2) {
        p->gradient_at = (p->scratch_bytes + 63) / 64 * 64;
        p->scratch_bytes = p->gradient_at + (int64_t)dnnl_memory_desc_get_size(w);
    } else {
        int rc = find_pack(c, &p->weights, w, s->plan_only, err);
        if (rc < 0) return rc;
    }
    if (s->plan_only) return 0;
    st = dnnl_memory_create(&p->scratchpad, scratch, c->shared->engine, DNNL_MEMORY_NONE);
    if (!st && stage == 2) st = dnnl_memory_create(&p->gradient, w, c->shared->engine, DNNL_MEMORY_NONE);
    if (st) return fail_dnnl(err, st, stages[stage]);
    return stage == 2 ? create_reorder(c, &p->reorder, w, 1, err) : 0;
}

static int create_descs(bl__conv *c, const bl__conv_spec *s) {
    dnnl_dims_t big = {s->big.n, s->big.c, s->big.h, s->big.w},
                small = {s->small.n, s->small.c, s->small.h, s->small.w};
    dnnl_dims_t big_st = {(dnnl_dim_t)s->big.h * s->big.w * s->big.c, 1, (dnnl_dim_t)s->big.w * s->big.c,
                          s->big.c};
    dnnl_dims_t small_st = {(dnnl_dim_t)s->small.h * s->small.w * s->small.c, 1,
                            (dnnl_dim_t)s->small.w * s->small.c, s->small.c};
    dnnl_dims_t w = {s->small.c, s->big.c, s->kh, s->kw};
    dnnl_dims_t w_st = {(dnnl_dim_t)s->kh * s->kw * s->big.c, 1, (dnnl_dim_t)s->kw * s->big.c, s->big.c};
    int st = desc_strided(&c->plain, w, w_st, dnnl_f32);
    for (int half = 0; half < 2 && !st; half++) {
        dnnl_data_type_t type = half ? dnnl_bf16 : dnnl_f32;
        st = desc_strided(&c->big[half], big, big_st, type);
        if (!st) st = desc_strided(&c->small[half], small, small_st, type);
        if (!st) st = desc_any(&c->any[half], w, type);
    }
    if (!st) st = desc_vector(&c->bias, s->small.c);
    return st;
}

static int create_memories(bl__conv *c) {
    dnnl_status_t st = dnnl_memory_create(&c->m_plain, DESC(c->plain), c->shared->engine, DNNL_MEMORY_NONE);
    if (!st) st = dnnl_memory_create(&c->m_bias, DESC(c->bias), c->shared->engine, DNNL_MEMORY_NONE);
    if (!st) st = dnnl_memory_create(&c->m_db, DESC(c->bias), c->shared->engine, c->db);
    for (int half = 0; half < 2; half++) {
        if (!st)
            st = dnnl_memory_create(&c->m_big[half], DESC(c->big[half]), c->shared->engine, DNNL_MEMORY_NONE);
        if (!st)
            st = dnnl_memory_create(&c->m_small[half], DESC(c->small[half]), c->shared->engine,
                                    DNNL_MEMORY_NONE);
    }
    return (int)st;
}

int bl__conv_create(bl__conv **out, bl__shared **shared, const bl__conv_spec *s, bl_err *err) {
    int rc = make_shared(shared, err);
    if (rc < 0) return rc;
    bl__conv *c = bl_alloc(sizeof *c);
    if (!c || !(c->db = bl_alloc_array((size_t)s->small.c, sizeof(float)))) {
        bl_free(c);
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    }
    c->small_c = s->small.c;
    c->big_n = bl__elements(s->big);
    c->small_n = bl__elements(s->small);
    c->threads = s->threads;
    c->big_half = s->big_half;
    c->small_half = s->small_half;
    c->param = s->param;
    c->shared = *shared;
    dnnl_status_t st = (dnnl_status_t)create_descs(c, s);
    if (!st) st = (dnnl_status_t)create_memories(c);
    if (st) rc = fail_dnnl(err, st, "set-up");
    if (!rc && s->forward) rc = create_prim(c, s, 0, &c->fwd, err);
    if (!rc && s->backward_data) rc = create_prim(c, s, 1, &c->bwd, err);
    if (!rc && s->backward_weights) rc = create_prim(c, s, 2, &c->wgt, err);
    if (rc < 0)
        bl__conv_destroy(&c);
    else
        *out = c;
    return rc;
}

static void release_prim(prim *p) {
    if (p->reorder) dnnl_primitive_destroy(p->reorder);
    if (p->scratchpad) dnnl_memory_destroy(p->scratchpad);
    if (p->gradient) dnnl_memory_destroy(p->gradient);
    if (p->p) dnnl_primitive_destroy(p->p);
    if (p->pd) dnnl_primitive_desc_destroy(p->pd);
}

void bl__conv_destroy(bl__conv **cp) {
    bl__conv *c = *cp;
    if (!c) return;
    release_prim(&c->wgt);
    release_prim(&c->bwd);
    release_prim(&c->fwd);
    dnnl_memory_t memories[] = {c->m_big[0], c->m_big[1], c->m_small[0], c->m_small[1],
                                c->m_plain,  c->m_bias,   c->m_db};
    for (size_t i = 0; i < BL_COUNT(memories); i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    for (int half = 0; half < 2; half++) {
        desc_free(&c->big[half]);
        desc_free(&c->small[half]);
        desc_free(&c->any[half]);
    }
    desc_free(&c->plain);
    desc_free(&c->bias);
    bl_free(c->db);
    bl_free(c);
    *cp = NULL;
}

int64_t bl__conv_scratch_bytes(const bl__conv *c) {
    return BL_MAX(c->fwd.scratch_bytes, BL_MAX(c->bwd.scratch_bytes, c->wgt.scratch_bytes));
}

int64_t bl__conv_packed_bytes(const bl__conv *c) {
    return c->packed_bytes;
}

static void set(dnnl_memory_t m, const void *p) {
    union {
        const void *in;
        void *out;
    } unconst = {.in = p}; /* oneDNN's handles are not const */
    dnnl_memory_set_data_handle(m, unconst.out);
}

static void run(bl__conv *c, dnnl_primitive_t p, dnnl_exec_arg_t *args, int n) {
    dnnl_primitive_execute(p, c->shared->stream, n, args);
    dnnl_stream_wait(c->shared->stream);
}

void bl__conv_pack(bl__conv *c, const float *weights, uint64_t version) {
    pack *p[] = {c->fwd.weights, c->bwd.weights};
    for (int i = 0; i < 2; i++) {
        if (!p[i] || p[i]->version == version) continue;
        set(c->m_plain, weights);
        run(c, p[i]->reorder, (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, c->m_plain}, {DNNL_ARG_TO, p[i]->weights}},
            2);
        p[i]->version = version;
    }
}

/* What a primitive reads: `x` itself, or its copy in the other storage. */
static dnnl_memory_t input(bl__conv *c, const side *s, int is_big, const void *x, void *scratch) {
    dnnl_memory_t m = is_big ? c->m_big[s->half] : c->m_small[s->half];
    int64_t n = is_big ? c->big_n : c->small_n;
    void *copy = (unsigned char *)scratch + s->at;
    if (!s->copied)
        set(m, x);
    else if (s->half)
        bl__cpu_to_bf16(c->threads, copy, x, n), set(m, copy);
    else
        bl__cpu_from_bf16(c->threads, copy, x, n), set(m, copy);
    return m;
}

/* Where a primitive writes; `store` brings it to y afterwards. */
static dnnl_memory_t output(bl__conv *c, const side *s, int is_big, void *y, void *scratch) {
    dnnl_memory_t m = is_big ? c->m_big[s->half] : c->m_small[s->half];
    set(m, s->copied ? (unsigned char *)scratch + s->at : y);
    return m;
}

static void store(bl__conv *c, const side *s, int is_big, void *y, const void *scratch) {
    const void *made = (const unsigned char *)scratch + s->at;
    if (s->copied) bl__cpu_to_bf16(c->threads, y, made, is_big ? c->big_n : c->small_n);
}

void bl__conv_forward(bl__conv *c, const void *big, void *small, const float *bias, void *scratch) {
    dnnl_memory_t src = input(c, &c->fwd.big, 1, big, scratch),
                  dst = output(c, &c->fwd.small, 0, small, scratch);
    set(c->m_bias, bias);
    dnnl_memory_set_data_handle(c->fwd.scratchpad, scratch);
    run(c, c->fwd.p,
        (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, src},
                            {DNNL_ARG_WEIGHTS, c->fwd.weights->weights},
                            {DNNL_ARG_DST, dst},
                            {DNNL_ARG_SCRATCHPAD, c->fwd.scratchpad},
                            {DNNL_ARG_BIAS, c->m_bias}},
        bias ? 5 : 4);
    store(c, &c->fwd.small, 0, small, scratch);
}

void bl__conv_backward_data(bl__conv *c, const void *small, void *big, void *scratch) {
    dnnl_memory_t diff_dst = input(c, &c->bwd.small, 0, small, scratch),
                  diff_src = output(c, &c->bwd.big, 1, big, scratch);
    dnnl_memory_set_data_handle(c->bwd.scratchpad, scratch);
    run(c, c->bwd.p,
        (dnnl_exec_arg_t[]){{DNNL_ARG_DIFF_DST, diff_dst},
                            {DNNL_ARG_WEIGHTS, c->bwd.weights->weights},
                            {DNNL_ARG_DIFF_SRC, diff_src},
                            {DNNL_ARG_SCRATCHPAD, c->bwd.scratchpad}},
        4);
    store(c, &c->bwd.big, 1, big, scratch);
}

void bl__conv_backward_weights(bl__conv *c, const void *big, const void *small, float *dw, float *db,
                               void *scratch) {
    dnnl_memory_t src = input(c, &c->wgt.big, 1, big, scratch),
                  diff_dst = input(c, &c->wgt.small, 0, small, scratch);
    set(c->m_plain, dw);
    set(c->wgt.gradient, (unsigned char *)scratch + c->wgt.gradient_at);
    dnnl_memory_set_data_handle(c->wgt.scratchpad, scratch);
    run(c, c->wgt.p,
        (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, src},
                            {DNNL_ARG_DIFF_DST, diff_dst},
                            {DNNL_ARG_DIFF_WEIGHTS, c->wgt.gradient},
                            {DNNL_ARG_DIFF_BIAS, c->m_db},
                            {DNNL_ARG_SCRATCHPAD, c->wgt.scratchpad}},
        5);
    run(c, c->wgt.reorder, (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, c->wgt.gradient}, {DNNL_ARG_TO, c->m_plain}},
        2);
    for (int i = 0; db && i < c->small_c; i++) db[i] += c->db[i];
}

int bl_cpu_has_bf16(void) {
#ifdef BL__X86
    return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core_bf16;
#else
    return 0;
#endif
}

int bl_cpu_has_tiles(void) {
#ifdef BL__X86
    return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core_amx;
#else
    return 0;
#endif
}

/* A rule, not a measurement: the same machine must choose the same each time, or its runs would differ. Tiles
 * (AMX) and AMD's cores run bfloat16 at twice float32's rate or better; Intel's AVX512_BF16 without tiles
 * runs it at half (measured: 87 and 164 Gflop/s a core in the same convolution). */
bl_precision bl_cpu_faster_precision(void) {
#ifdef BL__X86
    if (bl_cpu_has_bf16() && (bl_cpu_has_tiles() || __builtin_cpu_is("amd"))) return BL_BF16;
#endif
    return BL_FP32;
}

const char *bl_cpu_backend_version(void) {
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return text;
}
