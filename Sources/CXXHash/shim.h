/* XXH3 in the widest vectors that the processor has: the library's plain functions are compiled for the oldest x86-64, and it
 * installs this header where it also has those that choose at run time. */
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

static inline XXH64_hash_t silt_xxh3_64(const void *bytes, size_t count) { return XXH3_64bits(bytes, count); }
static inline XXH128_hash_t silt_xxh3_128(const void *bytes, size_t count) { return XXH3_128bits(bytes, count); }
