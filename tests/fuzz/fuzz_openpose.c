/* OpenPose JSON. */
#include "ballerino/base.h"
#include "ballerino/pose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bl_openpose_person p;
    bl_err err = {0};
    (void)bl_openpose_parse(&p, (const char *)data, size, "fuzz.json", &err);
    return 0;
}
