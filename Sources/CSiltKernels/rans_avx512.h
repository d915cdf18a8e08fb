/* The step of rANS for 8 lanes, with AVX-512. */
#ifndef SILT_RANS_AVX512_H
#define SILT_RANS_AVX512_H

#include "rans_gather.h"
#include "rans_reader.h"

/* Table slots of 8 lanes, and their states moved past the symbols. Reads 16 bytes of words. */
INLINE_AVX512 __m256i advance(__m256i *x, __m256i row_offset, const uint32_t *tables, const uint8_t **word) {
    const __m256i low12 = _mm256_set1_epi32(4095);
    const __m256i index = _mm256_or_si256(row_offset, _mm256_and_si256(*x, low12));
    const __m256i slot = gathered(tables, index);
    /* The step is on the path from one group to the next: (f - 1) * (x >> 12) is what waits longest. */
    const __m256i upper = _mm256_srli_epi32(*x, 12);
    const __m256i offset = _mm256_and_si256(_mm256_srli_epi32(slot, 12), low12);
    const __m256i next =
        _mm256_add_epi32(_mm256_mullo_epi32(_mm256_and_si256(slot, low12), upper), _mm256_add_epi32(upper, offset));
    const __mmask8 low = _mm256_cmplt_epu32_mask(next, _mm256_set1_epi32(65536));
    const __m256i words = _mm256_maskz_expand_epi32(
        low, _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)*word)));
    *word += 2 * (uint32_t)_mm_popcnt_u32(low);
    *x = _mm256_mask_or_epi32(next, low, _mm256_slli_epi32(next, 16), words);
    return slot;
}

#endif
