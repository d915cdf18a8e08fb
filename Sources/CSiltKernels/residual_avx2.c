/*
 * The residual with AVX2: four times 8 lanes, equal to residual_body.h bit for bit. A group is done here only if the words
 * that it can need at most are there; what is left goes to the scalar form.
 */
#include "residual_job.h"

#if defined(__x86_64__)
#include "rans_avx2.h"

INLINE_AVX2 __m256i load(const void *from) { return _mm256_loadu_si256((const __m256i *)from); }
INLINE_AVX2 void store(void *to, __m256i v) { _mm256_storeu_si256((__m256i *)to, v); }

/* Folded differences of 8 lanes of F32 from their symbols; 0 in *ok if the raw bits end early. */
INLINE_AVX2 __m256i folded_32(residual_job *job, __m256i symbol, int *ok) {
    enum { direct = 4 };
    const __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32(1 << direct), symbol);
    const __m256i width = _mm256_andnot_si256(
        small, _mm256_sub_epi32(_mm256_srli_epi32(symbol, 3), _mm256_set1_epi32((1 << direct) / 8 - direct + 3)));
    __m256i sums = _mm256_add_epi32(width, _mm256_bslli_epi128(width, 4));
    sums = _mm256_add_epi32(sums, _mm256_bslli_epi128(sums, 8));
    const __m256i low_total = _mm256_permutevar8x32_epi32(sums, _mm256_set1_epi32(3));
    sums = _mm256_add_epi32(sums, _mm256_blend_epi32(_mm256_setzero_si256(), low_total, 0xF0));
    const uint32_t total = (uint32_t)_mm256_extract_epi32(sums, 7);
    if (total > job->raw_bits - job->raw_at) {
        *ok = 0;
        return symbol;
    }
    /* At most 8 * 28 + 7 bits: all in 32 bytes. A field is in two neighbouring words. */
    const __m256i raw = load(job->raw + (job->raw_at >> 3));
    const __m256i start = _mm256_add_epi32(_mm256_sub_epi32(sums, width), _mm256_set1_epi32((int)(job->raw_at & 7)));
    const __m256i word = _mm256_srli_epi32(start, 5), shift = _mm256_and_si256(start, _mm256_set1_epi32(31));
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i low = _mm256_srlv_epi32(_mm256_permutevar8x32_epi32(raw, word), shift);
    const __m256i high = _mm256_sllv_epi32(
        _mm256_permutevar8x32_epi32(raw, _mm256_add_epi32(word, one)), _mm256_sub_epi32(_mm256_set1_epi32(32), shift));
    job->raw_at += total;
    const __m256i bits =
        _mm256_and_si256(_mm256_or_si256(low, high), _mm256_sub_epi32(_mm256_sllv_epi32(one, width), one));
    const __m256i lead = _mm256_or_si256(_mm256_set1_epi32(8), _mm256_and_si256(symbol, _mm256_set1_epi32(7)));
    return _mm256_blendv_epi8(_mm256_or_si256(_mm256_sllv_epi32(lead, width), bits), symbol, small);
}

/* Folded differences of 16 lanes from their symbols; 0 in *ok if the raw bits end early. Symbols are below 144, so a field
 * has at most 12 bits, and the fields of 8 lanes, with what is left of a byte before them, end within 16 bytes. */
