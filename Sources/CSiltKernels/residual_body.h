/*
 * The residual for one width, included once for each: WIDTH is 8, 16 or 32, DIRECT the number of bits (g) below which a
 * folded difference is its own symbol.
 */
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name##_, WIDTH)
#define PATTERN JOIN(JOIN(uint, WIDTH), _t)
#define SIGNED JOIN(JOIN(int, WIDTH), _t)

/* o of section 7.1; its own inverse. */
static inline PATTERN NAME(ordered)(PATTERN u) {
    const PATTERN sign = (PATTERN)((SIGNED)u >> (WIDTH - 1));
    return (PATTERN)(u ^ (PATTERN)(sign & (PATTERN)((PATTERN)~(PATTERN)0 >> 1)));
}

static inline PATTERN NAME(folded)(PATTERN base, PATTERN result) {
    const SIGNED d = (SIGNED)(PATTERN)(NAME(ordered)(result) - NAME(ordered)(base));
    return (PATTERN)((PATTERN)((PATTERN)d << 1) ^ (PATTERN)(d >> (WIDTH - 1)));
}

static inline PATTERN NAME(unfolded)(PATTERN base, PATTERN z) {
    const PATTERN d = (PATTERN)((PATTERN)(z >> 1) ^ (PATTERN)(0 - (z & 1)));
    return NAME(ordered)((PATTERN)(NAME(ordered)(base) + d));
}

static inline uint32_t NAME(symbol)(uint32_t z) {
    if (z >> DIRECT == 0) return z;
    const uint32_t e = 31 - (uint32_t)__builtin_clz(z);
    return (1u << DIRECT) + 8 * (e - DIRECT) + (z >> (e - 3) & 7);
}

/* By how much an element moved: steps times the size of a step. */
static inline double NAME(moved)(silt_float type, PATTERN base, PATTERN result) {
    const uint32_t e = base >> type.mantissa_bits & type.exponent_mask;
    return (double)(((uint64_t)NAME(folded)(base, result) + 1) >> 1) * power_of_two(e == 0 ? 1 : e);
}

/* The scale of a unit: half octaves of the mean. Four sums, so that additions do not wait for each other. */
static int NAME(scale)(silt_float type, const PATTERN *b, const PATTERN *r, size_t n) {
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        s0 += NAME(moved)(type, b[i], r[i]);
        s1 += NAME(moved)(type, b[i + 1], r[i + 1]);
        s2 += NAME(moved)(type, b[i + 2], r[i + 2]);
        s3 += NAME(moved)(type, b[i + 3], r[i + 3]);
    }
    for (; i < n; i++) s0 += NAME(moved)(type, b[i], r[i]);
    return (int)lround(2 * log2((s0 + s1 + s2 + s3) / (double)n));
}

static size_t NAME(measure)(silt_float type, const PATTERN *base, const PATTERN *result, size_t count, size_t unit,
                            int16_t *scales, uint32_t *histogram, uint32_t *bins) {
    size_t moved = 0;
    int lowest = SILT_BINS, highest = -1;
    for (size_t from = 0, u = 0; from < count; from += unit, u++) {
        const size_t n = count - from < unit ? count - from : unit;
        const PATTERN *b = base + from, *r = result + from;
        if (memcmp(b, r, n * sizeof(PATTERN)) == 0) {
            scales[u] = SILT_STILL;
            continue;
        }
        const int scale = NAME(scale)(type, b, r, n);
        scales[u] = (int16_t)scale;
        moved++;
        if (!histogram) continue;
        for (size_t i = 0; i < n; i++) {
            const int e = (int)(b[i] >> type.mantissa_bits & type.exponent_mask);
            int bin = scale + SILT_BIN_ORIGIN - 2 * e;
            bin = bin < 0 ? 0 : bin >= SILT_BINS ? SILT_BINS - 1 : bin;
            lowest = bin < lowest ? bin : lowest;
            highest = bin > highest ? bin : highest;
            histogram[256 * bin + NAME(symbol)(NAME(folded)(b[i], r[i]))]++;
        }
    }
    if (bins) {
        bins[0] = (uint32_t)(highest < 0 ? 0 : lowest);
        bins[1] = (uint32_t)(highest + 1);
    }
    return moved;
}

