/* The step of rANS for 16 lanes, with AVX-512. */
#ifndef SILT_RANS_AVX512_H
#define SILT_RANS_AVX512_H

#include "rans.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
#define INLINE static inline __attribute__((always_inline)) TARGET

/* Table slots of 16 lanes, and their states moved past the symbols. Reads 32 bytes of words. */
INLINE __m512i advance(__m512i *x, __m512i row_offset, const uint32_t *tables, const uint8_t **word) {
    const __m512i low12 = _mm512_set1_epi32(4095);
    const __m512i index = _mm512_or_si512(row_offset, _mm512_and_si512(*x, low12));
    const __m512i slot = _mm512_i32gather_epi32(index, (const int *)tables, 4);
    /* The step is on the path from one group to the next: (f - 1) * (x >> 12) is what waits longest. */
    const __m512i upper = _mm512_srli_epi32(*x, 12);
    const __m512i offset = _mm512_and_si512(_mm512_srli_epi32(slot, 12), low12);
    const __m512i next =
        _mm512_add_epi32(_mm512_mullo_epi32(_mm512_and_si512(slot, low12), upper), _mm512_add_epi32(upper, offset));
    const __mmask16 low = _mm512_cmplt_epu32_mask(next, _mm512_set1_epi32(65536));
    const __m512i words = _mm512_maskz_expand_epi32(
        low, _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)*word)));
    *word += 2 * (uint32_t)_mm_popcnt_u32(low);
    *x = _mm512_mask_or_epi32(next, low, _mm512_slli_epi32(next, 16), words);
    return slot;
}

#endif
