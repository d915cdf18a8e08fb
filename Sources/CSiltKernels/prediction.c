/* Base plus components: Formats/Silt.md, section 12.2. One rounding for each operation, so nothing is contracted. */
#include "silt_prediction.h"
#include "convert_value.h"
#include "silt_masks.h"
/* The places of bits are counted with BMI's instruction. */
#define FEATURES_AVX2 USUAL_AVX2 ",bmi"
#include "targets.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define QUIET_NAN 0x7FC00000u
#define INFINITE 0x7F800000u

/* What becomes of a widened base value that is finite, and a sum that is not 0. */
static inline uint32_t plus(uint32_t b, float sum) {
    float value;
    memcpy(&value, &b, 4);
    value += sum;
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (bits & 0x7FFFFFFF) > INFINITE ? QUIET_NAN : bits;
}

static inline int stays(uint32_t b, float sum) { return (b & INFINITE) == INFINITE || sum == 0; }

static void predict_32(const uint32_t *base, const float *sum, size_t count, uint32_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = stays(base[i], sum[i]) ? base[i] : plus(base[i], sum[i]);
}

static void predict_f16(const uint16_t *base, const float *sum, size_t count, uint16_t *out) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t wide = widen_f16(base[i]);
        out[i] = stays(wide, sum[i]) ? base[i] : narrow_f16(plus(wide, sum[i]));
    }
}

static void predict_bf16(const uint16_t *base, const float *sum, size_t count, uint16_t *out) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t wide = widen_bf16(base[i]);
        out[i] = stays(wide, sum[i]) ? base[i] : narrow_bf16(plus(wide, sum[i]));
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

/* v = b + s, the quiet NaN where that is a NaN; *keep: all bits set where the base's pattern stays. */
INLINE_AVX2 __m256 plus_2(__m256 b, __m256 s, __m256i *keep) {
    const __m256i infinite = _mm256_set1_epi32(INFINITE);
    const __m256 zero = _mm256_cmp_ps(s, _mm256_setzero_ps(), _CMP_EQ_OQ);
    *keep = _mm256_or_si256(_mm256_castps_si256(zero), _mm256_cmpeq_epi32(
        _mm256_and_si256(_mm256_castps_si256(b), infinite), infinite));
    const __m256 v = _mm256_add_ps(b, s);
    return _mm256_blendv_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(QUIET_NAN)), _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
}

INLINE_AVX2 __m128i low_halves(__m256i v) {
    const __m256i packed = _mm256_packus_epi32(v, v);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
}

/* Elements in lanes of 16 bits take `chosen` where the lanes of 32 bits in `keep` are 0. */
INLINE_AVX2 __m128i choose_2(__m128i base, __m128i chosen, __m256i keep) {
    const __m128i narrow = low_halves(_mm256_srli_epi32(keep, 16));
    return _mm_blendv_epi8(chosen, base, narrow);
}

TARGET_AVX2 static size_t predict_avx2(int type, const void *base, const float *sum, size_t count, void *out) {
    size_t i = 0;
    __m256i keep;
    for (; i + 8 <= count; i += 8) {
        const __m256 s = _mm256_loadu_ps(sum + i);
        if (type == SILT_F32) {
            const __m256 b = _mm256_loadu_ps((const float *)base + i);
            const __m256 v = plus_2(b, s, &keep);
            _mm256_storeu_ps((float *)out + i, _mm256_blendv_ps(v, b, _mm256_castsi256_ps(keep)));
            continue;
        }
        const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)((const uint16_t *)base + i));
        __m128i narrow;
        if (type == SILT_F16) {
            narrow = _mm256_cvtps_ph(plus_2(_mm256_cvtph_ps(b), s, &keep), _MM_FROUND_TO_NEAREST_INT);
        } else {
            const __m256i wide = _mm256_slli_epi32(_mm256_cvtepu16_epi32(b), 16);
            const __m256i u = _mm256_castps_si256(plus_2(_mm256_castsi256_ps(wide), s, &keep));
            const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
            const __m256i rounded = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
            narrow = low_halves(_mm256_srli_epi32(rounded, 16));
        }
        _mm_storeu_si128((__m128i *)(void *)((uint16_t *)out + i), choose_2(b, narrow, keep));
    }
    return i;
}

INLINE_AVX512 __m512 plus_5(__m512 b, __m512 s, __mmask16 *keep) {
    const __m512i infinite = _mm512_set1_epi32(INFINITE);
    *keep = (__mmask16)(_mm512_cmp_ps_mask(s, _mm512_setzero_ps(), _CMP_EQ_OQ) |
                        _mm512_cmpeq_epi32_mask(_mm512_and_si512(_mm512_castps_si512(b), infinite), infinite));
    const __m512 v = _mm512_add_ps(b, s);
    return _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), _mm512_castsi512_ps(_mm512_set1_epi32(QUIET_NAN)));
}

