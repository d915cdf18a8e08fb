/*
 * Runs the kernels at every level on inputs made from a seed, expects of each level what the scalar form gives, and prints a
 * digest of all results: another processor must print the same. `digest ROUNDS`.
 */
#include "data.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 3, MOST = 17000 };

static uint64_t digest = 0xCBF29CE484222325u;

static void add(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
}

static uint64_t below(uint64_t bound) { return next_random() % bound; }

static void same(const char *what, const void *scalar, const void *other, size_t size) {
    if (memcmp(scalar, other, size) != 0) {
        fprintf(stderr, "%s: a level differs from the scalar form\n", what);
        exit(1);
    }
}

typedef struct {
    silt_float type;
    size_t count, unit, units;
    uint8_t base[4 * MOST], result[4 * MOST];
} input;

/* Patterns of every kind, and results that are still, close or far away, unit by unit. */
static void make_input(input *in) {
    static const silt_float types[] = {{8, 3, 15}, {8, 2, 31}, {16, 7, 255}, {16, 10, 31}, {32, 23, 255}};
    in->type = types[below(5)];
    in->count = below(3) == 0 ? 1 + below(200) : SILT_LANES_FROM + below(MOST - SILT_LANES_FROM);
    in->unit = below(4) == 0 ? 1 + below(40) : below(2) == 0 ? 32 * (1 + below(40)) : 1 + below(3000);
    if (in->unit > in->count) in->unit = in->count;
    in->units = (in->count + in->unit - 1) / in->unit;
    const uint64_t kind = below(3), movement = below(6);
    const size_t bytes = in->type.width / 8;
    for (size_t i = 0; i < in->count; i++) {
        uint32_t pattern = (uint32_t)next_random();
        const uint32_t mantissa = (1u << in->type.mantissa_bits) - 1, sign = 1u << (in->type.width - 1);
        if (kind == 0) { /* like weights */
            const uint32_t middle = in->type.exponent_mask / 2 - (uint32_t)below(in->type.exponent_mask / 8 + 1);
            pattern = (pattern & (sign | mantissa)) | middle << in->type.mantissa_bits;
        } else if (kind == 1) { /* zeros, subnormals, infinities, NaN */
            const uint32_t top = in->type.exponent_mask << in->type.mantissa_bits, pick = pattern >> 8 & 3;
            const uint32_t magnitudes[] = {0, top, top | (pattern & mantissa), pattern & mantissa};
            pattern = (pattern & sign) | magnitudes[pick];
        }
        const uint32_t noise = (uint32_t)next_random();
        const uint32_t moves[] = {0, noise % 40 == 0, (noise & 15) - 7, (noise & 1023) - 511, noise};
        const uint32_t moved = pattern + moves[movement == 5 ? i / in->unit % 5 : movement];
        memcpy(in->base + bytes * i, &pattern, bytes); /* little-endian, as the kernels are */
        memcpy(in->result + bytes * i, &moved, bytes);
    }
}

/* What the encoder makes of an input, and tables for it. */
typedef struct {
    int16_t scales[MOST];
    uint32_t histogram[SILT_HISTOGRAM], bins[2];
    uint8_t codes[MOST], symbols[MOST], rows[MOST], raw[4 * MOST + 8], words[2 * MOST + 4 * SILT_LANES + 2];
    size_t moved, raw_size, size;
} output;

static silt_encode_symbol encoding[32 * 256];
static uint32_t slots[32 * 4096];
static uint8_t row_of_class[32];
static int32_t origin;

static void make_tables(const output *out, size_t count) {
    for (uint32_t row = 0; row < 32; row++) {
        uint32_t counts[256] = {0};
        counts[0] = 1;
        for (size_t i = 0; i < count; i++) counts[out->symbols[i]] += out->rows[i] == row;
        uint16_t frequencies[256];
        normalise(counts, frequencies);
        silt_encode_table(frequencies, encoding + 256 * row);
        silt_decode_table(frequencies, slots + 4096 * row);
    }
}

static void make_output(int level, const input *in, output *out) {
    memset(out, 0, sizeof *out);
    out->moved = silt_residual_measure(level, in->type, in->base, in->result, in->count, in->unit, out->scales,
                                       out->histogram, out->bins);
    for (size_t u = 0; u < in->units; u++) {
        const int code = out->scales[u] + SILT_BIN_ORIGIN - (int)out->bins[0] - origin;
        out->codes[u] = (uint8_t)(out->scales[u] == SILT_STILL ? 0 : code < 1 ? 1 : code > 255 ? 255 : code);
    }
    out->raw_size = silt_residual_symbols(level, in->type, in->base, in->result, in->count, in->unit, out->codes, origin,
                                          row_of_class, out->symbols, out->rows, out->raw);
    if (level == SILT_LEVEL_SCALAR) make_tables(out, in->count);
    const uint32_t lanes = in->count >= SILT_LANES_FROM ? SILT_LANES : 1;
    uint8_t *end = out->words + 2 * in->count + 4 * lanes + 2;
    out->size = silt_rans_encode(level, out->symbols, out->rows, in->count, lanes, encoding, end);
    memmove(out->words, end - out->size, out->size);
    memset(out->words + out->size, 0, sizeof out->words - out->size);
}

