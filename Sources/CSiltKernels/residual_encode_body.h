/*
 * Measuring and coding the residual for one width and one level. WIDTH is 8, 16 or 32, DIRECT the number of bits (g) below
 * which a folded difference is its own symbol, LEVEL names the level and TARGET is the attribute of its functions. The loops are
 * plain; compilers make vectors of them.
 */
#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define SIZED(name) JOIN(name, WIDTH, LEVEL)
#define TYPE_(sign, width) sign##width##_t
#define TYPE(sign, width) TYPE_(sign, width)
#define PATTERN TYPE(uint, WIDTH)
#define SIGNED TYPE(int, WIDTH)

INLINE PATTERN SIZED(ordered)(PATTERN u) {
    const PATTERN sign = (PATTERN)((SIGNED)u >> (WIDTH - 1));
    return (PATTERN)(u ^ (PATTERN)(sign & (PATTERN)((PATTERN)~(PATTERN)0 >> 1)));
}

INLINE PATTERN SIZED(folded)(PATTERN base, PATTERN result) {
    const SIGNED d = (SIGNED)(PATTERN)(SIZED(ordered)(result) - SIZED(ordered)(base));
    return (PATTERN)((PATTERN)((PATTERN)d << 1) ^ (PATTERN)(d >> (WIDTH - 1)));
}

/* The symbol of a folded difference. The bits of a float have its exponent and the three bits that follow its first. */
INLINE uint32_t SIZED(symbol)(uint32_t z) {
#if WIDTH == 8
    return z;
#else
    /* The fourth bit after the first becomes 0, so that no rounding changes what stands before it. */
    const float value = WIDTH == 32 ? (float)(z & ~(z >> 4)) : (float)(int32_t)z;
    uint32_t bits;
    memcpy(&bits, &value, 4);
    const uint32_t large = (bits >> 20) + (1u << DIRECT) - 8 * (127 + DIRECT);
    return z >> DIRECT == 0 ? z : large;
#endif
}

/* By how much an element moved: steps times the size of a step. */
INLINE double SIZED(moved)(silt_float type, PATTERN base, PATTERN result) {
    const uint32_t z = SIZED(folded)(base, result), steps = (z >> 1) + (z & 1);
    const uint32_t e = base >> type.mantissa_bits & type.exponent_mask;
    const uint64_t bits = (uint64_t)(1023 + (e == 0 ? 1 : e)) << 52;
    double power;
    memcpy(&power, &bits, 8);
    return (WIDTH == 32 ? (double)steps : (double)(int32_t)steps) * power;
}

/* The sum over a unit, 0 if it equals the base. 16 sums go on side by side, at every level in the same order. */
static TARGET double SIZED(movement)(silt_float type, const PATTERN *b, const PATTERN *r, size_t n) {
    double sums[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t k = 0; k < 16; k++) sums[k] += SIZED(moved)(type, b[i + k], r[i + k]);
    }
    for (size_t k = 0; i < n; i++, k++) sums[k] += SIZED(moved)(type, b[i], r[i]);
    for (size_t step = 8; step > 0; step /= 2) {
        for (size_t k = 0; k < step; k++) sums[k] += sums[k + step];
    }
    return sums[0];
}

/* Where elements of a unit count in the histogram: 256 * bin + symbol, below 32,768. */
static TARGET void SIZED(indices)(silt_float type, const PATTERN *b, const PATTERN *r, size_t n, int scale,
                                  uint16_t *index) {
    for (size_t i = 0; i < n; i++) {
        const int e = (int)(b[i] >> type.mantissa_bits & type.exponent_mask), x = scale + SILT_BIN_ORIGIN - 2 * e;
        const int bin = x < 0 ? 0 : x >= SILT_BINS ? SILT_BINS - 1 : x;
        index[i] = (uint16_t)((uint32_t)bin << 8 | SIZED(symbol)(SIZED(folded)(b[i], r[i])));
    }
}

