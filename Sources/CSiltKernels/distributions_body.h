/*
 * Distributions for one level, included once for each, as layers_body.h is. Sums run in 8 lanes.
 */
INLINE wide NAME(all_wide)(double value) { return (wide){0} + value; }

INLINE wide NAME(fma_wide)(wide a, wide b, wide c) { return __builtin_elementwise_fma(a, b, c); }

/* The next values, at most WIDE of `left`; lanes past the end are `rest`. */
INLINE wide NAME(widen)(const float *from, size_t left, float rest) {
    narrow part;
    if (left >= WIDE) {
        memcpy(&part, from, sizeof part);
    } else {
        float few[WIDE];
        for (size_t i = 0; i < WIDE; i++) few[i] = i < left ? from[i] : rest;
        memcpy(&part, few, sizeof part);
    }
    return __builtin_convertvector(part, wide);
}

INLINE double NAME(sum_wide)(wide v) {
    double part[WIDE];
    memcpy(part, &v, sizeof part);
    return sum_lanes(part);
}

/* exp(x) for x from -700 to 0; below, exp(-700). */
INLINE wide NAME(exp_wide)(wide x) {
    const wide_bits low = x < -700.0;
    x = (wide)((low & (wide_bits)NAME(all_wide)(-700.0)) | (~low & (wide_bits)x));
    const wide shift = NAME(all_wide)(6755399441055744.0); /* 1.5 * 2^52 */
    const wide moved = NAME(fma_wide)(x, NAME(all_wide)(1.4426950408889634), shift);
    const wide n = moved - shift;
    const wide scale = (wide)(((wide_bits)moved - (wide_bits)shift + 1023) << 52);
    wide r = NAME(fma_wide)(n, NAME(all_wide)(-0x1.62e42fefa39efp-1), x);
    r = NAME(fma_wide)(n, NAME(all_wide)(-0x1.abc9e3b39803fp-56), r);
    wide p = NAME(all_wide)(1.0 / 6227020800);
    static const double terms[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                                   1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1.0, 1.0};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) p = NAME(fma_wide)(p, r, NAME(all_wide)(terms[i]));
    return p * scale;
}

INLINE float NAME(most)(const float *x, size_t count) {
    float most = x[0];
    for (size_t i = 1; i < count; i++) most = x[i] > most ? x[i] : most;
    return most;
}

TARGET static double NAME(log_sum)(const float *x, size_t count) {
    const float most = NAME(most)(x, count);
    wide sum = NAME(all_wide)(0);
    for (size_t i = 0; i < count; i += WIDE) {
        sum += NAME(exp_wide)(NAME(widen)(x + i, count - i, -__builtin_inff()) - (double)most);
    }
    /* Lanes past the end have added exp(-700) each, which no sum of 1 or more notices. */
    return (double)most + log(NAME(sum_wide)(sum));
}

TARGET static double NAME(divergence)(const float *r, const float *c, size_t count) {
    const double most_r = (double)NAME(most)(r, count), most_c = (double)NAME(most)(c, count);
    wide sum_r = NAME(all_wide)(0), sum_c = sum_r, weighted = sum_r;
    for (size_t i = 0; i < count; i += WIDE) {
        /* Lanes past the end are finite and alike, so that their terms vanish. */
        const wide x = NAME(widen)(r + i, count - i, -__FLT_MAX__) - most_r;
        const wide y = NAME(widen)(c + i, count - i, -__FLT_MAX__) - most_c;
        const wide e = NAME(exp_wide)(x);
        sum_r += e;
        sum_c += NAME(exp_wide)(y);
        weighted = NAME(fma_wide)(e, x - y, weighted);
    }
    const double total = NAME(sum_wide)(sum_r);
    const double result = NAME(sum_wide)(weighted) / total - log(total) + log(NAME(sum_wide)(sum_c));
    return result < 0 ? 0 : result; /* below 0 by rounding only */
}

TARGET static double NAME(difference)(const float *a, const float *b, size_t count, int is_squared) {
    wide sum = NAME(all_wide)(0);
    for (size_t i = 0; i < count; i += WIDE) {
        const wide d = NAME(widen)(a + i, count - i, 0) - NAME(widen)(b + i, count - i, 0);
        sum += is_squared ? d * d : (wide)((wide_bits)d & 0x7FFFFFFFFFFFFFFF);
    }
    return NAME(sum_wide)(sum);
}
