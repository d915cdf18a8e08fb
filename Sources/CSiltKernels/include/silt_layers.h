/*
 * Kernels of a forward pass in binary32: what lies between the matrix products. Whole rows in, whole rows out.
 *
 * Functions are polynomials, with errors near 1e-7 of the result, for tanh-like ones of 1. All levels do the same
 * operations on every element, and sums run in 16 lanes (8 in binary64) everywhere, so all levels give the same bits. A
 * NaN stays a NaN.
 */
#ifndef SILT_LAYERS_H
#define SILT_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Activations: identity, x Phi(x), its approximation with tanh, max(x, 0), x / (1 + exp(-x)), tanh. */
enum {
    SILT_IDENTITY = 0,
    SILT_GELU = 1,
    SILT_GELU_TANH = 2,
    SILT_RELU = 3,
    SILT_SILU = 4,
    SILT_TANH = 5
};

/* values = f(values), then times `factors` if they are given. */
void silt_activate(int level, int function, float *values, const float *_Nullable factors, size_t count);

/* Each row to mean 0 and variance 1, times gain, plus bias if it is given. `out` may be `in`. */
void silt_layer_norm(int level, const float *in, size_t rows, size_t columns, const float *gain,
                     const float *_Nullable bias, float epsilon, float *out);
/* Each row by its root mean square, times gain. `out` may be `in`. */
void silt_rms_norm(int level, const float *in, size_t rows, size_t columns, const float *gain, float epsilon,
                   float *out);

/* Softmax of each row. */
void silt_softmax(int level, float *scores, size_t rows, size_t columns);
/* Softmax where row r is token first + r and sees the tokens c <= first + r whose position is less than `window` before
 * its own (window 0: all of them); the other columns become 0. Positions rise. */
void silt_softmax_causal(int level, float *scores, size_t rows, size_t columns, size_t first, const int32_t *positions,
                         int32_t window);

/* out = row `ids[i]` of the table, or added to what is there. */
void silt_take_rows(const float *table, size_t columns, const int32_t *ids, size_t rows, int is_sum, float *out);
/* Every row = `row`, or added to what is there. */
void silt_spread_row(int level, const float *row, size_t rows, size_t columns, int is_sum, float *out);

/* Cosines and sines, times `scale`, of the angles position * frequency for the positions from `first` to `end` - 1: row
 * after row of `half` frequencies, written where those rows stand in the tables. */
void silt_rotary_table(const float *frequencies, size_t half, size_t first, size_t end, float scale, float *cosines,
                       float *sines);
/* Rotates the halves of the first 2 * half elements of every head (of `width` elements) by the row of the tables that
 * the row's position names. */
void silt_rotate(int level, float *values, size_t rows, size_t heads, size_t width, size_t half, const float *cosines,
                 const float *sines, const int32_t *positions);

/* base to the power of exponent. */
double silt_power(double base, double exponent);

/* Whether all values are finite. */
int silt_all_finite(int level, const float *values, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
