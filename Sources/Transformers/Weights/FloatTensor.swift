internal import CSiltKernels
internal import TensorTypes

/// The values of a tensor in F32: immutable, aligned to 64 bytes, shared by reference.
@safe package final class FloatTensor: @unchecked Sendable {
    /// Extents, slowest first.
    package let shape: [Int]
    /// Number of values.
    package let count: Int
    private let storage: UnsafeMutablePointer<Float>

    /// A tensor that `fill` writes; every value is 0 before.
    ///
    /// - Precondition: the product of the extents is within `Int`; shapes of files are checked by `TensorInfo`.
    package init<E>(shape: [Int], fill: (UnsafeMutablePointer<Float>) throws(E) -> Void) throws(E) {
        self.shape = shape
        count = shape.reduce(1, *)
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(4 * count, 64), alignment: 64)
        unsafe storage = bytes.initializeMemory(as: Float.self, repeating: 0, count: max(count, 16))
        do throws(E) {
            try unsafe fill(storage)
        } catch {
            // `deinit` runs: all properties have values.
            throw error
        }
    }

    deinit { unsafe UnsafeMutableRawPointer(storage).deallocate() }

    /// Where the values begin, in C order.
    package var start: UnsafePointer<Float> { unsafe UnsafePointer(storage) }

    /// A copy of the values.
    package var values: [Float] { unsafe Array(UnsafeBufferPointer(start: storage, count: count)) }

    /// Whether no value is an infinity or a NaN.
    package var isFinite: Bool { unsafe silt_all_finite(KernelLevel.best.rawValue, start, count) != 0 }

    /// The sum of the squared differences to a tensor of the same shape.
    package func squaredDistance(to other: FloatTensor) -> Double {
        precondition(other.count == count)
        return unsafe silt_squared_difference(KernelLevel.best.rawValue, start, other.start, count)
    }
}
