/* Convolutions in bands, each a oneDNN primitive on one thread; the team runs them. */
#include "bands.h"
#include "cpu.h"
#include "onednn_inside.h"

#include <omp.h>

/* One side of a primitive: its storage, and where its copy lies in scratch memory if it is stored otherwise.
 */
typedef struct side {
    int half, copied;
    int64_t n, at; /* elements; bytes */
} side;

/* All that who runs a band needs, for himself. */
typedef struct band {
    bl__conv_spec spec;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t p;
    dnnl_stream_t stream;
    bl__handle big, small, bias, scratchpad, gradient; /* gradient: of the weights, in oneDNN's layout */
    bl__pack *weights;                                 /* what forward and backward data read */
    int64_t big_at, small_at;                          /* its first elements */
    int64_t scratch_at, gradient_at;                   /* bytes, in scratch memory */
    float *db;                                         /* bias gradient of one call */
} band;

typedef struct prim {
    band *bands;
    int n, stage;
    int half;        /* reads bfloat16 (activations, gradients and weights); sums are float32 */
    side big, small; /* as this primitive reads or writes them */
    int64_t scratch_bytes;
    int64_t gradient_n;  /* floats of a weight gradient in oneDNN's layout */
    bl__relayout gather; /* adds it to the plain layout */
} prim;

enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS };

struct bl__conv {
    bl__shared *shared;
    bl__weights weights;
    int threads, param;
    int64_t packed_bytes; /* of the packs that it was the first to need */
    prim prims[3];
};

static const char *const stages[] = {"forward", "backward data", "backward weights"};

/* What oneDNN keeps of a primitive: machine code and descriptions (seen: 30 to 50 KB). */
#define PRIMITIVE_BYTES (36 << 10)

/* ---- creating ---- */
static int64_t place(int64_t *end, int64_t bytes) {
    const int64_t at = (*end + 63) / 64 * 64;
    *end = at + bytes;
    return at;
}

static side make_side(int half, int stored_half, bl_shape x, int64_t *end) {
    side s = {.half = half, .copied = half != stored_half, .n = bl__elements(x)};
    if (s.copied) s.at = place(end, s.n * (int64_t)bl__size(half));
    return s;
}

