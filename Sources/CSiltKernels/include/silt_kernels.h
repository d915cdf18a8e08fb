/*
 * Kernels of Silt: whole chunks in, whole chunks out; no allocation, no I/O, no global state but the processor's level.
 * Formats/Silt.md is the text that they implement (sections 6, 7 and 8).
 *
 * Every kernel has a scalar form; `level` chooses the form, and all forms give the same bits.
 * Element buffers are aligned to their element. Coded input must be readable for SILT_PADDING bytes past its end.
 */
#ifndef SILT_KERNELS_H
#define SILT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

enum {
    SILT_PADDING = 128,     /* readable bytes past the end of coded input */
    SILT_LANES = 32,        /* rANS lanes of a long stream */
    SILT_LANES_FROM = 8192, /* symbols from which a stream is long */
    SILT_CLASSES = 32,      /* classes of the residual; class 0 is "unit equals the base" */
    SILT_BINS = 128,        /* bins of the analysis: R - 2E from -40 to 87 */
    SILT_BIN_ORIGIN = 40,
    SILT_STILL = -32768     /* the scale of a unit that equals the base, in the analysis */
};

/* What a processor offers. Scalar is always there. */
enum { SILT_LEVEL_SCALAR = 0, SILT_LEVEL_AVX512 = 1 };
int silt_best_level(void);

/* Results of the decoders. */
enum {
    SILT_OK = 0,
    SILT_WORDS_SHORT = 1, /* the words of a stream end early */
    SILT_STATE_LOW = 2,   /* a lane begins below 65,536 */
    SILT_STATE_END = 3,   /* a lane does not end at 65,536 */
    SILT_WORDS_LEFT = 4,  /* words are left over */
    SILT_RAW_SHORT = 5,   /* the raw bits end early */
    SILT_RAW_LEFT = 6     /* raw bytes are left over, or padding bits are set */
};

/* The bit fields of a float type, and what its symbols look like (section 7.1). */
typedef struct {
    uint32_t width;         /* 8, 16 or 32 */
    uint32_t mantissa_bits; /* E = (pattern >> mantissa_bits) & exponent_mask */
    uint32_t exponent_mask;
} silt_float;

/* ---- rANS (section 6) ---- */

/* A symbol of an encoding table: frequency, sum of those below it, and floor(2^64 / frequency) + 1. */
typedef struct {
    uint64_t reciprocal;
    uint32_t frequency;
    uint32_t start;
} silt_encode_symbol;

/* Fills `symbols[256]` and `slots[4096]` (symbol | frequency - 1 << 8 | offset << 20) from 256 frequencies of sum 4096. */
void silt_encode_table(const uint16_t *frequencies, silt_encode_symbol *symbols);
void silt_decode_table(const uint16_t *frequencies, uint32_t *slots);

/* Encodes `count` symbols, symbol i with table rows[i] (row 0 if rows is null) of 256 symbols each, in `lanes` lanes. Writes
 * backwards from `end`; returns the number of bytes, at most 4 * lanes + 2 * count + 2. */
size_t silt_rans_encode(const uint8_t *symbols, const uint8_t *_Nullable rows, size_t count, uint32_t lanes,
                        const silt_encode_symbol *tables, uint8_t *end);

/* Decodes `count` bytes with one table of 4096 slots. */
int silt_rans_decode(const uint8_t *stream, size_t size, size_t count, uint32_t lanes, const uint32_t *slots, uint8_t *out);

/* Bits that an ideal coder needs for symbols with these counts, the model not counted. */
double silt_entropy(const uint64_t *counts, size_t size);
double silt_log2(double value);

/* ---- The residual (section 7) ---- */

/* Measures a chunk: for each unit of `unit` elements its scale R in half octaves (SILT_STILL if it equals the base), and for
 * the elements of moved units how often each symbol comes at each R - 2E: histogram[SILT_BINS][256] (null: only the scales
 * are wanted). bins[0] to bins[1] - 1 are the bins that were counted in. Returns how many units moved. */
size_t silt_residual_measure(silt_float type, const void *base, const void *result, size_t count, size_t unit,
                             int16_t *scales, uint32_t *_Nullable histogram, uint32_t *_Nullable bins);

/* Symbols, table rows and raw bits of a chunk. `codes` has one byte for each unit (0: equals the base, else R - origin);
 * `row_of_class[32]` names each class's table. Returns the number of raw bytes written to `raw` (capacity: 4 * count + 8). */
size_t silt_residual_symbols(silt_float type, const void *base, const void *result, size_t count, size_t unit,
                             const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, uint8_t *symbols,
                             uint8_t *rows, uint8_t *raw);

/* Rebuilds a chunk. `tables` has 4096 slots for each row. */
int silt_residual_decode(int level, silt_float type, const void *base, void *result, size_t count, size_t unit,
                         const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, const uint32_t *tables,
                         const uint8_t *stream, size_t size, const uint8_t *raw, size_t raw_size);

/* ---- Planes (section 8) ---- */

/* Splits `count` elements of `width` bytes into planes; with `base`, the elements xor the base's. */
void silt_planes_split(uint32_t width, const uint8_t *data, const uint8_t *_Nullable base, size_t count, uint8_t *planes);
/* The inverse. */
void silt_planes_merge(uint32_t width, const uint8_t *planes, const uint8_t *_Nullable base, size_t count, uint8_t *data);
/* Counts the bytes of each plane of `data` into histogram[width][256]. */
void silt_planes_count(uint32_t width, const uint8_t *data, const uint8_t *_Nullable base, size_t count, uint32_t *histogram);
/* Whether the bytes are equal. */
int silt_equal(const void *a, const void *b, size_t size);
/* data ^= base */
void silt_xor(uint8_t *data, const uint8_t *base, size_t size);

/* ---- Conversion (section 8.4) ---- */

enum { SILT_F32 = 0, SILT_F16 = 1, SILT_BF16 = 2 };
/* Converts `count` values; the types differ or not. */
void silt_convert(int from, int to, const void *source, void *target, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
