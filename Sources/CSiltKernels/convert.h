/* One value of each conversion: Formats/Silt.md, section 8.4. */
#ifndef SILT_CONVERT_H
#define SILT_CONVERT_H

#include "silt_kernels.h"

static inline uint32_t widen_bf16(uint16_t u) { return (uint32_t)u << 16; }

static inline uint32_t widen_f16(uint16_t u) {
    const uint32_t sign = (uint32_t)(u & 0x8000) << 16;
    const uint32_t exponent = u >> 10 & 31;
    uint32_t mantissa = u & 0x3FF;
    if (exponent == 31) return sign | 0x7F800000 | mantissa << 13;
    if (exponent != 0) return sign | (exponent + 112) << 23 | mantissa << 13;
    if (mantissa == 0) return sign;
    const uint32_t shift = (uint32_t)__builtin_clz(mantissa) - 21;
    mantissa = mantissa << shift & 0x3FF;
    return sign | (113 - shift) << 23 | mantissa << 13;
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