INLINE_AVX2 __m256i folded_16(residual_job *job, __m256i symbol, int *ok) {
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi16(1), seven = _mm256_set1_epi16(7);
    /* 1 << e in 16 bits: the low byte for e < 8, the high byte for e - 8. */
    const __m256i powers = _mm256_broadcastsi128_si256(_mm_set_epi64x(0, (long long)0x8040201008040201));
    /* 256 >> r, r = 1 ... 7, in the high byte. */
    const __m256i right = _mm256_broadcastsi128_si256(_mm_set_epi64x(0, 0x0204081020408000));
    const __m256i big = _mm256_cmpgt_epi16(symbol, _mm256_set1_epi16(63));
    const __m256i width = _mm256_and_si256(big, _mm256_srli_epi16(_mm256_sub_epi16(symbol, _mm256_set1_epi16(40)), 3));
    __m256i sums = _mm256_add_epi16(width, _mm256_bslli_epi128(width, 2));
    sums = _mm256_add_epi16(sums, _mm256_bslli_epi128(sums, 4));
    sums = _mm256_add_epi16(sums, _mm256_bslli_epi128(sums, 8));
    const uint32_t total0 = (uint32_t)_mm256_extract_epi16(sums, 7), total1 = (uint32_t)_mm256_extract_epi16(sums, 15);
    const uint64_t at0 = job->raw_at, at1 = at0 + total0, end = at1 + total1;
    if (end > job->raw_bits) {
        *ok = 0;
        return symbol;
    }
    job->raw_at = end;
    const __m256i raw = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(job->raw + (at0 >> 3)))),
        _mm_loadu_si128((const __m128i *)(const void *)(job->raw + (at1 >> 3))), 1);
    const __m256i before = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_set1_epi16((short)(at0 & 7))), _mm_set1_epi16((short)(at1 & 7)), 1);
    const __m256i start = _mm256_add_epi16(_mm256_sub_epi16(sums, width), before);
    const __m256i r = _mm256_and_si256(start, seven);
    /* The 32 bits in which a field begins at bit r: two times 16. */
    const __m256i bytes = _mm256_add_epi16(
        _mm256_mullo_epi16(_mm256_srli_epi16(start, 3), _mm256_set1_epi16(0x0101)), _mm256_set1_epi16(0x0100));
    const __m256i low = _mm256_shuffle_epi8(raw, bytes);
    const __m256i high = _mm256_shuffle_epi8(raw, _mm256_add_epi16(bytes, _mm256_set1_epi16(0x0202)));
    /* Shifts by lane are products with 2^(16 - r), which has no room for r = 0. */
    const __m256i factor = _mm256_shuffle_epi8(right, _mm256_or_si256(_mm256_slli_epi16(r, 8), _mm256_set1_epi16(0x0080)));
    const __m256i shifted = _mm256_blendv_epi8(_mm256_mulhi_epu16(low, factor), low, _mm256_cmpeq_epi16(r, zero));
    const __m256i field = _mm256_or_si256(shifted, _mm256_mullo_epi16(high, factor));
    const __m256i power = _mm256_shuffle_epi8(
        powers, _mm256_xor_si256(_mm256_mullo_epi16(width, _mm256_set1_epi16(0x0101)), _mm256_set1_epi16(0x0800)));
    const __m256i bits = _mm256_and_si256(field, _mm256_sub_epi16(power, one));
    const __m256i lead = _mm256_or_si256(_mm256_and_si256(symbol, seven), _mm256_set1_epi16(8));
    return _mm256_blendv_epi8(symbol, _mm256_or_si256(_mm256_mullo_epi16(lead, power), bits), big);
}

/* Classes of 16 elements from their scales and exponent fields. */
INLINE_AVX2 __m256i classes_of(__m256i scale, __m256i exponent) {
    const __m256i x = _mm256_sub_epi16(scale, _mm256_add_epi16(exponent, exponent));
    const __m256i inside = _mm256_min_epi16(_mm256_max_epi16(x, _mm256_setzero_si256()), _mm256_set1_epi16(30));
    return _mm256_andnot_si256(_mm256_srai_epi16(scale, 15), _mm256_add_epi16(inside, _mm256_set1_epi16(1)));
}

INLINE_AVX2 __m256i rebuilt_16(__m256i b, __m256i z) {
    const __m256i sign_bits = _mm256_set1_epi16(0x7FFF), one = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
    const __m256i d = _mm256_xor_si256(_mm256_srli_epi16(z, 1), _mm256_sub_epi16(zero, _mm256_and_si256(z, one)));
    const __m256i ordered = _mm256_xor_si256(b, _mm256_and_si256(_mm256_srai_epi16(b, 15), sign_bits));
    const __m256i sum = _mm256_add_epi16(ordered, d);
    return _mm256_xor_si256(sum, _mm256_and_si256(_mm256_srai_epi16(sum, 15), sign_bits));
}

INLINE_AVX2 __m256i rebuilt_32(__m256i b, __m256i z) {
    const __m256i sign_bits = _mm256_set1_epi32(0x7FFFFFFF), one = _mm256_set1_epi32(1), zero = _mm256_setzero_si256();
    const __m256i d = _mm256_xor_si256(_mm256_srli_epi32(z, 1), _mm256_sub_epi32(zero, _mm256_and_si256(z, one)));
    const __m256i ordered = _mm256_xor_si256(b, _mm256_and_si256(_mm256_srai_epi32(b, 31), sign_bits));
    const __m256i sum = _mm256_add_epi32(ordered, d);
    return _mm256_xor_si256(sum, _mm256_and_si256(_mm256_srai_epi32(sum, 31), sign_bits));
}

INLINE_AVX2 __m256i rebuilt_8(__m256i b, __m256i z) {
    const __m256i sign_bits = _mm256_set1_epi8(0x7F), one = _mm256_set1_epi8(1), zero = _mm256_setzero_si256();
    const __m256i half = _mm256_and_si256(_mm256_srli_epi16(z, 1), sign_bits);
    const __m256i d = _mm256_xor_si256(half, _mm256_sub_epi8(zero, _mm256_and_si256(z, one)));
    const __m256i ordered = _mm256_xor_si256(b, _mm256_and_si256(_mm256_cmpgt_epi8(zero, b), sign_bits));
    const __m256i sum = _mm256_add_epi8(ordered, d);
    return _mm256_xor_si256(sum, _mm256_and_si256(_mm256_cmpgt_epi8(zero, sum), sign_bits));
}

