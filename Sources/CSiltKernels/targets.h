/*
 * What the functions of a level are compiled for, and how a call comes to its level's form. The forms of a kernel have
 * its name with _scalar, _avx2 and _avx512. A file that has one form fewer says which takes its place, with a macro:
 * scatter_avx2 is scatter_scalar.
 */
#ifndef SILT_TARGETS_H
#define SILT_TARGETS_H

#include "silt_level.h"
#include <stddef.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
/* What a processor is asked for (level.c), but for BMI, which one file needs. A file that needs more, or whose code is
 * worse with all of this, defines FEATURES before it includes this. */
#define USUAL_AVX2 "avx2,fma,f16c,popcnt"
#define USUAL_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt"
#ifndef FEATURES_AVX2
#define FEATURES_AVX2 USUAL_AVX2
#endif
#ifndef FEATURES_AVX512
#define FEATURES_AVX512 USUAL_AVX512
#endif
#define TARGET_AVX2 __attribute__((target(FEATURES_AVX2)))
#define TARGET_AVX512 __attribute__((target(FEATURES_AVX512)))
#define INLINE_AVX2 ALWAYS_INLINE TARGET_AVX2
#define INLINE_AVX512 ALWAYS_INLINE TARGET_AVX512

/* What the level's form gives. */
#define RUN(level, call, ...)                                    \
    ((level) >= SILT_LEVEL_AVX512 ? call##_avx512(__VA_ARGS__)   \
     : (level) >= SILT_LEVEL_AVX2 ? call##_avx2(__VA_ARGS__)     \
                                  : call##_scalar(__VA_ARGS__))
/* Of a kernel whose vector forms do what they can and leave the rest to the caller: how many elements are done. */
#define RUN_VECTORS(level, call, ...)                            \
    ((level) >= SILT_LEVEL_AVX512 ? call##_avx512(__VA_ARGS__)   \
     : (level) >= SILT_LEVEL_AVX2 ? call##_avx2(__VA_ARGS__)     \
                                  : (size_t)0)
#else
#define RUN(level, call, ...) ((void)(level), call##_scalar(__VA_ARGS__))
#define RUN_VECTORS(level, call, ...) ((void)(level), (size_t)0)
#endif

#endif
