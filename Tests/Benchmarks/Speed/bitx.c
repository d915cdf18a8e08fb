/*
 * BitX (ZipLLM) as we understand it, made fast: XOR with the base, byte planes, zstd on each plane, several threads.
 *
 *   bitx encode LEVEL THREADS BASE FINE DELTA
 *   bitx decode LEVEL THREADS BASE DELTA OUT      (LEVEL is not used)
 *
 * A re-creation for the speed benchmark, since its own program was not available. It is kinder to BitX than a real tool can be:
 * the base is matched by position, elements have two bytes, the header of the safetensors file is part of the data, nothing is
 * hashed or checked against damage, and nothing is synchronised. Pieces of 2 MiB are read, coded and written by the threads;
 * the delta holds them in order, and at its end their sizes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { PIECE = 2 << 20, PLANE = PIECE / 2 };

/* One piece of the delta: where it stands, and the size of its first plane and of both. */
typedef struct {
    uint64_t offset;
    uint32_t first, size;
} piece;

static int base, input, output, level, encoding;
static uint64_t bytes, pieces, delta_end;
static atomic_uint_fast64_t next_piece;
static piece *table;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static uint64_t turn_of;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *reserve(size_t size) {
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!memory) fail("memory");
    return memory;
}

static void get(int file, void *buffer, size_t size, uint64_t offset) {
    for (size_t done = 0; done < size;) {
        ssize_t count = pread(file, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (count <= 0) fail("read");
        done += (size_t)count;
    }
}

static void put(int file, const void *buffer, size_t size, uint64_t offset) {
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(file, (const char *)buffer + done, size - done, (off_t)(offset + done));
        if (count <= 0) fail("write");
        done += (size_t)count;
    }
}

static size_t checked(size_t size) {
    if (ZSTD_isError(size)) {
        fprintf(stderr, "zstd: %s\n", ZSTD_getErrorName(size));
        exit(1);
    }
    return size;
}

/* The base's bytes of a piece; zeros where it ends earlier. */
static void get_base(uint8_t *buffer, size_t size, uint64_t offset, uint64_t base_bytes) {
    size_t there = offset >= base_bytes ? 0 : base_bytes - offset < size ? (size_t)(base_bytes - offset) : size;
    get(base, buffer, there, offset);
    memset(buffer + there, 0, size - there);
}

static void *work(void *unused) {
    struct stat status;
    if (fstat(base, &status)) fail("base");
    uint8_t *old = reserve(PIECE), *new = reserve(PIECE), *planes = reserve(PIECE);
    size_t bound = ZSTD_compressBound(PLANE);
    uint8_t *coded = reserve(2 * bound);
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    ZSTD_DCtx *decompressor = ZSTD_createDCtx();
    for (uint64_t index; (index = atomic_fetch_add(&next_piece, 1)) < pieces;) {
        uint64_t offset = index * PIECE;
        size_t size = bytes - offset < PIECE ? (size_t)(bytes - offset) : PIECE;
        size_t half = size / 2, odd = size % 2;
        get_base(old, size, offset, (uint64_t)status.st_size);
        if (encoding) {
            get(input, new, size, offset);
            for (size_t i = 0; i < half; i++) planes[i] = new[2 * i] ^ old[2 * i];
            for (size_t i = 0; i < half; i++) planes[half + i] = new[2 * i + 1] ^ old[2 * i + 1];
            if (odd) planes[size - 1] = new[size - 1] ^ old[size - 1];
            size_t first = checked(ZSTD_compressCCtx(compressor, coded, bound, planes, half, level));
            size_t second =
                checked(ZSTD_compressCCtx(compressor, coded + first, 2 * bound - first, planes + half, size - half, level));
            pthread_mutex_lock(&mutex);
            while (turn_of != index) pthread_cond_wait(&turn, &mutex);
            table[index] = (piece){delta_end, (uint32_t)first, (uint32_t)(first + second)};
            delta_end += first + second;
            turn_of++;
            pthread_cond_broadcast(&turn);
            pthread_mutex_unlock(&mutex);
            put(output, coded, first + second, table[index].offset);
        } else {
            piece here = table[index];
            get(input, coded, here.size, here.offset);
            checked(ZSTD_decompressDCtx(decompressor, planes, half, coded, here.first));
            checked(ZSTD_decompressDCtx(decompressor, planes + half, size - half, coded + here.first, here.size - here.first));
            for (size_t i = 0; i < half; i++) {
                new[2 * i] = planes[i] ^ old[2 * i];
                new[2 * i + 1] = planes[half + i] ^ old[2 * i + 1];
            }
            if (odd) new[size - 1] = planes[size - 1] ^ old[size - 1];
            put(output, new, size, offset);
        }
    }
    ZSTD_freeCCtx(compressor);
    ZSTD_freeDCtx(decompressor);
    free(coded), free(planes), free(new), free(old);
    return unused;
}

int main(int count, char **words) {
    if (count != 7) return fprintf(stderr, "usage: bitx encode|decode LEVEL THREADS BASE INPUT OUTPUT\n"), 1;
    encoding = words[1][0] == 'e';
    level = atoi(words[2]);
    int threads = atoi(words[3]);
    struct stat status;
    if ((base = open(words[4], O_RDONLY)) < 0) fail(words[4]);
    if ((input = open(words[5], O_RDONLY)) < 0 || fstat(input, &status)) fail(words[5]);
    if ((output = open(words[6], O_RDWR | O_CREAT | O_TRUNC, 0666)) < 0) fail(words[6]);
    uint64_t trailer[2];
    if (encoding) {
        bytes = (uint64_t)status.st_size;
    } else {
        get(input, trailer, sizeof trailer, (uint64_t)status.st_size - sizeof trailer);
        bytes = trailer[0];
    }
    pieces = (bytes + PIECE - 1) / PIECE;
    table = reserve((pieces + 1) * sizeof *table);
    if (!encoding) get(input, table, pieces * sizeof *table, trailer[1]);
    pthread_t others[64];
    threads = threads < 1 ? 1 : threads > 64 ? 64 : threads;
    for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, work, NULL);
    work(NULL);
    for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
    if (encoding) {
        put(output, table, pieces * sizeof *table, delta_end);
        trailer[0] = bytes, trailer[1] = delta_end;
        put(output, trailer, sizeof trailer, delta_end + pieces * sizeof *table);
    }
    free(table);
    return close(output) ? 1 : 0;
}
