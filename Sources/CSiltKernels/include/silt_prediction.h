/* Prediction, base plus components: Formats/Silt.md, section 12.2. */
#ifndef SILT_PREDICTION_H
#define SILT_PREDICTION_H

#include "silt_convert.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* The patterns of base + sum, of type SILT_F32, SILT_F16 or SILT_BF16. `out` may be `base`. */
void silt_predict(int level, int type, const void *base, const float *sum, size_t count, void *out);
/* The same where the sum is the `kept` values, in order, where a bit is set among `count`, and 0 elsewhere; no bit is
 * set past `count`. `out` may be `base`. */
void silt_predict_kept(int level, int type, const void *base, const uint64_t *words, size_t count, const float *values,
                       size_t kept, void *out);
/* sum += terms */
void silt_add(float *sum, const float *terms, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