TARGET_AVX512 static size_t predict_avx512(int type, const void *base, const float *sum, size_t count, void *out) {
    size_t i = 0;
    __mmask16 keep;
    for (; i + 16 <= count; i += 16) {
        const __m512 s = _mm512_loadu_ps(sum + i);
        if (type == SILT_F32) {
            const __m512 b = _mm512_loadu_ps((const float *)base + i);
            const __m512 v = plus_5(b, s, &keep);
            _mm512_storeu_ps((float *)out + i, _mm512_mask_mov_ps(v, keep, b));
            continue;
        }
        const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)base + i));
        __m256i narrow;
        if (type == SILT_F16) {
            narrow = _mm512_cvtps_ph(plus_5(_mm512_cvtph_ps(b), s, &keep), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        } else {
            const __m512i wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16);
            const __m512i u = _mm512_castps_si512(plus_5(_mm512_castsi512_ps(wide), s, &keep));
            const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
            const __m512i rounded = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
            narrow = _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
        }
        _mm256_storeu_si256((__m256i *)(void *)((uint16_t *)out + i), _mm256_mask_mov_epi16(narrow, keep, b));
    }
    return i;
}
#endif

void silt_predict(int level, int type, const void *base, const float *sum, size_t count, void *out) {
    const size_t done = RUN_VECTORS(level, predict, type, base, sum, count, out);
    sum += done;
    count -= done;
    switch (type) {
    case SILT_F32: predict_32((const uint32_t *)base + done, sum, count, (uint32_t *)out + done); break;
    case SILT_F16: predict_f16((const uint16_t *)base + done, sum, count, (uint16_t *)out + done); break;
    default: predict_bf16((const uint16_t *)base + done, sum, count, (uint16_t *)out + done); break;
    }
}

/* Elements that are taken at once: their patterns stay in the first cache. */
#define KEPT 4096

/* The places of the bits that are set, ascending; returns their number. */
static size_t places_scalar(const uint64_t *words, size_t size, uint32_t *places) {
    size_t number = 0;
    for (size_t word = 0; word < size; word++) {
        for (uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
            places[number++] = (uint32_t)(64 * word) + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return number;
}

#if defined(__x86_64__)
/* In eights, since nothing foretells how many there are in a word: writes up to 7 entries more than there are bits. */
static TARGET_AVX2 size_t places_avx2(const uint64_t *words, size_t size, uint32_t *places) {
    size_t number = 0;
    for (size_t word = 0; word < size; word++) {
        uint32_t *at = places + number;
        number += (size_t)__builtin_popcountll(words[word]);
        for (uint64_t bits = words[word]; bits != 0; at += 8) {
#pragma clang loop unroll(full)
            for (int k = 0; k < 8; k++, bits &= bits - 1) at[k] = (uint32_t)(64 * word) + (uint32_t)_tzcnt_u64(bits);
        }
    }
    return number;
}
#define places_avx512 places_avx2
#endif

/* Adds the values to single elements of `out`, which has the base's patterns. */
static void predict_places(int level, int type, const uint32_t *places, size_t number, const float *values, void *out) {
    uint32_t patterns[KEPT];
    uint16_t *narrow = (uint16_t *)(void *)patterns;
    if (type == SILT_F32) {
        uint32_t *at = (uint32_t *)out;
        for (size_t k = 0; k < number; k++) patterns[k] = at[places[k]];
        silt_predict(level, type, patterns, values, number, patterns);
        for (size_t k = 0; k < number; k++) at[places[k]] = patterns[k];
    } else {
        uint16_t *at = (uint16_t *)out;
        for (size_t k = 0; k < number; k++) narrow[k] = at[places[k]];
        silt_predict(level, type, narrow, values, number, narrow);
        for (size_t k = 0; k < number; k++) at[places[k]] = narrow[k];
    }
}

/* A scatter costs the same whatever is kept; single elements cost less where at most one in so many is. Measured on Zen 4. */
static size_t few_of(int level) { return level >= SILT_LEVEL_AVX512 ? 6 : level >= SILT_LEVEL_AVX2 ? 3 : 2; }

void silt_predict_kept(int level, int type, const void *base, const uint64_t *words, size_t count, const float *values,
                       size_t kept, void *out) {
    union {
        uint32_t places[KEPT + 8];
        float sums[KEPT];
    } room;
    const size_t width = type == SILT_F32 ? 4 : 2;
    const int is_few = kept <= count / few_of(level);
    if (is_few && out != base) memcpy(out, base, width * count);
    for (size_t done = 0, number; done < count; done += KEPT, values += number) {
        const size_t size = count - done < KEPT ? count - done : KEPT;
        uint8_t *at = (uint8_t *)out + width * done;
        if (is_few) {
            number = RUN(level, places, words + done / 64, (size + 63) / 64, room.places);
            predict_places(level, type, room.places, number, values, at);
        } else {
            number = silt_mask_population(words, done, size);
            silt_scatter(level, words + done / 64, size, values, room.sums);
            silt_predict(level, type, (const uint8_t *)base + width * done, room.sums, size, at);
        }
    }
}

void silt_add(float *sum, const float *terms, size_t count) {
    for (size_t i = 0; i < count; i++) sum[i] += terms[i];
}
