/*
 * Kernels of Silt: whole chunks in, whole chunks out; no allocation, no I/O, no global state but the processor's level.
 * Formats/Silt.md is the text that they implement (sections 6, 7, 8 and 12).
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
    SILT_HISTOGRAM = 4 * (128 * 256 + 80), /* counters of the analysis: neighbours count apart, see silt_residual_measure */
    SILT_STILL = -32768     /* the scale of a unit that equals the base, in the analysis */
};

/* What a processor offers. Scalar is always there; a kernel that has no form for a level takes the next lower one. AVX2 means
 * AVX2, FMA and F16C; AVX512 means F, BW, DQ and VL with BMI2, and all of AVX2. */
enum { SILT_LEVEL_SCALAR = 0, SILT_LEVEL_AVX2 = 1, SILT_LEVEL_AVX512 = 2 };
int silt_best_level(void);

/* Results of the decoders. */
enum {
    SILT_OK = 0,
    SILT_WORDS_SHORT = 1, /* the words of a stream end early */
    SILT_STATE_LOW = 2,   /* a lane begins below 65,536 */
    SILT_STATE_END = 3,   /* a lane does not end at 65,536 */
    SILT_WORDS_LEFT = 4,  /* words are left over */
    SILT_RAW_SHORT = 5,   /* the raw bits end early */
    SILT_RAW_LEFT = 6,    /* raw bytes are left over, or padding bits are set */
    SILT_ENDS_ZERO = 7,   /* an adaptive stream ends with a byte 0 */
    SILT_BYTES_LEFT = 8   /* bytes of an adaptive stream are left over */
};

/* The bit fields of a float type, and what its symbols look like (section 7.1). */
typedef struct {
    uint32_t width;         /* 8, 16 or 32 */
    uint32_t mantissa_bits; /* E = (pattern >> mantissa_bits) & exponent_mask */
    uint32_t exponent_mask;
} silt_float;

/* ---- rANS (section 6) ---- */

/* A symbol of an encoding table: floor(2^64 / frequency) + 1, frequency, and sum of those below it. */
typedef struct {
    uint64_t reciprocal;
    uint16_t frequency;
    uint16_t start;
} silt_encode_symbol;

/* Fills `symbols[256]` and `slots[4096]` (symbol << 24 | offset << 12 | frequency - 1) from 256 frequencies of sum 4096. */
void silt_encode_table(const uint16_t *frequencies, silt_encode_symbol *symbols);
void silt_decode_table(const uint16_t *frequencies, uint32_t *slots);

/* Encodes `count` symbols, symbol i with table rows[i] (row 0 if rows is null) of 256 symbols each, in `lanes` lanes. Writes
 * backwards from `end`; returns the number of bytes, at most 4 * lanes + 2 * count + 2; all of those may be written to. */
size_t silt_rans_encode(int level, const uint8_t *symbols, const uint8_t *_Nullable rows, size_t count,
                        uint32_t lanes, const silt_encode_symbol *tables, uint8_t *end);

/* Decodes `count` bytes with one table of 4096 slots. */
int silt_rans_decode(int level, const uint8_t *stream, size_t size, size_t count, uint32_t lanes, const uint32_t *slots,
                     uint8_t *out);

/* Bits that an ideal coder needs for symbols with these counts, the model not counted. */
double silt_entropy(const uint64_t *counts, size_t size);
double silt_log2(double value);

/* ---- The residual (section 7) ---- */

/* Measures a chunk: for each unit of `unit` elements its scale R in half octaves (SILT_STILL if it equals the base), and for
 * the elements of moved units how often each symbol comes at each R - 2E: histogram[SILT_BINS][256], with working space after
 * it, SILT_HISTOGRAM counters in all, which begins and ends as zeros (null: only the scales are wanted). bins[0] to bins[1] - 1
 * are the bins that were counted in. Returns how many units moved. */
size_t silt_residual_measure(int level, silt_float type, const void *base, const void *result, size_t count, size_t unit,
                             int16_t *scales, uint32_t *_Nullable histogram, uint32_t *_Nullable bins);

/* Symbols, table rows and raw bits of a chunk. `codes` has one byte for each unit (0: equals the base, else R - origin);
 * `row_of_class[32]` names each class's table. Returns the number of raw bytes written to `raw` (capacity: 4 * count + 8). */
