/*
 * Speed of the kernels, one thread: a Markdown table of G elements/s at each level. `--once KERNEL LEVEL` runs one kernel once
 * on its fixed input instead, so that its instructions can be counted (level: scalar, avx2, avx512); `--list` names them.
 */
#include "data.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

enum { LEVELS = 3, RUNS = 25 };
static const char *const level_names[LEVELS] = {"scalar", "avx2", "avx512"};

static chunk bf16, heavy, f32, f8;
static uint32_t *plane_slots;
static silt_encode_symbol *plane_symbols;
static uint8_t *bytes, *planes, *plane_words, *frame, *gap_bytes, *same;
static size_t plane_size, frame_size, gap_count, gap_number, kept_number;
static uint64_t *mask;
static int32_t *integers;
static float *floats, *sums, *kept;
static float table[256];
static volatile uint64_t sink;

/* A status other than SILT_OK means that the benchmark itself is wrong. */
static void check(int status) {
    if (status == SILT_OK) return;
    fprintf(stderr, "a kernel failed with status %d\n", status);
    exit(1);
}

static uint8_t *end_of(const chunk *c) { return c->words + 2 * COUNT + 4 * SILT_LANES + 2; }

static void measure(const chunk *c, int level) {
    uint32_t bins[2];
    sink += silt_residual_measure(level, c->type, c->base, c->result, COUNT, UNIT, c->scales, c->histogram, bins);
}
static void scales(const chunk *c, int level) {
    sink += silt_residual_measure(level, c->type, c->base, c->result, COUNT, UNIT, c->scales, NULL, NULL);
}
static void symbols(chunk *c, int level) {
    c->raw_size = silt_residual_symbols(level, c->type, c->base, c->result, COUNT, UNIT, c->codes, c->origin,
                                        c->row_of_class, c->symbols, c->rows, c->raw);
}
static void encode(chunk *c, int level) {
    c->size = silt_rans_encode(level, c->symbols, c->rows, COUNT, SILT_LANES, c->encoding, end_of(c));
}
static void decode(const chunk *c, int level) {
    check(silt_residual_decode(level, c->type, c->base, c->out, COUNT, UNIT, c->codes, c->origin, c->row_of_class, c->slots,
                               end_of(c) - c->size, c->size, c->raw, c->raw_size));
}

static void measure_bf16(int level) { measure(&bf16, level); }
static void measure_f32(int level) { measure(&f32, level); }
static void scales_bf16(int level) { scales(&bf16, level); }
static void symbols_bf16(int level) { symbols(&bf16, level); }
static void symbols_f32(int level) { symbols(&f32, level); }
static void encode_bf16(int level) { encode(&bf16, level); }
static void decode_bf16(int level) { decode(&bf16, level); }
static void decode_heavy(int level) { decode(&heavy, level); }
static void decode_f32(int level) { decode(&f32, level); }
static void decode_f8(int level) { decode(&f8, level); }
static void plane_encode(int level) {
    plane_size = silt_rans_encode(level, bytes, NULL, COUNT, SILT_LANES, plane_symbols, plane_words + 3 * COUNT);
}
static void plane_decode(int level) {
    check(silt_rans_decode(level, plane_words + 3 * COUNT - plane_size, plane_size, COUNT, SILT_LANES, plane_slots, planes));
}
static void philox(int level) { silt_philox_mask(level, 42, 7, 0, COUNT, 3865470566u, mask); }
static void scatter(int level) { silt_scatter(level, mask, COUNT, kept, sums); }
static void gather(int level) { sink += silt_gather(level, mask, COUNT, floats, kept); }
static void predict_bf16(int level) { silt_predict(level, SILT_BF16, bf16.base, sums, COUNT, bf16.out); }
static void predict_f16(int level) { silt_predict(level, SILT_F16, bf16.base, sums, COUNT, bf16.out); }
static void predict_f32(int level) { silt_predict(level, SILT_F32, f32.base, sums, COUNT, f32.out); }
static void predict_kept(int level) {
    silt_predict_kept(level, SILT_BF16, bf16.base, mask, COUNT, kept, kept_number, bf16.out);
}
static void distance(int level) {
    silt_distance found;
    silt_distance_of(level, sums, floats, (const float *)(const void *)f32.base, COUNT, &found);
    sink += found.changed;
}
static void f32_to_bf16(int level) { (void)level; silt_convert(SILT_F32, SILT_BF16, f32.base, bf16.out, COUNT); }
static void f32_to_f16(int level) { (void)level; silt_convert(SILT_F32, SILT_F16, f32.base, bf16.out, COUNT); }
static void f16_to_f32(int level) { (void)level; silt_convert(SILT_F16, SILT_F32, bf16.base, f32.out, COUNT); }
static void bf16_to_f32(int level) { (void)level; silt_convert(SILT_BF16, SILT_F32, bf16.base, f32.out, COUNT); }
static void planes_split(int level) { (void)level; silt_planes_split(2, bf16.result, bf16.base, COUNT, planes); }
static void planes_merge(int level) { (void)level; silt_planes_merge(2, planes, bf16.base, COUNT, bf16.out); }
static void planes_count(int level) {
    (void)level;
    silt_planes_count(2, bf16.result, NULL, COUNT, (uint32_t *)bf16.out);
}
static void lookup(int level) { (void)level; silt_lookup(bytes, COUNT, table, sums); }
static void unpack(int level) { (void)level; sink += (uint64_t)silt_unpack(4, bytes, COUNT, planes); }
static void quantise(int level) { (void)level; silt_quantise(floats, COUNT, 0.01f, 7, integers); }
static void symbols_mask(int level) {
    (void)level;
    sink += (uint64_t)silt_symbols_mask(bytes, COUNT / UNIT, UNIT, 8, mask);
}
static void gaps_to_mask(int level) { (void)level; sink += (uint64_t)silt_gap_bytes_mask(gap_bytes, gap_count, COUNT, mask); }
static void mask_to_gaps(int level) { (void)level; sink += silt_mask_gaps(mask, COUNT, integers); }
static void add(int level) { (void)level; silt_add(sums, floats, COUNT); }
static void equal(int level) { (void)level; sink += (uint64_t)silt_equal(bf16.base, same, 2 * COUNT); }
static void copy(int level) { (void)level; memcpy(bf16.out, bf16.base, 2 * COUNT); }
static void bitx(int level) {
    (void)level;
    if (ZSTD_isError(ZSTD_decompress(planes, 2 * COUNT, frame, frame_size))) exit(1);
    silt_planes_merge(2, planes, bf16.base, COUNT, bf16.out);
}

