/* Between the products of a forward pass: silt_layers.h. The loops are in layers_body.h, once for each level. */
#include "silt_layers.h"
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
/* No function that passes vectors is called: all are inlined into one of their own level. */
#pragma clang diagnostic ignored "-Wpsabi"

#define BODY "layers_body.h"
#include "levels.h"

void silt_activate(int level, int function, float *values, const float *factors, size_t count) {
    RUN(level, activate, function, values, factors, count);
}

void silt_layer_norm(int level, const float *in, size_t rows, size_t columns, const float *gain, const float *bias,
                     float epsilon, float *out) {
    RUN(level, layer_norm, in, rows, columns, gain, bias, epsilon, out);
}

void silt_rms_norm(int level, const float *in, size_t rows, size_t columns, const float *gain, float epsilon, float *out) {
    RUN(level, rms_norm, in, rows, columns, gain, epsilon, out);
}

void silt_softmax(int level, float *scores, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) RUN(level, softmax_row, scores + r * columns, columns);
}

void silt_softmax_causal(int level, float *scores, size_t rows, size_t columns, size_t first, const int32_t *positions,
                         int32_t window) {
    size_t begin = 0;
    for (size_t r = 0; r < rows; r++, scores += columns) {
        const size_t token = first + r;
        while (window > 0 && positions[token] - positions[begin] >= window) begin++;
        memset(scores, 0, begin * sizeof(float));
        RUN(level, softmax_row, scores + begin, token + 1 - begin);
        memset(scores + token + 1, 0, (columns - token - 1) * sizeof(float));
    }
}

void silt_take_rows(const float *table, size_t columns, const int32_t *ids, size_t rows, int is_sum, float *out) {
    for (size_t r = 0; r < rows; r++, out += columns) {
        const float *row = table + (size_t)ids[r] * columns;
        if (!is_sum) {
            memcpy(out, row, columns * sizeof(float));
        } else {
            for (size_t i = 0; i < columns; i++) out[i] += row[i];
        }
    }
}

void silt_spread_row(int level, const float *row, size_t rows, size_t columns, int is_sum, float *out) {
    RUN(level, spread_row, row, rows, columns, is_sum, out);
}

void silt_rotary_table(const float *frequencies, size_t half, size_t first, size_t end, float scale, float *cosines,
                       float *sines) {
    for (size_t p = first; p < end; p++) {
        for (size_t i = 0; i < half; i++) {
            /* The angle in binary32, as the models were trained. */
            const float angle = (float)p * frequencies[i];
            cosines[p * half + i] = (float)cos((double)angle) * scale;
            sines[p * half + i] = (float)sin((double)angle) * scale;
        }
    }
}

void silt_rotate(int level, float *values, size_t rows, size_t heads, size_t width, size_t half, const float *cosines,
                 const float *sines, const int32_t *positions) {
    RUN(level, rotate, values, rows, heads, width, half, cosines, sines, positions);
}

double silt_power(double base, double exponent) { return pow(base, exponent); }

int silt_all_finite(int level, const float *values, size_t count) { return RUN(level, all_finite, values, count); }
