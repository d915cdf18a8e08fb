/*
 * Included by a file of kernels that has defined BODY: includes that once for each level, with NAME(x), which makes the
 * level's names, TARGET, the attribute of its functions, and INLINE, what its helpers begin with. RUN (targets.h) then
 * calls a form.
 */
#include "targets.h"

/* With AVX-512, compilers' vectors have 256 bits unless BODY's file defines this as "". */
#ifndef PREFERENCE
#define PREFERENCE ",prefer-256-bit"
#endif

#define LEVEL scalar
#define NAME(name) name##_scalar
#define TARGET
#define INLINE ALWAYS_INLINE
#include BODY
#undef LEVEL
#undef NAME
#undef TARGET
#undef INLINE

#if defined(__x86_64__)
#define LEVEL avx2
#define NAME(name) name##_avx2
#define TARGET TARGET_AVX2
#define INLINE INLINE_AVX2
#include BODY
#undef LEVEL
#undef NAME
#undef TARGET
#undef INLINE

#define LEVEL avx512
#define NAME(name) name##_avx512
#define TARGET __attribute__((target(FEATURES_AVX512 PREFERENCE)))
#define INLINE ALWAYS_INLINE TARGET
#include BODY
#undef LEVEL
#undef NAME
#undef TARGET
#undef INLINE
#endif
