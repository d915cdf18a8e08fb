/*
 * Masks: Formats/Silt.md, section 12.3. Bit t & 63 of word t >> 6 says whether position t stays; bits past the end are
 * 0.
 */
#ifndef SILT_MASKS_H
#define SILT_MASKS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Sets all of `count` bits. */
void silt_mask_fill(uint64_t *words, size_t count);
/* Clears the rows that row_bits drops and the columns that column_bits drops in rows x columns bits. */
void silt_mask_and(uint64_t *words, size_t rows, size_t columns, const uint64_t *_Nullable row_bits,
                   const uint64_t *_Nullable column_bits);
/* How many of bits from to from + count - 1 are set. */
size_t silt_mask_population(const uint64_t *words, size_t from, size_t count);
/* Copies bits from to from + count - 1 of `words` to bits 0 to count - 1 of `out`. */
void silt_mask_copy(const uint64_t *words, size_t from, size_t count, uint64_t *out);

/* Symbols of `width` (1 to 8) positions; every row begins a new one: rows * ceil(columns / width) bytes. */
void silt_mask_symbols(const uint64_t *words, size_t rows, size_t columns, uint32_t width, uint8_t *symbols);
/* The inverse; 0 if a symbol has bits past its row's end. */
int silt_symbols_mask(const uint8_t *symbols, size_t rows, size_t columns, uint32_t width, uint64_t *words);
/* The gaps before the positions that stay; returns their number. */
size_t silt_mask_gaps(const uint64_t *words, size_t count, int32_t *gaps);
/* The inverse; 0 if a position is not below `count`. Gaps are not negative. */
int silt_gaps_mask(const int32_t *gaps, size_t number, size_t count, uint64_t *words);
/* Gaps as bytes, 255 for as many that are passed over; returns their number, at most count + count / 255. */
size_t silt_gap_bytes(const int32_t *gaps, size_t number, uint8_t *bytes);
/* The mask that such bytes mean; 0 if a position is not below `count` or the last gap has no end. */
int silt_gap_bytes_mask(const uint8_t *bytes, size_t number, size_t count, uint64_t *words);

/* out = the values where a bit is set, +0 elsewhere: `count` floats. */
void silt_scatter(int level, const uint64_t *words, size_t count, const float *values, float *out);
/* The inverse; returns the number of values. */
size_t silt_gather(int level, const uint64_t *words, size_t count, const float *dense, float *values);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
