/*
 * Kernels of a backward pass in binary32, the counterparts of silt_layers.h: gradients at the output of a layer in,
 * gradients at its input out, and sums over rows for its weights. Gradients of weights are added to what is there.
 *
 * All levels give the same bits, as there. A NaN stays a NaN.
 */
#ifndef SILT_LAYERS_BACKWARD_H
#define SILT_LAYERS_BACKWARD_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* Of f(values) * factors: `gradients` becomes the gradient of `values`, and `factor_gradients` that of `factors`.
 * Without factors, both are null. `values` are those before the function. */
void silt_activate_backward(int level, int function, const float *values, const float *_Nullable factors,
                            float *gradients, float *_Nullable factor_gradients, size_t count);

/* Of a layer norm or, if `is_root`, of a norm by the root mean square, whose input was `in`: out = the input's
 * gradient, or is added to what is there. `out` may be `gradients` if it is not a sum. Null: the weight's gradient is
 * not wanted. */
void silt_norm_backward(int level, const float *in, const float *gradients, size_t rows, size_t columns,
                        const float *gain, float epsilon, int is_root, int is_sum, float *out,
                        float *_Nullable gain_gradient, float *_Nullable bias_gradient);

/* Of a softmax whose result was `weights`: each row of `gradients` becomes the gradient of the scores. Where a weight
 * is 0, so is the gradient, so this is the causal softmax's too. */
void silt_softmax_backward(int level, const float *weights, float *gradients, size_t rows, size_t columns);

/* Of `silt_rotate`: the gradient of what was rotated, in place. */
void silt_rotate_backward(int level, float *gradients, size_t rows, size_t heads, size_t width, size_t half,
                          const float *cosines, const float *sines, const int32_t *positions);

/* out + the sum of the rows. */
void silt_sum_rows(int level, const float *in, size_t rows, size_t columns, float *out);
/* Row `ids[i]` of the table + row i. */
void silt_give_rows(int level, const float *in, size_t columns, const int32_t *ids, size_t rows, float *table);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
