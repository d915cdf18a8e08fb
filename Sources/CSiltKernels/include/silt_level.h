/* Levels: what a processor offers, and so which form of a kernel runs. */
#ifndef SILT_LEVEL_H
#define SILT_LEVEL_H

/* Scalar is always there; a kernel that has no form for a level takes the next lower one. AVX2 means AVX2, FMA, F16C,
 * BMI and POPCNT; AVX512 means F, BW, DQ and VL with BMI2, and all of AVX2. */
enum { SILT_LEVEL_SCALAR = 0, SILT_LEVEL_AVX2 = 1, SILT_LEVEL_AVX512 = 2 };
int silt_best_level(void);

#endif
