#include "ballerino/nn.h"

/* Only float32 is built so far (see README's status table); bfloat16 comes with its own kernels. */
bl_precision bl_cpu_faster_precision(void) {
    return BL_FP32;
}
