/*
 * Low-rank products: Formats/Silt.md, section 12.2. Every element is its own chain of fused multiply-adds in the order of k;
 * the forms differ only in how many chains go on at once.
 */
#include "silt_low_rank.h"
#include "targets.h"
#include <math.h>

#pragma STDC FP_CONTRACT OFF

typedef struct {
    const float *left;
    size_t left_stride;
    const float *right;
    size_t columns;
    size_t rank;
    const float *scale;
    float *out;
} product;

/* The columns of a row from `from` on. */
static void low_rank_row(const product *p, size_t row, size_t from) {
    float *out = p->out + row * p->columns;
    for (size_t j = from; j < p->columns; j++) out[j] = 0;
    for (size_t k = 0; k < p->rank; k++) {
        const float l = p->left[k * p->left_stride + row], *h = p->right + k * p->columns;
        for (size_t j = from; j < p->columns; j++) out[j] = fmaf(l, h[j], out[j]);
    }
    if (!p->scale) return;
    for (size_t j = from; j < p->columns; j++) out[j] *= *p->scale;
}

static void low_rank_scalar(const product *p, size_t rows) {
    for (size_t i = 0; i < rows; i++) low_rank_row(p, i, 0);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define UNROLL _Pragma("clang loop unroll(full)")

/* `rows` rows of 8 * vectors columns. */
INLINE_AVX2 void tile_2(const product *p, size_t row, size_t column, const int rows, const int vectors) {
    __m256 a[4][2];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) a[i][v] = _mm256_setzero_ps();
    }
    const float *left = p->left + row, *right = p->right + column;
    for (size_t k = 0; k < p->rank; k++, left += p->left_stride, right += p->columns) {
        __m256 h[2];
        UNROLL for (int v = 0; v < vectors; v++) h[v] = _mm256_loadu_ps(right + 8 * v);
        UNROLL for (int i = 0; i < rows; i++) {
            const __m256 l = _mm256_set1_ps(left[i]);
            UNROLL for (int v = 0; v < vectors; v++) a[i][v] = _mm256_fmadd_ps(l, h[v], a[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        float *out = p->out + (row + (size_t)i) * p->columns + column;
        UNROLL for (int v = 0; v < vectors; v++) {
            _mm256_storeu_ps(out + 8 * v, p->scale ? _mm256_mul_ps(a[i][v], _mm256_set1_ps(*p->scale)) : a[i][v]);
        }
    }
}

TARGET_AVX2 static void low_rank_avx2(const product *p, size_t rows) {
    size_t i = 0;
    for (; i < rows; i += rows - i >= 4 ? 4 : 1) {
        size_t j = 0;
        if (rows - i >= 4) {
            for (; j + 16 <= p->columns; j += 16) tile_2(p, i, j, 4, 2);
            for (; j + 8 <= p->columns; j += 8) tile_2(p, i, j, 4, 1);
            if (j < p->columns) {
                for (size_t row = i; row < i + 4; row++) low_rank_row(p, row, j);
            }
        } else {
            for (; j + 8 <= p->columns; j += 8) tile_2(p, i, j, 1, 1);
            if (j < p->columns) low_rank_row(p, i, j);
        }
    }
}

/* `rows` rows of 16 * vectors columns, the last vector with the columns in `last`. */
INLINE_AVX512 void tile_5(const product *p, size_t row, size_t column, const int rows, const int vectors,
                          __mmask16 last) {
    __m512 a[4][4];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) a[i][v] = _mm512_setzero_ps();
    }
    const float *left = p->left + row, *right = p->right + column;
    for (size_t k = 0; k < p->rank; k++, left += p->left_stride, right += p->columns) {
        __m512 h[4];
        UNROLL for (int v = 0; v < vectors; v++) {
            h[v] = _mm512_maskz_loadu_ps(v + 1 == vectors ? last : 0xFFFF, right + 16 * v);
        }
        UNROLL for (int i = 0; i < rows; i++) {
            const __m512 l = _mm512_set1_ps(left[i]);
            UNROLL for (int v = 0; v < vectors; v++) a[i][v] = _mm512_fmadd_ps(l, h[v], a[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        float *out = p->out + (row + (size_t)i) * p->columns + column;
        UNROLL for (int v = 0; v < vectors; v++) {
            const __m512 scaled = p->scale ? _mm512_mul_ps(a[i][v], _mm512_set1_ps(*p->scale)) : a[i][v];
            _mm512_mask_storeu_ps(out + 16 * v, v + 1 == vectors ? last : 0xFFFF, scaled);
        }
    }
}

TARGET_AVX512 static void low_rank_avx512(const product *p, size_t rows) {
    size_t i = 0;
    for (; i < rows; i += rows - i >= 4 ? 4 : 1) {
        size_t j = 0;
        if (rows - i >= 4) {
            for (; j + 64 <= p->columns; j += 64) tile_5(p, i, j, 4, 4, 0xFFFF);
        }
        for (; j < p->columns; j += 16) {
            const size_t left = p->columns - j;
            const __mmask16 last = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
            if (rows - i >= 4) tile_5(p, i, j, 4, 1, last);
            else tile_5(p, i, j, 1, 1, last);
        }
    }
}
#endif

void silt_low_rank(int level, const float *left, size_t left_stride, const float *right, size_t columns, size_t rank,
                   size_t rows, const float *scale, float *out) {
    const product p = {left, left_stride, right, columns, rank, scale, out};
    RUN(level, low_rank, &p, rows);
}
