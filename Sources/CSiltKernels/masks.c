/* Masks as bits, symbols and gaps: Formats/Silt.md, section 12.3. */
#include "silt_masks.h"
#include "targets.h"
#include <string.h>

static inline uint64_t low_bits(size_t count) { return count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1; }

/* `count` (at most 64) bits from `from` on, in a mask that has them. */
static inline uint64_t read_bits(const uint64_t *words, size_t from, size_t count) {
    const size_t word = from >> 6, shift = from & 63;
    uint64_t bits = words[word] >> shift;
    if (shift + count > 64) bits |= words[word + 1] << (64 - shift);
    return bits & low_bits(count);
}

static inline void and_bits(uint64_t *words, size_t from, size_t count, uint64_t bits) {
    const size_t word = from >> 6, shift = from & 63;
    const uint64_t drop = ~bits & low_bits(count);
    words[word] &= ~(drop << shift);
    if (shift + count > 64) words[word + 1] &= ~(drop >> (64 - shift));
}

void silt_mask_fill(uint64_t *words, size_t count) {
    memset(words, 0xFF, count / 64 * 8);
    if (count % 64 != 0) words[count / 64] = low_bits(count % 64);
}

void silt_mask_and(uint64_t *words, size_t rows, size_t columns, const uint64_t *row_bits, const uint64_t *column_bits) {
    for (size_t i = 0; i < rows; i++) {
        const int stays = !row_bits || (row_bits[i >> 6] >> (i & 63) & 1);
        if (stays && !column_bits) continue;
        for (size_t j = 0; j < columns; j += 64) {
            const size_t count = columns - j < 64 ? columns - j : 64;
            and_bits(words, i * columns + j, count, stays ? column_bits[j >> 6] : 0);
        }
    }
}

size_t silt_mask_population(const uint64_t *words, size_t from, size_t count) {
    size_t population = 0;
    const size_t end = from + count;
    while (from < end) {
        const size_t step = 64 - (from & 63) < end - from ? 64 - (from & 63) : end - from;
        population += (size_t)__builtin_popcountll(words[from >> 6] >> (from & 63) & low_bits(step));
        from += step;
    }
    return population;
}

void silt_mask_copy(const uint64_t *words, size_t from, size_t count, uint64_t *out) {
    for (size_t i = 0; i < count; i += 64) out[i >> 6] = read_bits(words, from + i, count - i < 64 ? count - i : 64);
}

void silt_mask_symbols(const uint64_t *words, size_t rows, size_t columns, uint32_t width, uint8_t *symbols) {
    if (width == 8 && (rows == 1 || columns % 8 == 0)) { /* the bytes of the words, on every machine */
        const size_t size = (rows * columns + 7) / 8;
        for (size_t i = 0; i < size; i++) symbols[i] = (uint8_t)(words[i >> 3] >> (8 * (i & 7)));
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j += width) {
            *symbols++ = (uint8_t)read_bits(words, i * columns + j, columns - j < width ? columns - j : width);
        }
    }
}

int silt_symbols_mask(const uint8_t *symbols, size_t rows, size_t columns, uint32_t width, uint64_t *words) {
    memset(words, 0, (rows * columns + 63) / 64 * 8);
    uint8_t past = 0;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j += width) {
            const size_t count = columns - j < width ? columns - j : width;
            const uint8_t symbol = *symbols++;
            past |= (uint8_t)((uint32_t)symbol >> count);
            const uint64_t bits = symbol & low_bits(count);
            const size_t at = i * columns + j, shift = at & 63;
            words[at >> 6] |= bits << shift;
            if (shift + count > 64) words[(at >> 6) + 1] |= bits >> (64 - shift);
        }
    }
    return past == 0;
}

size_t silt_mask_gaps(const uint64_t *words, size_t count, int32_t *gaps) {
    size_t number = 0, next = 0;
    for (size_t word = 0; word < (count + 63) / 64; word++) {
        for (uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
            const size_t position = 64 * word + (size_t)__builtin_ctzll(bits);
            gaps[number++] = (int32_t)(position - next);
            next = position + 1;
        }
    }
    return number;
}

