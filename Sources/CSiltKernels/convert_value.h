/* One value of each conversion: Formats/Silt.md, section 8.4. */
#ifndef SILT_CONVERT_VALUE_H
#define SILT_CONVERT_VALUE_H

#include <stdint.h>
#include <string.h>

static inline uint32_t widen_bf16(uint16_t u) { return (uint32_t)u << 16; }

static inline uint32_t widen_f16(uint16_t u) {
    /* Without branches, so that loops become vectors: the fields in their places, times 2^112, which is exact. */
    const uint32_t magnitude = (uint32_t)(u & 0x7FFF) << 13, sign = (uint32_t)(u & 0x8000) << 16;
    float value;
    memcpy(&value, &magnitude, 4);
    value *= 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return sign | bits | ((u & 0x7C00) == 0x7C00 ? 0x7F800000 : 0);
}

static inline uint16_t narrow_bf16(uint32_t u) {
    if ((u & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

static inline uint16_t narrow_f16(uint32_t u) {
    const uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
    const uint32_t magnitude = u & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
    if (magnitude >= 0x47800000) return (uint16_t)(sign | 0x7C00); /* 65,536 and more */
    if (magnitude >= 0x38800000) {                                 /* normal: 2^-14 and more */
        const uint32_t rebased = magnitude - 0x38000000;
        return (uint16_t)(sign | (rebased + 0xFFF + (rebased >> 13 & 1)) >> 13); /* may carry into infinity */
    }
    if (magnitude < 0x33000000) return sign; /* below half of the smallest subnormal */
    const uint32_t shift = 126 - (magnitude >> 23); /* 14 to 24 */
    const uint32_t mantissa = (magnitude & 0x7FFFFF) | 0x800000;
    const uint32_t half = 1u << (shift - 1);
    const uint32_t kept = mantissa >> shift;
    const uint32_t rest = mantissa & ((1u << shift) - 1);
    return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1)))));
}

#endif
