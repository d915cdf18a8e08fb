/* What the decoders of coded input ask for and answer: of rANS, the residual and adaptive streams. */
#ifndef SILT_STATUS_H
#define SILT_STATUS_H

enum { SILT_PADDING = 128 }; /* readable bytes past the end of coded input; an adaptive stream needs none */

/* Results of the decoders. */
enum {
    SILT_OK = 0,
    SILT_WORDS_SHORT = 1, /* the words of a stream end early */
    SILT_STATE_LOW = 2,   /* a lane begins below 65,536 */
    SILT_STATE_END = 3,   /* a lane does not end at 65,536 */
    SILT_WORDS_LEFT = 4,  /* words are left over */
    SILT_RAW_SHORT = 5,   /* the raw bits end early */
    SILT_RAW_LEFT = 6,    /* raw bytes are left over, or padding bits are set */
    SILT_ENDS_ZERO = 7,   /* an adaptive stream ends with a byte 0 */
    SILT_BYTES_LEFT = 8   /* bytes of an adaptive stream are left over */
};

#endif
