/* The residual of floats to a base: Formats/Silt.md, section 7. Its symbols are coded by silt_rans.h. */
#ifndef SILT_RESIDUAL_H
#define SILT_RESIDUAL_H

#include "silt_status.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

enum {
    SILT_CLASSES = 32, /* classes of the residual; class 0 is "unit equals the base" */
    SILT_BINS = 128,   /* bins of the analysis: R - 2E from -40 to 87 */
    SILT_BIN_ORIGIN = 40,
    /* Counters of the analysis: neighbours count apart, see silt_residual_measure. */
    SILT_HISTOGRAM = 4 * (128 * 256 + 80),
    SILT_STILL = -32768 /* the scale of a unit that equals the base, in the analysis */
};

/* The bit fields of a float type, and what its symbols look like (section 7.1). */
typedef struct {
    uint32_t width;         /* 8, 16 or 32 */
    uint32_t mantissa_bits; /* E = (pattern >> mantissa_bits) & exponent_mask */
    uint32_t exponent_mask;
} silt_float;

/* Measures a chunk: for each unit of `unit` elements its scale R in half octaves (SILT_STILL if it equals the base),
 * and for the elements of moved units how often each symbol comes at each R - 2E: histogram[SILT_BINS][256], with
 * working space after it, SILT_HISTOGRAM counters in all, which begins and ends as zeros (null: only the scales are
 * wanted). bins[0] to bins[1] - 1 are the bins that were counted in. Returns how many units moved. */
size_t silt_residual_measure(int level, silt_float type, const void *base, const void *result, size_t count,
                             size_t unit, int16_t *scales, uint32_t *_Nullable histogram, uint32_t *_Nullable bins);

/* Symbols, table rows and raw bits of a chunk. `codes` has one byte for each unit (0: equals the base, else R -
 * origin); `row_of_class[32]` names each class's table. Returns the number of raw bytes written to `raw` (capacity: 4 *
 * count + 8). */
size_t silt_residual_symbols(int level, silt_float type, const void *base, const void *result, size_t count,
                             size_t unit, const uint8_t *codes, int32_t origin, const uint8_t *row_of_class,
                             uint8_t *symbols, uint8_t *rows, uint8_t *raw);

/* Rebuilds a chunk. `tables` has 4096 slots for each row. `result` may be `base`. */
int silt_residual_decode(int level, silt_float type, const void *base, void *result, size_t count, size_t unit,
                         const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, const uint32_t *tables,
                         const uint8_t *stream, size_t size, const uint8_t *raw, size_t raw_size);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
