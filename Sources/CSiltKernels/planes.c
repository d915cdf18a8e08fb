/* Byte planes: Formats/Silt.md, section 8. The loops with a constant width are what compilers turn into shuffles. */
#include "silt_kernels.h"
#include <string.h>

static inline __attribute__((always_inline)) void split(uint32_t width, const uint8_t *data, const uint8_t *base,
                                                        size_t count, uint8_t *planes) {
    for (uint32_t j = 0; j < width; j++) {
        uint8_t *plane = planes + j * count;
        if (base) {
            for (size_t i = 0; i < count; i++) plane[i] = data[i * width + j] ^ base[i * width + j];
        } else {
            for (size_t i = 0; i < count; i++) plane[i] = data[i * width + j];
        }
    }
}

static inline __attribute__((always_inline)) void merge(uint32_t width, const uint8_t *planes, const uint8_t *base,
                                                        size_t count, uint8_t *data) {
    for (uint32_t j = 0; j < width; j++) {
        const uint8_t *plane = planes + j * count;
        if (base) {
            for (size_t i = 0; i < count; i++) data[i * width + j] = plane[i] ^ base[i * width + j];
        } else {
            for (size_t i = 0; i < count; i++) data[i * width + j] = plane[i];
        }
    }
}

void silt_planes_split(uint32_t width, const uint8_t *data, const uint8_t *base, size_t count, uint8_t *planes) {
    switch (width) {
    case 1: split(1, data, base, count, planes); break;
    case 2: split(2, data, base, count, planes); break;
    case 4: split(4, data, base, count, planes); break;
    default: split(8, data, base, count, planes); break;
    }
}

void silt_planes_merge(uint32_t width, const uint8_t *planes, const uint8_t *base, size_t count, uint8_t *data) {
    switch (width) {
    case 1: merge(1, planes, base, count, data); break;
    case 2: merge(2, planes, base, count, data); break;
    case 4: merge(4, planes, base, count, data); break;
    default: merge(8, planes, base, count, data); break;
    }
}

void silt_planes_count(uint32_t width, const uint8_t *data, const uint8_t *base, size_t count, uint32_t *histogram) {
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < width; j++) {
            const uint8_t byte = data[i * width + j] ^ (base ? base[i * width + j] : 0);
            histogram[256 * j + byte]++;
        }
    }
}

int silt_equal(const void *a, const void *b, size_t size) { return memcmp(a, b, size) == 0; }

void silt_xor(uint8_t *data, const uint8_t *base, size_t size) {
    for (size_t i = 0; i < size; i++) data[i] ^= base[i];
}
