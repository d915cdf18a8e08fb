/*
 * Gradients of layers for one level, included once for each: lanes_body.h.
 */
#include "lanes_body.h"

/* The slope of a function at x, and its value. */
INLINE lanes NAME(slope)(int function, lanes x, lanes *value) {
    switch (function) {
    case SILT_GELU: {
        /* Phi(x) + x phi(x); past 13, phi is below 1e-37. */
        const lanes a = NAME(magnitude)(x);
        const lanes tail = NAME(normal_tail)(a);
        const lanes share = NAME(choose)(x < 0.0f, tail, 1.0f - tail);
        const lanes density = NAME(exp)(x * x * -0.5f) * 0.398942280f;
        *value = x * share;
        return NAME(fma)(x, NAME(choose)(a > 13.0f, NAME(all)(0), density), share);
    }
    case SILT_GELU_TANH: {
        const lanes square = NAME(choose)(NAME(magnitude)(x) > 1e9f, NAME(all)(1e18f), x * x);
        const lanes t = NAME(tanh)(x * NAME(fma)(x * x, NAME(all)(0.0356774081f), NAME(all)(0.797884561f)));
        const lanes inner = NAME(fma)(square, NAME(all)(0.107032224f), NAME(all)(0.797884561f));
        const lanes half = x * 0.5f;
        *value = NAME(fma)(half, t, half);
        return NAME(fma)(half * (1.0f - t * t), inner, NAME(fma)(t, NAME(all)(0.5f), NAME(all)(0.5f)));
    }
    case SILT_RELU:
        *value = NAME(choose)(x < 0.0f, NAME(all)(0), x);
        /* 0 at 0, as everywhere; a NaN is neither above nor below. */
        return NAME(choose)(x > 0.0f, NAME(all)(1), NAME(choose)(x <= 0.0f, NAME(all)(0), x));
    case SILT_SILU: {
        const lanes share = 1.0f / (1.0f + NAME(exp)(-x));
        *value = x * share;
        return share * NAME(fma)(x, 1.0f - share, NAME(all)(1));
    }
    case SILT_TANH: {
        const lanes t = NAME(tanh)(x);
        *value = t;
        return 1.0f - t * t;
    }
    default:
        *value = x;
        return NAME(all)(1);
    }
}

INLINE void NAME(activate_backward_all)(int function, const float *values, const float *factors, float *gradients,
                                        float *factor_gradients, size_t count) {
    for (size_t i = 0; i < count; i += LANES) {
        const size_t some = count - i < LANES ? count - i : LANES;
        const int is_whole = some == LANES;
        const lanes x = is_whole ? NAME(load)(values + i) : NAME(load_part)(values + i, some, 0);
        lanes d = is_whole ? NAME(load)(gradients + i) : NAME(load_part)(gradients + i, some, 0);
        lanes value;
        const lanes slope = NAME(slope)(function, x, &value);
        if (factors) {
            const lanes by_factor = d * value;
            if (is_whole) NAME(store)(factor_gradients + i, by_factor);
            else NAME(store_part)(factor_gradients + i, by_factor, some);
            d *= is_whole ? NAME(load)(factors + i) : NAME(load_part)(factors + i, some, 0);
        }
        d *= slope;
        if (is_whole) NAME(store)(gradients + i, d);
        else NAME(store_part)(gradients + i, d, some);
    }
}

TARGET static void NAME(activate_backward)(int function, const float *values, const float *factors, float *gradients,
                                           float *factor_gradients, size_t count) {
    /* A copy of the loop for each function. */
#define LOOP(function) NAME(activate_backward_all)(function, values, factors, gradients, factor_gradients, count)
    switch (function) {
    case SILT_GELU: LOOP(SILT_GELU); break;
    case SILT_GELU_TANH: LOOP(SILT_GELU_TANH); break;
    case SILT_RELU: LOOP(SILT_RELU); break;
    case SILT_SILU: LOOP(SILT_SILU); break;
    case SILT_TANH: LOOP(SILT_TANH); break;
    default: LOOP(SILT_IDENTITY);
    }
#undef LOOP
}

/* The lanes of one step over a row of a norm: the normal value and the gradient times gain. */
INLINE lanes NAME(norm_step)(const float *in, const float *gradients, const float *gain, size_t some, float shift,
                             float factor, lanes *d) {
    if (some == LANES) {
        *d = NAME(load)(gradients) * NAME(load)(gain);
        return (NAME(load)(in) - shift) * factor;
    }
    *d = NAME(load_part)(gradients, some, 0) * NAME(load_part)(gain, some, 0);
    return (NAME(load_part)(in, some, shift) - shift) * factor;
}

/* to + a b, or to + a without b. */
INLINE void NAME(add_product)(float *to, lanes a, const lanes *b, size_t some) {
    const lanes old = some == LANES ? NAME(load)(to) : NAME(load_part)(to, some, 0);
    const lanes sum = b ? NAME(fma)(a, *b, old) : old + a;
    if (some == LANES) NAME(store)(to, sum);
    else NAME(store_part)(to, sum, some);
}

