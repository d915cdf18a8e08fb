/* Gradients of what lies between the products of a forward pass: silt_layers_backward.h. The loops are in
 * layers_backward_body.h, once for each level. */
#include "silt_layers_backward.h"
#include "silt_layers.h"
#include <string.h>

#pragma STDC FP_CONTRACT OFF
/* No function that passes vectors is called: all are inlined into one of their own level. */
#pragma clang diagnostic ignored "-Wpsabi"

#define BODY "layers_backward_body.h"
#include "levels.h"

void silt_activate_backward(int level, int function, const float *values, const float *factors, float *gradients,
                            float *factor_gradients, size_t count) {
    RUN(level, activate_backward, function, values, factors, gradients, factor_gradients, count);
}

void silt_norm_backward(int level, const float *in, const float *gradients, size_t rows, size_t columns, const float *gain,
                        float epsilon, int is_root, int is_sum, float *out, float *gain_gradient, float *bias_gradient) {
    RUN(level, norm_backward, in, gradients, rows, columns, gain, epsilon, is_root, is_sum, out, gain_gradient,
        bias_gradient);
}

void silt_softmax_backward(int level, const float *weights, float *gradients, size_t rows, size_t columns) {
    RUN(level, softmax_backward, weights, gradients, rows, columns);
}

void silt_rotate_backward(int level, float *gradients, size_t rows, size_t heads, size_t width, size_t half,
                          const float *cosines, const float *sines, const int32_t *positions) {
    RUN(level, rotate_backward, gradients, rows, heads, width, half, cosines, sines, positions);
}

void silt_sum_rows(int level, const float *in, size_t rows, size_t columns, float *out) {
    RUN(level, sum_rows, in, rows, columns, out);
}

void silt_give_rows(int level, const float *in, size_t columns, const int32_t *ids, size_t rows, float *table) {
    RUN(level, give_rows, in, columns, ids, rows, table);
}
