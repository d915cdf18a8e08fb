/*
 * The distance of checkpoints for one level, included once for each by distance.c. Sums run in 8 lanes: lane l has the elements
 * l, l + 8, l + 16, ... of the call.
 */
/* -1 in the lanes whose value is finite. */
INLINE narrow_bits NAME(finite)(narrow v) { return ((narrow_bits)v & 0x7F800000) != 0x7F800000; }

/* The next eight values; lanes past the end are not numbers, which no sum takes in. */
INLINE narrow NAME(next)(const float *from, size_t left) {
    narrow part;
    if (left >= WIDE) {
        memcpy(&part, from, sizeof part);
        return part;
    }
    part = (narrow)((narrow_bits){0} + 0x7FC00000);
    memcpy(&part, from, left * sizeof *from);
    return part;
}

INLINE wide NAME(masked)(wide v, wide_bits mask) { return (wide)((wide_bits)v & mask); }

INLINE double NAME(sum)(wide v) {
    double part[WIDE];
    memcpy(part, &v, sizeof part);
    return sum_lanes(part);
}

/* How many times -1 was added. */
INLINE uint64_t NAME(number)(wide_bits v) {
    int64_t sum = 0;
    for (size_t i = 0; i < WIDE; i++) sum -= v[i];
    return (uint64_t)sum;
}

TARGET static void NAME(distance)(const float *result, const float *tuned, const float *base, size_t count,
                                  silt_distance *out) {
    wide error = {0}, delta = {0}, change = {0}, product = {0}, maximum = {0};
    wide_bits elements = {0}, changed = {0}, lost = {0};
    for (size_t i = 0; i < count; i += WIDE) {
        const narrow y = NAME(next)(result + i, count - i);
        const narrow x = NAME(next)(tuned + i, count - i);
        const narrow b = NAME(next)(base + i, count - i);
        const narrow_bits known = NAME(finite)(x) & NAME(finite)(b), whole = known & NAME(finite)(y);
        const wide_bits mask = __builtin_convertvector(whole, wide_bits);
        const wide tuned_wide = __builtin_convertvector(x, wide), base_wide = __builtin_convertvector(b, wide);
        const wide result_wide = __builtin_convertvector(y, wide);
        const wide e = NAME(masked)(result_wide - tuned_wide, mask);
        const wide d = NAME(masked)(tuned_wide - base_wide, mask);
        const wide c = NAME(masked)(result_wide - base_wide, mask);
        error += e * e;
        delta += d * d;
        change += c * c;
        product += c * d;
        /* Of numbers that are not negative, the order is that of their patterns. */
        const wide_bits size = (wide_bits)e & 0x7FFFFFFFFFFFFFFF, most = (wide_bits)maximum, above = size > most;
        maximum = (wide)((above & size) | (~above & most));
        elements += mask;
        lost += __builtin_convertvector(known & ~whole, wide_bits);
        /* Of F16 and BF16 too: no two of their patterns are the same Float. */
        changed += __builtin_convertvector(whole & ((narrow_bits)y != (narrow_bits)x), wide_bits);
    }
    out->error = NAME(sum)(error);
    out->delta = NAME(sum)(delta);
    out->change = NAME(sum)(change);
    out->product = NAME(sum)(product);
    out->maximum = 0;
    for (size_t i = 0; i < WIDE; i++) out->maximum = maximum[i] > out->maximum ? maximum[i] : out->maximum;
    out->elements = NAME(number)(elements);
    out->changed = NAME(number)(changed);
    out->lost = NAME(number)(lost);
}
