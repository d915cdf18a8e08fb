/* rANS with 12-bit frequencies, 32-bit states and 16-bit words: Formats/Silt.md, section 6. */
#include "rans_reader.h"
#include "targets.h"
#include <math.h>

/* The entropy is a sum of products, the same on every machine. */
#pragma STDC FP_CONTRACT OFF

void silt_encode_table(const uint16_t *frequencies, silt_encode_symbol *symbols) {
    uint32_t start = 0;
    for (uint32_t s = 0; s < 256; s++) {
        const uint32_t f = frequencies[s];
        symbols[s].frequency = (uint16_t)f;
        symbols[s].start = (uint16_t)start;
        /* floor(x * reciprocal / 2^64) is floor(x / f) for all x below 2^32: the reciprocal is too large by at most 1, and
         * the error x * f / 2^64 stays below 1 / f because x * f < 2^44. For f = 1 it would not fit; see rans_put. */
        symbols[s].reciprocal = f > 1 ? UINT64_MAX / f + 1 : 0;
        start += f;
    }
}

void silt_decode_table(const uint16_t *frequencies, uint32_t *slots) {
    uint32_t *slot = slots;
    for (uint32_t s = 0; s < 256; s++) {
        const uint32_t f = frequencies[s];
        for (uint32_t k = 0; k < f; k++) *slot++ = s << 24 | k << 12 | (f - 1);
    }
}

static inline uint32_t put(uint32_t x, const silt_encode_symbol *symbol, uint8_t **cursor) {
    const uint32_t f = symbol->frequency;
    if ((uint64_t)x >= (uint64_t)f << 20) {
        *cursor -= 2;
        (*cursor)[0] = (uint8_t)x;
        (*cursor)[1] = (uint8_t)(x >> 8);
        x >>= 16;
    }
    const uint32_t quotient =
        f > 1 ? (uint32_t)(((unsigned __int128)symbol->reciprocal * x) >> 64) : x;
    return (quotient << 12) + (x - quotient * f) + symbol->start;
}

/* Codes the symbols from the last, count - 1, down to `from`. */
static void put_all(uint32_t *x, uint32_t lanes, const uint8_t *symbols, const uint8_t *rows, size_t from, size_t count,
                    const silt_encode_symbol *tables, uint8_t **end) {
    uint8_t *cursor = *end;
    for (size_t i = count; i-- > from;) {
        const size_t row = rows ? rows[i] : 0;
        const uint32_t lane = (uint32_t)i & (lanes - 1);
        x[lane] = put(x[lane], tables + 256 * row + symbols[i], &cursor);
    }
    *end = cursor;
}

static void silt_rans_encode_scalar(uint32_t *x, const uint8_t *symbols, const uint8_t *rows, size_t count,
                                    const silt_encode_symbol *tables, uint8_t **end) {
    put_all(x, SILT_LANES, symbols, rows, 0, count, tables, end);
}

size_t silt_rans_encode(int level, const uint8_t *symbols, const uint8_t *rows, size_t count, uint32_t lanes,
                        const silt_encode_symbol *tables, uint8_t *end) {
    uint32_t x[SILT_LANES];
    uint8_t *cursor = end;
    for (uint32_t lane = 0; lane < lanes; lane++) x[lane] = RANS_LOW;
    /* Groups of all lanes; what is left comes first, since coding goes backwards. */
    const size_t whole = lanes == SILT_LANES ? count / SILT_LANES * SILT_LANES : 0;
    put_all(x, lanes, symbols, rows, whole, count, tables, &cursor);
    if (whole > 0) RUN(level, silt_rans_encode, x, symbols, rows, whole, tables, &cursor);
    cursor -= 4 * lanes;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        for (int byte = 0; byte < 4; byte++) cursor[4 * lane + byte] = (uint8_t)(x[lane] >> (8 * byte));
    }
    return (size_t)(end - cursor);
}

int silt_rans_begin(rans_reader *reader, const uint8_t *stream, size_t size, uint32_t lanes) {
    if (size < 4 * (size_t)lanes || size % 2 != 0) return SILT_WORDS_SHORT;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        const uint8_t *bytes = stream + 4 * lane;
        reader->x[lane] = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        if (reader->x[lane] < RANS_LOW) return SILT_STATE_LOW;
    }
    reader->lanes = lanes;
    reader->word = stream + 4 * lanes;
    reader->end = stream + size;
    return SILT_OK;
}

int silt_rans_finish(const rans_reader *reader) {
    if (reader->word != reader->end) return SILT_WORDS_LEFT;
    for (uint32_t lane = 0; lane < reader->lanes; lane++) {
        if (reader->x[lane] != RANS_LOW) return SILT_STATE_END;
    }
    return SILT_OK;
}

int silt_rans_decode(int level, const uint8_t *stream, size_t size, size_t count, uint32_t lanes, const uint32_t *slots,
                     uint8_t *out) {
    rans_reader reader;
    int status = silt_rans_begin(&reader, stream, size, lanes);
    if (status != SILT_OK) return status;
    const uint32_t mask = lanes - 1;
    size_t i = lanes == SILT_LANES ? RUN_VECTORS(level, silt_rans_decode, &reader, count, slots, out) : 0;
    for (; i < count; i++) {
        const uint32_t slot = slots[reader.x[i & mask] & 4095];
        if (!rans_advance(&reader, (uint32_t)i & mask, slot)) return SILT_WORDS_SHORT;
        out[i] = (uint8_t)(slot >> 24);
    }
    return silt_rans_finish(&reader);
}

double silt_entropy(const uint64_t *counts, size_t size) {
    uint64_t total = 0;
    double bits = 0;
    for (size_t i = 0; i < size; i++) {
        total += counts[i];
        if (counts[i] > 1) bits -= (double)counts[i] * log2((double)counts[i]);
    }
    return total > 1 ? bits + (double)total * log2((double)total) : 0;
}

double silt_log2(double value) { return log2(value); }
