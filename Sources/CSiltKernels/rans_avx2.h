/* The steps of rANS for 8 lanes, with AVX2. */
#ifndef SILT_RANS_AVX2_H
#define SILT_RANS_AVX2_H

#include "rans_gather.h"
#include "rans_reader.h"

/* For each mask of 8 lanes, a byte for each lane. Spread: lane j takes element spread[j] of those in a row. Pressed:
 * the lanes of the mask come in the last places, in order. */
extern const uint64_t silt_rans_spread[256];
extern const uint64_t silt_rans_pressed[256];

INLINE_AVX2 __m256i lane_order(const uint64_t *orders, uint32_t mask) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(orders + mask)));
}

/* Table slots of 8 lanes, and their states moved past the symbols. Reads 16 bytes of words. */
INLINE_AVX2 __m256i advance_8(__m256i *x, __m256i row_offset, const uint32_t *tables, const uint8_t **word) {
    const __m256i low12 = _mm256_set1_epi32(4095);
    const __m256i index = _mm256_or_si256(row_offset, _mm256_and_si256(*x, low12));
    const __m256i slot = gathered(tables, index);
    const __m256i upper = _mm256_srli_epi32(*x, 12);
    const __m256i offset = _mm256_and_si256(_mm256_srli_epi32(slot, 12), low12);
    const __m256i next =
        _mm256_add_epi32(_mm256_mullo_epi32(_mm256_and_si256(slot, low12), upper), _mm256_add_epi32(upper, offset));
    const __m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(next, 16), _mm256_setzero_si256());
    const uint32_t mask = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low));
    const __m256i words = _mm256_permutevar8x32_epi32(
        _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)*word)), lane_order(silt_rans_spread, mask));
    *word += 2 * (uint32_t)__builtin_popcount(mask);
    *x = _mm256_blendv_epi8(next, _mm256_or_si256(_mm256_slli_epi32(next, 16), words), low);
    return slot;
}

/* The low halves of 16 lanes of 32 bits, which are below 65,536, in order. */
INLINE_AVX2 __m256i narrow_16(__m256i low, __m256i high) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xD8);
}

/* The low bytes of 32 lanes of 32 bits, which are below 256, in order. */
INLINE_AVX2 __m256i narrow_32(const __m256i *lanes) {
    const __m256i low = narrow_16(lanes[0], lanes[1]), high = narrow_16(lanes[2], lanes[3]);
    return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xD8);
}

#endif
