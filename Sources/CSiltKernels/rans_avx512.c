/* rANS with AVX-512: 32 lanes at once, equal to rans.c bit for bit. */
#if defined(__x86_64__)
#include "rans_avx512.h"

/* Moves 16 states back over symbols; words leave towards lower addresses, that of the last lane first. */
INLINE_AVX512 __m512i put(__m512i x, __m512i symbol, uint8_t **cursor) {
    const __m512i frequency = _mm512_and_si512(symbol, _mm512_set1_epi32(0xFFFF));
    const __mmask16 high = _mm512_cmpge_epu32_mask(_mm512_srli_epi32(x, 20), frequency);
    const uint32_t number = (uint32_t)_mm_popcnt_u32(high);
    /* The words, in order, in the last places of a vector. */
    const __m512i words =
        _mm512_maskz_expand_epi32((__mmask16)(0xFFFF0000u >> number), _mm512_maskz_compress_epi32(high, x));
    _mm256_storeu_si256((__m256i *)(void *)(*cursor - 32), _mm512_cvtepi32_epi16(words));
    *cursor -= 2 * number;
    x = _mm512_mask_srli_epi32(x, high, x, 16);
    const __m512 f = _mm512_cvtepi32_ps(frequency);
    const __m512 ratio = _mm512_div_round_ps(_mm512_cvt_roundepu32_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC), f,
                                             _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    const __m512i quotient = _mm512_cvttps_epi32(ratio);
    const __m512i rest = _mm512_sub_epi32(x, _mm512_mullo_epi32(quotient, frequency));
    const __m512i start = _mm512_srli_epi32(symbol, 16);
    const __m512i y = _mm512_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(quotient, 12), rest), start);
    return _mm512_mask_add_epi32(y, _mm512_cmpge_epu32_mask(rest, frequency), y,
                                 _mm512_sub_epi32(_mm512_set1_epi32(4096), frequency));
}

/* table[index] of 16 lanes. */
INLINE_AVX512 __m512i gathered_16(const table_word *table, __m512i index) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(gathered(table, _mm512_castsi512_si256(index))),
                              gathered(table, _mm512_extracti64x4_epi64(index, 1)), 1);
}

TARGET_AVX512 void silt_rans_encode_avx512(uint32_t *states, const uint8_t *symbols, const uint8_t *rows, size_t count,
                                           const silt_encode_symbol *tables, uint8_t **end) {
    __m512i x0 = _mm512_loadu_si512(states), x1 = _mm512_loadu_si512(states + 16);
    const table_word *table = (const table_word *)(const void *)&tables->frequency;
    uint8_t *cursor = *end;
    for (size_t i = count; i >= 32; i -= 32) {
        __m512i index = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(symbols + i - 32)));
        if (rows) {
            const __m512i row = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(rows + i - 32)));
            index = _mm512_or_si512(index, _mm512_slli_epi16(row, 8));
        }
        const __m512i i1 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(index, 1)), 2);
        const __m512i i0 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(index)), 2);
        x1 = put(x1, gathered_16(table, i1), &cursor);
        x0 = put(x0, gathered_16(table, i0), &cursor);
    }
    _mm512_storeu_si512(states, x0);
    _mm512_storeu_si512(states + 16, x1);
    *end = cursor;
}

TARGET_AVX512 size_t silt_rans_decode_avx512(rans_reader *reader, size_t count, const uint32_t *slots, uint8_t *out) {
    __m256i x[4];
    for (int k = 0; k < 4; k++) x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(reader->x + 8 * k));
    const __m256i row = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 32 <= count && reader->end - reader->word >= 64; i += 32) {
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; k++) {
            const __m256i symbols = _mm256_srli_epi32(advance(&x[k], row, slots, &reader->word), 24);
            _mm_storel_epi64((__m128i *)(void *)(out + i + 8 * k), _mm256_cvtepi32_epi8(symbols));
        }
    }
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)(void *)(reader->x + 8 * k), x[k]);
    return i;
}

#endif
