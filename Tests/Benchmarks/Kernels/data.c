#include "data.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

uint64_t next_random(void) {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

double next_normal(void) {
    const double u = ((double)(next_random() >> 11) + 1) / 9007199254740993.0;
    const double v = (double)(next_random() >> 11) / 9007199254740992.0;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

void *make_buffer(size_t size) {
    const size_t padded = (size + SILT_PADDING + 63) / 64 * 64;
    void *bytes = aligned_alloc(64, padded);
    if (!bytes) {
        fprintf(stderr, "no memory for %zu bytes\n", padded);
        exit(1);
    }
    memset(bytes, 0, padded);
    return bytes;
}

void normalise(const uint32_t *counts, uint16_t *frequencies) {
    uint64_t total = 0;
    for (int s = 0; s < 256; s++) total += counts[s];
    int sum = 0;
    for (int s = 0; s < 256; s++) {
        const uint64_t scaled = ((uint64_t)counts[s] * 4096 + total / 2) / total;
        frequencies[s] = (uint16_t)(counts[s] == 0 ? 0 : scaled == 0 ? 1 : scaled);
        sum += frequencies[s];
    }
    /* What rounding left over comes from, or goes to, whichever is the most frequent. */
    for (; sum != 4096; sum += sum < 4096 ? 1 : -1) {
        int largest = 0;
        for (int s = 1; s < 256; s++) largest = frequencies[s] > frequencies[largest] ? s : largest;
        frequencies[largest] = (uint16_t)(frequencies[largest] + (sum < 4096 ? 1 : -1));
    }
}

/* E4M3 has F16's sign, and its exponent and mantissa cut to 4 and 3 bits; values below 2^-6 become 0. */
static uint8_t narrow_f8(float value) {
    uint16_t half;
    silt_convert(SILT_F32, SILT_F16, &value, &half, 1);
    const uint32_t magnitude = half & 0x7FFF;
    return (uint8_t)((half >> 8 & 0x80) | (magnitude < 9 << 10 ? 0 : (magnitude - (8 << 10)) >> 7));
}

static void put(chunk *c, void *patterns, size_t i, float value) {
    /* Checkpoints of 8 bits have scales, and values up to 448. */
    if (c->type.width == 8) ((uint8_t *)patterns)[i] = narrow_f8(64 * value);
    else if (c->type.width == 32) memcpy((uint8_t *)patterns + 4 * i, &value, 4);
    else silt_convert(SILT_F32, SILT_BF16, &value, (uint8_t *)patterns + 2 * i, 1);
}

void make_chunk(chunk *c, uint32_t width, double spread) {
    state = width;
    c->type = width == 8 ? (silt_float){8, 3, 15} : (silt_float){width, width == 32 ? 23 : 7, 255};
    c->base = make_buffer(COUNT * width / 8);
    c->result = make_buffer(COUNT * width / 8);
    c->out = make_buffer(COUNT * width / 8);
    double row = 1;
    for (size_t i = 0; i < COUNT; i++) {
        if (i % UNIT == 0) row = exp(0.3 * next_normal());
        const float weight = (float)(0.04 * next_normal());
        put(c, c->base, i, weight);
        put(c, c->result, i, weight + (float)(spread * row * next_normal()));
    }
    c->scales = make_buffer(2 * COUNT / UNIT);
    c->codes = make_buffer(COUNT / UNIT);
    c->histogram = make_buffer(SILT_HISTOGRAM * sizeof(uint32_t));
    silt_residual_measure(SILT_LEVEL_SCALAR, c->type, c->base, c->result, COUNT, UNIT, c->scales, c->histogram, NULL);
    int lowest = c->scales[0];
    for (size_t u = 1; u < COUNT / UNIT; u++) lowest = c->scales[u] < lowest ? c->scales[u] : lowest;
    /* As the packer does: the window of 31 classes begins where 1 % of the elements lie below. */
    int window = 0;
    for (size_t below = 0; window < SILT_BINS - 31; window++) {
        for (int s = 0; s < 256; s++) below += c->histogram[256 * window + s];
        if (100 * below > COUNT) break;
    }
    c->origin = lowest + SILT_BIN_ORIGIN - window - 1;
    for (size_t u = 0; u < COUNT / UNIT; u++) {
        c->codes[u] = (uint8_t)(c->scales[u] + SILT_BIN_ORIGIN - window - c->origin);
    }
    c->encoding = make_buffer(32 * 256 * sizeof(silt_encode_symbol));
    c->slots = make_buffer(32 * 4096 * sizeof(uint32_t));
    for (int class = 0; class < 32; class++) {
        uint32_t counts[256] = {0};
        for (int bin = 0; bin < SILT_BINS; bin++) {
            const int own = 1 + (bin < window ? 0 : bin > window + 30 ? 30 : bin - window);
            for (int s = 0; s < 256 && own == class; s++) counts[s] += c->histogram[256 * bin + s];
        }
        uint32_t total = 0;
        for (int s = 0; s < 256; s++) total += counts[s];
        if (total == 0) counts[0] = 1;
        uint16_t frequencies[256];
        normalise(counts, frequencies);
        c->row_of_class[class] = (uint8_t)class;
        silt_encode_table(frequencies, c->encoding + 256 * class);
        silt_decode_table(frequencies, c->slots + 4096 * class);
    }
    c->symbols = make_buffer(COUNT);
    c->rows = make_buffer(COUNT);
    c->raw = make_buffer(4 * COUNT + 8);
    c->words = make_buffer(2 * COUNT + 4 * SILT_LANES + 2);
}
