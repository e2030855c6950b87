/*
 * What the files that talk to oneDNN have in common. No oneDNN call uses threads of its own: what is to run
 * on several is cut into parts, each with its own primitives, memories and stream, and the team runs them.
 */
#ifndef BALLERINO_NN_ONEDNN_INSIDE_H
#define BALLERINO_NN_ONEDNN_INSIDE_H

#include <dnnl.h>

#include "onednn.h"

#define NEW_API (DNNL_VERSION_MAJOR >= 3)

/* ---- descriptors: structs in 2.x, handles in 3.x ---- */
#if NEW_API
typedef dnnl_memory_desc_t bl__desc; /* a handle */
typedef const_dnnl_memory_desc_t bl__desc_ref;
#define DESC(d) (d)
#else
typedef struct bl__desc {
    dnnl_memory_desc_t md;
} bl__desc;
typedef const dnnl_memory_desc_t *bl__desc_ref;
#define DESC(d) (&(d).md)
#endif

static inline dnnl_status_t bl__desc_strided(bl__desc *d, const dnnl_dims_t dims, const dnnl_dims_t strides,
                                             dnnl_data_type_t type) {
#if NEW_API
    return dnnl_memory_desc_create_with_strides(d, 4, dims, type, strides);
#else
    return dnnl_memory_desc_init_by_strides(&d->md, 4, dims, type, strides);
#endif
}
static inline dnnl_status_t bl__desc_any(bl__desc *d, const dnnl_dims_t dims, dnnl_data_type_t type) {
#if NEW_API
    return dnnl_memory_desc_create_with_tag(d, 4, dims, type, dnnl_format_tag_any);
#else
    return dnnl_memory_desc_init_by_tag(&d->md, 4, dims, type, dnnl_format_tag_any);
#endif
}
static inline dnnl_status_t bl__desc_vector(bl__desc *d, dnnl_dim_t n) {
#if NEW_API
    return dnnl_memory_desc_create_with_tag(d, 1, (dnnl_dims_t){n}, dnnl_f32, dnnl_a);
#else
    return dnnl_memory_desc_init_by_tag(&d->md, 1, (dnnl_dims_t){n}, dnnl_f32, dnnl_a);
#endif
}
/* The part of `whole` that begins at `first`. */
static inline dnnl_status_t bl__desc_part(bl__desc *d, bl__desc_ref whole, const dnnl_dims_t dims,
                                          const dnnl_dims_t first) {
#if NEW_API
    return dnnl_memory_desc_create_submemory(d, whole, dims, first);
#else
    return dnnl_memory_desc_init_submemory(&d->md, whole, dims, first);
#endif
}
static inline void bl__desc_free(bl__desc *d) {
#if NEW_API
    if (*d) dnnl_memory_desc_destroy(*d);
    *d = NULL;
#else
    (void)d;
#endif
}

/* ---- memory ---- */
/* Saying where a memory lies costs: oneDNN then empties what a blocked layout has too much. */
typedef struct bl__handle {
    dnnl_memory_t m;
    const void *at;
} bl__handle;

static inline dnnl_status_t bl__handle_create(bl__handle *h, dnnl_engine_t e, bl__desc_ref d) {
    return dnnl_memory_create(&h->m, d, e, DNNL_MEMORY_NONE);
}
static inline void bl__handle_release(bl__handle *h) {
    if (h->m) dnnl_memory_destroy(h->m);
    h->m = NULL;
}
void bl__point(bl__handle *h, const void *p);

/* ---- running ---- */
/* oneDNN takes OpenMP's number of threads, when it makes something and when it runs it: one, until
 * omp_set_num_threads gets back what this returns. */
int bl__one_thread(void);
void bl__run(dnnl_primitive_t p, dnnl_stream_t stream, int n, const dnnl_exec_arg_t *args);
int bl__fail_dnnl(bl_err *err, dnnl_status_t st, const char *what);

/* One convolution's stage (0 forward, 1 backward data, 2 backward weights) as a primitive. half: it reads
 * bfloat16, or is not to be had. layout: of its weights, or of their gradient; NULL: as oneDNN likes it. */
dnnl_status_t bl__conv_describe(dnnl_primitive_desc_t *pd, dnnl_engine_t e, const bl__conv_spec *s, int stage,
                                int half, bl__desc_ref layout);

/* ---- another layout of weights, cut along output channels ---- */
typedef struct bl__weights {
    int out, in, kh, kw; /* plain: float32 [out][kh][kw][in] */
} bl__weights;

typedef struct bl__slice {
    dnnl_primitive_t p;
    dnnl_stream_t stream;
    bl__handle from, to;
} bl__slice;

typedef struct bl__relayout {
    bl__slice *slices;
    int n, threads;
} bl__relayout;

/* From plain to `packed`, or back, adding. */
int bl__relayout_create(bl__relayout *r, dnnl_engine_t e, const bl__weights *w, bl__desc_ref packed, int back,
                        int threads, bl_err *err);
void bl__relayout_release(bl__relayout *r);
void bl__relayout_run(const bl__relayout *r, const void *from, void *to);

/* ---- packed weights, one copy for all convolutions of a program that read them in the same layout ---- */
typedef struct bl__pack {
    struct bl__pack *next;
    int param, kind; /* kind 0: oneDNN's, in the layout of `weights` */
    int64_t bytes;
    dnnl_memory_t weights;
    void *data; /* NULL when only planned */
    bl__relayout relayout;
    uint64_t version; /* of the parameters that are in it; 0: none yet */
} bl__pack;

struct bl__shared {
    dnnl_engine_t engine;
    bl__pack *packs;
};

int bl__shared_make(bl__shared **out, bl_err *err); /* where there is none */
/* The parameter's pack in this layout; made where there is none, and then *bytes is its size, else 0. */
int bl__shared_find(bl__shared *shared, bl__pack **out, int param, const bl__weights *w, bl__desc_ref layout,
                    int threads, int plan_only, int64_t *bytes, bl_err *err);

#endif
