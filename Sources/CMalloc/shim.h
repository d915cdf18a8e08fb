#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
static inline void silt_set_mmap_threshold(int bytes) { mallopt(M_MMAP_THRESHOLD, bytes); }
#else
/* Other allocators do not learn from what is freed. */
static inline void silt_set_mmap_threshold(int bytes) { (void)bytes; }
#endif
