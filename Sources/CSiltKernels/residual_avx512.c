/*
 * The residual with AVX-512: 32 lanes at once, equal to residual_body.h bit for bit. A group is done here only if the words
 * that it can need at most are there; what is left goes to the scalar form.
 */
#include "residual.h"

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

INLINE raw_fields place_fields(__m512i width) {
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
INLINE __m512i low_bits_16(__m512i v, __m512i width) {
    const __m512i one = _mm512_set1_epi16(1);
    return _mm512_and_si512(v, _mm512_sub_epi16(_mm512_sllv_epi16(one, width), one));
}

INLINE __m512i low_bits_32(__m512i v, __m512i width) {
    const __m512i one = _mm512_set1_epi32(1);
    return _mm512_and_si512(v, _mm512_sub_epi32(_mm512_sllv_epi32(one, width), one));
}

/* Folded differences of 32 lanes of 16 bits from their symbols; 0 in *ok if the raw bits end early. */
INLINE __m512i folded_16(residual_job *job, __m512i symbol, int *ok) {
    const __mmask32 big = _mm512_cmpge_epu16_mask(symbol, _mm512_set1_epi16(1 << 6));
    if (big == 0) return symbol;
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
INLINE __m512i folded_half(const uint8_t *bytes, uint64_t at, __m512i symbol, __m256i before, __m256i width_16) {
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

/* Where the tables of 32 elements begin, from their scales and exponent fields (16-bit lanes). */
INLINE __m512i rows_of(__m512i scale, __m512i exponent, __m512i row_of_class) {
    __m512i x = _mm512_sub_epi16(scale, _mm512_add_epi16(exponent, exponent));
    x = _mm512_min_epi16(_mm512_max_epi16(x, _mm512_setzero_si512()), _mm512_set1_epi16(30));
    x = _mm512_maskz_add_epi16(_mm512_movepi16_mask(scale) ^ 0xFFFFFFFFu, x, _mm512_set1_epi16(1));
    return _mm512_permutexvar_epi16(x, row_of_class);
}

/* The scales of a group's 32 elements in 16 bits each, and how long they stay. */
typedef struct {
    __m512i scale;
    residual_unit unit;
} unit_scales;

INLINE void follow(unit_scales *units, const residual_job *job, size_t i) {
    if (i + 32 <= units->unit.until) return;
    int16_t scales[32];
    units->unit = residual_scales(job, i, scales);
    units->scale = _mm512_loadu_si512(scales);
}

INLINE __m512i load_rows(const residual_job *job) {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)job->row_of_class));
}

INLINE __m512i join(__m256i low, __m256i high) { return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1); }

/* The symbols of 32 lanes in 16 bits each; the states move past them. */
INLINE __m512i symbols_of(residual_job *job, __m512i rows, __m256i *x) {
    const __m512i rows0 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(rows)), 12);
    const __m512i rows1 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(rows, 1)), 12);
    const __m256i s0 = advance(&x[0], _mm512_castsi512_si256(rows0), job->tables, &job->reader.word);
    const __m256i s1 = advance(&x[1], _mm512_extracti64x4_epi64(rows0, 1), job->tables, &job->reader.word);
    const __m256i s2 = advance(&x[2], _mm512_castsi512_si256(rows1), job->tables, &job->reader.word);
    const __m256i s3 = advance(&x[3], _mm512_extracti64x4_epi64(rows1, 1), job->tables, &job->reader.word);
    const __m512i low = _mm512_srli_epi32(join(s0, s1), 24), high = _mm512_srli_epi32(join(s2, s3), 24);
    return join(_mm512_cvtepi32_epi16(low), _mm512_cvtepi32_epi16(high));
}

INLINE void load_states(const residual_job *job, __m256i *x) {
    for (int k = 0; k < 4; k++) x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(job->reader.x + 8 * k));
}

INLINE void store_states(residual_job *job, const __m256i *x) {
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)(void *)(job->reader.x + 8 * k), x[k]);
}

/* ---- Chunks ---- */

INLINE __m512i rebuilt_16(__m512i b, __m512i z) {
    const __m512i sign_bits = _mm512_set1_epi16(0x7FFF), one = _mm512_set1_epi16(1), zero = _mm512_setzero_si512();
    const __m512i d = _mm512_xor_si512(_mm512_srli_epi16(z, 1), _mm512_sub_epi16(zero, _mm512_and_si512(z, one)));
    const __m512i ordered = _mm512_xor_si512(b, _mm512_and_si512(_mm512_srai_epi16(b, 15), sign_bits));
    const __m512i sum = _mm512_add_epi16(ordered, d);
    return _mm512_xor_si512(sum, _mm512_and_si512(_mm512_srai_epi16(sum, 15), sign_bits));
}

