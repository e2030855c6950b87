/* Fuzz target: whatever the bytes, the reader answers, and every array it names lies inside them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ballerino/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bl_tensors *t = NULL;
    bl_err err = {0};
    if (bl_tensors_parse(&t, data, size, "fuzz", &err) < 0) return 0;
    for (int i = 0; i < bl_tensors_count(t); i++) {
        const bl_tensor *x = bl_tensors_at(t, i);
        const uint8_t *at = x->data;
        if (at < data || x->bytes > size - (size_t)(at - data)) abort();
    }
    (void)bl_tensors_meta(t, "consent");
    bl_tensors_close(&t);
    return 0;
}
