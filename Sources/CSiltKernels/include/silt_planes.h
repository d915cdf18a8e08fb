/* Byte planes: Formats/Silt.md, section 8. And whole buffers, compared and combined by xor. */
#ifndef SILT_PLANES_H
#define SILT_PLANES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Splits `count` elements of `width` bytes into planes; with `base`, the elements xor the base's. */
void silt_planes_split(uint32_t width, const uint8_t *data, const uint8_t *_Nullable base, size_t count,
                       uint8_t *planes);
/* The inverse; `data` may be `base`. */
void silt_planes_merge(uint32_t width, const uint8_t *planes, const uint8_t *_Nullable base, size_t count,
                       uint8_t *data);
/* Counts the bytes of each plane of `data` into histogram[width][256]. */
void silt_planes_count(uint32_t width, const uint8_t *data, const uint8_t *_Nullable base, size_t count,
                       uint32_t *histogram);
/* Whether the bytes are equal. */
int silt_equal(const void *a, const void *b, size_t size);
/* data ^= base */
void silt_xor(uint8_t *data, const uint8_t *base, size_t size);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
