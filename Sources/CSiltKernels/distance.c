/* How far a result is from the fine-tuned checkpoint: silt_distance.h. The loop is in distance_body.h, once for each
 * level. */
#include "silt_distance.h"
#include "wide.h"

#pragma STDC FP_CONTRACT OFF

#define BODY "distance_body.h"
#include "levels.h"

void silt_distance_of(int level, const float *result, const float *tuned, const float *base, size_t count,
                      silt_distance *out) {
    RUN(level, distance, result, tuned, base, count, out);
}
