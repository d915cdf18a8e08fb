internal import COpenBLAS

/// OpenBLAS with one thread a call: Silt's workers are the threads, and sums keep their order.
package enum BLASThreads {
    private static let once: Void = {
        openblas_set_num_threads(1)
        openblas_end_threads()
    }()

    /// Called before the first product, and early in programs: OpenBLAS's own threads run from the moment when it is loaded,
    /// idle and busily, in the way of Silt's.
    package static func settle() { _ = once }
}
