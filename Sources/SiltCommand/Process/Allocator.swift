internal import CMalloc

/// How the C library's allocator treats large buffers.
enum Allocator {
    /// Buffers of so many bytes get pages of their own, which go back to the system with them.
    private static let largeBytes: Int32 = 1 << 22

    /// Has large buffers go back to the system at once.
    ///
    /// glibc learns from what is freed and puts ever larger buffers into its heaps, between small ones that stay: packing then has
    /// half as much again in memory.
    static func returnLargeBuffers() { silt_set_mmap_threshold(largeBytes) }
}
