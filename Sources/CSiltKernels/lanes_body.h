/*
 * Sixteen floats at once, for one level: included once for each by the bodies of layers. NAME(x) makes the names, TARGET is the
 * attribute of its functions. Vectors are clang's, of the same widths at every level; the compiler splits them into the registers
 * that the level has.
 */
#ifndef SILT_LANES_BODY_H
#define SILT_LANES_BODY_H
enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(64)));
typedef int32_t lane_bits __attribute__((vector_size(64)));
#endif

INLINE lanes NAME(load)(const float *from) {
    lanes v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* The first `count` lanes; the others are `rest`. */
INLINE lanes NAME(load_part)(const float *from, size_t count, float rest) {
    float part[LANES];
    for (size_t i = 0; i < LANES; i++) part[i] = rest;
    memcpy(part, from, count * sizeof(float));
    return NAME(load)(part);
}

INLINE void NAME(store)(float *to, lanes v) { memcpy(to, &v, sizeof v); }

INLINE void NAME(store_part)(float *to, lanes v, size_t count) { memcpy(to, &v, count * sizeof(float)); }

INLINE lanes NAME(all)(float value) { return (lanes){0} + value; }

INLINE lanes NAME(fma)(lanes a, lanes b, lanes c) { return __builtin_elementwise_fma(a, b, c); }

INLINE lanes NAME(choose)(lane_bits mask, lanes a, lanes b) {
    return (lanes)((mask & (lane_bits)a) | (~mask & (lane_bits)b));
}

INLINE lanes NAME(magnitude)(lanes x) { return (lanes)((lane_bits)x & 0x7FFFFFFF); }

/* Lanes in halves: the same tree everywhere. */
INLINE float NAME(sum)(lanes v) {
    float part[LANES];
    NAME(store)(part, v);
    for (size_t step = LANES / 2; step > 0; step /= 2) {
        for (size_t i = 0; i < step; i++) part[i] += part[i + step];
    }
    return part[0];
}

/* exp(x) - 1, and what to add for exp(x), is scale * p + (scale - 1). |x| is cut at 87. */
INLINE lanes NAME(exponent)(lanes x, lanes *scale) {
    x = NAME(choose)(x < -87.0f, NAME(all)(-87.0f), x);
    x = NAME(choose)(x > 87.0f, NAME(all)(87.0f), x);
    const lanes shift = NAME(all)(12582912.0f); /* 1.5 * 2^23: the sum has the nearest integer in its low bits */
    const lanes moved = NAME(fma)(x, NAME(all)(1.44269504f), shift);
    const lanes n = moved - shift;
    *scale = (lanes)(((lane_bits)moved - (lane_bits)shift + 127) << 23);
    lanes r = NAME(fma)(n, NAME(all)(-0.693145752f), x);
    r = NAME(fma)(n, NAME(all)(-1.42860677e-6f), r);
    lanes p = NAME(all)(1.0f / 5040);
    p = NAME(fma)(p, r, NAME(all)(1.0f / 720));
    p = NAME(fma)(p, r, NAME(all)(1.0f / 120));
    p = NAME(fma)(p, r, NAME(all)(1.0f / 24));
    p = NAME(fma)(p, r, NAME(all)(1.0f / 6));
    p = NAME(fma)(p, r, NAME(all)(0.5f));
    return NAME(fma)(p * r, r, r);
}

INLINE lanes NAME(exp)(lanes x) {
    lanes scale;
    const lanes p = NAME(exponent)(x, &scale);
    return NAME(fma)(scale, p, scale);
}

/* E / (E + 2) of E = exp(2|x|) - 1, with the sign of x. */
INLINE lanes NAME(tanh)(lanes x) {
    const lanes a = NAME(magnitude)(x);
    lanes scale;
    const lanes p = NAME(exponent)(NAME(choose)(a > 10.0f, NAME(all)(20.0f), a + a), &scale);
    const lanes e = NAME(fma)(scale, p, scale - 1.0f);
    const lanes t = e / (e + 2.0f);
    return (lanes)((lane_bits)t | ((lane_bits)x & (int32_t)0x80000000));
}

/* erfc(a / sqrt(2)) / 2 of a >= 0, the share of a normal distribution past a: erfc is exp(-P(a)), P fitted to it on [0, 6.5];
 * beyond, it is below 1e-10. */
INLINE lanes NAME(normal_tail)(lanes a) {
    lanes p = NAME(all)(1.965009687e-06f);
    p = NAME(fma)(p, a, NAME(all)(-2.729451080e-05f));
    p = NAME(fma)(p, a, NAME(all)(1.290501962e-04f));
    p = NAME(fma)(p, a, NAME(all)(9.491730452e-05f));
    p = NAME(fma)(p, a, NAME(all)(-4.895990249e-03f));
    p = NAME(fma)(p, a, NAME(all)(3.638757765e-02f));
    p = NAME(fma)(p, a, NAME(all)(3.182988763e-01f));
    p = NAME(fma)(p, a, NAME(all)(7.978852987e-01f));
    const lanes tail = NAME(exp)(-p * a) * 0.5f;
    return NAME(choose)(a > 6.5f, NAME(all)(0), tail);
}

/* The mean of (x - shift)^power, power 1 or 2. */
INLINE float NAME(mean)(const float *x, size_t count, float shift, int power) {
    lanes sum = NAME(all)(0);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const lanes d = NAME(load)(x + i) - shift;
        sum = power == 1 ? sum + d : NAME(fma)(d, d, sum);
    }
    if (i < count) {
        const lanes d = NAME(load_part)(x + i, count - i, shift) - shift;
        sum = power == 1 ? sum + d : NAME(fma)(d, d, sum);
    }
    return NAME(sum)(sum) / (float)count;
}
