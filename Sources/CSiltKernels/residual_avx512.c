/*
 * The residual with AVX-512: 32 lanes at once, equal to residual_body.h bit for bit. A group is done here only if the words
 * that it can need at most are there; what is left goes to the scalar form.
 */
#include "residual.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))
#define INLINE static inline __attribute__((always_inline)) TARGET

/* Sums of all lanes up to and including each. */
INLINE __m512i prefix_sums(__m512i v) {
    const __m512i zero = _mm512_setzero_si512();
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
    return _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
}

INLINE uint32_t last_lane(__m512i v) {
    return (uint32_t)_mm_extract_epi32(_mm512_extracti32x4_epi32(v, 3), 3);
}

/* Table slots of 16 lanes, and their states moved past the symbols. */
INLINE __m512i advance(__m512i *x, __m512i row_offset, const uint32_t *tables, const uint8_t **word) {
    const __m512i low12 = _mm512_set1_epi32(4095);
    const __m512i index = _mm512_or_si512(row_offset, _mm512_and_si512(*x, low12));
    const __m512i slot = _mm512_i32gather_epi32(index, (const int *)tables, 4);
    const __m512i frequency =
        _mm512_add_epi32(_mm512_and_si512(_mm512_srli_epi32(slot, 8), low12), _mm512_set1_epi32(1));
    __m512i next =
        _mm512_add_epi32(_mm512_mullo_epi32(frequency, _mm512_srli_epi32(*x, 12)), _mm512_srli_epi32(slot, 20));
    const __mmask16 low = _mm512_cmplt_epu32_mask(next, _mm512_set1_epi32(65536));
    const __m512i words = _mm512_maskz_expand_epi32(
        low, _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)*word)));
    *word += 2 * (uint32_t)_mm_popcnt_u32(low);
    *x = _mm512_mask_or_epi32(next, low, _mm512_slli_epi32(next, 16), words);
    return slot;
}

/* Raw bits of 8 lanes: `start` is the first bit of each, `width` at most 28. */
INLINE __m256i raw_8(const uint8_t *raw, __m256i start, __m256i width) {
    const __m512i words =
        _mm512_i32gather_epi64(_mm256_srli_epi32(start, 3), (const void *)raw, 1);
    const __m512i shift = _mm512_cvtepu32_epi64(_mm256_and_si256(start, _mm256_set1_epi32(7)));
    const __m256i bits = _mm512_cvtepi64_epi32(_mm512_srlv_epi64(words, shift));
    const __m256i one = _mm256_set1_epi32(1);
    return _mm256_and_si256(bits, _mm256_sub_epi32(_mm256_sllv_epi32(one, width), one));
}

/* Folded differences of 16 lanes from their symbols; 0 in *ok if the raw bits end early. */
INLINE __m512i folded(residual_job *job, __m512i symbol, uint32_t direct, int *ok) {
    const __mmask16 big = _mm512_cmpge_epu32_mask(symbol, _mm512_set1_epi32(1 << direct));
    if (big == 0) return symbol;
    const __m512i t = _mm512_sub_epi32(symbol, _mm512_set1_epi32(1 << direct));
    const __m512i width =
        _mm512_maskz_add_epi32(big, _mm512_srli_epi32(t, 3), _mm512_set1_epi32((int)direct - 3));
    const __m512i sums = prefix_sums(width);
    const uint32_t total = last_lane(sums);
    if (total > job->raw_bits - job->raw_at) {
        *ok = 0;
        return symbol;
    }
    const uint8_t *raw = job->raw + (job->raw_at >> 3);
    const __m512i start = _mm512_add_epi32(_mm512_sub_epi32(sums, width), _mm512_set1_epi32((int)(job->raw_at & 7)));
    const __m256i low = raw_8(raw, _mm512_castsi512_si256(start), _mm512_castsi512_si256(width));
    const __m256i high = raw_8(raw, _mm512_extracti64x4_epi64(start, 1), _mm512_extracti64x4_epi64(width, 1));
    const __m512i bits = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    job->raw_at += total;
    const __m512i lead =
        _mm512_or_si512(_mm512_set1_epi32(8), _mm512_and_si512(symbol, _mm512_set1_epi32(7)));
    return _mm512_mask_or_epi32(symbol, big, _mm512_sllv_epi32(lead, width), bits);
}

/* Scales of a group's 32 elements, clamped to where the class can still change; -1 marks a unit that equals the base. */
INLINE __m512i scales_of(const residual_job *job, size_t i) {
    int16_t scales[32];
    size_t unit = i / job->unit, left = job->unit - i % job->unit;
    for (size_t k = 0; k < 32; k++, left--) {
        if (left == 0) {
            unit++;
            left = job->unit;
        }
        const uint32_t code = job->codes[unit];
        const int32_t scale = job->origin + (int32_t)code;
        scales[k] = (int16_t)(code == 0 ? -1 : scale < 0 ? 0 : scale > 541 ? 541 : scale);
    }
    return _mm512_loadu_si512(scales);
}

/* Where the tables of 32 elements begin, from their scales and exponent fields (16-bit lanes). */
INLINE __m512i rows_of(__m512i scale, __m512i exponent, __m512i row_of_class) {
    __m512i x = _mm512_sub_epi16(scale, _mm512_add_epi16(exponent, exponent));
    x = _mm512_min_epi16(_mm512_max_epi16(x, _mm512_setzero_si512()), _mm512_set1_epi16(30));
    x = _mm512_maskz_add_epi16(_mm512_movepi16_mask(scale) ^ 0xFFFFFFFFu, x, _mm512_set1_epi16(1));
    return _mm512_permutexvar_epi16(x, row_of_class);
}

