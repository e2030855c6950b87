/* Safetensors: a length, a JSON header, the arrays. Everything the header claims is checked before use. */
#include "ballerino/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors are little-endian; this reader takes the bytes as they are"
#endif

#define HEADER_MAX 100000000u /* as in the published format */
#define HEADER_ALIGN 64
#define SEAL_PREFIX "{\"__metadata__\":{\"sha256\":\""
#define SEAL_DIGITS 64
#define MAX_RANK 8

static const struct {
    const char *name;
    bl_dtype type;
    size_t size;
} dtypes[] = {{"F32", BL_DT_F32, 4}, {"F16", BL_DT_F16, 2}, {"BF16", BL_DT_BF16, 2}, {"U8", BL_DT_U8, 1},
              {"I32", BL_DT_I32, 4}, {"I64", BL_DT_I64, 8}, {"U64", BL_DT_U64, 8},   {"F64", BL_DT_F64, 8}};

struct bl_tensors {
    char *name;   /* for messages */
    bl_map map;   /* not open when the bytes are the caller's */
    json_t *root; /* owns the names and the metadata */
    json_t *meta; /* borrowed from root; NULL when absent */
    int n;
    bl_tensor *tensors; /* in the order of their bytes */
};

size_t bl_dtype_size(bl_dtype t) {
    for (size_t i = 0; i < BL_COUNT(dtypes); i++)
        if (dtypes[i].type == t) return dtypes[i].size;
    return 0;
}

static const char *dtype_name(bl_dtype t) {
    for (size_t i = 0; i < BL_COUNT(dtypes); i++)
        if (dtypes[i].type == t) return dtypes[i].name;
    return "?";
}

/* ---- reading ---- */

static int damaged(const bl_tensors *t, const char *what, const char *which, bl_err *err) {
    return bl_fail(err, BL_E_FORMAT, "%s is damaged or not a safetensors file: %s%s%.80s%s; make it again",
                   t->name, what, *which ? " '" : "", which, *which ? "'" : "");
}

/* Elements of the shape; negative when it is not a sane one. */
static int64_t parse_shape(const json_t *shape, bl_tensor *x) {
    if (!json_is_array(shape) || json_array_size(shape) > MAX_RANK) return -1;
    x->rank = (int)json_array_size(shape);
    int64_t count = 1;
    for (int i = 0; i < x->rank; i++) {
        const json_t *d = json_array_get(shape, (size_t)i);
        if (!json_is_integer(d) || json_integer_value(d) < 0) return -1;
        x->dims[i] = json_integer_value(d);
        if (__builtin_mul_overflow(count, x->dims[i], &count)) return -1;
    }
    return count;
}

static int parse_tensor(bl_tensors *t, const char *key, const json_t *entry, const char *data, size_t size,
                        bl_err *err) {
    bl_tensor *x = &t->tensors[t->n];
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    const json_t *span = json_object_get(entry, "data_offsets");
    const json_t *from = json_array_get(span, 0), *to = json_array_get(span, 1);
    size_t k = 0;
    if (!type || json_array_size(span) != 2 || !json_is_integer(from) || !json_is_integer(to))
        return damaged(t, "no type or place is given for", key, err);
    while (k < BL_COUNT(dtypes) && strcmp(dtypes[k].name, type) != 0) k++;
    if (k == BL_COUNT(dtypes))
        return bl_fail(err, BL_E_UNSUPPORTED, "%s holds '%.80s' as %.20s, a type that is not supported",
                       t->name, key, type);
    int64_t count = parse_shape(json_object_get(entry, "shape"), x), bytes;
    if (count < 0 || __builtin_mul_overflow(count, (int64_t)dtypes[k].size, &bytes))
        return damaged(t, "impossible shape of", key, err);
    json_int_t first = json_integer_value(from), end = json_integer_value(to);
    if (first < 0 || end < first || (uint64_t)end > size || end - first != bytes)
        return damaged(t, "the file ends before, or has another size than, the array", key, err);
    x->name = key;
    x->dtype = dtypes[k].type;
    x->data = data + first;
    x->bytes = (size_t)bytes;
    t->n++;
    return 0;
}

static int by_place(const void *a, const void *b) {
    const bl_tensor *x = a, *y = b;
    if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes; /* empty ones first */
}

/* The arrays must lie one after another and fill the file. */
static int check_cover(bl_tensors *t, const char *data, size_t size, bl_err *err) {
    if (t->n > 1) qsort(t->tensors, (size_t)t->n, sizeof *t->tensors, by_place);
    const char *at = data;
    for (int i = 0; i < t->n; i++) {
        if (t->tensors[i].data != at)
            return damaged(t, "there is a hole or an overlap before", t->tensors[i].name, err);
        at += t->tensors[i].bytes;
    }
    if (at != data + size) return damaged(t, "its arrays do not fill it", "", err);
    return 0;
}

