/*
 * Kernels of training in binary32: the steps of optimizers (Docs/Training.md). Flat buffers in, flat buffers out. All
 * levels do the same operations on every element, without fused ones, and sums run in 8 lanes of binary64 everywhere,
 * so all levels give the same bits. A NaN stays a NaN.
 */
#ifndef SILT_TRAINING_H
#define SILT_TRAINING_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* The sum of the squares. */
double silt_sum_of_squares(int level, const float *values, size_t count);

/* The moments of Adam, g = scale * gradient:
 *   first = first + (1 - beta1) (g - first),
 *   second = beta2 second + (1 - beta2) g g.
 * Returns the sum of `second`. */
double silt_adam_moments(int level, const float *gradient, float scale, float beta1, float beta2, float *first,
                         float *second, size_t count);

/* One step of a parameter, all of it in this order:
 *   value = value - pull (value - base), or - pull sign(value - base) if `is_sign`; not without a base,
 *   value = value - decay value,
 *   value = value - rate first / (sqrt(second) / root + epsilon). */
typedef struct {
    float pull;
    int32_t is_sign;
    float decay;
    float rate;
    float root;
    float epsilon;
} silt_step;
void silt_adam_step(int level, const silt_step *step, const float *first, const float *second,
                    const float *_Nullable base, float *values, size_t count);

/* Normal numbers of mean 0 and this deviation: numbers `first` to `first` + count - 1 of the stream. Each block of
 * Philox4x32-10 with the key `seed` and the counter (block, stream) gives four by the transform of Box and Muller. */
void silt_normal(uint64_t seed, uint64_t stream, uint64_t first, float deviation, float *values, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
