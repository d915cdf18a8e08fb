/*
 * The residual with AVX-512: 32 lanes at once, equal to residual_body.h bit for bit. A group is done here only if the words
 * that it can need at most are there; what is left goes to the scalar form.
 */
#include "residual_job.h"

#if defined(__x86_64__)
#include "rans_avx512.h"

/* ---- Raw bits ---- */

/* Where the raw bits of 32 lanes lie: their widths, and how many bits lie before them, in lanes of 16 bits. */
typedef struct {
    __m512i width;
    __m512i before;
    uint32_t half; /* of the first 16 lanes */
    uint32_t total;
} raw_fields;

INLINE_AVX512 raw_fields place_fields(__m512i width) {
    __m512i sums = _mm512_add_epi16(width, _mm512_bslli_epi128(width, 2));
    sums = _mm512_add_epi16(sums, _mm512_bslli_epi128(sums, 4));
    sums = _mm512_add_epi16(sums, _mm512_bslli_epi128(sums, 8));
    /* Each quarter adds the totals of those before it. */
    const __m512i last =
        _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_inserti128_si256(
                               _mm256_setzero_si256(), _mm_set1_epi16(7), 1)),
                           _mm256_inserti128_si256(_mm256_set1_epi16(15), _mm_set1_epi16(23), 1), 1);
    const __m512i one = _mm512_maskz_permutexvar_epi16(0xFFFFFF00u, last, sums);
    const __m512i two = _mm512_maskz_permutexvar_epi16(0xFFFF0000u, _mm512_sub_epi16(last, _mm512_set1_epi16(8)), sums);
    const __m512i three = _mm512_maskz_permutexvar_epi16(0xFF000000u, _mm512_sub_epi16(last, _mm512_set1_epi16(16)), sums);
    sums = _mm512_add_epi16(_mm512_add_epi16(sums, one), _mm512_add_epi16(two, three));
    raw_fields fields;
    fields.width = width;
    fields.before = _mm512_sub_epi16(sums, width);
    fields.half = (uint32_t)_mm256_extract_epi16(_mm512_castsi512_si256(sums), 15);
    fields.total = (uint32_t)_mm_extract_epi16(_mm512_extracti32x4_epi32(sums, 3), 7);
    return fields;
}

/* The low `width` bits of each lane. */
INLINE_AVX512 __m512i low_bits_16(__m512i v, __m512i width) {
    const __m512i one = _mm512_set1_epi16(1);
    return _mm512_and_si512(v, _mm512_sub_epi16(_mm512_sllv_epi16(one, width), one));
}

INLINE_AVX512 __m512i low_bits_32(__m512i v, __m512i width) {
    const __m512i one = _mm512_set1_epi32(1);
    return _mm512_and_si512(v, _mm512_sub_epi32(_mm512_sllv_epi32(one, width), one));
}

/* Folded differences of 32 lanes of 16 bits from their symbols; 0 in *ok if the raw bits end early. */
INLINE_AVX512 __m512i folded_16(residual_job *job, __m512i symbol, const int each, int *ok) {
    const __mmask32 big = _mm512_cmpge_epu16_mask(symbol, _mm512_set1_epi16(1 << 6));
    if (!each && big == 0) return symbol;
    const raw_fields f =
        place_fields(_mm512_maskz_sub_epi16(big, _mm512_srli_epi16(symbol, 3), _mm512_set1_epi16((1 << 6) / 8 - 3)));
    if (f.total > job->raw_bits - job->raw_at) {
        *ok = 0;
        return symbol;
    }
    /* At most 32 * 12 + 7 bits: all in 64 bytes. A field is in two neighbouring words of 16 bits. */
    const __m512i raw = _mm512_loadu_si512(job->raw + (job->raw_at >> 3));
    const __m512i start = _mm512_add_epi16(f.before, _mm512_set1_epi16((short)(job->raw_at & 7)));
    const __m512i word = _mm512_srli_epi16(start, 4), shift = _mm512_and_si512(start, _mm512_set1_epi16(15));
    const __m512i low = _mm512_srlv_epi16(_mm512_permutexvar_epi16(word, raw), shift);
    const __m512i high = _mm512_sllv_epi16(
        _mm512_permutexvar_epi16(_mm512_add_epi16(word, _mm512_set1_epi16(1)), raw),
        _mm512_sub_epi16(_mm512_set1_epi16(16), shift));
    job->raw_at += f.total;
    const __m512i lead = _mm512_or_si512(_mm512_set1_epi16(8), _mm512_and_si512(symbol, _mm512_set1_epi16(7)));
    const __m512i z = _mm512_or_si512(_mm512_sllv_epi16(lead, f.width), low_bits_16(_mm512_or_si512(low, high), f.width));
    return _mm512_mask_mov_epi16(symbol, big, z);
}