/* SHA-256 of the file with the 64 digits themselves taken as '0'. */
static void seal_hash(char hex[65], const char *head, size_t head_size, const bl_tensor *tensors, int n) {
    static const char zeros[SEAL_DIGITS + 1] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    const size_t digits = 8 + strlen(SEAL_PREFIX);
    bl_sha256 s;
    bl_sha256_init(&s);
    bl_sha256_add(&s, head, digits);
    bl_sha256_add(&s, zeros, SEAL_DIGITS);
    bl_sha256_add(&s, head + digits + SEAL_DIGITS, head_size - digits - SEAL_DIGITS);
    for (int i = 0; i < n; i++) bl_sha256_add(&s, tensors[i].data, tensors[i].bytes);
    bl_sha256_hex(&s, hex);
}

static int check_seal(const bl_tensors *t, const char *head, size_t head_size, bl_err *err) {
    const char *stored = bl_tensors_meta(t, "sha256");
    if (!stored) return 0;
    const size_t digits = 8 + strlen(SEAL_PREFIX);
    char hex[65];
    if (head_size < digits + SEAL_DIGITS || memcmp(head + 8, SEAL_PREFIX, strlen(SEAL_PREFIX)) != 0)
        return damaged(t, "its sha256 is not where it belongs", "", err);
    seal_hash(hex, head, head_size, t->tensors, t->n);
    if (strncmp(hex, head + digits, SEAL_DIGITS) != 0)
        return bl_fail(err, BL_E_FORMAT, "%s is damaged: its sha256 does not match; copy or make it again",
                       t->name);
    return 0;
}

static int parse_header(bl_tensors *t, const char *data, size_t size, bl_err *err) {
    uint64_t length;
    json_error_t why;
    if (size < 8) return damaged(t, "it is shorter than 8 bytes", "", err);
    memcpy(&length, data, 8);
    if (length > HEADER_MAX || length > size - 8)
        return damaged(t, "its header would reach beyond its end", "", err);
    const char *body = data + 8 + length;
    const size_t body_size = size - 8 - (size_t)length;
    t->root = json_loadb(data + 8, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(t->root)) return damaged(t, "its header is not a JSON object", "", err);
    t->meta = json_object_get(t->root, "__metadata__");
    if (t->meta && !json_is_object(t->meta)) return damaged(t, "odd metadata", "", err);
    t->tensors = bl_alloc_array(json_object_size(t->root) + 1, sizeof *t->tensors);
    if (!t->tensors) return bl_fail(err, BL_E_NOMEM, "not enough memory to open %s", t->name);
    for (void *it = json_object_iter(t->root); it; it = json_object_iter_next(t->root, it)) {
        const json_t *value = json_object_iter_value(it);
        if (value == t->meta) continue;
        int rc = parse_tensor(t, json_object_iter_key(it), value, body, body_size, err);
        if (rc < 0) return rc;
    }
    for (void *it = json_object_iter(t->meta); it; it = json_object_iter_next(t->meta, it))
        if (!json_is_string(json_object_iter_value(it)))
            return damaged(t, "not a text: metadata", json_object_iter_key(it), err);
    int rc = check_cover(t, body, body_size, err);
    return rc < 0 ? rc : check_seal(t, data, 8 + (size_t)length, err);
}

/* Takes `map` over. */
static int make(bl_tensors **out, bl_map map, const void *data, size_t size, const char *name, bl_err *err) {
    bl_tensors *t = bl_alloc(sizeof *t);
    if (t) {
        t->map = map;
        t->name = bl_strdup(name);
    } else {
        bl_map_close(&map);
    }
    int rc = t && t->name ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to open %s", name);
    if (rc == 0) rc = parse_header(t, data, size, err);
    if (rc < 0)
        bl_tensors_close(&t);
    else
        *out = t;
    return rc;
}

int bl_tensors_parse(bl_tensors **out, const void *data, size_t size, const char *name, bl_err *err) {
    return make(out, (bl_map){0}, data, size, name, err);
}

int bl_tensors_read(bl_tensors **out, const char *path, bl_err *err) {
    bl_map map;
    int rc = bl_map_open(&map, path, err);
    if (rc < 0) return rc;
    if (map.size < 8) {
        bl_map_close(&map);
        return bl_fail(err, BL_E_FORMAT, "%s is not a safetensors file: it is shorter than 8 bytes", path);
    }
    return make(out, map, map.data, map.size, path, err);
}

