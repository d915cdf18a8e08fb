/* Adaptive streams of integers: Formats/Silt.md, section 12.5. Results of decoding: silt_status.h. */
#ifndef SILT_ADAPTIVE_H
#define SILT_ADAPTIVE_H

#include "silt_status.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Codes integers below 2^24 in magnitude (not negative unless is_signed); returns the number of bytes, at most
 * SILT_ADAPTIVE_BYTES for each integer and 8. */
enum { SILT_ADAPTIVE_BYTES = 48 };
size_t silt_adaptive_encode(const int32_t *values, size_t count, int is_signed, uint8_t *stream);
/* Decodes `count` integers. Reads nothing past `size`. */
int silt_adaptive_decode(const uint8_t *stream, size_t size, size_t count, int is_signed, int32_t *values);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
