/* Which copy of the vector kernels this CPU can run, and what else it offers. */
#include "kernels.h"

extern const bl__vector_table bl__vector_baseline;
#ifdef BL__X86
extern const bl__vector_table bl__vector_avx2, bl__vector_avx512;
#endif

const bl__vector_table *bl__vector(void) {
#ifdef BL__X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("fma"))
        return &bl__vector_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &bl__vector_avx2;
#endif
    return &bl__vector_baseline;
}

const char *bl_cpu_vector_isa(void) {
    return bl__vector()->isa;
}