size_t silt_residual_symbols(int level, silt_float type, const void *base, const void *result, size_t count, size_t unit,
                             const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, uint8_t *symbols,
                             uint8_t *rows, uint8_t *raw);

/* Rebuilds a chunk. `tables` has 4096 slots for each row. `result` may be `base`. */
int silt_residual_decode(int level, silt_float type, const void *base, void *result, size_t count, size_t unit,
                         const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, const uint32_t *tables,
                         const uint8_t *stream, size_t size, const uint8_t *raw, size_t raw_size);

/* ---- Planes (section 8) ---- */

/* Splits `count` elements of `width` bytes into planes; with `base`, the elements xor the base's. */
void silt_planes_split(uint32_t width, const uint8_t *data, const uint8_t *_Nullable base, size_t count, uint8_t *planes);
/* The inverse; `data` may be `base`. */
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

/* ---- Masks (section 12.3): bit t & 63 of word t >> 6 says whether position t stays; bits past the end are 0 ---- */

/* One block of Philox4x32-10. */
void silt_philox(const uint32_t *counter, const uint32_t *key, uint32_t *block);
/* The mask of positions first to first + count - 1: words[(count + 63) / 64]. */
void silt_philox_mask(int level, uint64_t seed, uint64_t identity, uint64_t first, size_t count, uint32_t threshold,
                      uint64_t *words);

/* Sets all of `count` bits. */
void silt_mask_fill(uint64_t *words, size_t count);
/* Clears the rows that row_bits drops and the columns that column_bits drops in rows x columns bits. */
void silt_mask_and(uint64_t *words, size_t rows, size_t columns, const uint64_t *_Nullable row_bits,
                   const uint64_t *_Nullable column_bits);
/* How many of bits from to from + count - 1 are set. */
size_t silt_mask_population(const uint64_t *words, size_t from, size_t count);
/* Copies bits from to from + count - 1 of `words` to bits 0 to count - 1 of `out`. */
void silt_mask_copy(const uint64_t *words, size_t from, size_t count, uint64_t *out);

/* Symbols of `width` (1 to 8) positions; every row begins a new one: rows * ceil(columns / width) bytes. */
void silt_mask_symbols(const uint64_t *words, size_t rows, size_t columns, uint32_t width, uint8_t *symbols);
/* The inverse; 0 if a symbol has bits past its row's end. */
int silt_symbols_mask(const uint8_t *symbols, size_t rows, size_t columns, uint32_t width, uint64_t *words);
/* The gaps before the positions that stay; returns their number. */
size_t silt_mask_gaps(const uint64_t *words, size_t count, int32_t *gaps);
/* The inverse; 0 if a position is not below `count`. Gaps are not negative. */
int silt_gaps_mask(const int32_t *gaps, size_t number, size_t count, uint64_t *words);
/* Gaps as bytes, 255 for as many that are passed over; returns their number, at most count + count / 255. */
size_t silt_gap_bytes(const int32_t *gaps, size_t number, uint8_t *bytes);
/* The mask that such bytes mean; 0 if a position is not below `count` or the last gap has no end. */
int silt_gap_bytes_mask(const uint8_t *bytes, size_t number, size_t count, uint64_t *words);

/* out = the values where a bit is set, +0 elsewhere: `count` floats. */
void silt_scatter(int level, const uint64_t *words, size_t count, const float *values, float *out);
/* The inverse; returns the number of values. */
size_t silt_gather(int level, const uint64_t *words, size_t count, const float *dense, float *values);

/* The values of `dense` that are not 0, in order, and their places; `places` null: only counts. Returns their number. */
size_t silt_kept(const float *dense, size_t count, uint64_t *_Nullable places, float *_Nullable values);
/* The sum of values[i] * dense[places[i]], in binary64. */
double silt_kept_dot(const float *values, const uint64_t *places, size_t number, const float *dense);
/* dense[places[i]] += values[i] / divisor */
void silt_kept_add(const float *values, const uint64_t *places, size_t number, float divisor, float *dense);

/* ---- Prediction (section 12.2) ---- */

