/* The widths of one level; see residual_encode_body.h. */
#define WIDTH 8
#define DIRECT 8
#include "residual_encode_body.h"
#undef WIDTH
#undef DIRECT
#define WIDTH 16
#define DIRECT 6
#include "residual_encode_body.h"
#undef WIDTH
#undef DIRECT
#define WIDTH 32
#define DIRECT 4
#include "residual_encode_body.h"
#undef WIDTH
#undef DIRECT
