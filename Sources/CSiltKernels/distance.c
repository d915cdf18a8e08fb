/* How far a result is from the fine-tuned checkpoint: silt_kernels.h. The loop is in distance_body.h, once for each level. */
#include "silt_kernels.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF
/* No function that passes vectors is called: all are inlined into one of their own level. */
#pragma clang diagnostic ignored "-Wpsabi"

enum { WIDE = 8 };
typedef double wide __attribute__((vector_size(64)));
typedef int64_t wide_bits __attribute__((vector_size(64)));
typedef float narrow __attribute__((vector_size(32)));
typedef int32_t narrow_bits __attribute__((vector_size(32)));

#define BODY "distance_body.h"
#include "levels.h"

void silt_distance_of(int level, const float *result, const float *tuned, const float *base, size_t count,
                      silt_distance *out) {
    RUN(level, distance, result, tuned, base, count, out);
}
