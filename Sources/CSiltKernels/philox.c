/* Seeded masks: Philox4x32-10, Formats/Silt.md, section 12.3. A group is 16 blocks: 64 positions, one word of the mask. */
#include "silt_philox.h"
/* Without DQ: compilers take its product of 64 bits for shifts, which costs more. */
#define FEATURES_AVX512 "avx512f,avx512bw"
#include "targets.h"

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
    /* For the vector forms: the keys of each round, and what the first rounds mix in that is the same for all blocks whose
     * counters have one high word. */
    uint32_t keys[ROUNDS][2];
    uint32_t mixed[4];
} stream;

#if defined(__x86_64__)
static void prepare(stream *s, uint32_t high) {
    for (uint32_t round = 0; round < ROUNDS; round++) {
        s->keys[round][0] = s->key[0] + round * W0;
        s->keys[round][1] = s->key[1] + round * W1;
    }
    /* Of a counter (n, high, i0, i1) only n differs. Round 1 leaves (p, low of i0 M1, high of n M0 ^ mixed[0], low of n M0)
     * with the same p for all; round 2 (high of word 2 M1 ^ mixed[1], …, low of n M0 ^ mixed[2], low of p M0). */
    const uint64_t b = (uint64_t)M1 * s->identity[0];
    const uint64_t a = (uint64_t)M0 * ((uint32_t)(b >> 32) ^ high ^ s->keys[0][0]);
    s->mixed[0] = s->identity[1] ^ s->keys[0][1];
    s->mixed[1] = (uint32_t)b ^ s->keys[1][0];
    s->mixed[2] = (uint32_t)(a >> 32) ^ s->keys[1][1];
    s->mixed[3] = (uint32_t)a ^ s->keys[2][1];
}
#endif

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

/*
 * A block has a lane of 64 bits, of which only the low halves count: a multiplication looks at no more, and what it leaves above
 * is never seen. Even and odd blocks are apart until the end.
 */
#define UNROLL _Pragma("clang loop unroll(full)")

/* Byte w of lane n is what word w of block n says: the bytes are in the order of the positions. */
INLINE_AVX2 __m256i says_2(__m256i even, __m256i odd, __m256i t, int word) {
    const __m256i c = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    return _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_max_epu32(c, t), c), _mm256_set1_epi32((int)(255u << (8 * word))));
}

INLINE_AVX2 __m256i all_2(uint32_t word) { return _mm256_set1_epi32((int)word); }

static TARGET_AVX2 uint32_t half_avx2(const stream *s, uint64_t block) {
    const __m256i m0 = all_2(M0), m1 = all_2(M1);
    __m256i c[2][4];
    UNROLL for (int odd = 0; odd < 2; odd++) {
        const __m256i n = _mm256_add_epi32(all_2((uint32_t)block + (uint32_t)odd), _mm256_setr_epi32(0, 0, 2, 0, 4, 0, 6, 0));
        /* Rounds 1 to 3. */
        const __m256i a1 = _mm256_mul_epu32(n, m0);
        const __m256i b2 = _mm256_mul_epu32(_mm256_xor_si256(_mm256_srli_epi64(a1, 32), all_2(s->mixed[0])), m1);
        const __m256i a3 = _mm256_mul_epu32(_mm256_xor_si256(_mm256_srli_epi64(b2, 32), all_2(s->mixed[1])), m0);
        const __m256i b3 = _mm256_mul_epu32(_mm256_xor_si256(a1, all_2(s->mixed[2])), m1);
        c[odd][0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b3, 32), b2), all_2(s->keys[2][0]));
        c[odd][1] = b3;
        c[odd][2] = _mm256_xor_si256(_mm256_srli_epi64(a3, 32), all_2(s->mixed[3]));
        c[odd][3] = a3;
    }
    UNROLL for (int round = 3; round < ROUNDS; round++) {
        const __m256i k0 = all_2(s->keys[round][0]), k1 = all_2(s->keys[round][1]);
        UNROLL for (int odd = 0; odd < 2; odd++) {
            const __m256i a = _mm256_mul_epu32(c[odd][0], m0), b = _mm256_mul_epu32(c[odd][2], m1);
            const __m256i high_a = _mm256_srli_epi64(a, 32), high_b = _mm256_srli_epi64(b, 32);
            c[odd][0] = _mm256_xor_si256(_mm256_xor_si256(high_b, c[odd][1]), k0);
            c[odd][2] = _mm256_xor_si256(_mm256_xor_si256(high_a, c[odd][3]), k1);
            c[odd][1] = b;
            c[odd][3] = a;
        }
    }
    const __m256i t = all_2(s->threshold);
    __m256i stays = _mm256_setzero_si256();
    UNROLL for (int w = 0; w < 4; w++) stays = _mm256_or_si256(stays, says_2(c[0][w], c[1][w], t, w));
    return (uint32_t)_mm256_movemask_epi8(stays);
}

static uint64_t group_avx2(const stream *s, uint64_t block) {
    return half_avx2(s, block) | (uint64_t)half_avx2(s, block + 8) << 32;
}

