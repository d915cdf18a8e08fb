/*
 * Rebuilding for one width, included once for each: WIDTH is 8, 16 or 32, DIRECT the number of bits (g) below which a
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

static inline PATTERN NAME(unfolded)(PATTERN base, PATTERN z) {
    const PATTERN d = (PATTERN)((PATTERN)(z >> 1) ^ (PATTERN)(0 - (z & 1)));
    return NAME(ordered)((PATTERN)(NAME(ordered)(base) + d));
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
            if (result != base) memcpy(result + i, base + i, (end - i) * sizeof(PATTERN));
            i = end;
            continue;
        }
        for (; i < end; i++) {
            const PATTERN b = base[i];
            const uint32_t lane = (uint32_t)i & mask;
            const size_t row = job->row_of_class[class_of(scale, b >> job->type.mantissa_bits & job->type.exponent_mask)];
            const uint32_t slot = job->tables[4096 * row + (job->reader.x[lane] & 4095)];
            if (!rans_advance(&job->reader, lane, slot)) return SILT_WORDS_SHORT;
            const uint32_t s = slot >> 24;
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
