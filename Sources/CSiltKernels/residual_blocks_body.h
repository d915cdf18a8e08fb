/*
 * The frame of rebuilding with vectors, included once for each instruction set. The includer defines INLINE and
 *
 *   constants constants_of(job)                             what stays the same for a chunk
 *   find_rows(constants, scales, base, rows, width)         the rows of tables of 32 elements
 *   advance_group(x, rows, tables, word, symbols)           their symbols; the states move past them
 *   rebuild_group(job, base, result, symbols, width, each)  the elements; 0 if the raw bits end early
 *
 * A block of groups at a time. States wait for table slots, each group for the one before it; what is around that waits for nothing,
 * and fills the time: while the states pass through a block, the elements of the block before are rebuilt. (Those of the same
 * group would wait with it, and only fill the processor's queues.)
 */

/* Groups of 32 elements in a block: 1 KiB of BF16. */
enum { BLOCK_GROUPS = 16 };

typedef struct {
    size_t at[BLOCK_GROUPS]; /* the groups' first elements */
    uint8_t rows[BLOCK_GROUPS * SILT_LANES];
    uint8_t symbols[BLOCK_GROUPS * SILT_LANES];
} block;

/* Finds the rows of the next groups, from element *i on; returns how many there were. What equals the base is copied. */
INLINE size_t find_block(const residual_job *job, const constants *c, residual_unit *unit, int16_t *scales, size_t *i,
                         const uint8_t *base, uint8_t *result, block *b, const int width) {
    const size_t bytes = (size_t)width / 8;
    size_t groups = 0;
    while (groups < BLOCK_GROUPS && *i + SILT_LANES <= job->count) {
        if (*i + SILT_LANES > unit->until) *unit = silt_residual_scales(job, *i, scales);
        const size_t equal = residual_copy_still(unit, job, *i, base, result);
        if (equal == 0) {
            find_rows(c, scales, base + bytes * *i, b->rows + SILT_LANES * groups, width);
            b->at[groups++] = *i;
        }
        *i += equal > 0 ? equal : SILT_LANES;
    }
    return groups;
}

/* Group `g` of a block; 0 if the raw bits end early. */
INLINE int rebuild(residual_job *job, const block *b, size_t g, const uint8_t *base, uint8_t *result, const int width,
                   const int each) {
    const size_t at = (size_t)width / 8 * b->at[g];
    return rebuild_group(job, base + at, result + at, b->symbols + SILT_LANES * g, width, each);
}

/* `each`: whether raw bits are looked for in every group, because most have some. A branch that nothing foretells costs more
 * than looking. */
INLINE size_t decode_blocks(residual_job *job, const uint8_t *base, uint8_t *result, int *status, const int width,
                            const int each) {
    const constants c = constants_of(job);
    const uint32_t *tables = job->tables;
    int16_t scales[SILT_LANES];
    residual_unit unit = {0, 0};
    __m256i x[4];
    for (int k = 0; k < 4; k++) x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(job->reader.x + 8 * k));
    const uint8_t *word = job->reader.word, *end = job->reader.end;
    block blocks[2];
    /* Groups of the block before whose symbols are there. */
    size_t i = 0, known = 0, groups = BLOCK_GROUPS;
    for (int turn = 0; groups == BLOCK_GROUPS; turn ^= 1) {
        block *b = &blocks[turn];
        const block *before = &blocks[turn ^ 1];
        groups = find_block(job, &c, &unit, scales, &i, base, result, b, width);
        size_t done = 0, rebuilt = 0;
        while (done < groups && end - word >= 2 * SILT_LANES) {
            advance_group(x, b->rows + SILT_LANES * done, tables, &word, b->symbols + SILT_LANES * done);
            done++;
            if (rebuilt == known) continue;
            if (!rebuild(job, before, rebuilt, base, result, width, each)) goto ended;
            rebuilt++;
        }
        for (; rebuilt < known; rebuilt++) {
            if (!rebuild(job, before, rebuilt, base, result, width, each)) goto ended;
        }
        known = done;
        if (done < groups) {
            i = b->at[done];
            groups = done;
        }
        if (groups == BLOCK_GROUPS) continue;
        for (size_t g = 0; g < known; g++) {
            if (!rebuild(job, b, g, base, result, width, each)) goto ended;
        }
    }
    job->reader.word = word;
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)(void *)(job->reader.x + 8 * k), x[k]);
    return i;
ended:
    *status = SILT_RAW_SHORT;
    return i;
}

/* Rebuilds as many groups as are safe to do at once; returns how many elements are done. */
INLINE size_t decode_width(residual_job *job, const uint8_t *base, uint8_t *result, int *status, const int width) {
    /* More than 4 bits for a group; a field has at least 3. */
    const int each = job->raw_bits > job->count / 8;
    return each ? decode_blocks(job, base, result, status, width, 1) : decode_blocks(job, base, result, status, width, 0);
}
