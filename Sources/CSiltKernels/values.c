/* Values of matrices: Formats/Silt.md, section 12.4. Plain loops, which compilers turn into vectors without changing a bit. */
#include "silt_values.h"
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

void silt_lookup(const uint8_t *codes, size_t count, const float *table, float *values) {
    for (size_t i = 0; i < count; i++) values[i] = table[codes[i]];
}

void silt_integers_scale(const int32_t *codes, size_t count, float scale, float *values) {
    for (size_t i = 0; i < count; i++) values[i] = (float)codes[i] * scale;
}

void silt_multiply(float *values, size_t count, float factor) {
    for (size_t i = 0; i < count; i++) values[i] *= factor;
}

void silt_divide(float *values, size_t count, float divisor) {
    for (size_t i = 0; i < count; i++) values[i] /= divisor;
}

void silt_unfold(const uint8_t *folded, size_t count, int32_t *codes) {
    for (size_t i = 0; i < count; i++) codes[i] = (folded[i] >> 1) ^ -(folded[i] & 1);
}

void silt_fold(const int32_t *codes, size_t count, uint8_t *folded) {
    for (size_t i = 0; i < count; i++) folded[i] = (uint8_t)(2 * codes[i] ^ codes[i] >> 31);
}

uint8_t silt_largest_byte(const uint8_t *bytes, size_t count) {
    uint8_t largest = 0;
    for (size_t i = 0; i < count; i++) largest = bytes[i] > largest ? bytes[i] : largest;
    return largest;
}

uint32_t silt_largest_integer(const int32_t *values, size_t count) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t sign = (uint32_t)(values[i] >> 31), magnitude = ((uint32_t)values[i] ^ sign) - sign;
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

float silt_largest(const float *values, size_t count) {
    /* Patterns of floats without a sign are in the order of their values. */
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, 4);
        bits &= 0x7FFFFFFF;
        largest = bits > largest ? bits : largest;
    }
    float value;
    memcpy(&value, &largest, 4);
    return value;
}

void silt_pack(uint32_t bits, const uint8_t *fields, size_t count, uint8_t *packed) {
    const uint32_t in_byte = 8 / bits;
    for (size_t i = 0; i < count; i += in_byte) {
        uint32_t byte = 0;
        for (uint32_t k = 0; k < in_byte && i + k < count; k++) byte |= (uint32_t)fields[i + k] << (bits * k);
        *packed++ = (uint8_t)byte;
    }
}

int silt_unpack(uint32_t bits, const uint8_t *packed, size_t count, uint8_t *fields) {
    const uint32_t in_byte = 8 / bits, mask = (1u << bits) - 1;
    for (size_t i = 0; i < count; i += in_byte) {
        uint32_t byte = *packed++;
        for (uint32_t k = 0; k < in_byte && i + k < count; k++, byte >>= bits) fields[i + k] = (uint8_t)(byte & mask);
        if (count - i < in_byte && byte != 0) return 0;
    }
    return 1;
}

void silt_rotate_left(uint32_t width, void *patterns, size_t count) {
    if (width == 2) {
        uint16_t *p = patterns;
        for (size_t i = 0; i < count; i++) p[i] = (uint16_t)(p[i] << 1 | p[i] >> 15);
    } else {
        uint32_t *p = patterns;
        for (size_t i = 0; i < count; i++) p[i] = p[i] << 1 | p[i] >> 31;
    }
}

void silt_rotate_right(uint32_t width, void *patterns, size_t count) {
    if (width == 2) {
        uint16_t *p = patterns;
        for (size_t i = 0; i < count; i++) p[i] = (uint16_t)(p[i] >> 1 | p[i] << 15);
    } else {
        uint32_t *p = patterns;
        for (size_t i = 0; i < count; i++) p[i] = p[i] >> 1 | p[i] << 31;
    }
}

/* 1.5 * 2^23: adding it rounds to an integer, to the nearest, ties to even, for magnitudes below 2^22. */
#define ROUNDER 12582912.0f

static inline float clamped(float x, float largest) { return x > largest ? largest : x < -largest ? -largest : x; }

void silt_quantise(const float *values, size_t count, float scale, int32_t largest, int32_t *codes) {
    const float bound = (float)largest;
    if (scale == 0) {
        memset(codes, 0, 4 * count);
    } else if (largest < 1 << 22) {
        for (size_t i = 0; i < count; i++) codes[i] = (int32_t)((clamped(values[i] / scale, bound) + ROUNDER) - ROUNDER);
    } else {
        for (size_t i = 0; i < count; i++) codes[i] = (int32_t)rintf(clamped(values[i] / scale, bound));
    }
}

void silt_signs(const float *values, size_t count, int32_t *codes) {
    for (size_t i = 0; i < count; i++) codes[i] = values[i] >= 0 ? 1 : -1;
}

#define LANES 16

double silt_quantise_error(const float *values, size_t count, size_t stride, float scale, int32_t largest) {
    const float bound = (float)largest;
    double error = 0;
    size_t i = 0;
    /* Lanes and short runs: fast, and the same on every machine. */
    while (i < count) {
        float lanes[LANES] = {0};
        for (int run = 0; run < 64 && i < count; run++) {
            for (size_t lane = 0; lane < LANES; lane++) {
                const size_t at = i + lane * stride;
                const float x = at < count ? values[at] / scale : 0;
                const float rest = x - ((clamped(x, bound) + ROUNDER) - ROUNDER);
                lanes[lane] += rest * rest;
            }
            i += LANES * stride;
        }
        for (int lane = 0; lane < LANES; lane++) error += lanes[lane];
    }
    return error;
}

double silt_magnitude(const float *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += fabsf(values[i]);
    return sum;
}