/* Folded differences of 16 lanes of 32 bits, from their symbols and the fields that begin at bit `at`. */
INLINE_AVX512 __m512i folded_half(const uint8_t *bytes, uint64_t at, __m512i symbol, __m256i before, __m256i width_16) {
    /* At most 16 * 28 + 7 bits: all in 64 bytes. A field is in two neighbouring words of 32 bits. */
    const __m512i raw = _mm512_loadu_si512(bytes + (at >> 3)), width = _mm512_cvtepu16_epi32(width_16);
    const __m512i start = _mm512_add_epi32(_mm512_cvtepu16_epi32(before), _mm512_set1_epi32((int)(at & 7)));
    const __m512i word = _mm512_srli_epi32(start, 5), shift = _mm512_and_si512(start, _mm512_set1_epi32(31));
    const __m512i low = _mm512_srlv_epi32(_mm512_permutexvar_epi32(word, raw), shift);
    const __m512i high = _mm512_sllv_epi32(
        _mm512_permutexvar_epi32(_mm512_add_epi32(word, _mm512_set1_epi32(1)), raw),
        _mm512_sub_epi32(_mm512_set1_epi32(32), shift));
    const __m512i lead = _mm512_or_si512(_mm512_set1_epi32(8), _mm512_and_si512(symbol, _mm512_set1_epi32(7)));
    const __m512i z = _mm512_or_si512(_mm512_sllv_epi32(lead, width), low_bits_32(_mm512_or_si512(low, high), width));
    return _mm512_mask_mov_epi32(symbol, _mm512_cmpge_epu32_mask(symbol, _mm512_set1_epi32(1 << 4)), z);
}

/* ---- Classes ---- */

/* ---- Chunks ---- */

INLINE_AVX512 __m512i rebuilt_16(__m512i b, __m512i z) {
    const __m512i sign_bits = _mm512_set1_epi16(0x7FFF), one = _mm512_set1_epi16(1), zero = _mm512_setzero_si512();
    const __m512i d = _mm512_xor_si512(_mm512_srli_epi16(z, 1), _mm512_sub_epi16(zero, _mm512_and_si512(z, one)));
    const __m512i ordered = _mm512_xor_si512(b, _mm512_and_si512(_mm512_srai_epi16(b, 15), sign_bits));
    const __m512i sum = _mm512_add_epi16(ordered, d);
    return _mm512_xor_si512(sum, _mm512_and_si512(_mm512_srai_epi16(sum, 15), sign_bits));
}

INLINE_AVX512 __m512i rebuilt_32(__m512i b, __m512i z) {
    const __m512i sign_bits = _mm512_set1_epi32(0x7FFFFFFF), zero = _mm512_setzero_si512();
    const __m512i d = _mm512_xor_si512(
        _mm512_srli_epi32(z, 1), _mm512_sub_epi32(zero, _mm512_and_si512(z, _mm512_set1_epi32(1))));
    const __m512i ordered = _mm512_xor_si512(b, _mm512_and_si512(_mm512_srai_epi32(b, 31), sign_bits));
    const __m512i sum = _mm512_add_epi32(ordered, d);
    return _mm512_xor_si512(sum, _mm512_and_si512(_mm512_srai_epi32(sum, 31), sign_bits));
}

typedef struct {
    __m512i exponent_mask; /* in lanes of 32 bits for F32, else of 16 */
    __m128i mantissa_bits;
    __m512i row_of_class; /* in lanes of 16 bits */
} constants;

INLINE_AVX512 constants constants_of(const residual_job *job) {
    const int mask = (int)job->type.exponent_mask;
    return (constants){job->type.width == 32 ? _mm512_set1_epi32(mask) : _mm512_set1_epi16((short)mask),
                       _mm_cvtsi32_si128((int)job->type.mantissa_bits),
                       _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)job->row_of_class))};
}

