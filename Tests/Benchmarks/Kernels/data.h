/* Fixed inputs for the kernels, made from seeds: the same on every machine. */
#ifndef SILT_BENCH_DATA_H
#define SILT_BENCH_DATA_H

#include "silt_kernels.h"

enum {
    COUNT = 262144, /* elements of a cell */
    UNIT = 1024     /* elements of a row */
};

/* A chunk of the residual, and what coding and decoding it needs. */
typedef struct {
    silt_float type;
    void *base, *result, *out;
    int16_t *scales;
    uint8_t *codes;
    int32_t origin;
    uint8_t row_of_class[32];
    uint32_t *histogram;
    silt_encode_symbol *encoding;
    uint32_t *slots;
    uint8_t *symbols, *rows, *raw, *words;
    size_t raw_size, size;
} chunk;

/* A cell of F8_E4M3 (width 8), BF16 (16) or F32 (32) of which a weight moved by about `spread`, and tables made for it. */
void make_chunk(chunk *c, uint32_t width, double spread);

/* Frequencies of sum 4,096 for 256 counts that are not all 0. */
void normalise(const uint32_t *counts, uint16_t *frequencies);

/* Zeroed bytes, aligned to 64, with the padding that kernels may read. */
void *make_buffer(size_t size);

/* SplitMix64, and a normal variate. */
uint64_t next_random(void);
double next_normal(void);

#endif
