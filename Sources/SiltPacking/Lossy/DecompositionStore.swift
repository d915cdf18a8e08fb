package import DeltaPruning
internal import Synchronization
internal import TensorTypes

/// Singular value decompositions of deltas, kept for a search that tries many qualities and ranks of the same tensor.
///
/// What it gives is what `Decomposition` would compute: a search sees the bits that the packer will write. Deltas that are whitened
/// by a curvature are told apart from those that are not; of either kind, a tensor has one delta.
package final class DecompositionStore: Sendable {
    /// A computation: in full, or its leading directions.
    private struct Key: Hashable {
        let tensor: String
        let isWhitened: Bool
        /// nil: in full.
        let rank: Int?
    }

    /// A delta's sum of squares.
    private struct Energy: Hashable {
        let tensor: String
        let isWhitened: Bool
    }

    private let isKeeping: Bool
    private let known = Mutex<[Key: Decomposition]>([:])
    private let energies = Mutex<[Energy: Double]>([:])

    /// - Parameter isKeeping: false: every call computes.
    package init(keeping isKeeping: Bool) { self.isKeeping = isKeeping }

    /// As `Decomposition.init(_:rows:columns:rank:)`.
    func decomposition(
        of tensor: String, _ values: Span<Float>, rows: Int, columns: Int, rank: Int?, _ curvature: Curvature? = nil
    ) throws(DecompositionError) -> Decomposition {
        let isSmall = min(rows, columns) <= Decomposition.exactExtent
        let key = Key(tensor: tensor, isWhitened: curvature != nil, rank: isSmall ? nil : rank)
        if let found = known.withLock({ $0[key] }) { return found }
        let computed: Decomposition
        if let curvature {
            computed = try Decomposition(curvature.whitened(values).span, rows: rows, columns: columns, rank: rank)
        } else {
            computed = try Decomposition(values, rows: rows, columns: columns, rank: rank)
        }
        if isKeeping { known.withLock { $0[key] = computed } }
        return computed
    }

    /// The sum of squares of a delta, whitened if there is a curvature.
    package func energy(of tensor: String, _ values: Span<Float>, _ curvature: Curvature?) -> Double {
        let key = Energy(tensor: tensor, isWhitened: curvature != nil)
        if let found = energies.withLock({ $0[key] }) { return found }
        var sum = 0.0
        if let curvature {
            sum = curvature.cost(values)
        } else {
            for index in values.indices { sum += Double(values[index]) * Double(values[index]) }
        }
        if isKeeping { energies.withLock { $0[key] = sum } }
        return sum
    }

    /// As `Decomposition.init(_:rows:columns:reaching:)`.
    func decomposition(
        of tensor: String, _ values: Span<Float>, rows: Int, columns: Int, reaching sigma: Float,
        _ curvature: Curvature? = nil
    ) throws(DecompositionError) -> Decomposition {
        var rank = 64
        while true {
            let attempt = try decomposition(
                of: tensor, values, rows: rows, columns: columns, rank: rank, curvature)
            if attempt.isComplete || attempt.sigma.last.map({ $0 < sigma }) ?? true { return attempt }
            rank *= 2
        }
    }
}