/* The patterns of base + sum, of type SILT_F32, SILT_F16 or SILT_BF16. `out` may be `base`. */
void silt_predict(int level, int type, const void *base, const float *sum, size_t count, void *out);
/* The same where the sum is the `kept` values, in order, where a bit is set among `count`, and 0 elsewhere; no bit is set past
 * `count`. `out` may be `base`. */
void silt_predict_kept(int level, int type, const void *base, const uint64_t *words, size_t count, const float *values,
                       size_t kept, void *out);
/* Rows of a low-rank product: out(i, j) is the chain of fma(left[k * left_stride + i], right[k * columns + j], a) over k from
 * a = +0, times *scale if it is given. */
void silt_low_rank(int level, const float *left, size_t left_stride, const float *right, size_t columns, size_t rank,
                   size_t rows, const float *_Nullable scale, float *out);
/* sum += terms */
void silt_add(float *sum, const float *terms, size_t count);

/* ---- Receipts (section 12.7) ---- */

/* The sums behind a receipt over the elements at which all three are finite: of (result - tuned)^2, (tuned - base)^2,
 * (result - base)^2 and (result - base) (tuned - base), and the largest |result - tuned|; how many elements these are, and of how
 * many of them the patterns of result and tuned differ. `lost` elements are finite but in the result. */
typedef struct {
    double error, delta, change, product, maximum;
    uint64_t elements, changed, lost;
} silt_distance;
void silt_distance_of(int level, const float *result, const float *tuned, const float *base, size_t count,
                      silt_distance *out);

/* ---- Values (section 12.4) ---- */

/* values = table[codes], 256 floats. */
void silt_lookup(const uint8_t *codes, size_t count, const float *table, float *values);
/* values = codes * scale; codes are exact in binary32. */
void silt_integers_scale(const int32_t *codes, size_t count, float scale, float *values);
/* values = values * factor, values / divisor */
void silt_multiply(float *values, size_t count, float factor);
void silt_divide(float *values, size_t count, float divisor);
/* Codes, folded, from folded bytes, and back. */
void silt_unfold(const uint8_t *folded, size_t count, int32_t *codes);
void silt_fold(const int32_t *codes, size_t count, uint8_t *folded);
/* The largest of `count` bytes, and the largest |value|; 0 if there are none. */
uint8_t silt_largest_byte(const uint8_t *bytes, size_t count);
uint32_t silt_largest_integer(const int32_t *values, size_t count);
float silt_largest(const float *values, size_t count);
/* Bit fields of 8, 4, 2 or 1 bits from bytes below 2^bits, and back; 0 if bits that fill up the last byte are set. */
void silt_pack(uint32_t bits, const uint8_t *fields, size_t count, uint8_t *packed);
int silt_unpack(uint32_t bits, const uint8_t *packed, size_t count, uint8_t *fields);
/* Rotates patterns of 2 or 4 bytes left by one bit; and right. */
void silt_rotate_left(uint32_t width, void *patterns, size_t count);
void silt_rotate_right(uint32_t width, void *patterns, size_t count);
/* codes = value / scale in binary32, rounded to the nearest, ties to even, at most `largest` either way; all 0 for a scale 0. */
void silt_quantise(const float *values, size_t count, float scale, int32_t largest, int32_t *codes);
/* codes = 1 where the value is at least 0, else -1 */
void silt_signs(const float *values, size_t count, int32_t *codes);
/* The squared error of values / scale rounded to codes of at most `largest` (below 2^22), in units of scale^2. */
double silt_quantise_error(const float *values, size_t count, size_t stride, float scale, int32_t largest);
/* The sum of |value|. */
double silt_magnitude(const float *values, size_t count);

/* ---- Adaptive streams (section 12.5) ---- */

/* Codes integers below 2^24 in magnitude (not negative unless is_signed); returns the number of bytes, at most
 * SILT_ADAPTIVE_BYTES for each integer and 8. */
enum { SILT_ADAPTIVE_BYTES = 48 };
size_t silt_adaptive_encode(const int32_t *values, size_t count, int is_signed, uint8_t *stream);
/* Decodes `count` integers. Reads nothing past `size`. */
int silt_adaptive_decode(const uint8_t *stream, size_t size, size_t count, int is_signed, int32_t *values);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