typedef struct {
    const char *name;
    const char *what;
    void (*run)(int level);
    int has_levels;
} kernel;

/* In an order in which each finds what those before it made. */
static const kernel kernels[] = {
    {"copy", "memcpy of BF16", copy, 0},
    {"measure-bf16", "residual: measure, BF16", measure_bf16, 1},
    {"measure-f32", "residual: measure, F32", measure_f32, 1},
    {"scales-bf16", "residual: scales only, BF16", scales_bf16, 1},
    {"symbols-bf16", "residual: symbols, BF16", symbols_bf16, 1},
    {"symbols-f32", "residual: symbols, F32", symbols_f32, 1},
    {"encode-bf16", "residual: rANS encode", encode_bf16, 1},
    {"decode-bf16", "residual: decode, BF16", decode_bf16, 1},
    {"decode-bf16-heavy", "residual: decode, BF16, large moves", decode_heavy, 1},
    {"decode-f32", "residual: decode, F32", decode_f32, 1},
    {"decode-f8", "residual: decode, F8_E4M3", decode_f8, 1},
    {"bitx", "(BitX: zstd -3 of xor planes, decode)", bitx, 0},
    {"plane-encode", "rANS encode, one table", plane_encode, 1},
    {"plane-decode", "rANS decode, one table", plane_decode, 1},
    {"planes-split", "planes: split and xor, BF16", planes_split, 0},
    {"planes-merge", "planes: merge and xor, BF16", planes_merge, 0},
    {"planes-count", "planes: histogram, BF16", planes_count, 0},
    {"philox", "seeded mask", philox, 1},
    {"gather", "gather what a mask keeps", gather, 1},
    {"scatter", "scatter to a mask", scatter, 1},
    {"predict-kept", "base + what a mask keeps (p = .9), BF16", predict_kept, 1},
    {"symbols-mask", "mask from symbols of 8", symbols_mask, 0},
    {"gaps-mask", "mask from gaps (positions at p = .9)", gaps_to_mask, 0},
    {"mask-gaps", "gaps from a mask", mask_to_gaps, 0},
    {"lookup", "values from codes", lookup, 0},
    {"unpack", "4-bit codes from bytes", unpack, 0},
    {"quantise", "quantise", quantise, 0},
    {"add", "sum += terms", add, 0},
    {"predict-bf16", "base + sum, BF16", predict_bf16, 1},
    {"predict-f16", "base + sum, F16", predict_f16, 1},
    {"predict-f32", "base + sum, F32", predict_f32, 1},
    {"distance", "distance of a result", distance, 1},
    {"f32-bf16", "F32 to BF16", f32_to_bf16, 0},
    {"bf16-f32", "BF16 to F32", bf16_to_f32, 0},
    {"f32-f16", "F32 to F16", f32_to_f16, 0},
    {"f16-f32", "F16 to F32", f16_to_f32, 0},
    {"equal", "compare BF16", equal, 0},
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

static void prepare(void) {
    make_chunk(&bf16, 16, 1e-4);
    make_chunk(&heavy, 16, 2e-3);
    make_chunk(&f32, 32, 2e-5);
    make_chunk(&f8, 8, 2e-3);
    chunk *const chunks[] = {&bf16, &heavy, &f32, &f8};
    for (int i = 0; i < 4; i++) {
        symbols(chunks[i], SILT_LEVEL_SCALAR);
        encode(chunks[i], SILT_LEVEL_SCALAR);
    }
    bytes = make_buffer(COUNT);
    planes = make_buffer(4 * COUNT);
    plane_words = make_buffer(3 * COUNT);
    mask = make_buffer(COUNT / 8);
    integers = make_buffer(4 * COUNT);
    floats = make_buffer(4 * COUNT);
    sums = make_buffer(4 * COUNT);
    kept = make_buffer(4 * COUNT);
    gap_bytes = make_buffer(2 * COUNT);
    plane_slots = make_buffer(4096 * sizeof(uint32_t));
    plane_symbols = make_buffer(256 * sizeof(silt_encode_symbol));
    uint32_t counts[256] = {0};
    for (size_t i = 0; i < COUNT; i++) {
        floats[i] = (float)(0.03 * next_normal());
        bytes[i] = (uint8_t)(int)(8 + 4 * next_normal());
        counts[bytes[i]]++;
    }
    for (int s = 0; s < 256; s++) table[s] = (float)s;
    uint16_t frequencies[256];
    normalise(counts, frequencies);
    silt_encode_table(frequencies, plane_symbols);
    silt_decode_table(frequencies, plane_slots);
    plane_encode(SILT_LEVEL_SCALAR);
    philox(SILT_LEVEL_SCALAR);
    kept_number = silt_mask_population(mask, 0, COUNT);
    gap_number = silt_mask_gaps(mask, COUNT, integers);
    gap_count = silt_gap_bytes(integers, gap_number, gap_bytes);
    same = make_buffer(2 * COUNT);
    memcpy(same, bf16.base, 2 * COUNT);
    planes_split(0);
    frame_size = ZSTD_compressBound(2 * COUNT);
    frame = make_buffer(frame_size);
    frame_size = ZSTD_compress(frame, frame_size, planes, 2 * COUNT, 3);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The best of several runs, each of at least 2 ms, in G elements/s: whatever else the machine does only slows a kernel down. */
static double speed(const kernel *k, int level) {
    double start = seconds();
    k->run(level);
    const double once = seconds() - start;
    const int repeats = once < 2e-3 ? (int)(2e-3 / (once + 1e-9)) + 1 : 1;
    double best = 1e9;
    for (int run = 0; run < RUNS; run++) {
        start = seconds();
        for (int i = 0; i < repeats; i++) k->run(level);
        const double time = (seconds() - start) / repeats;
        best = time < best ? time : best;
    }
    return COUNT / best * 1e-9;
}

/* A function of its own, so that a profiler can count what runs in it and not what prepares it. */
__attribute__((noinline)) static int run_once(const char *name, const char *level_name) {
    for (int level = 0; level < LEVELS; level++) {
        if (strcmp(level_name, level_names[level]) != 0) continue;
        if (level > silt_best_level()) break;
        for (size_t i = 0; i < KERNELS; i++) {
            if (strcmp(name, kernels[i].name) != 0) continue;
            kernels[i].run(level);
            return 0;
        }
    }
    fprintf(stderr, "no kernel %s at level %s on this processor\n", name, level_name);
    return 1;
}

/* The processor, as Linux names it, and the day. */
static void print_machine(void) {
    char line[256], day[16];
    const char *name = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        line[strcspn(line, "\n")] = 0;
        name = colon + 2;
        break;
    }
    if (file) fclose(file);
    const time_t now = time(NULL);
    strftime(day, sizeof day, "%Y-%m-%d", gmtime(&now));
    printf("%s, clang %d, %s\n\n", name, __clang_major__, day);
}

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "--list") == 0) {
        for (size_t i = 0; i < KERNELS; i++) printf("%s%s\n", kernels[i].name, kernels[i].has_levels ? " (levels)" : "");
        return 0;
    }
    if (count != 1 && !(count == 4 && strcmp(arguments[1], "--once") == 0)) {
        fprintf(stderr, "usage: bench_kernels [--list | --once KERNEL LEVEL]\n");
        return 1;
    }
    prepare();
    if (count == 4) return run_once(arguments[2], arguments[3]);
    print_machine();
    printf("| kernel | scalar | AVX2 | AVX-512 |\n|---|---|---|---|\n");
    for (size_t i = 0; i < KERNELS; i++) {
        printf("| %s |", kernels[i].what);
        for (int level = 0; level < LEVELS; level++) {
            if (level > silt_best_level() || (level > 0 && !kernels[i].has_levels)) printf(" |");
            else printf(" %.2f |", speed(&kernels[i], level));
        }
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
