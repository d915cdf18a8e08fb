/* Conversion between float types: Formats/Silt.md, section 8.4. */
#ifndef SILT_CONVERT_H
#define SILT_CONVERT_H

#include <stddef.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

enum { SILT_F32 = 0, SILT_F16 = 1, SILT_BF16 = 2 };
/* Converts `count` values; the types differ or not. */
void silt_convert(int from, int to, const void *source, void *target, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
