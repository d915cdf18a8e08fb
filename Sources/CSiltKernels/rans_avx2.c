/* rANS with AVX2: four times 8 lanes, equal to rans.c bit for bit. */
#if defined(__x86_64__)
#include "rans_avx2.h"

/* How many lanes of mask m lie below lane j. */
#define BELOW(m, j) __builtin_popcount((m) & ((1u << (j)) - 1))
#define SPREAD(m, j) ((uint64_t)BELOW(m, j) << 8 * (j))
#define PRESSED(m, j) ((m) >> (j) & 1 ? (uint64_t)(j) << (8 * (8 - __builtin_popcount(m) + BELOW(m, j)) & 63) : 0)
#define LANES(f, m) f(m, 0) | f(m, 1) | f(m, 2) | f(m, 3) | f(m, 4) | f(m, 5) | f(m, 6) | f(m, 7)
#define MASKS_4(f, m) LANES(f, m), LANES(f, (m) + 1), LANES(f, (m) + 2), LANES(f, (m) + 3)
#define MASKS_16(f, m) MASKS_4(f, m), MASKS_4(f, (m) + 4), MASKS_4(f, (m) + 8), MASKS_4(f, (m) + 12)
#define MASKS_64(f, m) MASKS_16(f, m), MASKS_16(f, (m) + 16), MASKS_16(f, (m) + 32), MASKS_16(f, (m) + 48)
#define MASKS_256(f) MASKS_64(f, 0u), MASKS_64(f, 64u), MASKS_64(f, 128u), MASKS_64(f, 192u)

const uint64_t silt_rans_spread[256] = {MASKS_256(SPREAD)};
const uint64_t silt_rans_pressed[256] = {MASKS_256(PRESSED)};

/* Moves 8 states back over symbols; words leave towards lower addresses, that of the last lane first. */
INLINE_AVX2 __m256i put(__m256i x, __m256i symbol, uint8_t **cursor) {
    const __m256i frequency = _mm256_and_si256(symbol, _mm256_set1_epi32(0xFFFF));
    const __m256i fits = _mm256_cmpgt_epi32(frequency, _mm256_srli_epi32(x, 20));
    const uint32_t mask = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(fits)) ^ 255;
    const __m256i pressed = _mm256_and_si256(
        _mm256_permutevar8x32_epi32(x, lane_order(silt_rans_pressed, mask)), _mm256_set1_epi32(0xFFFF));
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(pressed), _mm256_extracti128_si256(pressed, 1));
    _mm_storeu_si128((__m128i *)(void *)(*cursor - 16), words);
    *cursor -= 2 * (uint32_t)__builtin_popcount(mask);
    x = _mm256_blendv_epi8(_mm256_srli_epi32(x, 16), x, fits);
    /* x / f with x below 2^20 f. Three steps more for f make up for the roundings: the ratio is never too large, and too
     * small by less than 1. */
    const __m256 upper = _mm256_cvtepi32_ps(_mm256_srli_epi32(x, 16));
    const __m256 lower = _mm256_cvtepi32_ps(_mm256_and_si256(x, _mm256_set1_epi32(0xFFFF)));
    const __m256i f = _mm256_add_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(frequency)), _mm256_set1_epi32(3));
    const __m256 ratio = _mm256_div_ps(_mm256_fmadd_ps(upper, _mm256_set1_ps(65536), lower), _mm256_castsi256_ps(f));
    const __m256i quotient = _mm256_cvttps_epi32(ratio);
    const __m256i rest = _mm256_sub_epi32(x, _mm256_mullo_epi32(quotient, frequency));
    const __m256i y = _mm256_add_epi32(
        _mm256_add_epi32(_mm256_slli_epi32(quotient, 12), rest), _mm256_srli_epi32(symbol, 16));
    const __m256i more = _mm256_andnot_si256(
        _mm256_cmpgt_epi32(frequency, rest), _mm256_sub_epi32(_mm256_set1_epi32(4096), frequency));
    return _mm256_add_epi32(y, more);
}

TARGET_AVX2 void silt_rans_encode_avx2(uint32_t *states, const uint8_t *symbols, const uint8_t *rows, size_t count,
                                       const silt_encode_symbol *tables, uint8_t **end) {
    __m256i x[4];
    for (int k = 0; k < 4; k++) x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(states + 8 * k));
    /* A symbol's record is 16 bytes: frequency and start are one word of it. */
    const table_word *table = (const table_word *)(const void *)&tables->frequency;
    uint8_t *cursor = *end;
    for (size_t i = count; i >= 32; i -= 32) {
#pragma clang loop unroll(full)
        for (int k = 3; k >= 0; k--) {
            const size_t at = i - 32 + 8 * (size_t)k;
            __m256i index = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(symbols + at)));
            if (rows) {
                const __m256i row = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(rows + at)));
                index = _mm256_or_si256(index, _mm256_slli_epi32(row, 8));
            }
            x[k] = put(x[k], gathered(table, _mm256_slli_epi32(index, 2)), &cursor);
        }
    }
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)(void *)(states + 8 * k), x[k]);
    *end = cursor;
}

TARGET_AVX2 size_t silt_rans_decode_avx2(rans_reader *reader, size_t count, const uint32_t *slots, uint8_t *out) {
    __m256i x[4], s[4];
    for (int k = 0; k < 4; k++) x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(reader->x + 8 * k));
    const __m256i row = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 32 <= count && reader->end - reader->word >= 64; i += 32) {
#pragma clang loop unroll(full)
        for (int k = 0; k < 4; k++) s[k] = _mm256_srli_epi32(advance_8(&x[k], row, slots, &reader->word), 24);
        _mm256_storeu_si256((__m256i *)(void *)(out + i), narrow_32(s));
    }
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)(void *)(reader->x + 8 * k), x[k]);
    return i;
}

#endif
