/* Table slots of 8 lanes, for AVX2 and up. */
#ifndef SILT_RANS_GATHER_H
#define SILT_RANS_GATHER_H

#include "targets.h"
#include <immintrin.h>
#include <stdint.h>

/* A word of a table, whatever its records are made of. */
typedef uint32_t __attribute__((may_alias)) table_word;

/* table[index] of 8 lanes. Single loads are faster than the gather instruction, which processors split into more steps than
 * these (and some, whose gathers had to be mended, into many more). */
INLINE_AVX2 __m256i gathered(const table_word *table, __m256i index) {
    const __m128i low = _mm256_castsi256_si128(index), high = _mm256_extracti128_si256(index, 1);
    const uint64_t at[4] = {(uint64_t)_mm_cvtsi128_si64(low), (uint64_t)_mm_extract_epi64(low, 1),
                            (uint64_t)_mm_cvtsi128_si64(high), (uint64_t)_mm_extract_epi64(high, 1)};
    __m128i pair[4];
#pragma clang loop unroll(full)
    for (int k = 0; k < 4; k++) {
        pair[k] = _mm_unpacklo_epi32(
            _mm_cvtsi32_si128((int)table[(uint32_t)at[k]]), _mm_cvtsi32_si128((int)table[at[k] >> 32]));
    }
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_unpacklo_epi64(pair[0], pair[1])), _mm_unpacklo_epi64(pair[2], pair[3]), 1);
}

#endif
