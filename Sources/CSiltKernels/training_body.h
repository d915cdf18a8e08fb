/*
 * Training for one level, included once for each: NAME(x) makes the names, TARGET is the attribute of its functions. The loops
 * are plain; the compiler makes vectors of them, and without contraction their bits are the same at every level.
 */
/* Lanes in halves: the same tree everywhere. */
static TARGET double NAME(total)(double *lanes) {
    for (size_t step = LANES / 2; step > 0; step /= 2) {
        for (size_t i = 0; i < step; i++) lanes[i] += lanes[i + step];
    }
    return lanes[0];
}

static TARGET void NAME(squares)(const float *values, size_t count, double *result) {
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (size_t k = 0; k < LANES; k++) lanes[k] += (double)values[i + k] * (double)values[i + k];
    }
    for (size_t k = 0; i < count; i++, k++) lanes[k] += (double)values[i] * (double)values[i];
    *result = NAME(total)(lanes);
}

static TARGET void NAME(moments)(const float *restrict gradient, float scale, float beta1, float beta2, float *restrict first,
                                 float *restrict second, size_t count, double *result) {
    const float rest1 = 1.0f - beta1, rest2 = 1.0f - beta2;
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            const float g = scale * gradient[i + k];
            first[i + k] += rest1 * (g - first[i + k]);
            second[i + k] = beta2 * second[i + k] + rest2 * g * g;
            lanes[k] += (double)second[i + k];
        }
    }
    for (size_t k = 0; i < count; i++, k++) {
        const float g = scale * gradient[i];
        first[i] += rest1 * (g - first[i]);
        second[i] = beta2 * second[i] + rest2 * g * g;
        lanes[k] += (double)second[i];
    }
    *result = NAME(total)(lanes);
}

static TARGET void NAME(pull)(const silt_step *step, const float *restrict base, float *restrict values, size_t count) {
    const float pull = step->pull;
    if (step->is_sign) {
        for (size_t i = 0; i < count; i++) {
            const float difference = values[i] - base[i];
            const float sign = difference > 0 ? 1.0f : difference < 0 ? -1.0f : difference;
            values[i] -= pull * sign;
        }
    } else {
        for (size_t i = 0; i < count; i++) values[i] -= pull * (values[i] - base[i]);
    }
}

static TARGET void NAME(adam)(const silt_step *step, const float *restrict first, const float *restrict second,
                              float *restrict values, size_t count) {
    const float rate = step->rate, root = step->root, epsilon = step->epsilon, decay = step->decay;
    if (decay != 0) {
        for (size_t i = 0; i < count; i++) values[i] -= decay * values[i];
    }
    for (size_t i = 0; i < count; i++) {
        values[i] -= rate * (first[i] / (__builtin_elementwise_sqrt(second[i]) / root + epsilon));
    }
}
