/* Seeded masks: Philox4x32-10, Formats/Silt.md, section 12.3. A group is 16 blocks: 64 positions, one word of the mask. */
#include "silt_kernels.h"

#define M0 0xD2511F53u
#define M1 0xCD9E8D57u
#define W0 0x9E3779B9u
#define W1 0xBB67AE85u
#define ROUNDS 10

void silt_philox(const uint32_t *counter, const uint32_t *key, uint32_t *block) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++, k0 += W0, k1 += W1) {
        const uint64_t a = (uint64_t)M0 * c0, b = (uint64_t)M1 * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
    }
    block[0] = c0;
    block[1] = c1;
    block[2] = c2;
    block[3] = c3;
}

typedef struct {
    uint32_t key[2];
    uint32_t identity[2];
    uint32_t threshold;
} stream;

/* The 64 positions of blocks `block` to `block` + 15. */
static uint64_t group_scalar(const stream *s, uint64_t block) {
    uint64_t bits = 0;
    for (uint64_t n = 0; n < 16; n++) {
        const uint32_t counter[4] = {(uint32_t)(block + n), (uint32_t)((block + n) >> 32), s->identity[0], s->identity[1]};
        uint32_t words[4];
        silt_philox(counter, s->key, words);
        for (int w = 0; w < 4; w++) bits |= (uint64_t)(words[w] >= s->threshold) << (4 * n + (uint64_t)w);
    }
    return bits;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET2 __attribute__((target("avx2")))
#define TARGET5 __attribute__((target("avx512f,avx512bw")))

/* The high and the low half of x * m in every 32-bit lane. */
static inline TARGET2 __m256i multiply_2(__m256i x, __m256i m, __m256i *low) {
    const __m256i even = _mm256_mul_epu32(x, m), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), m);
    *low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

static TARGET2 uint32_t half_avx2(const stream *s, uint64_t block) {
    const __m256i m0 = _mm256_set1_epi32((int)M0), m1 = _mm256_set1_epi32((int)M1);
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i c0 = _mm256_add_epi32(_mm256_set1_epi32((int)(uint32_t)block), lanes);
    __m256i c1 = _mm256_set1_epi32((int)(uint32_t)(block >> 32));
    __m256i c2 = _mm256_set1_epi32((int)s->identity[0]), c3 = _mm256_set1_epi32((int)s->identity[1]);
    uint32_t k0 = s->key[0], k1 = s->key[1];
    for (int round = 0; round < ROUNDS; round++, k0 += W0, k1 += W1) {
        __m256i low_a, low_b;
        const __m256i a = multiply_2(c0, m0, &low_a), b = multiply_2(c2, m1, &low_b);
        c0 = _mm256_xor_si256(_mm256_xor_si256(b, c1), _mm256_set1_epi32((int)k0));
        c2 = _mm256_xor_si256(_mm256_xor_si256(a, c3), _mm256_set1_epi32((int)k1));
        c1 = low_b;
        c3 = low_a;
    }
    /* Byte w of lane n is what word w of block n says: the bytes are in the order of the positions. */
    const __m256i t = _mm256_set1_epi32((int)s->threshold), byte = _mm256_set1_epi32(255);
    const __m256i s0 = _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c0, t), c0), byte);
    const __m256i s1 =
        _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c1, t), c1), _mm256_slli_epi32(byte, 8));
    const __m256i s2 =
        _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c2, t), c2), _mm256_slli_epi32(byte, 16));
    const __m256i s3 =
        _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c3, t), c3), _mm256_slli_epi32(byte, 24));
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(s0, s1), _mm256_or_si256(s2, s3)));
}

static uint64_t group_avx2(const stream *s, uint64_t block) {
    return half_avx2(s, block) | (uint64_t)half_avx2(s, block + 8) << 32;
}

static inline TARGET5 __m512i multiply_5(__m512i x, __m512i m, __m512i *low) {
    const __m512i even = _mm512_mul_epu32(x, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), m);
    *low = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
    return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
}

static TARGET5 uint64_t group_avx512(const stream *s, uint64_t block) {
    const __m512i m0 = _mm512_set1_epi32((int)M0), m1 = _mm512_set1_epi32((int)M1);
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i c0 = _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)block), lanes);
    __m512i c1 = _mm512_set1_epi32((int)(uint32_t)(block >> 32));
    __m512i c2 = _mm512_set1_epi32((int)s->identity[0]), c3 = _mm512_set1_epi32((int)s->identity[1]);
    uint32_t k0 = s->key[0], k1 = s->key[1];
    for (int round = 0; round < ROUNDS; round++, k0 += W0, k1 += W1) {
        __m512i low_a, low_b;
        const __m512i a = multiply_5(c0, m0, &low_a), b = multiply_5(c2, m1, &low_b);
        c0 = _mm512_ternarylogic_epi32(b, c1, _mm512_set1_epi32((int)k0), 0x96);
        c2 = _mm512_ternarylogic_epi32(a, c3, _mm512_set1_epi32((int)k1), 0x96);
        c1 = low_b;
        c3 = low_a;
    }
    const __m512i t = _mm512_set1_epi32((int)s->threshold);
    __m512i stays = _mm512_maskz_set1_epi32(_mm512_cmpge_epu32_mask(c0, t), 1);
    stays = _mm512_mask_or_epi32(stays, _mm512_cmpge_epu32_mask(c1, t), stays, _mm512_set1_epi32(1 << 8));
    stays = _mm512_mask_or_epi32(stays, _mm512_cmpge_epu32_mask(c2, t), stays, _mm512_set1_epi32(1 << 16));
    stays = _mm512_mask_or_epi32(stays, _mm512_cmpge_epu32_mask(c3, t), stays, _mm512_set1_epi32(1 << 24));
    return _mm512_test_epi8_mask(stays, stays);
}
#endif

static uint64_t group(int level, const stream *s, uint64_t block) {
#if defined(__x86_64__)
    /* The vector forms have one high word for all lanes. */
    const int carries = (uint32_t)block > UINT32_MAX - 15;
    if (level >= SILT_LEVEL_AVX512 && !carries) return group_avx512(s, block);
    if (level >= SILT_LEVEL_AVX2 && !carries) return group_avx2(s, block);
#else
    (void)level;
#endif
    return group_scalar(s, block);
}

void silt_philox_mask(int level, uint64_t seed, uint64_t identity, uint64_t first, size_t count, uint32_t threshold,
                      uint64_t *words) {
    if (count == 0) return;
    const stream s = {{(uint32_t)seed, (uint32_t)(seed >> 32)}, {(uint32_t)identity, (uint32_t)(identity >> 32)}, threshold};
    const uint32_t shift = first & 3;
    const size_t size = (count + 63) / 64;
    uint64_t block = first / 4, bits = group(level, &s, block);
    for (size_t i = 0; i < size; i++) {
        words[i] = bits >> shift;
        if (shift == 0 && i + 1 == size) break;
        block += 16;
        bits = group(level, &s, block);
        if (shift != 0) words[i] |= bits << (64 - shift);
    }
    if (count % 64 != 0) words[size - 1] &= ~(uint64_t)0 >> (64 - count % 64);
}