int silt_gaps_mask(const int32_t *gaps, size_t number, size_t count, uint64_t *words) {
    memset(words, 0, (count + 63) / 64 * 8);
    size_t next = 0;
    for (size_t i = 0; i < number; i++) {
        const size_t position = next + (uint32_t)gaps[i];
        if (position >= count) return 0;
        words[position >> 6] |= (uint64_t)1 << (position & 63);
        next = position + 1;
    }
    return 1;
}

size_t silt_gap_bytes(const int32_t *gaps, size_t number, uint8_t *bytes) {
    size_t at = 0;
    for (size_t i = 0; i < number; i++) {
        int32_t gap = gaps[i];
        for (; gap >= 255; gap -= 255) bytes[at++] = 255;
        bytes[at++] = (uint8_t)gap;
    }
    return at;
}

int silt_gap_bytes_mask(const uint8_t *bytes, size_t number, size_t count, uint64_t *words) {
    memset(words, 0, (count + 63) / 64 * 8);
    size_t next = 0;
    for (size_t i = 0; i < number; i++) {
        next += bytes[i];
        if (bytes[i] == 255) continue;
        if (next >= count) return 0;
        words[next >> 6] |= (uint64_t)1 << (next & 63);
        next++;
    }
    return number == 0 || bytes[number - 1] != 255;
}

/* ---- Scatter and gather ---- */

static void scatter_scalar(const uint64_t *words, size_t count, const float *values, float *out) {
    memset(out, 0, 4 * count);
    for (size_t word = 0; word < (count + 63) / 64; word++) {
        for (uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
            out[64 * word + (size_t)__builtin_ctzll(bits)] = *values++;
        }
    }
}

static size_t gather_scalar(const uint64_t *words, size_t count, const float *dense, float *values) {
    size_t number = 0;
    for (size_t word = 0; word < (count + 63) / 64; word++) {
        for (uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
            values[number++] = dense[64 * word + (size_t)__builtin_ctzll(bits)];
        }
    }
    return number;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* AVX2 has nothing that spreads or packs lanes. */
#define scatter_avx2 scatter_scalar
#define gather_avx2 gather_scalar

static TARGET_AVX512 void scatter_avx512(const uint64_t *words, size_t count, const float *values, float *out) {
    for (size_t i = 0; i < count; i += 16) {
        const __mmask16 bits = (__mmask16)(words[i >> 6] >> (i & 63));
        const uint32_t number = (uint32_t)_mm_popcnt_u32(bits);
        const __m512 packed = _mm512_maskz_loadu_ps((__mmask16)((1u << number) - 1), values);
        const __m512 spread = _mm512_maskz_expand_ps(bits, packed);
        values += number;
        if (count - i >= 16) _mm512_storeu_ps(out + i, spread);
        else _mm512_mask_storeu_ps(out + i, (__mmask16)((1u << (count - i)) - 1), spread);
    }
}

static TARGET_AVX512 size_t gather_avx512(const uint64_t *words, size_t count, const float *dense, float *values) {
    float *at = values;
    for (size_t i = 0; i < count; i += 16) {
        const __mmask16 bits = (__mmask16)(words[i >> 6] >> (i & 63));
        const uint32_t number = (uint32_t)_mm_popcnt_u32(bits);
        const __m512 packed = _mm512_maskz_compress_ps(bits, _mm512_maskz_loadu_ps(bits, dense + i));
        _mm512_mask_storeu_ps(at, (__mmask16)((1u << number) - 1), packed);
        at += number;
    }
    return (size_t)(at - values);
}
#endif

void silt_scatter(int level, const uint64_t *words, size_t count, const float *values, float *out) {
    RUN(level, scatter, words, count, values, out);
}

size_t silt_gather(int level, const uint64_t *words, size_t count, const float *dense, float *values) {
    return RUN(level, gather, words, count, dense, values);
}
