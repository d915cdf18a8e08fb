/* The sums behind receipts: Formats/Silt.md, section 12.7. */
#ifndef SILT_DISTANCE_H
#define SILT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* The sums behind a receipt over the elements at which all three are finite: of (result - tuned)^2, (tuned - base)^2,
 * (result - base)^2 and (result - base) (tuned - base), and the largest |result - tuned|; how many elements these are,
 * and of how many of them the patterns of result and tuned differ. `lost` elements are finite but in the result. */
typedef struct {
    double error, delta, change, product, maximum;
    uint64_t elements, changed, lost;
} silt_distance;
void silt_distance_of(int level, const float *result, const float *tuned, const float *base, size_t count,
                      silt_distance *out);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
