/*
 * Layers for one level, included once for each: lanes_body.h.
 */
#include "lanes_body.h"

INLINE lanes NAME(gelu)(lanes x) {
    const lanes tail = NAME(normal_tail)(NAME(magnitude)(x));
    return x * NAME(choose)(x < 0.0f, tail, 1.0f - tail);
}

INLINE lanes NAME(gelu_tanh)(lanes x) {
    const lanes inner = x * NAME(fma)(x * x, NAME(all)(0.0356774081f), NAME(all)(0.797884561f));
    const lanes half = x * 0.5f;
    return NAME(fma)(half, NAME(tanh)(inner), half);
}

INLINE lanes NAME(apply)(int function, lanes x) {
    switch (function) {
    case SILT_GELU: return NAME(gelu)(x);
    case SILT_GELU_TANH: return NAME(gelu_tanh)(x);
    case SILT_RELU: return NAME(choose)(x < 0.0f, NAME(all)(0), x);
    case SILT_SILU: return x / (1.0f + NAME(exp)(-x));
    case SILT_TANH: return NAME(tanh)(x);
    default: return x;
    }
}

INLINE void NAME(activate_all)(int function, float *values, const float *factors, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes y = NAME(apply)(function, NAME(load)(values + i));
        if (factors) y *= NAME(load)(factors + i);
        NAME(store)(values + i, y);
    }
    if (i == count) return;
    lanes y = NAME(apply)(function, NAME(load_part)(values + i, count - i, 0));
    if (factors) y *= NAME(load_part)(factors + i, count - i, 0);
    NAME(store_part)(values + i, y, count - i);
}

TARGET static void NAME(activate)(int function, float *values, const float *factors, size_t count) {
    /* A copy of the loop for each function. */
    switch (function) {
    case SILT_GELU: NAME(activate_all)(SILT_GELU, values, factors, count); break;
    case SILT_GELU_TANH: NAME(activate_all)(SILT_GELU_TANH, values, factors, count); break;
    case SILT_RELU: NAME(activate_all)(SILT_RELU, values, factors, count); break;
    case SILT_SILU: NAME(activate_all)(SILT_SILU, values, factors, count); break;
    case SILT_TANH: NAME(activate_all)(SILT_TANH, values, factors, count); break;
    default: NAME(activate_all)(SILT_IDENTITY, values, factors, count);
    }
}

/* out = (in - shift) * factor * gain + bias */
INLINE void NAME(normalise)(const float *in, size_t count, float shift, float factor, const float *gain, const float *bias,
                            float *out) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const lanes y = (NAME(load)(in + i) - shift) * factor, g = NAME(load)(gain + i);
        NAME(store)(out + i, bias ? NAME(fma)(y, g, NAME(load)(bias + i)) : y * g);
    }
    if (i == count) return;
    const size_t rest = count - i;
    const lanes y = (NAME(load_part)(in + i, rest, 0) - shift) * factor, g = NAME(load_part)(gain + i, rest, 0);
    NAME(store_part)(out + i, bias ? NAME(fma)(y, g, NAME(load_part)(bias + i, rest, 0)) : y * g, rest);
}

TARGET static void NAME(layer_norm)(const float *in, size_t rows, size_t columns, const float *gain, const float *bias,
                                    float epsilon, float *out) {
    for (size_t r = 0; r < rows; r++, in += columns, out += columns) {
        const float mean = NAME(mean)(in, columns, 0, 1);
        const float variance = NAME(mean)(in, columns, mean, 2);
        NAME(normalise)(in, columns, mean, 1.0f / __builtin_sqrtf(variance + epsilon), gain, bias, out);
    }
}

TARGET static void NAME(rms_norm)(const float *in, size_t rows, size_t columns, const float *gain, float epsilon,
                                  float *out) {
    for (size_t r = 0; r < rows; r++, in += columns, out += columns) {
        const float square = NAME(mean)(in, columns, 0, 2);
        NAME(normalise)(in, columns, 0, 1.0f / __builtin_sqrtf(square + epsilon), gain, 0, out);
    }
}

INLINE float NAME(largest)(const float *x, size_t count) {
    lanes most = NAME(all)(-__builtin_inff());
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const lanes v = NAME(load)(x + i);
        most = NAME(choose)(most > v, most, v);
    }
    if (i < count) {
        const lanes v = NAME(load_part)(x + i, count - i, -__builtin_inff());
        most = NAME(choose)(most > v, most, v);
    }
    float part[LANES];
    NAME(store)(part, most);
    for (size_t k = 1; k < LANES; k++) part[0] = part[0] > part[k] ? part[0] : part[k];
    return part[0];
}

TARGET static void NAME(softmax_row)(float *x, size_t count) {
    const float most = NAME(largest)(x, count);
    lanes sum = NAME(all)(0);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const lanes e = NAME(exp)(NAME(load)(x + i) - most);
        NAME(store)(x + i, e);
        sum += e;
    }
    if (i < count) {
        NAME(store_part)(x + i, NAME(exp)(NAME(load_part)(x + i, count - i, most) - most), count - i);
        sum += NAME(load_part)(x + i, count - i, 0);
    }
    const float factor = 1.0f / NAME(sum)(sum);
    for (i = 0; i + LANES <= count; i += LANES) NAME(store)(x + i, NAME(load)(x + i) * factor);
    for (; i < count; i++) x[i] *= factor;
}

TARGET static void NAME(spread_row)(const float *row, size_t rows, size_t columns, int is_sum, float *out) {
    for (size_t r = 0; r < rows; r++, out += columns) {
        if (!is_sum) {
            memcpy(out, row, columns * sizeof(float));
            continue;
        }
        size_t i = 0;
        for (; i + LANES <= columns; i += LANES) NAME(store)(out + i, NAME(load)(out + i) + NAME(load)(row + i));
        for (; i < columns; i++) out[i] += row[i];
    }
}

/* (a, b) = (a cos - b sin, b cos + a sin) */
INLINE void NAME(rotate_head)(float *a, float *b, size_t half, const float *cosines, const float *sines) {
    size_t i = 0;
    for (; i + LANES <= half; i += LANES) {
        const lanes x = NAME(load)(a + i), y = NAME(load)(b + i);
        const lanes c = NAME(load)(cosines + i), s = NAME(load)(sines + i);
        NAME(store)(a + i, x * c - y * s);
        NAME(store)(b + i, y * c + x * s);
    }
    for (; i < half; i++) {
        const float x = a[i], y = b[i];
        a[i] = x * cosines[i] - y * sines[i];
        b[i] = y * cosines[i] + x * sines[i];
    }
}

TARGET static void NAME(rotate)(float *values, size_t rows, size_t heads, size_t width, size_t half, const float *cosines,
                                const float *sines, const int32_t *positions) {
    for (size_t r = 0; r < rows; r++) {
        const size_t start = (size_t)positions[r] * half;
        for (size_t h = 0; h < heads; h++, values += width) {
            NAME(rotate_head)(values, values + half, half, cosines + start, sines + start);
        }
    }
}

TARGET static int NAME(all_finite)(const float *values, size_t count) {
    lane_bits bad = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        bad |= ((lane_bits)NAME(load)(values + i) & 0x7F800000) == 0x7F800000;
    }
    if (i < count) bad |= ((lane_bits)NAME(load_part)(values + i, count - i, 0) & 0x7F800000) == 0x7F800000;
    int32_t any = 0;
    for (size_t k = 0; k < LANES; k++) any |= bad[k];
    return any == 0;
}
