/*
 * Included by a file of kernels that has defined BODY: includes that once for each level, with NAME(x), which makes the level's
 * names, and TARGET, the attribute of its functions. RUN(level, call, ...) then calls the level's form.
 */
#define NAME(name) name##_scalar
#define TARGET
#include BODY
#undef NAME
#undef TARGET

#if defined(__x86_64__)
#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#include BODY
#undef NAME
#undef TARGET

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-256-bit")))
#include BODY
#undef NAME
#undef TARGET

#define RUN(level, call, ...)                                         \
    do {                                                              \
        if ((level) >= SILT_LEVEL_AVX512) call##_avx512(__VA_ARGS__); \
        else if ((level) >= SILT_LEVEL_AVX2) call##_avx2(__VA_ARGS__); \
        else call##_scalar(__VA_ARGS__);                              \
    } while (0)
#else
#define RUN(level, call, ...) ((void)(level), call##_scalar(__VA_ARGS__))
#endif
