/* Adaptive streams of integers: Formats/Silt.md, section 12.5. Serial by nature; there is one form. */
#include "silt_adaptive.h"

/* floor(131072 / (2 n + 3)) */
static const uint16_t gains[255] = {
    43690, 26214, 18724, 14563, 11915, 10082, 8738, 7710, 6898, 6241, 5698, 5242, 4854, 4519, 4228, 3971, 3744, 3542,
    3360, 3196, 3048, 2912, 2788, 2674, 2570, 2473, 2383, 2299, 2221, 2148, 2080, 2016, 1956, 1899, 1846, 1795, 1747,
    1702, 1659, 1618, 1579, 1542, 1506, 1472, 1440, 1409, 1379, 1351, 1323, 1297, 1272, 1248, 1224, 1202, 1180, 1159,
    1139, 1120, 1101, 1083, 1065, 1048, 1032, 1016, 1000, 985, 970, 956, 942, 929, 916, 903, 891, 879, 868, 856, 845,
    834, 824, 814, 804, 794, 784, 775, 766, 757, 748, 740, 732, 724, 716, 708, 700, 693, 686, 679, 672, 665, 658, 652,
    645, 639, 633, 627, 621, 615, 609, 604, 598, 593, 587, 582, 577, 572, 567, 562, 557, 553, 548, 543, 539, 534, 530,
    526, 522, 518, 514, 510, 506, 502, 498, 494, 490, 487, 483, 480, 476, 473, 469, 466, 463, 459, 456, 453, 450, 447,
    444, 441, 438, 435, 432, 429, 426, 424, 421, 418, 416, 413, 410, 408, 405, 403, 400, 398, 395, 393, 391, 388, 386,
    384, 382, 379, 377, 375, 373, 371, 369, 367, 365, 363, 361, 359, 357, 355, 353, 351, 349, 347, 345, 344, 342, 340,
    338, 336, 335, 333, 331, 330, 328, 326, 325, 323, 322, 320, 318, 317, 315, 314, 312, 311, 309, 308, 306, 305, 304,
    302, 301, 299, 298, 297, 295, 294, 293, 291, 290, 289, 288, 286, 285, 284, 283, 281, 280, 279, 278, 277, 275, 274,
    273, 272, 271, 270, 269, 268, 266, 265, 264, 263, 262, 261, 260, 259, 258, 257, 256,
};

typedef struct {
    uint16_t p; /* of a bit 0, in 1/65536; the steps never reach 65536 */
    uint16_t n;
} context;

typedef struct {
    context unary[32][16];
    context top[25][3];
    uint32_t mean;
} model;

static void begin(model *m) {
    const context fresh = {32768, 0};
    for (int k = 0; k < 32; k++) {
        for (int t = 0; t < 16; t++) m->unary[k][t] = fresh;
    }
    for (int e = 0; e < 25; e++) {
        for (int v = 0; v < 3; v++) m->top[e][v] = fresh;
    }
    m->mean = 0;
}

static inline uint32_t length_of(uint32_t x) { return x == 0 ? 0 : 32 - (uint32_t)__builtin_clz(x); }

/* The contexts of the next integer's length. */
static inline context *class_of(model *m) {
    const uint32_t x = m->mean >> 4, l = length_of(x);
    const uint32_t k = l < 2 ? 2 * l : 2 * l + (x >> (l - 2) & 1);
    return m->unary[k < 31 ? k : 31];
}

static inline void follow(model *m, uint32_t magnitude) {
    const int32_t target = 256 * (int32_t)(magnitude < 4095 ? magnitude : 4095), mean = (int32_t)m->mean;
    m->mean = (uint32_t)(mean + ((target - mean) >> 4));
}

/* Where a bit of this context divides the range. */
static inline uint32_t bound(const context *c, uint32_t range) {
    /* P stays within 144 and 65,392 by itself: the steps end where 256ths of it round to 0. */
    return (range >> 16) * c->p;
}

static inline void learn(context *c, uint32_t bit) {
    const uint32_t gain = gains[c->n];
    if (bit) c->p = (uint16_t)(c->p - (c->p * gain >> 16));
    else c->p = (uint16_t)(c->p + ((65536u - c->p) * gain >> 16));
    if (c->n < 254) c->n++;
}

/* ---- Writing ---- */

typedef struct {
    uint32_t range;
    uint32_t low;
    uint8_t *at;
} writer;

/* low += amount; a carry runs through the bytes that are out. The sum is below 1, so it never leaves the first byte. */
static inline void raise(writer *w, uint32_t amount) {
    w->low += amount;
    if (w->low >= amount) return;
    uint8_t *byte = w->at;
    do byte--;
    while (++*byte == 0);
}

static inline void emit(writer *w) {
    while (w->range < 1u << 24) {
        *w->at++ = (uint8_t)(w->low >> 24);
        w->low <<= 8;
        w->range <<= 8;
    }
}

