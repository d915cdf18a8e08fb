internal import COpenBLAS

/// OpenBLAS with one thread a call: Silt's workers are the threads, and sums keep their order.
package enum BLASThreads {
    private static let once: Void = openblas_set_num_threads(1)

    /// Called before the first product.
    package static func settle() { _ = once }
}