static bl__desc_ref layout_of(const band *b, int stage) {
    return dnnl_primitive_desc_query_md(
        b->pd, stage == BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
}

/* All bands in one precision; their weight gradients in one layout, so that they can be summed. */
static dnnl_status_t describe_bands(bl__conv *c, prim *p, int half) {
    dnnl_status_t st = dnnl_success;
    for (int k = 0; k < p->n && !st; k++) {
        bl__desc_ref like = k && p->stage == BACKWARD_WEIGHTS ? layout_of(p->bands, p->stage) : NULL;
        st = bl__conv_describe(&p->bands[k].pd, c->shared->engine, &p->bands[k].spec, p->stage, half, like);
    }
    for (int k = 0; k < p->n && st; k++) {
        if (p->bands[k].pd) dnnl_primitive_desc_destroy(p->bands[k].pd);
        p->bands[k].pd = NULL;
    }
    return st;
}

static dnnl_status_t make_bands(bl__conv *c, const bl__conv_spec *s, prim *p, int n, int half) {
    bl_free(p->bands);
    p->n = 0;
    if (!(p->bands = bl_alloc_array((size_t)n, sizeof *p->bands))) return dnnl_out_of_memory;
    p->n = n;
    for (int k = 0; k < n; k++) {
        bl__band b = bl__band_of(s, p->stage == BACKWARD_DATA, n, k);
        p->bands[k] = (band){.spec = b.spec, .big_at = b.big_at, .small_at = b.small_at};
    }
    p->half = half;
    return describe_bands(c, p, half);
}

/* In bfloat16 if that is wanted and to be had; whole where a band has no kernel of its own. */
static dnnl_status_t choose_bands(bl__conv *c, const bl__conv_spec *s, prim *p) {
    const int n = bl__bands_count(s, p->stage == BACKWARD_DATA, p->stage == BACKWARD_WEIGHTS);
    dnnl_status_t st = dnnl_unimplemented;
    for (int half = s->half != 0; half >= 0 && st && st != dnnl_out_of_memory; half--) {
        st = make_bands(c, s, p, n, half);
        if (st && st != dnnl_out_of_memory && n > 1) st = make_bands(c, s, p, 1, half);
    }
    return st;
}

static dnnl_status_t create_band(bl__conv *c, prim *p, band *b) {
    static const dnnl_query_t big_of[] = {dnnl_query_src_md, dnnl_query_diff_src_md, dnnl_query_src_md},
                              small_of[] = {dnnl_query_dst_md, dnnl_query_diff_dst_md,
                                            dnnl_query_diff_dst_md};
    dnnl_engine_t e = c->shared->engine;
    bl__desc bias = {0};
    dnnl_status_t st = dnnl_primitive_create(&b->p, b->pd);
    if (!st) st = dnnl_stream_create(&b->stream, e, dnnl_stream_default_flags);
    if (!st) st = bl__handle_create(&b->big, e, dnnl_primitive_desc_query_md(b->pd, big_of[p->stage], 0));
    if (!st) st = bl__handle_create(&b->small, e, dnnl_primitive_desc_query_md(b->pd, small_of[p->stage], 0));
    if (!st)
        st = bl__handle_create(&b->scratchpad, e,
                               dnnl_primitive_desc_query_md(b->pd, dnnl_query_scratchpad_md, 0));
    if (!st) st = bl__desc_vector(&bias, c->weights.out);
    if (!st) st = bl__handle_create(&b->bias, e, DESC(bias));
    if (!st && p->stage == BACKWARD_WEIGHTS) st = bl__handle_create(&b->gradient, e, layout_of(b, p->stage));
    bl__desc_free(&bias);
    return st;
}

static int plan_band(bl__conv *c, prim *p, band *b, int plan_only, bl_err *err) {
    bl__desc_ref layout = layout_of(b, p->stage),
                 scratch = dnnl_primitive_desc_query_md(b->pd, dnnl_query_scratchpad_md, 0);
    int64_t more = 0;
    b->scratch_at = place(&p->scratch_bytes, (int64_t)dnnl_memory_desc_get_size(scratch));
    if (p->stage == BACKWARD_WEIGHTS) {
        p->gradient_n = (int64_t)(dnnl_memory_desc_get_size(layout) / sizeof(float));
        b->gradient_at = place(&p->scratch_bytes, p->gradient_n * (int64_t)sizeof(float));
        if (!plan_only && !(b->db = bl_alloc_array((size_t)c->weights.out, sizeof(float))))
            return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    } else {
        int rc = bl__shared_find(c->shared, &b->weights, c->param, &c->weights, layout, c->threads, plan_only,
                                 &more, err);
        if (rc < 0) return rc;
    }
    c->packed_bytes += PRIMITIVE_BYTES + more;
    dnnl_status_t st = plan_only ? dnnl_success : create_band(c, p, b);
    return st ? bl__fail_dnnl(err, st, stages[p->stage]) : 0;
}

static int create_prim(bl__conv *c, const bl__conv_spec *s, int stage, bl_err *err) {
    prim *p = &c->prims[stage];
    p->stage = stage;
    dnnl_status_t st = choose_bands(c, s, p);
    if (st) return bl__fail_dnnl(err, st, stages[stage]);
    int rc = 0;
    p->big =
        make_side(p->half && (stage != BACKWARD_DATA || s->big_half), s->big_half, s->big, &p->scratch_bytes);
    p->small = make_side(p->half && (stage || s->small_half), s->small_half, s->small, &p->scratch_bytes);
    for (int k = 0; k < p->n && rc >= 0; k++) rc = plan_band(c, p, &p->bands[k], s->plan_only, err);
    if (rc >= 0 && stage == BACKWARD_WEIGHTS && !s->plan_only)
        rc = bl__relayout_create(&p->gather, c->shared->engine, &c->weights, layout_of(p->bands, stage), 1,
                                 s->threads, err);
    return rc;
}

int bl__conv_create(bl__conv **out, bl__shared **shared, const bl__conv_spec *s, bl_err *err) {
    const int wanted[] = {s->forward, s->backward_data, s->backward_weights};
    int rc = bl__shared_make(shared, err);
    if (rc < 0) return rc;
    bl__conv *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for a convolution");
    c->shared = *shared;
    c->weights = (bl__weights){.out = s->small.c, .in = s->big.c, .kh = s->kh, .kw = s->kw};
    c->threads = s->threads;
    c->param = s->param;
    const int before = bl__one_thread();
    for (int stage = 0; stage < 3 && rc >= 0; stage++)
        if (wanted[stage]) rc = create_prim(c, s, stage, err);
    omp_set_num_threads(before);
    if (rc < 0)
        bl__conv_destroy(&c);
    else
        *out = c;
    return rc;
}

static void release_band(band *b) {
    bl__handle *const handles[] = {&b->big, &b->small, &b->bias, &b->scratchpad, &b->gradient};
    for (size_t i = 0; i < BL_COUNT(handles); i++) bl__handle_release(handles[i]);
    if (b->stream) dnnl_stream_destroy(b->stream);
    if (b->p) dnnl_primitive_destroy(b->p);
    if (b->pd) dnnl_primitive_desc_destroy(b->pd);
    bl_free(b->db);
}

void bl__conv_destroy(bl__conv **cp) {
    bl__conv *c = *cp;
    if (!c) return;
    for (int stage = 0; stage < 3; stage++) {
        prim *p = &c->prims[stage];
        for (int k = 0; k < p->n; k++) release_band(&p->bands[k]);
        bl__relayout_release(&p->gather);
        bl_free(p->bands);
    }
    bl_free(c);
    *cp = NULL;
}

int64_t bl__conv_scratch_bytes(const bl__conv *c) {
    int64_t most = 0;
    for (int stage = 0; stage < 3; stage++) most = BL_MAX(most, c->prims[stage].scratch_bytes);
    return most;
}

int64_t bl__conv_packed_bytes(const bl__conv *c) {
    return c->packed_bytes;
}

void bl__conv_pack(bl__conv *c, const float *weights, uint64_t version) {
    for (int stage = 0; stage < BACKWARD_WEIGHTS; stage++)
        for (int k = 0; k < c->prims[stage].n; k++) {
            bl__pack *p = c->prims[stage].bands[k].weights;
            if (p->version == version) continue;
            bl__relayout_run(&p->relayout, weights, p->data);
            p->version = version;
        }
}

/* ---- running ---- */
typedef struct call {
    prim *p;
    const void *big,
        *small; /* as the primitive reads or writes them: the values themselves, or their copies */
    const float *bias;
    unsigned char *scratch;
} call;

static void run_band(const void *arg, int k) {
    const call *a = arg;
    const prim *p = a->p;
    band *b = &p->bands[k];
    const int before = bl__one_thread(), stage = p->stage;
    bl__point(&b->big, bl__at_const(a->big, b->big_at, p->big.half));
    bl__point(&b->small, bl__at_const(a->small, b->small_at, p->small.half));
    bl__point(&b->scratchpad, a->scratch + b->scratch_at);
    if (stage == FORWARD) bl__point(&b->bias, a->bias);
    if (stage == BACKWARD_WEIGHTS)
        bl__point(&b->bias, b->db), bl__point(&b->gradient, a->scratch + b->gradient_at);
    const dnnl_exec_arg_t args[3][5] = {{{DNNL_ARG_SRC, b->big.m},
                                         {DNNL_ARG_DST, b->small.m},
                                         {DNNL_ARG_SCRATCHPAD, b->scratchpad.m},
                                         {DNNL_ARG_WEIGHTS, b->weights ? b->weights->weights : NULL},
                                         {DNNL_ARG_BIAS, b->bias.m}},
                                        {{DNNL_ARG_DIFF_SRC, b->big.m},
                                         {DNNL_ARG_DIFF_DST, b->small.m},
                                         {DNNL_ARG_SCRATCHPAD, b->scratchpad.m},
                                         {DNNL_ARG_WEIGHTS, b->weights ? b->weights->weights : NULL}},
                                        {{DNNL_ARG_SRC, b->big.m},
                                         {DNNL_ARG_DIFF_DST, b->small.m},
                                         {DNNL_ARG_SCRATCHPAD, b->scratchpad.m},
                                         {DNNL_ARG_DIFF_WEIGHTS, b->gradient.m},
                                         {DNNL_ARG_DIFF_BIAS, b->bias.m}}};
    const int n = stage == BACKWARD_DATA || (stage == FORWARD && !a->bias) ? 4 : 5;
    bl__run(b->p, b->stream, n, args[stage]);
    omp_set_num_threads(before);
}

/* What a primitive reads: `x` itself, or its copy in the other storage. */
static const void *input(const bl__conv *c, const side *s, const void *x, unsigned char *scratch) {
    void *copy = scratch + s->at;
    if (!s->copied) return x;
    if (s->half)
        bl__cpu_to_bf16(c->threads, copy, x, s->n);
    else
        bl__cpu_from_bf16(c->threads, copy, x, s->n);
    return copy;
}

/* Where a primitive writes; `store` brings it to y afterwards. */
static void *output(const side *s, void *y, unsigned char *scratch) {
    return s->copied ? scratch + s->at : y;
}

static void store(const bl__conv *c, const side *s, void *y, const void *made) {
    if (s->copied) bl__cpu_to_bf16(c->threads, y, made, s->n);
}

void bl__conv_forward(bl__conv *c, const void *big, void *small, const float *bias, void *scratch) {
    prim *p = &c->prims[FORWARD];
    const call a = {.p = p,
                    .big = input(c, &p->big, big, scratch),
                    .small = output(&p->small, small, scratch),
                    .bias = bias,
                    .scratch = scratch};
    bl_team_run(c->threads, p->n, run_band, &a);
    store(c, &p->small, small, a.small);
}

void bl__conv_backward_data(bl__conv *c, const void *small, void *big, void *scratch) {
    prim *p = &c->prims[BACKWARD_DATA];
    const call a = {.p = p,
                    .big = output(&p->big, big, scratch),
                    .small = input(c, &p->small, small, scratch),
                    .scratch = scratch};
    bl_team_run(c->threads, p->n, run_band, &a);
    store(c, &p->big, big, a.big);
}

static float *gradient_of(const call *a, int k) {
    return (float *)(void *)(a->scratch + a->p->bands[k].gradient_at);
}

/* The bands' weight gradients, in their order, into the first one's. */
static void sum_gradients(const void *arg, int64_t from, int64_t to) {
    const call *a = arg;
    for (int k = 1; k < a->p->n; k++)
        bl__typed_of(0)->accumulate(gradient_of(a, 0) + from, gradient_of(a, k) + from, to - from);
}

#define WORTH_SPLITTING (1 << 14) /* floats */

void bl__conv_backward_weights(bl__conv *c, const void *big, const void *small, float *dw, float *db,
                               void *scratch) {
    prim *p = &c->prims[BACKWARD_WEIGHTS];
    const call a = {.p = p,
                    .big = input(c, &p->big, big, scratch),
                    .small = input(c, &p->small, small, scratch),
                    .scratch = scratch};
    bl_team_run(c->threads, p->n, run_band, &a);
    bl_team_split(p->n > 1 && p->gradient_n >= WORTH_SPLITTING ? c->threads : 1, p->gradient_n, sum_gradients,
                  &a);
    bl__relayout_run(&p->gather, gradient_of(&a, 0), dw);
    for (int k = 0; db && k < p->n; k++)
        for (int i = 0; i < c->weights.out; i++) db[i] += p->bands[k].db[i];
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

int bl__cpu_is_avx2(void) {
#ifdef BL__X86
    const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    return isa >= dnnl_cpu_isa_avx2 && isa < dnnl_cpu_isa_avx512_core;
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
