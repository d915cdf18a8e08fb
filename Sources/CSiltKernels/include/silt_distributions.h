/* What compares the outputs of models, in binary64. All levels give the same bits, as those of silt_layers.h do. */
#ifndef SILT_DISTRIBUTIONS_H
#define SILT_DISTRIBUTIONS_H

#include <stddef.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* log of the sum of exp(logits), in binary64. */
double silt_log_sum(int level, const float *logits, size_t count);
/* The Kullback-Leibler divergence of the distribution of `candidate` from that of `reference`, in nats, in binary64. */
double silt_divergence(int level, const float *reference, const float *candidate, size_t count);
/* The sums of (a - b)^2 and of |a - b|, in binary64. */
double silt_squared_difference(int level, const float *a, const float *b, size_t count);
double silt_absolute_difference(int level, const float *a, const float *b, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
