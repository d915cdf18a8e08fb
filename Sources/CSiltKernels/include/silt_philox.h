/* Philox4x32-10, and the masks that a seed makes with it: Formats/Silt.md, section 12.3. */
#ifndef SILT_PHILOX_H
#define SILT_PHILOX_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/* One block of Philox4x32-10. */
void silt_philox(const uint32_t *counter, const uint32_t *key, uint32_t *block);
/* The mask (silt_masks.h) of positions first to first + count - 1: words[(count + 63) / 64]. */
void silt_philox_mask(int level, uint64_t seed, uint64_t identity, uint64_t first, size_t count, uint32_t threshold,
                      uint64_t *words);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
