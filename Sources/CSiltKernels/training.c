/* Steps of optimizers: silt_training.h. The loops are in training_body.h, once for each level. */
#include "silt_training.h"
#include "silt_philox.h"
#include <math.h>

#pragma STDC FP_CONTRACT OFF

enum { LANES = 8 };

#define BODY "training_body.h"
#include "levels.h"

double silt_sum_of_squares(int level, const float *values, size_t count) {
    double result;
    RUN(level, squares, values, count, &result);
    return result;
}

double silt_adam_moments(int level, const float *gradient, float scale, float beta1, float beta2, float *first, float *second,
                         size_t count) {
    double result;
    RUN(level, moments, gradient, scale, beta1, beta2, first, second, count, &result);
    return result;
}

void silt_adam_step(int level, const silt_step *step, const float *first, const float *second, const float *base,
                    float *values, size_t count) {
    if (base && step->pull != 0) RUN(level, pull, step, base, values, count);
    RUN(level, adam, step, first, second, values, count);
}

void silt_normal(uint64_t seed, uint64_t stream, uint64_t first, float deviation, float *values, size_t count) {
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t i = 0; i < count;) {
        const uint64_t number = first + i;
        const uint64_t block = number / 4;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
        uint32_t words[4];
        silt_philox(counter, key, words);
        for (uint64_t k = number % 4; k < 4 && i < count; k++, i++) {
            /* Uniform numbers above 0 and below 1; the two of a pair share their radius. */
            const double radius = sqrt(-2.0 * log(((double)words[k & 2] + 0.5) / 4294967296.0));
            const double angle = 6.283185307179586 * (((double)words[k | 1] + 0.5) / 4294967296.0);
            values[i] = deviation * (float)(radius * (k % 2 == 0 ? cos(angle) : sin(angle)));
        }
    }
}
