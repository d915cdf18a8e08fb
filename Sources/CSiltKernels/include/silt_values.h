/* Values of matrices, and the codes that stand for them: Formats/Silt.md, section 12.4. */
#ifndef SILT_VALUES_H
#define SILT_VALUES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* values = table[codes], 256 floats. */
void silt_lookup(const uint8_t *codes, size_t count, const float *table, float *values);
/* values = codes * scale; codes are exact in binary32. */
void silt_integers_scale(const int32_t *codes, size_t count, float scale, float *values);
/* values = values * factor, values / divisor */
void silt_multiply(float *values, size_t count, float factor);
void silt_divide(float *values, size_t count, float divisor);
/* Codes, folded, from folded bytes, and back. */
void silt_unfold(const uint8_t *folded, size_t count, int32_t *codes);
void silt_fold(const int32_t *codes, size_t count, uint8_t *folded);
/* The largest of `count` bytes, and the largest |value|; 0 if there are none. */
uint8_t silt_largest_byte(const uint8_t *bytes, size_t count);
uint32_t silt_largest_integer(const int32_t *values, size_t count);
float silt_largest(const float *values, size_t count);
/* Bit fields of 8, 4, 2 or 1 bits from bytes below 2^bits, and back; 0 if bits that fill up the last byte are set. */
void silt_pack(uint32_t bits, const uint8_t *fields, size_t count, uint8_t *packed);
int silt_unpack(uint32_t bits, const uint8_t *packed, size_t count, uint8_t *fields);
/* Rotates patterns of 2 or 4 bytes left by one bit; and right. */
void silt_rotate_left(uint32_t width, void *patterns, size_t count);
void silt_rotate_right(uint32_t width, void *patterns, size_t count);
/* codes = value / scale in binary32, rounded to the nearest, ties to even, at most `largest` either way; all 0 for a
 * scale 0. */
void silt_quantise(const float *values, size_t count, float scale, int32_t largest, int32_t *codes);
/* codes = 1 where the value is at least 0, else -1 */
void silt_signs(const float *values, size_t count, int32_t *codes);
/* The squared error of values / scale rounded to codes of at most `largest` (below 2^22), in units of scale^2. */
double silt_quantise_error(const float *values, size_t count, size_t stride, float scale, int32_t largest);
/* The sum of |value|. */
double silt_magnitude(const float *values, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
