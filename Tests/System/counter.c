/*
 * Counts what a program asks of the system: allocations, bytes read and written by position or copied by the
 * kernel, calls that wait for the device.
 *
 *   cc -shared -fPIC -O2 -o counter.so counter.c; LD_PRELOAD=counter.so COUNTS=FILE PROGRAM…
 *
 * At its end the program writes the counts to FILE, a line each. For glibc, whose allocator has a second name for each call.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong allocations, bytes_read, bytes_written, bytes_copied, reads, writes, synchronisations;

static void add(atomic_ulong *counter, unsigned long value) {
    atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

void *malloc(size_t size) {
    add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    add(&allocations, 1);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    add(&allocations, 1);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* The C library's own function under this name. */
static void *next(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    return function;
}

ssize_t pread(int file, void *buffer, size_t size, off_t offset) {
    static ssize_t (*real)(int, void *, size_t, off_t);
    if (!real) *(void **)&real = next("pread");
    const ssize_t count = real(file, buffer, size, offset);
    add(&reads, 1);
    if (count > 0) add(&bytes_read, (unsigned long)count);
    return count;
}

ssize_t pread64(int file, void *buffer, size_t size, off_t offset) { return pread(file, buffer, size, offset); }

ssize_t pwrite(int file, const void *buffer, size_t size, off_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) *(void **)&real = next("pwrite");
    const ssize_t count = real(file, buffer, size, offset);
    add(&writes, 1);
    if (count > 0) add(&bytes_written, (unsigned long)count);
    return count;
}

ssize_t pwrite64(int file, const void *buffer, size_t size, off_t offset) { return pwrite(file, buffer, size, offset); }

ssize_t copy_file_range(int from, off_t *at, int to, off_t *place, size_t size, unsigned flags) {
    static ssize_t (*real)(int, off_t *, int, off_t *, size_t, unsigned);
    if (!real) *(void **)&real = next("copy_file_range");
    const ssize_t count = real(from, at, to, place, size, flags);
    if (count > 0) add(&bytes_copied, (unsigned long)count);
    return count;
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) *(void **)&real = next("fsync");
    add(&synchronisations, 1);
    return real(file);
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("COUNTS");
    if (!path) return;
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return;
    dprintf(file,
            "allocations %lu\nbytes_read %lu\nbytes_written %lu\nbytes_copied %lu\nreads %lu\nwrites %lu\n"
            "synchronisations %lu\n",
            allocations, bytes_read, bytes_written, bytes_copied, reads, writes, synchronisations);
    close(file);
}