/* The exponent fields of 32 elements in lanes of 16 bits. */
INLINE_AVX512 __m512i exponents_of(const constants *c, const uint8_t *base, const int width) {
    const __m512i b = _mm512_loadu_si512(base);
    if (width == 16) return _mm512_and_si512(_mm512_srl_epi16(b, c->mantissa_bits), c->exponent_mask);
    const __m512i e0 = _mm512_and_si512(_mm512_srl_epi32(b, c->mantissa_bits), c->exponent_mask);
    const __m512i e1 =
        _mm512_and_si512(_mm512_srl_epi32(_mm512_loadu_si512(base + 64), c->mantissa_bits), c->exponent_mask);
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(e0)), _mm512_cvtepi32_epi16(e1), 1);
}

INLINE_AVX512 void find_rows(const constants *c, const int16_t *scales, const uint8_t *base, uint8_t *rows,
                             const int width) {
    const __m512i exponent = exponents_of(c, base, width), scale = _mm512_loadu_si512(scales);
    __m512i x = _mm512_sub_epi16(scale, _mm512_add_epi16(exponent, exponent));
    x = _mm512_min_epi16(_mm512_max_epi16(x, _mm512_setzero_si512()), _mm512_set1_epi16(30));
    x = _mm512_maskz_add_epi16(_mm512_movepi16_mask(scale) ^ 0xFFFFFFFFu, x, _mm512_set1_epi16(1));
    _mm256_storeu_si256((__m256i *)(void *)rows, _mm512_cvtepi16_epi8(_mm512_permutexvar_epi16(x, c->row_of_class)));
}

INLINE_AVX512 void advance_group(__m256i *x, const uint8_t *rows, const uint32_t *tables, const uint8_t **word,
                                 uint8_t *symbols) {
#pragma clang loop unroll(full)
    for (int k = 0; k < 4; k++) {
        const __m128i row = _mm_loadl_epi64((const __m128i *)(const void *)(rows + 8 * k));
        const __m256i slots = advance(&x[k], _mm256_slli_epi32(_mm256_cvtepu8_epi32(row), 12), tables, word);
        _mm_storel_epi64((__m128i *)(void *)(symbols + 8 * k), _mm256_cvtepi32_epi8(_mm256_srli_epi32(slots, 24)));
    }
}

INLINE_AVX512 int rebuild_group(residual_job *job, const uint8_t *base, uint8_t *result, const uint8_t *symbols,
                                const int width, const int each) {
    const __m512i symbol = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)symbols));
    if (width == 16) {
        int ok = 1;
        const __m512i z = folded_16(job, symbol, each, &ok);
        _mm512_storeu_si512(result, rebuilt_16(_mm512_loadu_si512(base), z));
        return ok;
    }
    const __mmask32 big = _mm512_cmpge_epu16_mask(symbol, _mm512_set1_epi16(1 << 4));
    __m512i z0 = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(symbol));
    __m512i z1 = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(symbol, 1));
    if (each || big != 0) {
        const raw_fields f = place_fields(
            _mm512_maskz_sub_epi16(big, _mm512_srli_epi16(symbol, 3), _mm512_set1_epi16((1 << 4) / 8 - 1)));
        if (f.total > job->raw_bits - job->raw_at) return 0;
        const __m512i rest = _mm512_sub_epi16(f.before, _mm512_set1_epi16((short)f.half));
        z0 = folded_half(job->raw, job->raw_at, z0, _mm512_castsi512_si256(f.before), _mm512_castsi512_si256(f.width));
        z1 = folded_half(job->raw, job->raw_at + f.half, z1, _mm512_extracti64x4_epi64(rest, 1),
                         _mm512_extracti64x4_epi64(f.width, 1));
        job->raw_at += f.total;
    }
    _mm512_storeu_si512(result, rebuilt_32(_mm512_loadu_si512(base), z0));
    _mm512_storeu_si512(result + 64, rebuilt_32(_mm512_loadu_si512(base + 64), z1));
    return 1;
}

#define INLINE INLINE_AVX512
#include "residual_blocks_body.h"

TARGET_AVX512 size_t silt_residual_decode_16_avx512(residual_job *job, const uint8_t *base, uint8_t *result,
                                                    int *status) {
    return decode_width(job, base, result, status, 16);
}

TARGET_AVX512 size_t silt_residual_decode_32_avx512(residual_job *job, const uint8_t *base, uint8_t *result,
                                                    int *status) {
    return decode_width(job, base, result, status, 32);
}

#endif
