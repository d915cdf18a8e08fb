/* The exact residual, scalar: Formats/Silt.md, section 7. */
#include "residual.h"
#include <math.h>
#include <string.h>

/* 2^e for 0 <= e < 256, from the bits of a double. */
static inline double power_of_two(uint32_t e) {
    const uint64_t bits = (uint64_t)(1023 + e) << 52;
    double power;
    memcpy(&power, &bits, 8);
    return power;
}

static inline uint32_t class_of(int scale, uint32_t exponent) {
    const int x = scale - 2 * (int)exponent;
    return 1 + (uint32_t)(x < 0 ? 0 : x > 30 ? 30 : x);
}

#define WIDTH 8
#define DIRECT 8
#include "residual_body.h"
#define WIDTH 16
#define DIRECT 6
#include "residual_body.h"
#define WIDTH 32
#define DIRECT 4
#include "residual_body.h"

size_t silt_residual_measure(silt_float type, const void *base, const void *result, size_t count, size_t unit,
                             int16_t *scales, uint32_t *histogram, uint32_t *bins) {
    switch (type.width) {
    case 8: return measure_8(type, base, result, count, unit, scales, histogram, bins);
    case 16: return measure_16(type, base, result, count, unit, scales, histogram, bins);
    default: return measure_32(type, base, result, count, unit, scales, histogram, bins);
    }
}

size_t silt_residual_symbols(silt_float type, const void *base, const void *result, size_t count, size_t unit,
                             const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, uint8_t *symbols,
                             uint8_t *rows, uint8_t *raw) {
    switch (type.width) {
    case 8: return symbols_8(type, base, result, count, unit, codes, origin, row_of_class, symbols, rows, raw);
    case 16: return symbols_16(type, base, result, count, unit, codes, origin, row_of_class, symbols, rows, raw);
    default: return symbols_32(type, base, result, count, unit, codes, origin, row_of_class, symbols, rows, raw);
    }
}

int residual_decode_scalar(residual_job *job, const void *base, void *result, size_t from) {
    switch (job->type.width) {
    case 8: return decode_8(job, base, result, from);
    case 16: return decode_16(job, base, result, from);
    default: return decode_32(job, base, result, from);
    }
}

/* All raw bytes are used, and the bits that fill the last byte are 0. */
static int raw_finish(const residual_job *job, size_t raw_size) {
    if ((job->raw_at + 7) / 8 != raw_size) return SILT_RAW_LEFT;
    if (job->raw_at % 8 != 0 && job->raw[raw_size - 1] >> (job->raw_at % 8) != 0) return SILT_RAW_LEFT;
    return SILT_OK;
}

int silt_residual_decode(int level, silt_float type, const void *base, void *result, size_t count, size_t unit,
                         const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, const uint32_t *tables,
                         const uint8_t *stream, size_t size, const uint8_t *raw, size_t raw_size) {
    residual_job job = {.type = type, .count = count, .unit = unit, .codes = codes, .origin = origin,
                        .row_of_class = row_of_class, .tables = tables, .raw = raw, .raw_bits = 8 * (uint64_t)raw_size};
    int status = rans_begin(&job.reader, stream, size, count >= SILT_LANES_FROM ? SILT_LANES : 1);
    if (status != SILT_OK) return status;
    size_t done = 0;
#if defined(__x86_64__)
    if (level >= SILT_LEVEL_AVX512 && job.reader.lanes == SILT_LANES) {
        if (type.width == 16) done = residual_decode_16_avx512(&job, base, result, &status);
        if (type.width == 32) done = residual_decode_32_avx512(&job, base, result, &status);
        if (status != SILT_OK) return status;
    }
#else
    (void)level;
#endif
    status = residual_decode_scalar(&job, base, result, done);
    if (status != SILT_OK) return status;
    status = rans_finish(&job.reader);
    return status != SILT_OK ? status : raw_finish(&job, raw_size);
}