static inline void put(writer *w, context *c, uint32_t bit) {
    const uint32_t b = bound(c, w->range);
    if (bit) {
        raise(w, b);
        w->range -= b;
    } else {
        w->range = b;
    }
    learn(c, bit);
    emit(w);
}

static inline void put_plain(writer *w, uint32_t bit) {
    w->range >>= 1;
    if (bit) raise(w, w->range);
    emit(w);
}

static void put_integer(writer *w, model *m, int32_t value, int is_signed) {
    const uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value, e = length_of(magnitude);
    context *unary = class_of(m);
    for (uint32_t t = 0; t < e; t++) put(w, &unary[t < 15 ? t : 15], 1);
    if (e < 24) put(w, &unary[e < 15 ? e : 15], 0);
    const uint32_t first = e >= 2 ? magnitude >> (e - 2) & 1 : 0;
    if (e >= 2) put(w, &m->top[e][0], first);
    if (e >= 3) put(w, &m->top[e][1 + first], magnitude >> (e - 3) & 1);
    for (uint32_t bit = e >= 3 ? e - 3 : 0; bit-- > 0;) put_plain(w, magnitude >> bit & 1);
    if (is_signed && magnitude > 0) put_plain(w, value < 0);
    follow(m, magnitude);
}

/* The number in [low, low + range) with the most zero bytes at its end; zeros need not be written. */
static size_t finish(writer *w, uint8_t *stream) {
    const uint64_t end = (uint64_t)w->low + w->range;
    uint64_t number = w->low;
    for (int bits = 32; bits >= 0; bits -= 8) {
        const uint64_t step = (uint64_t)1 << bits;
        number = (w->low + step - 1) & ~(step - 1);
        if (number < end) break;
    }
    raise(w, (uint32_t)(number - w->low));
    for (int byte = 0; byte < 4; byte++, w->low <<= 8) *w->at++ = (uint8_t)(w->low >> 24);
    while (w->at > stream && w->at[-1] == 0) w->at--;
    return (size_t)(w->at - stream);
}

size_t silt_adaptive_encode(const int32_t *values, size_t count, int is_signed, uint8_t *stream) {
    model m;
    begin(&m);
    writer w = {UINT32_MAX, 0, stream};
    for (size_t i = 0; i < count; i++) put_integer(&w, &m, values[i], is_signed);
    return finish(&w, stream);
}

/* ---- Reading ---- */

typedef struct {
    uint32_t range;
    uint32_t code;
    const uint8_t *stream;
    size_t size;
    size_t at; /* bytes that were read, those past the end counted */
} reader;

static inline uint32_t next_byte(reader *r) {
    const size_t at = r->at++;
    return at < r->size ? r->stream[at] : 0;
}

static inline void fill(reader *r) {
    while (r->range < 1u << 24) {
        r->range <<= 8;
        r->code = r->code << 8 | next_byte(r);
    }
}

static inline uint32_t get(reader *r, context *c) {
    const uint32_t b = bound(c, r->range), bit = r->code >= b;
    if (bit) {
        r->code -= b;
        r->range -= b;
    } else {
        r->range = b;
    }
    learn(c, bit);
    fill(r);
    return bit;
}

static inline uint32_t get_plain(reader *r) {
    r->range >>= 1;
    const uint32_t bit = r->code >= r->range;
    if (bit) r->code -= r->range;
    fill(r);
    return bit;
}

static inline int32_t get_integer(reader *r, model *m, int is_signed) {
    context *unary = class_of(m);
    uint32_t e = 0;
    while (e < 24 && get(r, &unary[e < 15 ? e : 15])) e++;
    uint32_t magnitude = e > 0, first = 0;
    if (e >= 2) {
        first = get(r, &m->top[e][0]);
        magnitude = 2 + first;
    }
    if (e >= 3) magnitude = 2 * magnitude + get(r, &m->top[e][1 + first]);
    for (uint32_t bit = 3; bit < e; bit++) magnitude = 2 * magnitude + get_plain(r);
    follow(m, magnitude);
    if (is_signed && magnitude > 0 && get_plain(r)) return -(int32_t)magnitude;
    return (int32_t)magnitude;
}

int silt_adaptive_decode(const uint8_t *stream, size_t size, size_t count, int is_signed, int32_t *values) {
    if (size > 0 && stream[size - 1] == 0) return SILT_ENDS_ZERO;
    if (count == 0) return size == 0 ? SILT_OK : SILT_BYTES_LEFT;
    model m;
    begin(&m);
    reader r = {UINT32_MAX, 0, stream, size, 0};
    for (int byte = 0; byte < 4; byte++) r.code = r.code << 8 | next_byte(&r);
    for (size_t i = 0; i < count; i++) values[i] = get_integer(&r, &m, is_signed);
    return r.at < size ? SILT_BYTES_LEFT : SILT_OK;
}
