/* Measuring and coding the residual: Formats/Silt.md, section 7. The loops are in residual_encode_body.h, for each level. */
#include "silt_residual.h"
#include "targets.h"
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

/* Elements that are looked at together; what is known of them stays in the first cache. */
enum { BLOCK = 1024 };

/* Neighbours count apart, so that an increment need not wait for the one before it to be stored. The same counter lies at
 * another place of its page each time: processors first compare the low bits of addresses. */
enum { APART = SILT_HISTOGRAM / 4 };

static void count_indices(const uint16_t *index, size_t n, uint32_t *histogram) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        histogram[index[i]]++;
        histogram[APART + index[i + 1]]++;
        histogram[2 * APART + index[i + 2]]++;
        histogram[3 * APART + index[i + 3]]++;
    }
    for (; i < n; i++) histogram[index[i]]++;
}

/* Adds what was counted apart to the first counters of bins first to end - 1, and clears it. */
static void gather_counts(uint32_t *histogram, uint32_t first, uint32_t end) {
    uint32_t *a = histogram, *b = a + APART, *c = b + APART, *d = c + APART;
    for (size_t i = 256 * (size_t)first; i < 256 * (size_t)end; i++) {
        a[i] += b[i] + c[i] + d[i];
        b[i] = c[i] = d[i] = 0;
    }
}

typedef struct {
    uint8_t *at;
    uint64_t pending;
    uint32_t filled; /* bits of `pending`, below 8 */
} bit_writer;

/* Appends `width` bits, at most 56. Writes 8 bytes. */
static inline void put_bits(bit_writer *writer, uint64_t bits, uint32_t width) {
    writer->pending |= bits << writer->filled;
    memcpy(writer->at, &writer->pending, 8);
    writer->filled += width;
    writer->at += writer->filled >> 3;
    writer->pending >>= writer->filled & 56;
    writer->filled &= 7;
}

#if defined(__x86_64__)
#include <immintrin.h>

/* The rows of classes, 32 at a time; returns how many are done. */
static TARGET_AVX2 size_t name_rows_avx2(const uint8_t *row_of_class, uint8_t *rows, size_t n) {
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)row_of_class));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(row_of_class + 16)));
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m256i class = _mm256_loadu_si256((const __m256i *)(const void *)(rows + i));
        /* Bit 4 of a class, moved to where blends look. */
        const __m256i row = _mm256_blendv_epi8(
            _mm256_shuffle_epi8(low, class), _mm256_shuffle_epi8(high, class), _mm256_slli_epi16(class, 3));
        _mm256_storeu_si256((__m256i *)(void *)(rows + i), row);
    }
    return i;
}
#define name_rows_avx512 name_rows_avx2
#endif

/* rows[i] = row_of_class[rows[i]] */
static void name_rows(int level, const uint8_t *row_of_class, uint8_t *rows, size_t n) {
    for (size_t i = RUN_VECTORS(level, name_rows, row_of_class, rows, n); i < n; i++) rows[i] = row_of_class[rows[i]];
}

#define BODY "residual_encode_widths.h"
#include "levels.h"

size_t silt_residual_measure(int level, silt_float type, const void *base, const void *result, size_t count,
                             size_t unit, int16_t *scales, uint32_t *histogram, uint32_t *bins) {
    switch (type.width) {
    case 8: return RUN(level, measure_8, type, base, result, count, unit, scales, histogram, bins);
    case 16: return RUN(level, measure_16, type, base, result, count, unit, scales, histogram, bins);
    default: return RUN(level, measure_32, type, base, result, count, unit, scales, histogram, bins);
    }
}

size_t silt_residual_symbols(int level, silt_float type, const void *base, const void *result, size_t count,
                             size_t unit, const uint8_t *codes, int32_t origin, const uint8_t *row_of_class,
                             uint8_t *symbols, uint8_t *rows, uint8_t *raw) {
    switch (type.width) {
    case 8:
        return RUN(level, symbols_8, level, type, base, result, count, unit, codes, origin, row_of_class, symbols, rows,
                   raw);
    case 16:
        return RUN(level, symbols_16, level, type, base, result, count, unit, codes, origin, row_of_class, symbols,
                   rows, raw);
    default:
        return RUN(level, symbols_32, level, type, base, result, count, unit, codes, origin, row_of_class, symbols,
                   rows, raw);
    }
}
