/*
 * Safetensors: named arrays and string metadata in one file (docs/formats/safetensors.md). Reading maps the
 * file; every offset, size and shape is checked against the file's size before it is used. Writing is atomic.
 *
 *     bl_tensors *t = NULL;
 *     bl_tensors_read(&t, "me.ballerino", &err);
 *     const bl_tensor *w = bl_tensors_find(t, "G.in.weight");
 *     bl_tensors_close(&t);
 */
#ifndef BALLERINO_SAFETENSORS_H
#define BALLERINO_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bl_dtype {
    BL_DT_F32,
    BL_DT_F16,
    BL_DT_BF16,
    BL_DT_U8,
    BL_DT_I32,
    BL_DT_I64,
    BL_DT_U64,
    BL_DT_F64
} bl_dtype;
size_t bl_dtype_size(bl_dtype t);

typedef struct bl_tensor {
    const char *name;
    bl_dtype dtype;
    int rank; /* 0..8 */
    int64_t dims[8];
    const void *data; /* aligned to its element when written by us; use memcpy otherwise */
    size_t bytes;
} bl_tensor;

typedef struct bl_tensors bl_tensors;
int bl_tensors_read(bl_tensors **out, const char *path, bl_err *err);
int bl_tensors_parse(bl_tensors **out, const void *data, size_t size, const char *name,
                     bl_err *err); /* data must outlive it */
void bl_tensors_close(bl_tensors **t);
int bl_tensors_count(const bl_tensors *t);
const bl_tensor *bl_tensors_at(const bl_tensors *t, int i);
const bl_tensor *bl_tensors_find(const bl_tensors *t, const char *name);
const char *bl_tensors_meta(const bl_tensors *t, const char *key); /* NULL when absent */
/* Checks type and shape; fails with a sentence that names the tensor and the file. */
const bl_tensor *bl_tensors_need(const bl_tensors *t, const char *name, bl_dtype dtype, int rank,
                                 const int64_t *dims, bl_err *err);
const char *bl_tensors_name(const bl_tensors *t); /* the file's, for messages */
/* The same for values that float32, float16 and bfloat16 may hold; bl_tensor_floats turns them to float32. */
const bl_tensor *bl_tensors_need_floats(const bl_tensors *t, const char *name, int rank, const int64_t *dims,
                                        bl_err *err);
void bl_tensor_floats(const bl_tensor *t, float *out);
float bl_half_to_float(uint16_t h); /* IEEE 754 binary16 */

typedef struct bl_tensor_meta {
    const char *key, *value;
} bl_tensor_meta;
/* The metadata key "sha256" is added (over the whole file, header included: any flipped bit is noticed) and
 * checked by bl_tensors_read and _parse when present. */
int bl_tensors_write(const char *path, const bl_tensor *tensors, int n, const bl_tensor_meta *meta,
                     int n_meta, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
