/* Any bytes as a track file: a track or one sentence, never a crash. */
#include <stddef.h>
#include <stdint.h>

#include "ballerino/track.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bl_track *t = NULL;
    bl_err err = {0};
    int rc = bl_track_parse(&t, (const char *)data, size, "fuzz", &err);
    if (rc < 0 && (t || !err.msg[0])) __builtin_trap();
    if (rc == 0)
        for (int64_t k = 1; k < t->n; k++)
            if (t->frames[k].i <= t->frames[k - 1].i) __builtin_trap();
    bl_track_destroy(&t);
    return 0;
}