/* Decodes the chunk, as it is or damaged, at every level. */
static void decode(const input *in, const output *out, uint64_t damage) {
    static uint8_t chunk[8 * MOST], result[LEVELS][4 * MOST], plain[LEVELS][MOST];
    size_t size = out->size, raw_size = out->raw_size;
    if (damage == 1) size -= 2 * below(size / 2 + 1);
    if (damage == 2) raw_size -= below(raw_size + 1);
    memset(chunk, 0xEE, sizeof chunk);
    memcpy(chunk, out->words, size);
    memcpy(chunk + size, out->raw, raw_size);
    if (damage > 2 && size + raw_size > 0) chunk[below(size + raw_size)] ^= (uint8_t)(1 << below(8));
    int status[2][LEVELS];
    for (int level = 0; level <= silt_best_level(); level++) {
        status[0][level] = silt_residual_decode(level, in->type, in->base, result[level], in->count, in->unit, out->codes,
                                                origin, row_of_class, slots, chunk, size, chunk + size, raw_size);
        status[1][level] = silt_rans_decode(level, chunk, size, in->count, in->count >= SILT_LANES_FROM ? SILT_LANES : 1,
                                            slots + 4096 * out->rows[0], plain[level]);
        for (int which = 0; which < 2; which++) {
            same("status", &status[which][0], &status[which][level], sizeof(int));
        }
        if (status[0][0] == SILT_OK) same("decode", result[0], result[level], in->count * in->type.width / 8);
        if (status[1][0] == SILT_OK) same("plain", plain[0], plain[level], in->count);
    }
    if (damage == 0) same("what was coded", in->result, result[0], in->count * in->type.width / 8);
    add(status[0], sizeof(int));
    add(status[1], sizeof(int));
    if (status[0][0] == SILT_OK) add(result[0], in->count * in->type.width / 8);
}

/* What codings are chosen by: a sum of products of the C library's logarithms. */
static void entropy(void) {
    uint64_t counts[256];
    const size_t size = 1 + below(256);
    for (size_t i = 0; i < size; i++) counts[i] = below(3) == 0 ? 0 : next_random() >> (20 + below(40));
    const double bits = silt_entropy(counts, size);
    add(&bits, sizeof bits);
}

static void other_kernels(void) {
    static uint64_t masks[LEVELS][80];
    const uint64_t seed = next_random(), first = below(2) ? next_random() >> 20 : ((uint64_t)1 << 34) - below(6000);
    const size_t count = 1 + below(5000);
    const uint32_t threshold = (uint32_t)next_random() | 1;
    for (int level = 0; level <= silt_best_level(); level++) {
        silt_philox_mask(level, seed, ~seed, first, count, threshold, masks[level]);
        same("mask", masks[0], masks[level], (count + 63) / 64 * 8);
    }
    add(masks[0], (count + 63) / 64 * 8);
    uint8_t data[1024], base[1024], planes[1024], merged[1024];
    for (int i = 0; i < 1024; i++) {
        data[i] = (uint8_t)next_random();
        base[i] = (uint8_t)next_random();
    }
    for (uint32_t width = 1; width <= 8; width *= 2) {
        const size_t elements = below(1024 / width + 1);
        silt_planes_split(width, data, base, elements, planes);
        silt_planes_merge(width, planes, base, elements, merged);
        same("planes", data, merged, elements * width);
        add(planes, elements * width);
        silt_planes_merge(width, planes, base, elements, base);
        same("planes, in place", data, base, elements * width);
    }
    static uint32_t values[3][512];
    for (int i = 0; i < 3 * 512; i++) {
        /* Most of a size as weights are, so that most are finite. */
        const uint32_t bits = (uint32_t)next_random();
        values[i / 512][i % 512] = below(50) == 0 ? bits : (bits & 0x807FFFFF) | (uint32_t)(110 + below(12)) << 23;
    }
    silt_distance distances[LEVELS];
    const size_t measured = below(513);
    for (int level = 0; level <= silt_best_level(); level++) {
        silt_distance_of(level, (const float *)(const void *)values[0], (const float *)(const void *)values[1],
                         (const float *)(const void *)values[2], measured, &distances[level]);
        same("distance", &distances[0], &distances[level], sizeof(silt_distance));
    }
    add(&distances[0], sizeof(silt_distance));
}

int main(int count, char **arguments) {
    static input in;
    static output scalar, other;
    const int rounds = count > 1 ? atoi(arguments[1]) : 100;
    for (int round = 0; round < rounds; round++) {
        make_input(&in);
        origin = (int32_t)below(60) - 30;
        row_of_class[0] = 0;
        for (int class = 1; class < 32; class++) {
            row_of_class[class] = (uint8_t)(row_of_class[class - 1] + (class == 1 || below(2)));
        }
        make_output(SILT_LEVEL_SCALAR, &in, &scalar);
        for (int level = 1; level <= silt_best_level(); level++) {
            make_output(level, &in, &other);
            same("encode", &scalar, &other, sizeof scalar);
        }
        add(&scalar, sizeof scalar);
        for (uint64_t damage = 0; damage < 8; damage++) decode(&in, &scalar, damage);
        other_kernels();
        entropy();
    }
    static uint16_t halves[65536];
    static uint32_t wide[65536];
    for (int i = 0; i < 65536; i++) halves[i] = (uint16_t)i;
    silt_convert(SILT_F16, SILT_F32, halves, wide, 65536);
    add(wide, sizeof wide);
    printf("%016llx\n", (unsigned long long)digest);
    return 0;
}