static TARGET size_t SIZED(measure)(silt_float type, const PATTERN *base, const PATTERN *result, size_t count,
                                    size_t unit, int16_t *scales, uint32_t *histogram, uint32_t *bins) {
    size_t moved = 0;
    uint32_t lowest = UINT16_MAX, highest = 0;
    for (size_t from = 0, u = 0; from < count; from += unit, u++) {
        const size_t n = count - from < unit ? count - from : unit;
        const double sum = SIZED(movement)(type, base + from, result + from, n);
        if (sum == 0) {
            scales[u] = SILT_STILL;
            continue;
        }
        const int scale = (int)lround(2 * log2(sum / (double)n));
        scales[u] = (int16_t)scale;
        moved++;
        if (!histogram) continue;
        for (size_t at = from; at < from + n; at += BLOCK) {
            const size_t size = from + n - at < BLOCK ? from + n - at : BLOCK;
            uint16_t index[BLOCK];
            SIZED(indices)(type, base + at, result + at, size, scale, index);
            uint32_t low = lowest, high = highest;
            for (size_t i = 0; i < size; i++) {
                low = index[i] < low ? index[i] : low;
                high = index[i] > high ? index[i] : high;
            }
            lowest = low;
            highest = high;
            count_indices(index, size, histogram);
        }
    }
    const uint32_t first = moved == 0 ? 0 : lowest >> 8, end = moved == 0 ? 0 : (highest >> 8) + 1;
    if (histogram) gather_counts(histogram, first, end);
    if (bins) {
        bins[0] = first;
        bins[1] = end;
    }
    return moved;
}

#if WIDTH > 8
/* Joins the raw bits of neighbours into fields of at most 56 bits; returns how many there are. */
INLINE size_t SIZED(fields)(const PATTERN *z, const uint8_t *symbols, size_t n, uint64_t *bits, uint64_t *widths) {
    PATTERN low[BLOCK], width[BLOCK];
    for (size_t i = 0; i < n; i++) {
        const PATTERN w = (PATTERN)(symbols[i] >> DIRECT == 0 ? 0 : (symbols[i] >> 3) - (1 << DIRECT) / 8 + DIRECT - 3);
        low[i] = (PATTERN)(z[i] & (PATTERN)(((uint32_t)1 << w) - 1));
        width[i] = w;
    }
    for (size_t i = n; i % 4 != 0; i++) low[i] = width[i] = 0;
    const size_t pairs = (n + 3) / 4 * 2;
#if WIDTH == 16
    uint32_t low_2[BLOCK / 2], width_2[BLOCK / 2];
    for (size_t i = 0; i < pairs; i++) {
        low_2[i] = low[2 * i] | (uint32_t)low[2 * i + 1] << width[2 * i];
        width_2[i] = (uint32_t)width[2 * i] + width[2 * i + 1];
    }
    for (size_t i = 0; i < pairs / 2; i++) {
        bits[i] = low_2[2 * i] | (uint64_t)low_2[2 * i + 1] << width_2[2 * i];
        widths[i] = (uint64_t)width_2[2 * i] + width_2[2 * i + 1];
    }
    return pairs / 2;
#else
    for (size_t i = 0; i < pairs; i++) {
        bits[i] = low[2 * i] | (uint64_t)low[2 * i + 1] << width[2 * i];
        widths[i] = (uint64_t)width[2 * i] + width[2 * i + 1];
    }
    return pairs;
#endif
}
#endif

static TARGET size_t SIZED(symbols)(int level, silt_float type, const PATTERN *base, const PATTERN *result,
                                    size_t count, size_t unit, const uint8_t *codes, int32_t origin,
                                    const uint8_t *row_of_class, uint8_t *symbols, uint8_t *rows, uint8_t *raw) {
    bit_writer writer = {raw, 0, 0};
    for (size_t from = 0, u = 0; from < count; from += unit, u++) {
        const size_t n = count - from < unit ? count - from : unit;
        if (codes[u] == 0) {
            memset(symbols + from, 0, n);
            memset(rows + from, row_of_class[0], n);
            continue;
        }
        const int scale = origin + codes[u];
        for (size_t at = from; at < from + n; at += BLOCK) {
            const size_t size = from + n - at < BLOCK ? from + n - at : BLOCK;
            PATTERN z[BLOCK];
            for (size_t i = 0; i < size; i++) {
                const int e = (int)(base[at + i] >> type.mantissa_bits & type.exponent_mask), x = scale - 2 * e;
                rows[at + i] = (uint8_t)(1 + (x < 0 ? 0 : x > 30 ? 30 : x));
                z[i] = SIZED(folded)(base[at + i], result[at + i]);
                symbols[at + i] = (uint8_t)SIZED(symbol)(z[i]);
            }
            name_rows(level, row_of_class, rows + at, size);
#if WIDTH > 8
            uint64_t bits[BLOCK / 2], widths[BLOCK / 2];
            const size_t number = SIZED(fields)(z, symbols + at, size, bits, widths);
            for (size_t i = 0; i < number; i++) put_bits(&writer, bits[i], (uint32_t)widths[i]);
#endif
        }
    }
    return (size_t)(writer.at - raw) + (writer.filled > 0);
}

#undef JOIN_
#undef JOIN
#undef SIZED
#undef TYPE_
#undef TYPE
#undef PATTERN
#undef SIGNED
