internal import CSiltKernels
internal import TensorTypes

/// Gradients of a loss with respect to weights, F32, by tensor name.
///
/// They have the shapes of the weights, and are sums over all passes since they were last cleared. All stand one after the other
/// in one piece of memory. It is not synchronised: one thread at a time.
@safe package final class GradientTable: @unchecked Sendable {
    /// The gradient of one tensor, in C order; it is the table's, and lives as long.
    @safe package struct Tensor {
        package let start: UnsafeMutablePointer<Float>
        /// Number of values.
        package let count: Int

        /// A copy of the values.
        package var values: [Float] { unsafe Array(UnsafeBufferPointer(start: start, count: count)) }
    }

    /// The names, sorted by their bytes.
    package let names: [String]
    private let places: [ByteName: Range<Int>]
    private let storage: UnsafeMutablePointer<Float>
    /// Values that are in use, padding between tensors included.
    private let count: Int

    /// Values to which tensors are aligned: 64 bytes.
    private static let alignment = 16

    /// Gradients that are 0, of the tensors in `names`, or of all.
    ///
    /// - Parameter names: those that are not in `weights` are left out.
    package init(for weights: WeightTable, names: Set<String>? = nil) {
        var places: [ByteName: Range<Int>] = [:]
        var taken: [String] = []
        var end = 0
        for name in weights.names where names?.contains(name) ?? true {
            guard let tensor = weights[name] else { continue }
            places[ByteName(name)] = end..<end + tensor.count
            taken.append(name)
            end += (tensor.count + GradientTable.alignment - 1) / GradientTable.alignment * GradientTable.alignment
        }
        self.names = taken
        self.places = places
        count = end
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(4 * end, 64), alignment: 64)
        unsafe storage = bytes.initializeMemory(as: Float.self, repeating: 0, count: max(end, 16))
    }

    deinit { unsafe UnsafeMutableRawPointer(storage).deallocate() }

    /// The gradient of the tensor of this name; nil if the table does not have it.
    package subscript(name: String) -> Tensor? {
        guard let place = places[ByteName(name)] else { return nil }
        return unsafe Tensor(start: storage + place.lowerBound, count: place.count)
    }

    /// Makes all gradients 0.
    package func clear() { unsafe storage.update(repeating: 0, count: count) }

    /// Adds the gradients of another table.
    ///
    /// - Precondition: it was made of weights of the same names and shapes.
    package func add(_ other: GradientTable) {
        precondition(places == other.places)
        unsafe silt_sum_rows(KernelLevel.best.rawValue, other.storage, 1, count, storage)
    }

    /// Whether all values are finite.
    package var isFinite: Bool { unsafe silt_all_finite(KernelLevel.best.rawValue, storage, count) != 0 }
}
