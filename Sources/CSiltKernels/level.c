/* What this processor offers. */
#include "silt_level.h"

int silt_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c") ||
        !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("popcnt")) {
        return SILT_LEVEL_SCALAR;
    }
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("bmi2")
               ? SILT_LEVEL_AVX512
               : SILT_LEVEL_AVX2;
#else
    return SILT_LEVEL_SCALAR;
#endif
}