typedef struct {
    __m256i exponent_mask; /* in lanes of 32 bits for F32, else of 16 */
    __m128i mantissa_bits;
    __m256i rows0, rows1; /* of classes 0 to 15 and from 16 on */
} constants;

INLINE_AVX2 constants constants_of(const residual_job *job) {
    const __m128i *rows = (const __m128i *)(const void *)job->row_of_class;
    const int mask = (int)job->type.exponent_mask;
    return (constants){job->type.width == 32 ? _mm256_set1_epi32(mask) : _mm256_set1_epi16((short)mask),
                       _mm_cvtsi32_si128((int)job->type.mantissa_bits),
                       _mm256_broadcastsi128_si256(_mm_loadu_si128(rows)),
                       _mm256_broadcastsi128_si256(_mm_loadu_si128(rows + 1))};
}

/* The exponent fields of 16 elements in lanes of 16 bits. */
INLINE_AVX2 __m256i exponents_of(const constants *c, const uint8_t *base, const int width) {
    if (width == 32) {
        const __m256i e0 = _mm256_and_si256(_mm256_srl_epi32(load(base), c->mantissa_bits), c->exponent_mask);
        const __m256i e1 = _mm256_and_si256(_mm256_srl_epi32(load(base + 32), c->mantissa_bits), c->exponent_mask);
        return narrow_16(e0, e1);
    }
    const __m256i b =
        width == 16 ? load(base) : _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)base));
    return _mm256_and_si256(_mm256_srl_epi16(b, c->mantissa_bits), c->exponent_mask);
}

INLINE_AVX2 void find_rows(const constants *c, const int16_t *scales, const uint8_t *base, uint8_t *rows,
                           const int width) {
    const __m256i class0 = classes_of(load(scales), exponents_of(c, base, width));
    const __m256i class1 = classes_of(load(scales + 16), exponents_of(c, base + 2 * width, width));
    const __m256i class = _mm256_permute4x64_epi64(_mm256_packus_epi16(class0, class1), 0xD8);
    /* Bit 4 of a class, moved to where blends look. */
    store(rows, _mm256_blendv_epi8(_mm256_shuffle_epi8(c->rows0, class), _mm256_shuffle_epi8(c->rows1, class),
                                   _mm256_slli_epi16(class, 3)));
}

INLINE_AVX2 void advance_group(__m256i *x, const uint8_t *rows, const uint32_t *tables, const uint8_t **word,
                               uint8_t *symbols) {
    __m256i slots[4];
#pragma clang loop unroll(full)
    for (int k = 0; k < 4; k++) {
        const __m128i row = _mm_loadl_epi64((const __m128i *)(const void *)(rows + 8 * k));
        slots[k] = _mm256_srli_epi32(
            advance_8(&x[k], _mm256_slli_epi32(_mm256_cvtepu8_epi32(row), 12), tables, word), 24);
    }
    store(symbols, narrow_32(slots));
}

INLINE_AVX2 __m128i load_16(const void *from) { return _mm_loadu_si128((const __m128i *)from); }

INLINE_AVX2 int rebuild_group(residual_job *job, const uint8_t *base, uint8_t *result, const uint8_t *symbols,
                              const int width, const int each) {
    int ok = 1;
    if (width == 8) {
        store(result, rebuilt_8(load(base), load(symbols)));
    } else if (width == 16) {
        const int any = each || !_mm256_testz_si256(load(symbols), _mm256_set1_epi8(-64));
#pragma clang loop unroll(full)
        for (int k = 0; k < 2; k++) {
            __m256i z = _mm256_cvtepu8_epi16(load_16(symbols + 16 * k));
            if (any) z = folded_16(job, z, &ok);
            if (!ok) return 0;
            store(result + 32 * k, rebuilt_16(load(base + 32 * k), z));
        }
    } else {
        const int any = each || !_mm256_testz_si256(load(symbols), _mm256_set1_epi8(-16));
#pragma clang loop unroll(full)
        for (int k = 0; k < 4; k++) {
            __m256i z = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(symbols + 8 * k)));
            if (any) z = folded_32(job, z, &ok);
            if (!ok) return 0;
            store(result + 32 * k, rebuilt_32(load(base + 32 * k), z));
        }
    }
    return 1;
}

#define INLINE INLINE_AVX2
#include "residual_blocks_body.h"

TARGET_AVX2 size_t silt_residual_decode_8_avx2(residual_job *job, const uint8_t *base, uint8_t *result, int *status) {
    /* Symbols of 8 bits have no raw bits. */
    return decode_blocks(job, base, result, status, 8, 0);
}

TARGET_AVX2 size_t silt_residual_decode_16_avx2(residual_job *job, const uint8_t *base, uint8_t *result, int *status) {
    return decode_width(job, base, result, status, 16);
}

TARGET_AVX2 size_t silt_residual_decode_32_avx2(residual_job *job, const uint8_t *base, uint8_t *result, int *status) {
    return decode_width(job, base, result, status, 32);
}

#endif