/* Keeps the scales while a group lies in the unit of the group before. */
typedef struct {
    __m512i scale;
    size_t until;
} unit_scales;

INLINE void follow(unit_scales *units, const residual_job *job, size_t i) {
    if (i + 32 <= units->until) return;
    units->scale = scales_of(job, i);
    const size_t end = (i / job->unit + 1) * job->unit;
    units->until = end >= i + 32 ? end : 0;
}

INLINE __m512i load_rows(const residual_job *job) {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)job->row_of_class));
}

TARGET size_t residual_decode_16_avx512(residual_job *job, const uint16_t *base, uint16_t *result, int *status) {
    __m512i x0 = _mm512_loadu_si512(job->reader.x), x1 = _mm512_loadu_si512(job->reader.x + 16);
    const __m512i row_of_class = load_rows(job), sign_bits = _mm512_set1_epi16(0x7FFF);
    const __m512i exponent_mask = _mm512_set1_epi16((short)job->type.exponent_mask);
    const __m128i mantissa_bits = _mm_cvtsi32_si128((int)job->type.mantissa_bits);
    unit_scales units = {_mm512_setzero_si512(), 0};
    size_t i = 0;
    int ok = 1;
    for (; i + 32 <= job->count && job->reader.end - job->reader.word >= 64; i += 32) {
        const __m512i b = _mm512_loadu_si512(base + i);
        const __m512i exponent = _mm512_and_si512(_mm512_srl_epi16(b, mantissa_bits), exponent_mask);
        follow(&units, job, i);
        const __m512i rows = rows_of(units.scale, exponent, row_of_class);
        const __m512i rows0 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(rows)), 12);
        const __m512i rows1 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(rows, 1)), 12);
        const __m512i slots0 = advance(&x0, rows0, job->tables, &job->reader.word);
        const __m512i slots1 = advance(&x1, rows1, job->tables, &job->reader.word);
        const __m512i byte = _mm512_set1_epi32(255);
        const __m512i z0 = folded(job, _mm512_and_si512(slots0, byte), 6, &ok);
        const __m512i z1 = folded(job, _mm512_and_si512(slots1, byte), 6, &ok);
        if (!ok) break;
        const __m512i z =
            _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(z0)), _mm512_cvtepi32_epi16(z1), 1);
        const __m512i one = _mm512_set1_epi16(1), zero = _mm512_setzero_si512();
        const __m512i d = _mm512_xor_si512(_mm512_srli_epi16(z, 1), _mm512_sub_epi16(zero, _mm512_and_si512(z, one)));
        const __m512i ordered = _mm512_xor_si512(b, _mm512_and_si512(_mm512_srai_epi16(b, 15), sign_bits));
        const __m512i sum = _mm512_add_epi16(ordered, d);
        const __m512i r = _mm512_xor_si512(sum, _mm512_and_si512(_mm512_srai_epi16(sum, 15), sign_bits));
        _mm512_storeu_si512(result + i, r);
    }
    _mm512_storeu_si512(job->reader.x, x0);
    _mm512_storeu_si512(job->reader.x + 16, x1);
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
    __m512i x0 = _mm512_loadu_si512(job->reader.x), x1 = _mm512_loadu_si512(job->reader.x + 16);
    const __m512i row_of_class = load_rows(job);
    const __m512i exponent_mask = _mm512_set1_epi32((int)job->type.exponent_mask);
    const __m128i mantissa_bits = _mm_cvtsi32_si128((int)job->type.mantissa_bits);
    unit_scales units = {_mm512_setzero_si512(), 0};
    size_t i = 0;
    int ok = 1;
    for (; i + 32 <= job->count && job->reader.end - job->reader.word >= 64; i += 32) {
        const __m512i b0 = _mm512_loadu_si512(base + i), b1 = _mm512_loadu_si512(base + i + 16);
        const __m512i e0 = _mm512_and_si512(_mm512_srl_epi32(b0, mantissa_bits), exponent_mask);
        const __m512i e1 = _mm512_and_si512(_mm512_srl_epi32(b1, mantissa_bits), exponent_mask);
        const __m512i exponent =
            _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(e0)), _mm512_cvtepi32_epi16(e1), 1);
        follow(&units, job, i);
        const __m512i rows = rows_of(units.scale, exponent, row_of_class);
        const __m512i rows0 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(rows)), 12);
        const __m512i rows1 = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(rows, 1)), 12);
        const __m512i slots0 = advance(&x0, rows0, job->tables, &job->reader.word);
        const __m512i slots1 = advance(&x1, rows1, job->tables, &job->reader.word);
        const __m512i byte = _mm512_set1_epi32(255);
        const __m512i z0 = folded(job, _mm512_and_si512(slots0, byte), 4, &ok);
        const __m512i z1 = folded(job, _mm512_and_si512(slots1, byte), 4, &ok);
        if (!ok) break;
        _mm512_storeu_si512(result + i, rebuilt_32(b0, z0));
        _mm512_storeu_si512(result + i + 16, rebuilt_32(b1, z1));
    }
    _mm512_storeu_si512(job->reader.x, x0);
    _mm512_storeu_si512(job->reader.x + 16, x1);
    if (!ok) *status = SILT_RAW_SHORT;
    return i;
}

#endif
