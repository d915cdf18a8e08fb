/* Values of which most are 0, as lists. */
#ifndef SILT_KEPT_H
#define SILT_KEPT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* The values of `dense` that are not 0, in order, and their places; `places` null: only counts. Returns their number.
 * */
size_t silt_kept(const float *dense, size_t count, uint64_t *_Nullable places, float *_Nullable values);
/* The sum of values[i] * dense[places[i]], in binary64. */
double silt_kept_dot(const float *values, const uint64_t *places, size_t number, const float *dense);
/* dense[places[i]] += values[i] / divisor */
void silt_kept_add(const float *values, const uint64_t *places, size_t number, float divisor, float *dense);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
