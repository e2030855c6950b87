#include <stdarg.h>
#include <string.h>

#include "ballerino/base.h"

void bl_buf_init(bl_buf *b, size_t cap) {
    *b = (bl_buf){.cap = cap};
}

void bl_buf_release(bl_buf *b) {
    bl_free(b->data);
    *b = (bl_buf){.cap = b->cap};
}

static int reserve(bl_buf *b, size_t more) {
    if (b->failed) return -1;
    if (more > b->cap || b->size > b->cap - more) return b->failed = 1, -1;
    size_t need = b->size + more + 1;
    if (need <= b->capacity) return 0;
    size_t grown = BL_MAX(need, b->capacity * 2 + 256);
    char *p = bl_realloc_array(b->data, b->size, grown, 1);
    if (!p) return b->failed = 1, -1;
    b->data = p;
    b->capacity = grown;
    return 0;
}

void bl_buf_add(bl_buf *b, const void *data, size_t size) {
    if (reserve(b, size) < 0) return;
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = 0;
}

void bl_buf_addf(bl_buf *b, const char *fmt, ...) {
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small)
        bl_buf_add(b, small, (size_t)n);
    else if (n >= 0 && reserve(b, (size_t)n) == 0) {
        vsnprintf(b->data + b->size, (size_t)n + 1, fmt, again);
        b->size += (size_t)n;
    } else
        b->failed = 1;
    va_end(again);
}