void bl_tensors_close(bl_tensors **t) {
    if (!*t) return;
    json_decref((*t)->root);
    bl_map_close(&(*t)->map);
    bl_free((*t)->tensors);
    bl_free((*t)->name);
    bl_free(*t);
    *t = NULL;
}

/* ---- looking ---- */

int bl_tensors_count(const bl_tensors *t) {
    return t->n;
}

const bl_tensor *bl_tensors_at(const bl_tensors *t, int i) {
    return i >= 0 && i < t->n ? &t->tensors[i] : NULL;
}

const bl_tensor *bl_tensors_find(const bl_tensors *t, const char *name) {
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->tensors[i].name, name) == 0) return &t->tensors[i];
    return NULL;
}

const char *bl_tensors_meta(const bl_tensors *t, const char *key) {
    return json_string_value(json_object_get(t->meta, key));
}

const char *bl_tensors_name(const bl_tensors *t) {
    return t->name;
}

static void shape_text(char *buf, size_t size, int rank, const int64_t *dims) {
    size_t n = 0;
    buf[0] = 0;
    for (int i = 0; i < rank && n < size; i++)
        n += (size_t)snprintf(buf + n, size - n, "%s%lld", i ? "x" : "", (long long)dims[i]);
}

/* `or_half`: where dtype is F32, F16 and BF16 will do as well. */
static const bl_tensor *need(const bl_tensors *t, const char *name, bl_dtype dtype, int or_half, int rank,
                             const int64_t *dims, bl_err *err) {
    const bl_tensor *x = bl_tensors_find(t, name);
    if (!x) {
        bl_fail(err, BL_E_MISMATCH, "%s lacks '%s': it is not a file of this kind or version", t->name, name);
        return NULL;
    }
    int half = or_half && (x->dtype == BL_DT_F16 || x->dtype == BL_DT_BF16);
    int same = (x->dtype == dtype || half) && x->rank == rank;
    for (int i = 0; same && i < rank; i++) same = x->dims[i] == dims[i];
    if (same) return x;
    char is[128], wanted[128];
    shape_text(is, sizeof is, x->rank, x->dims);
    shape_text(wanted, sizeof wanted, rank, dims);
    bl_fail(err, BL_E_MISMATCH, "%s: '%s' is %s %s, but %s %s is needed: it is of another kind or version",
            t->name, name, dtype_name(x->dtype), is, dtype_name(dtype), wanted);
    return NULL;
}

const bl_tensor *bl_tensors_need(const bl_tensors *t, const char *name, bl_dtype dtype, int rank,
                                 const int64_t *dims, bl_err *err) {
    return need(t, name, dtype, 0, rank, dims, err);
}

const bl_tensor *bl_tensors_need_floats(const bl_tensors *t, const char *name, int rank, const int64_t *dims,
                                        bl_err *err) {
    return need(t, name, BL_DT_F32, 1, rank, dims, err);
}

float bl_half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023, bits;
    if (exponent == 31)
        bits = sign | 0x7f800000 | fraction << 13;
    else if (exponent)
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    else { /* zero, or so small that float32 needs another exponent for each leading zero */
        float f = (float)fraction * 0x1p-24f;
        memcpy(&bits, &f, 4);
        bits |= sign;
    }
    float out;
    memcpy(&out, &bits, 4);
    return out;
}

void bl_tensor_floats(const bl_tensor *t, float *out) {
    const uint8_t *data = t->data;
    if (t->dtype == BL_DT_F32) memcpy(out, data, t->bytes);
    for (size_t i = 0; t->dtype != BL_DT_F32 && i < t->bytes / 2; i++) {
        uint16_t h;
        memcpy(&h, data + 2 * i, 2);
        uint32_t bits = (uint32_t)h << 16;
        if (t->dtype == BL_DT_F16)
            out[i] = bl_half_to_float(h);
        else
            memcpy(&out[i], &bits, 4);
    }
}

/* ---- writing ---- */

static int add_text(bl_buf *b, const char *text) { /* as a JSON string; -1 when it is not UTF-8 */
    json_t *s = json_string(text);
    char *quoted = s ? json_dumps(s, JSON_ENCODE_ANY) : NULL;
    json_decref(s);
    if (!quoted) return -1;
    bl_buf_add(b, quoted, strlen(quoted));
    free(quoted);
    return 0;
}

/* Largest elements first, so that each array is aligned to its element; otherwise as given. */
static void order(bl_tensor *sorted, const bl_tensor *tensors, int n) {
    int k = 0;
    for (size_t size = 8; size; size /= 2)
        for (int i = 0; i < n; i++)
            if (bl_dtype_size(tensors[i].dtype) == size) sorted[k++] = tensors[i];
}