TARGET static void NAME(norm_backward)(const float *in, const float *gradients, size_t rows, size_t columns,
                                       const float *gain, float epsilon, int is_root, int is_sum, float *out,
                                       float *gain_gradient, float *bias_gradient) {
    for (size_t r = 0; r < rows; r++, in += columns, gradients += columns, out += columns) {
        const float shift = is_root ? 0 : NAME(mean)(in, columns, 0, 1);
        const float factor = 1.0f / __builtin_sqrtf(NAME(mean)(in, columns, shift, 2) + epsilon);
        lanes sum = NAME(all)(0), product = sum, d;
        for (size_t i = 0; i < columns; i += LANES) {
            const size_t some = columns - i < LANES ? columns - i : LANES;
            const lanes x = NAME(norm_step)(in + i, gradients + i, gain + i, some, shift, factor, &d);
            sum += d;
            product = NAME(fma)(d, x, product);
            if (!gain_gradient && !bias_gradient) continue;
            const lanes plain = some == LANES ? NAME(load)(gradients + i) : NAME(load_part)(gradients + i, some, 0);
            if (gain_gradient) NAME(add_product)(gain_gradient + i, plain, &x, some);
            if (bias_gradient) NAME(add_product)(bias_gradient + i, plain, 0, some);
        }
        const float mean = is_root ? 0 : NAME(sum)(sum) / (float)columns;
        const float slope = NAME(sum)(product) / (float)columns;
        for (size_t i = 0; i < columns; i += LANES) {
            const size_t some = columns - i < LANES ? columns - i : LANES;
            const lanes x = NAME(norm_step)(in + i, gradients + i, gain + i, some, shift, factor, &d);
            const lanes y = (d - mean - x * slope) * factor;
            if (is_sum) NAME(add_product)(out + i, y, 0, some);
            else if (some == LANES) NAME(store)(out + i, y);
            else NAME(store_part)(out + i, y, some);
        }
    }
}

TARGET static void NAME(softmax_backward)(const float *weights, float *gradients, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, weights += columns, gradients += columns) {
        lanes sum = NAME(all)(0);
        size_t i = 0;
        for (; i + LANES <= columns; i += LANES) {
            sum = NAME(fma)(NAME(load)(weights + i), NAME(load)(gradients + i), sum);
        }
        const size_t some = columns - i;
        if (some) {
            sum = NAME(fma)(NAME(load_part)(weights + i, some, 0), NAME(load_part)(gradients + i, some, 0), sum);
        }
        const float mean = NAME(sum)(sum);
        for (i = 0; i + LANES <= columns; i += LANES) {
            NAME(store)(gradients + i, NAME(load)(weights + i) * (NAME(load)(gradients + i) - mean));
        }
        for (; i < columns; i++) gradients[i] = weights[i] * (gradients[i] - mean);
    }
}

/* (a, b) = (a cos + b sin, b cos - a sin): the transpose of the rotation. */
INLINE void NAME(rotate_head_backward)(float *a, float *b, size_t half, const float *cosines, const float *sines) {
    size_t i = 0;
    for (; i + LANES <= half; i += LANES) {
        const lanes x = NAME(load)(a + i), y = NAME(load)(b + i);
        const lanes c = NAME(load)(cosines + i), s = NAME(load)(sines + i);
        NAME(store)(a + i, x * c + y * s);
        NAME(store)(b + i, y * c - x * s);
    }
    for (; i < half; i++) {
        const float x = a[i], y = b[i];
        a[i] = x * cosines[i] + y * sines[i];
        b[i] = y * cosines[i] - x * sines[i];
    }
}

TARGET static void NAME(rotate_backward)(float *gradients, size_t rows, size_t heads, size_t width, size_t half,
                                         const float *cosines, const float *sines, const int32_t *positions) {
    for (size_t r = 0; r < rows; r++) {
        const size_t start = (size_t)positions[r] * half;
        for (size_t h = 0; h < heads; h++, gradients += width) {
            NAME(rotate_head_backward)(gradients, gradients + half, half, cosines + start, sines + start);
        }
    }
}

INLINE void NAME(add_row)(const float *in, size_t columns, float *out) {
    size_t i = 0;
    for (; i + LANES <= columns; i += LANES) NAME(store)(out + i, NAME(load)(out + i) + NAME(load)(in + i));
    for (; i < columns; i++) out[i] += in[i];
}

TARGET static void NAME(sum_rows)(const float *in, size_t rows, size_t columns, float *out) {
    for (size_t r = 0; r < rows; r++, in += columns) NAME(add_row)(in, columns, out);
}

TARGET static void NAME(give_rows)(const float *in, size_t columns, const int32_t *ids, size_t rows, float *table) {
    for (size_t r = 0; r < rows; r++, in += columns) NAME(add_row)(in, columns, table + (size_t)ids[r] * columns);
}
