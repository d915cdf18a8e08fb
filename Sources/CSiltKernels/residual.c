/* Rebuilding from the residual, scalar: Formats/Silt.md, section 7. */
#include "residual_job.h"
#include "targets.h"
#include <string.h>

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

int silt_residual_decode_scalar(residual_job *job, const void *base, void *result, size_t from) {
    switch (job->type.width) {
    case 8: return decode_8(job, base, result, from);
    case 16: return decode_16(job, base, result, from);
    default: return decode_32(job, base, result, from);
    }
}

/* Clamped to where the class can still change; -1: a still unit. */
static inline int16_t residual_scale(const residual_job *job, size_t unit) {
    const uint32_t code = job->codes[unit];
    const int32_t scale = job->origin + (int32_t)code;
    return (int16_t)(code == 0 ? -1 : scale < 0 ? 0 : scale > 541 ? 541 : scale);
}

residual_unit silt_residual_scales(const residual_job *job, size_t i, int16_t *scales) {
    size_t unit = i / job->unit, left = job->unit - i % job->unit;
    if (left >= SILT_LANES) {
        const int16_t scale = residual_scale(job, unit);
        for (size_t k = 0; k < SILT_LANES; k++) scales[k] = scale;
        return (residual_unit){i + left, job->codes[unit] == 0};
    }
    for (size_t k = 0; k < SILT_LANES; k++, left--) {
        if (left == 0) {
            unit++;
            left = job->unit;
        }
        scales[k] = residual_scale(job, unit);
    }
    return (residual_unit){0, 0};
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
    int status = silt_rans_begin(&job.reader, stream, size, count >= SILT_LANES_FROM ? SILT_LANES : 1);
    if (status != SILT_OK) return status;
    size_t done = 0;
    if (job.reader.lanes == SILT_LANES) {
        switch (type.width) {
        case 8: done = RUN_VECTORS(level, silt_residual_decode_8, &job, base, result, &status); break;
        case 16: done = RUN_VECTORS(level, silt_residual_decode_16, &job, base, result, &status); break;
        default: done = RUN_VECTORS(level, silt_residual_decode_32, &job, base, result, &status); break;
        }
        if (status != SILT_OK) return status;
    }
    status = silt_residual_decode_scalar(&job, base, result, done);
    if (status != SILT_OK) return status;
    status = silt_rans_finish(&job.reader);
    return status != SILT_OK ? status : raw_finish(&job, raw_size);
}