INLINE_AVX512 __m512i all_5(uint32_t word) { return _mm512_set1_epi32((int)word); }

/* The exclusive or of three. */
INLINE_AVX512 __m512i mix_5(__m512i a, __m512i b, __m512i c) { return _mm512_ternarylogic_epi32(a, b, c, 0x96); }

/* Two groups at once: one alone would wait for its multiplications. */
static TARGET_AVX512 void groups_avx512(const stream *s, uint64_t block, uint64_t *words) {
    const __m512i m0 = all_5(M0), m1 = all_5(M1);
    __m512i c[4][4];
    UNROLL for (int part = 0; part < 4; part++) {
        const uint32_t first = (uint32_t)block + (uint32_t)(part / 2 * 16 + part % 2);
        const __m512i n = _mm512_add_epi32(all_5(first), _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14));
        /* Rounds 1 to 3. */
        const __m512i a1 = _mm512_mul_epu32(n, m0);
        const __m512i b2 = _mm512_mul_epu32(_mm512_xor_si512(_mm512_srli_epi64(a1, 32), all_5(s->mixed[0])), m1);
        const __m512i a3 = _mm512_mul_epu32(_mm512_xor_si512(_mm512_srli_epi64(b2, 32), all_5(s->mixed[1])), m0);
        const __m512i b3 = _mm512_mul_epu32(_mm512_xor_si512(a1, all_5(s->mixed[2])), m1);
        c[part][0] = mix_5(_mm512_srli_epi64(b3, 32), b2, all_5(s->keys[2][0]));
        c[part][1] = b3;
        c[part][2] = _mm512_xor_si512(_mm512_srli_epi64(a3, 32), all_5(s->mixed[3]));
        c[part][3] = a3;
    }
    UNROLL for (int round = 3; round < ROUNDS; round++) {
        const __m512i k0 = all_5(s->keys[round][0]), k1 = all_5(s->keys[round][1]);
        UNROLL for (int part = 0; part < 4; part++) {
            const __m512i a = _mm512_mul_epu32(c[part][0], m0), b = _mm512_mul_epu32(c[part][2], m1);
            c[part][0] = mix_5(_mm512_srli_epi64(b, 32), c[part][1], k0);
            c[part][2] = mix_5(_mm512_srli_epi64(a, 32), c[part][3], k1);
            c[part][1] = b;
            c[part][3] = a;
        }
    }
    const __m512i t = all_5(s->threshold);
    UNROLL for (int half = 0; half < 2; half++) {
        __m512i stays = _mm512_setzero_si512();
        UNROLL for (int w = 0; w < 4; w++) {
            const __m512i word =
                _mm512_mask_blend_epi32(0xAAAA, c[2 * half][w], _mm512_slli_epi64(c[2 * half + 1][w], 32));
            stays = _mm512_mask_or_epi32(stays, _mm512_cmpge_epu32_mask(word, t), stays, _mm512_set1_epi32(1 << (8 * w)));
        }
        words[half] = _mm512_test_epi8_mask(stays, stays);
    }
}
#endif

/* The words of `number` groups from `block` on. */
static void fill(int level, stream *s, uint64_t block, size_t number, uint64_t *words) {
#if defined(__x86_64__)
    uint32_t high = (uint32_t)(block >> 32);
    if (level >= SILT_LEVEL_AVX2) prepare(s, high);
#endif
    for (size_t i = 0; i < number; block += 16) {
#if defined(__x86_64__)
        if (level >= SILT_LEVEL_AVX2 && (uint32_t)(block >> 32) != high) prepare(s, high = (uint32_t)(block >> 32));
        /* The vector forms have one high word for all lanes. */
        if (level >= SILT_LEVEL_AVX512 && i + 2 <= number && (uint32_t)block <= UINT32_MAX - 31) {
            groups_avx512(s, block, words + i);
            block += 16;
            i += 2;
            continue;
        }
        if (level >= SILT_LEVEL_AVX2 && (uint32_t)block <= UINT32_MAX - 15) {
            words[i++] = group_avx2(s, block);
            continue;
        }
#else
        (void)level;
#endif
        words[i++] = group_scalar(s, block);
    }
}

void silt_philox_mask(int level, uint64_t seed, uint64_t identity, uint64_t first, size_t count, uint32_t threshold,
                      uint64_t *words) {
    if (count == 0) return;
    stream s = {.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                .identity = {(uint32_t)identity, (uint32_t)(identity >> 32)},
                .threshold = threshold};
    const uint32_t shift = first & 3;
    const size_t size = (count + 63) / 64;
    fill(level, &s, first / 4, size, words);
    if (shift != 0) {
        uint64_t last;
        fill(level, &s, first / 4 + 16 * (uint64_t)size, 1, &last);
        for (size_t i = 0; i < size; i++) {
            words[i] = words[i] >> shift | (i + 1 < size ? words[i + 1] : last) << (64 - shift);
        }
    }
    if (count % 64 != 0) words[size - 1] &= ~(uint64_t)0 >> (64 - count % 64);
}
