/* What the residual's kernels share: Formats/Silt.md, section 7. */
#ifndef SILT_RESIDUAL_JOB_H
#define SILT_RESIDUAL_JOB_H

#include "rans_reader.h"
#include "silt_residual.h"
#include <string.h>

/* A chunk that is being rebuilt. */
typedef struct {
    silt_float type;
    size_t count;
    size_t unit;
    const uint8_t *codes;
    int32_t origin;
    const uint8_t *row_of_class;
    const uint32_t *tables;
    const uint8_t *raw;
    uint64_t raw_bits; /* in the stream */
    uint64_t raw_at;   /* consumed */
    rans_reader reader;
} residual_job;

/* Rebuilds the elements from `from` on; `job` stands where they begin. */
int silt_residual_decode_scalar(residual_job *job, const void *base, void *result, size_t from);

/* Where the unit ends in which a group of 32 elements lies, and whether it equals the base. A group that lies in several
 * units has the end 0. */
typedef struct {
    size_t until;
    int is_still;
} residual_unit;

/* The scales of the group's elements from `i` on, clamped to where the class can still change; -1: a still unit. */
residual_unit silt_residual_scales(const residual_job *job, size_t i, int16_t *scales);

/* Copies the elements from `i` on that are in whole groups of a unit that equals the base (class 0 moves no state); returns
 * how many there are. */
static inline size_t residual_copy_still(const residual_unit *unit, const residual_job *job, size_t i, const void *base,
                                         void *result) {
    if (!unit->is_still) return 0;
    const size_t end = unit->until < job->count ? unit->until : job->count;
    const size_t equal = (end - i) / SILT_LANES * SILT_LANES, width = job->type.width / 8;
    if (result != base) memcpy((uint8_t *)result + width * i, (const uint8_t *)base + width * i, width * equal);
    return equal;
}

#if defined(__x86_64__)
/* Rebuild as many groups of 32 elements as are safe to do at once; return how many elements are done. */
size_t silt_residual_decode_16_avx512(residual_job *job, const uint8_t *base, uint8_t *result, int *status);
size_t silt_residual_decode_32_avx512(residual_job *job, const uint8_t *base, uint8_t *result, int *status);
/* Symbols of 8 bits have no raw bits, and nothing that AVX-512 does better. */
#define silt_residual_decode_8_avx512 silt_residual_decode_8_avx2
size_t silt_residual_decode_8_avx2(residual_job *job, const uint8_t *base, uint8_t *result, int *status);
size_t silt_residual_decode_16_avx2(residual_job *job, const uint8_t *base, uint8_t *result, int *status);
size_t silt_residual_decode_32_avx2(residual_job *job, const uint8_t *base, uint8_t *result, int *status);
#endif

#endif
