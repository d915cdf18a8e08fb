/* The reading side of rANS, shared by the kernels of this target. */
#ifndef SILT_RANS_READER_H
#define SILT_RANS_READER_H

#include "silt_rans.h"

#define RANS_LOW 65536u

typedef struct {
    uint32_t x[SILT_LANES];
    uint32_t lanes;
    const uint8_t *word; /* the next word */
    const uint8_t *end;
} rans_reader;

/* Reads the states; SILT_OK, SILT_WORDS_SHORT or SILT_STATE_LOW. An odd size counts as a word cut short. */
int silt_rans_begin(rans_reader *reader, const uint8_t *stream, size_t size, uint32_t lanes);
/* SILT_OK if every lane is back where the encoder began and no word is left. */
int silt_rans_finish(const rans_reader *reader);

/* Moves a lane past the symbol of `slot`; 0 if the words end. */
static inline int rans_advance(rans_reader *reader, uint32_t lane, uint32_t slot) {
    uint32_t x = ((slot & 4095) + 1) * (reader->x[lane] >> 12) + (slot >> 12 & 4095);
    if (x < RANS_LOW) {
        if (reader->word == reader->end) return 0;
        x = x << 16 | reader->word[0] | (uint32_t)reader->word[1] << 8;
        reader->word += 2;
    }
    reader->x[lane] = x;
    return 1;
}

#if defined(__x86_64__)
/* Code `count` symbols, whole groups of 32, backwards; `end` moves to the last word. */
void silt_rans_encode_avx512(uint32_t *states, const uint8_t *symbols, const uint8_t *rows, size_t count,
                             const silt_encode_symbol *tables, uint8_t **end);
void silt_rans_encode_avx2(uint32_t *states, const uint8_t *symbols, const uint8_t *rows, size_t count,
                           const silt_encode_symbol *tables, uint8_t **end);
/* Decode as many groups of 32 symbols as are safe to do at once; return how many symbols are done. */
size_t silt_rans_decode_avx512(rans_reader *reader, size_t count, const uint32_t *slots, uint8_t *out);
size_t silt_rans_decode_avx2(rans_reader *reader, size_t count, const uint32_t *slots, uint8_t *out);
#endif
#endif