TARGET size_t residual_decode_16_avx512(residual_job *job, const uint16_t *base, uint16_t *result, int *status) {
    __m256i x[4];
    load_states(job, x);
    const __m512i row_of_class = load_rows(job), exponent_mask = _mm512_set1_epi16((short)job->type.exponent_mask);
    const __m128i mantissa_bits = _mm_cvtsi32_si128((int)job->type.mantissa_bits);
    unit_scales units = {.unit = {0, 0}};
    size_t i = 0;
    int ok = 1;
    while (residual_has_group(job, i)) {
        follow(&units, job, i);
        const size_t equal = residual_copy_still(&units.unit, job, i, base, result);
        if (equal > 0) {
            i += equal;
            continue;
        }
        const __m512i b = _mm512_loadu_si512(base + i);
        const __m512i exponent = _mm512_and_si512(_mm512_srl_epi16(b, mantissa_bits), exponent_mask);
        const __m512i symbol = symbols_of(job, rows_of(units.scale, exponent, row_of_class), x);
        const __m512i z = folded_16(job, symbol, &ok);
        if (!ok) break;
        _mm512_storeu_si512(result + i, rebuilt_16(b, z));
        i += 32;
    }
    store_states(job, x);
    if (!ok) *status = SILT_RAW_SHORT;
    return i;
}

INLINE __m512i rebuilt_32(__m512i b, __m512i z) {
    const __m512i sign_bits = _mm512_set1_epi32(0x7FFFFFFF), zero = _mm512_setzero_si512();
    const __m512i d = _mm512_xor_si512(
        _mm512_srli_epi32(z, 1), _mm512_sub_epi32(zero, _mm512_and_si512(z, _mm512_set1_epi32(1))));
    const __m512i ordered = _mm512_xor_si512(b, _mm512_and_si512(_mm512_srai_epi32(b, 31), sign_bits));
    const __m512i sum = _mm512_add_epi32(ordered, d);
    return _mm512_xor_si512(sum, _mm512_and_si512(_mm512_srai_epi32(sum, 31), sign_bits));
}

TARGET size_t residual_decode_32_avx512(residual_job *job, const uint32_t *base, uint32_t *result, int *status) {
    __m256i x[4];
    load_states(job, x);
    const __m512i row_of_class = load_rows(job), exponent_mask = _mm512_set1_epi32((int)job->type.exponent_mask);
    const __m128i mantissa_bits = _mm_cvtsi32_si128((int)job->type.mantissa_bits);
    unit_scales units = {.unit = {0, 0}};
    size_t i = 0;
    int ok = 1;
    while (residual_has_group(job, i)) {
        follow(&units, job, i);
        const size_t equal = residual_copy_still(&units.unit, job, i, base, result);
        if (equal > 0) {
            i += equal;
            continue;
        }
        const __m512i b0 = _mm512_loadu_si512(base + i), b1 = _mm512_loadu_si512(base + i + 16);
        const __m512i e0 = _mm512_and_si512(_mm512_srl_epi32(b0, mantissa_bits), exponent_mask);
        const __m512i e1 = _mm512_and_si512(_mm512_srl_epi32(b1, mantissa_bits), exponent_mask);
        const __m512i exponent = join(_mm512_cvtepi32_epi16(e0), _mm512_cvtepi32_epi16(e1));
        const __m512i symbol = symbols_of(job, rows_of(units.scale, exponent, row_of_class), x);
        const __mmask32 big = _mm512_cmpge_epu16_mask(symbol, _mm512_set1_epi16(1 << 4));
        __m512i z0 = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(symbol));
        __m512i z1 = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(symbol, 1));
        if (big != 0) {
            const raw_fields f = place_fields(
                _mm512_maskz_sub_epi16(big, _mm512_srli_epi16(symbol, 3), _mm512_set1_epi16((1 << 4) / 8 - 1)));
            if (f.total > job->raw_bits - job->raw_at) {
                ok = 0;
                break;
            }
            const __m512i rest = _mm512_sub_epi16(f.before, _mm512_set1_epi16((short)f.half));
            z0 = folded_half(job->raw, job->raw_at, z0, _mm512_castsi512_si256(f.before), _mm512_castsi512_si256(f.width));
            z1 = folded_half(job->raw, job->raw_at + f.half, z1, _mm512_extracti64x4_epi64(rest, 1),
                             _mm512_extracti64x4_epi64(f.width, 1));
            job->raw_at += f.total;
        }
        _mm512_storeu_si512(result + i, rebuilt_32(b0, z0));
        _mm512_storeu_si512(result + i + 16, rebuilt_32(b1, z1));
        i += 32;
    }
    store_states(job, x);
    if (!ok) *status = SILT_RAW_SHORT;
    return i;
}

#endif
