/* Byte planes: Formats/Silt.md, section 8. */
#include "silt_planes.h"
#include <string.h>

/* The loops for one width, with integers of its size. Plane j has byte j of each element. */
#define PLANES(width, element)                                                                                         \
    static inline element load_##width(const uint8_t *data, size_t i) {                                                \
        element value;                                                                                                 \
        memcpy(&value, data + width * i, width);                                                                       \
        return value;                                                                                                  \
    }                                                                                                                  \
    static void split_##width(const uint8_t *restrict data, const uint8_t *restrict base, size_t from, size_t count,   \
                              uint8_t *restrict planes) {                                                              \
        for (size_t i = from; i < count; i++) {                                                                        \
            const element value = base ? load_##width(data, i) ^ load_##width(base, i) : load_##width(data, i);        \
            for (size_t j = 0; j < width; j++) planes[j * count + i] = (uint8_t)(value >> 8 * j);                      \
        }                                                                                                              \
    }                                                                                                                  \
    static void merge_##width(const uint8_t *restrict planes, const uint8_t *base, size_t from, size_t count,           \
                              uint8_t *data) {                                                                         \
        for (size_t i = from; i < count; i++) {                                                                        \
            element value = base ? load_##width(base, i) : 0;                                                          \
            for (size_t j = 0; j < width; j++) value ^= (element)((element)planes[j * count + i] << 8 * j);            \
            memcpy(data + width * i, &value, width);                                                                   \
        }                                                                                                              \
    }

/* Elements of 16 bits are most of what there is, and compilers do not find these shuffles for every processor. */
typedef uint8_t bytes_16 __attribute__((vector_size(16)));

static inline bytes_16 load_bytes(const uint8_t *from) {
    bytes_16 v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline bytes_16 load_xor(const uint8_t *data, const uint8_t *base, size_t at) {
    return base ? load_bytes(data + at) ^ load_bytes(base + at) : load_bytes(data + at);
}

/* Both return how many elements are done. */
static size_t split_pairs(const uint8_t *data, const uint8_t *base, size_t count, uint8_t *planes) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const bytes_16 a = load_xor(data, base, 2 * i), b = load_xor(data, base, 2 * i + 16);
        const bytes_16 low =
            __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        const bytes_16 high =
            __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
        memcpy(planes + i, &low, 16);
        memcpy(planes + count + i, &high, 16);
    }
    return i;
}

static size_t merge_pairs(const uint8_t *planes, const uint8_t *base, size_t count, uint8_t *data) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const bytes_16 low = load_bytes(planes + i), high = load_bytes(planes + count + i);
        bytes_16 a = __builtin_shufflevector(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        bytes_16 b = __builtin_shufflevector(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        if (base) {
            a ^= load_bytes(base + 2 * i);
            b ^= load_bytes(base + 2 * i + 16);
        }
        memcpy(data + 2 * i, &a, 16);
        memcpy(data + 2 * i + 16, &b, 16);
    }
    return i;
}

PLANES(1, uint8_t)
PLANES(2, uint16_t)
PLANES(4, uint32_t)
PLANES(8, uint64_t)

void silt_planes_split(uint32_t width, const uint8_t *data, const uint8_t *base, size_t count, uint8_t *planes) {
    switch (width) {
    case 1: split_1(data, base, 0, count, planes); break;
    case 2: split_2(data, base, split_pairs(data, base, count, planes), count, planes); break;
    case 4: split_4(data, base, 0, count, planes); break;
    default: split_8(data, base, 0, count, planes); break;
    }
}

void silt_planes_merge(uint32_t width, const uint8_t *planes, const uint8_t *base, size_t count, uint8_t *data) {
    switch (width) {
    case 1: merge_1(planes, base, 0, count, data); break;
    case 2: merge_2(planes, base, merge_pairs(planes, base, count, data), count, data); break;
    case 4: merge_4(planes, base, 0, count, data); break;
    default: merge_8(planes, base, 0, count, data); break;
    }
}

/* Counts that neighbours keep apart: an increment need not wait for the one before it to be stored. The same counter lies at
 * another place of its page each time: processors first compare the low bits of addresses. */
enum { APART = 8 * 256 + 16 };

static inline __attribute__((always_inline)) void count_bytes(uint32_t width, const uint8_t *data, const uint8_t *base,
                                                              size_t count, uint32_t *apart) {
    for (size_t i = 0; i < count * width; i += width) {
        uint32_t *counters = apart + (i / width & 3) * APART;
        for (uint32_t j = 0; j < width; j++) counters[256 * j + (base ? data[i + j] ^ base[i + j] : data[i + j])]++;
    }
}

void silt_planes_count(uint32_t width, const uint8_t *data, const uint8_t *base, size_t count, uint32_t *histogram) {
    uint32_t apart[4 * APART];
    memset(apart, 0, sizeof apart);
    switch (width) {
    case 1: count_bytes(1, data, base, count, apart); break;
    case 2: count_bytes(2, data, base, count, apart); break;
    case 4: count_bytes(4, data, base, count, apart); break;
    default: count_bytes(8, data, base, count, apart); break;
    }
    for (size_t k = 0; k < 256 * (size_t)width; k++) {
        histogram[k] += apart[k] + apart[APART + k] + apart[2 * APART + k] + apart[3 * APART + k];
    }
}

int silt_equal(const void *a, const void *b, size_t size) { return memcmp(a, b, size) == 0; }

void silt_xor(uint8_t *data, const uint8_t *base, size_t size) {
    for (size_t i = 0; i < size; i++) data[i] ^= base[i];
}
