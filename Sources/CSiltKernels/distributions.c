/* What compares the outputs of models: silt_distributions.h. The loops are in distributions_body.h, once for each level. */
#include "silt_distributions.h"
#include "silt_level.h"
#include "wide.h"
#include <math.h>

#pragma STDC FP_CONTRACT OFF

#define NAME(name) name##_scalar
#define TARGET
#include "distributions_body.h"
#undef NAME
#undef TARGET

#if defined(__x86_64__)
#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#include "distributions_body.h"
#undef NAME
#undef TARGET

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#include "distributions_body.h"
#undef NAME
#undef TARGET

#define CHOOSE(level, call, ...)                          \
    ((level) >= SILT_LEVEL_AVX512 ? call##_avx512(__VA_ARGS__) \
     : (level) >= SILT_LEVEL_AVX2 ? call##_avx2(__VA_ARGS__)   \
                                  : call##_scalar(__VA_ARGS__))
#else
#define CHOOSE(level, call, ...) ((void)(level), call##_scalar(__VA_ARGS__))
#endif

double silt_log_sum(int level, const float *logits, size_t count) { return CHOOSE(level, log_sum, logits, count); }

double silt_divergence(int level, const float *reference, const float *candidate, size_t count) {
    return CHOOSE(level, divergence, reference, candidate, count);
}

double silt_squared_difference(int level, const float *a, const float *b, size_t count) {
    return CHOOSE(level, difference, a, b, count, 1);
}

double silt_absolute_difference(int level, const float *a, const float *b, size_t count) {
    return CHOOSE(level, difference, a, b, count, 0);
}
