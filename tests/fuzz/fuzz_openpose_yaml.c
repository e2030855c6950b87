/* OpenPose YAML: the texts of a frame's files, in the order of bl_openpose_parse_yaml, a form feed between.
 */
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/pose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bl_openpose_text files[BL_OPENPOSE_FILES] = {{0}};
    char *copy[BL_OPENPOSE_FILES] = {0}; /* an own block each: reads past it are seen */
    bl_openpose_person p;
    bl_err err = {0};
    for (int k = 0; k < BL_OPENPOSE_FILES; k++) {
        const uint8_t *end = size ? memchr(data, '\f', size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        if ((copy[k] = bl_alloc(n)) && n) memcpy(copy[k], data, n);
        files[k] = (bl_openpose_text){copy[k], n, "fuzz.yml"};
        if (!end) break;
        data += n + 1, size -= n + 1;
    }
    (void)bl_openpose_parse_yaml(&p, files, &err);
    for (int k = 0; k < BL_OPENPOSE_FILES; k++) bl_free(copy[k]);
    return 0;
}