static int check_given(const char *path, const bl_tensor *tensors, int n, const bl_tensor_meta *meta,
                       int n_meta, bl_err *err) {
    for (int i = 0; i < n; i++) {
        uint64_t bytes = bl_dtype_size(tensors[i].dtype);
        for (int k = 0; k < BL_MIN(tensors[i].rank, MAX_RANK); k++) bytes *= (uint64_t)tensors[i].dims[k];
        int twice = strcmp(tensors[i].name, "__metadata__") == 0;
        for (int k = 0; k < i; k++) twice |= strcmp(tensors[i].name, tensors[k].name) == 0;
        if (twice || bytes != tensors[i].bytes || tensors[i].rank > MAX_RANK)
            return bl_fail(err, BL_E_INTERNAL, "cannot write %s: the array '%s' is there twice or misshaped",
                           path, tensors[i].name);
    }
    for (int i = 0; i < n_meta; i++)
        if (strcmp(meta[i].key, "sha256") == 0)
            return bl_fail(err, BL_E_INTERNAL, "cannot write %s: sha256 is not the caller's to set", path);
    return 0;
}

/* Eight bytes of length and the header, padded with spaces; its digits are still zeros. */
static int make_head(bl_buf *b, const char *path, const bl_tensor *sorted, int n, const bl_tensor_meta *meta,
                     int n_meta, bl_err *err) {
    int bad = 0;
    uint64_t at = 0;
    bl_buf_add(b, "\0\0\0\0\0\0\0", 8);
    bl_buf_addf(b, "%s%064d\"", SEAL_PREFIX, 0);
    for (int i = 0; i < n_meta; i++) {
        bl_buf_add(b, ",", 1);
        bad |= add_text(b, meta[i].key);
        bl_buf_add(b, ":", 1);
        bad |= add_text(b, meta[i].value);
    }
    bl_buf_add(b, "}", 1);
    for (int i = 0; i < n; i++) {
        const bl_tensor *x = &sorted[i];
        bl_buf_add(b, ",", 1);
        bad |= add_text(b, x->name);
        bl_buf_addf(b, ":{\"dtype\":\"%s\",\"shape\":[", dtype_name(x->dtype));
        for (int k = 0; k < x->rank; k++) bl_buf_addf(b, "%s%lld", k ? "," : "", (long long)x->dims[k]);
        bl_buf_addf(b, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
                    (unsigned long long)(at + x->bytes));
        at += x->bytes;
    }
    bl_buf_add(b, "}", 1);
    while (!b->failed && b->size % HEADER_ALIGN) bl_buf_add(b, " ", 1);
    if (b->failed) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    if (bad) return bl_fail(err, BL_E_USAGE, "cannot write %s: one of its texts is not UTF-8", path);
    uint64_t length = b->size - 8;
    memcpy(b->data, &length, 8);
    return 0;
}

static int write_all(const char *path, const bl_buf *head, const bl_tensor *sorted, int n, bl_err *err) {
    bl_file_writer w;
    int rc = bl_file_begin(&w, path, err);
    if (rc < 0) return rc;
    int ok = fwrite(head->data, 1, head->size, w.f) == head->size;
    for (int i = 0; ok && i < n; i++)
        ok = !sorted[i].bytes || fwrite(sorted[i].data, 1, sorted[i].bytes, w.f) == sorted[i].bytes;
    if (ok) return bl_file_commit(&w, err);
    rc = bl_fail(err, BL_E_IO, "cannot write %s: %s; is the disk full?", path, strerror(errno));
    bl_file_abort(&w);
    return rc;
}

int bl_tensors_write(const char *path, const bl_tensor *tensors, int n, const bl_tensor_meta *meta,
                     int n_meta, bl_err *err) {
    int rc = check_given(path, tensors, n, meta, n_meta, err);
    if (rc < 0) return rc;
    bl_buf head;
    bl_buf_init(&head, HEADER_MAX);
    bl_tensor *sorted = bl_alloc_array((size_t)n + 1, sizeof *sorted);
    if (!sorted) {
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    } else {
        order(sorted, tensors, n);
        rc = make_head(&head, path, sorted, n, meta, n_meta, err);
    }
    if (rc == 0) {
        char hex[65];
        seal_hash(hex, head.data, head.size, sorted, n);
        memcpy(head.data + 8 + strlen(SEAL_PREFIX), hex, SEAL_DIGITS);
        rc = write_all(path, &head, sorted, n, err);
    }
    bl_buf_release(&head);
    bl_free(sorted);
    return rc;
}
