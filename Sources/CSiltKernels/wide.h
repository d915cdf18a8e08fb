/* Eight lanes of binary64, and of binary32: what sums over many values run in, the same at every level. */
#ifndef SILT_WIDE_H
#define SILT_WIDE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No function that passes vectors is called: all are inlined into one of their own level. */
#pragma clang diagnostic ignored "-Wpsabi"

enum { WIDE = 8 };
typedef double wide __attribute__((vector_size(64)));
typedef int64_t wide_bits __attribute__((vector_size(64)));
typedef float narrow __attribute__((vector_size(32)));
typedef int32_t narrow_bits __attribute__((vector_size(32)));

/* The sum of eight lanes, in memory, which it uses up; halves are added to halves. */
static inline double sum_lanes(double *part) {
    for (size_t step = WIDE / 2; step > 0; step /= 2) {
        for (size_t i = 0; i < step; i++) part[i] += part[i + step];
    }
    return part[0];
}

#endif