static size_t NAME(symbols)(silt_float type, const PATTERN *base, const PATTERN *result, size_t count, size_t unit,
                            const uint8_t *codes, int32_t origin, const uint8_t *row_of_class, uint8_t *symbols,
                            uint8_t *rows, uint8_t *raw) {
    uint8_t *out = raw;
    uint64_t bits = 0;
    uint32_t filled = 0;
    for (size_t from = 0, u = 0; from < count; from += unit, u++) {
        const size_t n = count - from < unit ? count - from : unit;
        if (codes[u] == 0) {
            memset(symbols + from, 0, n);
            memset(rows + from, row_of_class[0], n);
            continue;
        }
        const int scale = origin + codes[u];
        for (size_t i = from; i < from + n; i++) {
            const uint32_t z = NAME(folded)(base[i], result[i]);
            const uint32_t s = NAME(symbol)(z);
            symbols[i] = (uint8_t)s;
            rows[i] = row_of_class[class_of(scale, base[i] >> type.mantissa_bits & type.exponent_mask)];
            if (s >> DIRECT != 0) {
                const uint32_t width = DIRECT - 3 + ((s - (1u << DIRECT)) >> 3);
                bits |= (uint64_t)(z & ((1u << width) - 1)) << filled;
                filled += width;
                while (filled >= 8) {
                    *out++ = (uint8_t)bits;
                    bits >>= 8;
                    filled -= 8;
                }
            }
        }
    }
    if (filled > 0) *out++ = (uint8_t)bits;
    return (size_t)(out - raw);
}

static int NAME(decode)(residual_job *job, const PATTERN *base, PATTERN *result, size_t from) {
    const uint32_t mask = job->reader.lanes - 1;
    size_t i = from;
    while (i < job->count) {
        const size_t u = i / job->unit;
        const size_t end = (u + 1) * job->unit < job->count ? (u + 1) * job->unit : job->count;
        const int still = job->codes[u] == 0;
        const int scale = job->origin + job->codes[u];
        if (still) {
            /* Class 0 has one symbol: no state moves, no word is read. */
            memcpy(result + i, base + i, (end - i) * sizeof(PATTERN));
            i = end;
            continue;
        }
        for (; i < end; i++) {
            const PATTERN b = base[i];
            const uint32_t lane = (uint32_t)i & mask;
            const size_t row = job->row_of_class[class_of(scale, b >> job->type.mantissa_bits & job->type.exponent_mask)];
            const uint32_t slot = job->tables[4096 * row + (job->reader.x[lane] & 4095)];
            if (!rans_advance(&job->reader, lane, slot)) return SILT_WORDS_SHORT;
            const uint32_t s = slot & 255;
            uint32_t z = s;
            if (s >> DIRECT != 0) {
                const uint32_t t = s - (1u << DIRECT);
                const uint32_t width = DIRECT - 3 + (t >> 3);
                if (width > job->raw_bits - job->raw_at) return SILT_RAW_SHORT;
                uint64_t bits;
                memcpy(&bits, job->raw + (job->raw_at >> 3), 8);
                z = (8 | (t & 7)) << width | ((uint32_t)(bits >> (job->raw_at & 7)) & ((1u << width) - 1));
                job->raw_at += width;
            }
            result[i] = NAME(unfolded)(b, (PATTERN)z);
        }
    }
    return SILT_OK;
}

#undef PATTERN
#undef SIGNED
#undef NAME
#undef JOIN
#undef JOIN_
#undef WIDTH
#undef DIRECT
