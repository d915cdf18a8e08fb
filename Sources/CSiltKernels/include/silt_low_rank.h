/* Low-rank products: Formats/Silt.md, section 12.2. */
#ifndef SILT_LOW_RANK_H
#define SILT_LOW_RANK_H

#include <stddef.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Rows of a low-rank product: out(i, j) is the chain of fma(left[k * left_stride + i], right[k * columns + j], a) over
 * k from a = +0, times *scale if it is given. */
void silt_low_rank(int level, const float *left, size_t left_stride, const float *right, size_t columns, size_t rank,
                   size_t rows, const float *_Nullable scale, float *out);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
