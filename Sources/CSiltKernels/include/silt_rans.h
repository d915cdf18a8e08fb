/* rANS with 12-bit frequencies: Formats/Silt.md, section 6. Results of decoding: silt_status.h. */
#ifndef SILT_RANS_H
#define SILT_RANS_H

#include "silt_status.h"
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

enum {
    SILT_LANES = 32,       /* rANS lanes of a long stream */
    SILT_LANES_FROM = 8192 /* symbols from which a stream is long */
};

/* A symbol of an encoding table: floor(2^64 / frequency) + 1, frequency, and sum of those below it. */
typedef struct {
    uint64_t reciprocal;
    uint16_t frequency;
    uint16_t start;
} silt_encode_symbol;

/* Fills `symbols[256]` and `slots[4096]` (symbol << 24 | offset << 12 | frequency - 1) from 256 frequencies of sum
 * 4096. */
void silt_encode_table(const uint16_t *frequencies, silt_encode_symbol *symbols);
void silt_decode_table(const uint16_t *frequencies, uint32_t *slots);

/* Encodes `count` symbols, symbol i with table rows[i] (row 0 if rows is null) of 256 symbols each, in `lanes` lanes.
 * Writes backwards from `end`; returns the number of bytes, at most 4 * lanes + 2 * count + 2; all of those may be
 * written to. */
size_t silt_rans_encode(int level, const uint8_t *symbols, const uint8_t *_Nullable rows, size_t count,
                        uint32_t lanes, const silt_encode_symbol *tables, uint8_t *end);

/* Decodes `count` bytes with one table of 4096 slots. */
int silt_rans_decode(int level, const uint8_t *stream, size_t size, size_t count, uint32_t lanes, const uint32_t *slots,
                     uint8_t *out);

/* Bits that an ideal coder needs for symbols with these counts, the model not counted. */
double silt_entropy(const uint64_t *counts, size_t size);
double silt_log2(double value);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
