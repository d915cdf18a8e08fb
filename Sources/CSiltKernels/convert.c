/* Float conversions, by integer arithmetic so that every machine gives the same bits: Formats/Silt.md, section 8.4. */
#include "convert_value.h"
#include "silt_convert.h"
#include <string.h>

static inline uint32_t load(int type, const void *source, size_t i) {
    uint32_t wide;
    uint16_t narrow;
    if (type == SILT_F32) {
        memcpy(&wide, (const uint8_t *)source + 4 * i, 4);
        return wide;
    }
    memcpy(&narrow, (const uint8_t *)source + 2 * i, 2);
    return type == SILT_BF16 ? widen_bf16(narrow) : widen_f16(narrow);
}

static inline __attribute__((always_inline)) void convert(int from, int to, const void *source, void *target, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const uint32_t wide = load(from, source, i);
        if (to == SILT_F32) {
            memcpy((uint8_t *)target + 4 * i, &wide, 4);
        } else {
            const uint16_t narrow = to == SILT_BF16 ? narrow_bf16(wide) : narrow_f16(wide);
            memcpy((uint8_t *)target + 2 * i, &narrow, 2);
        }
    }
}

void silt_convert(int from, int to, const void *source, void *target, size_t count) {
    if (from == SILT_F32 && to == SILT_BF16) convert(SILT_F32, SILT_BF16, source, target, count);
    else if (from == SILT_F32 && to == SILT_F16) convert(SILT_F32, SILT_F16, source, target, count);
    else if (from == SILT_BF16 && to == SILT_F32) convert(SILT_BF16, SILT_F32, source, target, count);
    else if (from == SILT_F16 && to == SILT_F32) convert(SILT_F16, SILT_F32, source, target, count);
    else convert(from, to, source, target, count);
}
