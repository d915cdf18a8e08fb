/*
 * The frame of rebuilding with vectors, included once for each instruction set. The includer defines TARGET, INLINE and
 *
 *   constants constants_of(job)                             what stays the same for a chunk
 *   find_rows(constants, scales, base, rows, width)         the rows of tables of 32 elements
 *   advance_group(x, rows, tables, word, symbols)           their symbols; the states move past them
 *   rebuild_group(job, base, result, symbols, width, each)  the elements; 0 if the raw bits end early
 *
 * A few groups at a time go through three loops. States wait for table slots, each group for the one before it; the work
 * around that waits for nothing, and would only fill the processor's queues if it stood between two groups.
 */

/* Groups of 32 elements that go through the loops together: 1 KiB of BF16. */
enum { BLOCK_GROUPS = 16 };

typedef struct {
    size_t at[BLOCK_GROUPS]; /* the groups' first elements */
    uint8_t rows[BLOCK_GROUPS * SILT_LANES];
    uint8_t symbols[BLOCK_GROUPS * SILT_LANES];
} block;

/* Symbols of `groups` groups, or of those for which there are words enough; returns their number. */
INLINE size_t advance_groups(residual_job *job, __m256i *states, block *b, size_t groups) {
    __m256i x[4] = {states[0], states[1], states[2], states[3]};
    const uint32_t *tables = job->tables;
    const uint8_t *word = job->reader.word, *end = job->reader.end;
    size_t g = 0;
    for (; g < groups && end - word >= 2 * SILT_LANES; g++) {
        advance_group(x, b->rows + SILT_LANES * g, tables, &word, b->symbols + SILT_LANES * g);
    }
    job->reader.word = word;
    for (int k = 0; k < 4; k++) states[k] = x[k];
    return g;
}

/* `each`: whether raw bits are looked for in every group, because most have some. A branch that nothing foretells costs more
 * than looking. */
INLINE size_t decode_blocks(residual_job *job, const uint8_t *base, uint8_t *result, int *status, const int width,
                            const int each) {
    const size_t bytes = (size_t)width / 8;
    const constants c = constants_of(job);
    int16_t scales[SILT_LANES];
    residual_unit unit = {0, 0};
    __m256i x[4];
    for (int k = 0; k < 4; k++) x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(job->reader.x + 8 * k));
    block b;
    size_t i = 0, groups = BLOCK_GROUPS;
    while (groups == BLOCK_GROUPS) {
        groups = 0;
        while (groups < BLOCK_GROUPS && i + SILT_LANES <= job->count) {
            if (i + SILT_LANES > unit.until) unit = residual_scales(job, i, scales);
            const size_t equal = residual_copy_still(&unit, job, i, base, result);
            if (equal == 0) {
                find_rows(&c, scales, base + bytes * i, b.rows + SILT_LANES * groups, width);
                b.at[groups++] = i;
            }
            i += equal > 0 ? equal : SILT_LANES;
        }
        const size_t done = advance_groups(job, x, &b, groups);
        for (size_t g = 0; g < done; g++) {
            const size_t at = bytes * b.at[g];
            if (!rebuild_group(job, base + at, result + at, b.symbols + SILT_LANES * g, width, each)) {
                *status = SILT_RAW_SHORT;
                return i;
            }
        }
        if (done < groups) {
            i = b.at[done];
            break;
        }
    }
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)(void *)(job->reader.x + 8 * k), x[k]);
    return i;
}

/* Rebuilds as many groups as are safe to do at once; returns how many elements are done. */
INLINE size_t decode_width(residual_job *job, const uint8_t *base, uint8_t *result, int *status, const int width) {
    /* More than 4 bits for a group; a field has at least 3. */
    const int each = job->raw_bits > job->count / 8;
    return each ? decode_blocks(job, base, result, status, width, 1) : decode_blocks(job, base, result, status, width, 0);
}
