/* Values of which most are 0, as lists: silt_kept.h. */
#include "silt_kept.h"

#pragma STDC FP_CONTRACT OFF

size_t silt_kept(const float *dense, size_t count, uint64_t *places, float *values) {
    size_t number = 0;
    for (size_t i = 0; i < count; i++) {
        if (dense[i] == 0) continue;
        if (places) {
            places[number] = i;
            values[number] = dense[i];
        }
        number++;
    }
    return number;
}

double silt_kept_dot(const float *values, const uint64_t *places, size_t number, const float *dense) {
    /* Four sums, so that an addition does not wait for the one before. */
    double sums[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < number; i++) sums[i & 3] += (double)values[i] * (double)dense[places[i]];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void silt_kept_add(const float *values, const uint64_t *places, size_t number, float divisor, float *dense) {
    for (size_t i = 0; i < number; i++) dense[places[i]] += values[i] / divisor;
}
