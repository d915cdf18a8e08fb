/* What compares the outputs of models: silt_distributions.h. The loops are in distributions_body.h, once for each level. */
#include "silt_distributions.h"
#include "wide.h"
#include <math.h>

#pragma STDC FP_CONTRACT OFF

#define BODY "distributions_body.h"
#define PREFERENCE ""
#include "levels.h"

double silt_log_sum(int level, const float *logits, size_t count) { return RUN(level, log_sum, logits, count); }

double silt_divergence(int level, const float *reference, const float *candidate, size_t count) {
    return RUN(level, divergence, reference, candidate, count);
}

double silt_squared_difference(int level, const float *a, const float *b, size_t count) {
    return RUN(level, difference, a, b, count, 1);
}

double silt_absolute_difference(int level, const float *a, const float *b, size_t count) {
    return RUN(level, difference, a, b, count, 0);
}
