internal import DeltaPruning
internal import Synchronization
internal import TensorTypes

/// Singular value decompositions of deltas, kept for a search that tries many qualities and ranks of the same tensor.
///
/// What it gives is what `Decomposition` would compute: a search sees the bits that the packer will write.
final class DecompositionStore: Sendable {
    /// A computation: in full, or its leading directions.
    private struct Key: Hashable {
        let tensor: String
        /// nil: in full.
        let rank: Int?
    }

    private let isKeeping: Bool
    private let known = Mutex<[Key: Decomposition]>([:])

    /// - Parameter isKeeping: false: every call computes.
    init(keeping isKeeping: Bool) { self.isKeeping = isKeeping }

    /// As `Decomposition.init(_:rows:columns:rank:)`.
    func decomposition(
        of tensor: String, _ values: Span<Float>, rows: Int, columns: Int, rank: Int?
    ) throws(DecompositionError) -> Decomposition {
        let isSmall = min(rows, columns) <= Decomposition.exactExtent
        let key = Key(tensor: tensor, rank: isSmall ? nil : rank)
        if let found = known.withLock({ $0[key] }) { return found }
        let computed = try Decomposition(values, rows: rows, columns: columns, rank: rank)
        if isKeeping { known.withLock { $0[key] = computed } }
        return computed
    }

    /// As `Decomposition.init(_:rows:columns:reaching:)`.
    func decomposition(
        of tensor: String, _ values: Span<Float>, rows: Int, columns: Int, reaching sigma: Float
    ) throws(DecompositionError) -> Decomposition {
        var rank = 64
        while true {
            let attempt = try decomposition(of: tensor, values, rows: rows, columns: columns, rank: rank)
            if attempt.isComplete || attempt.sigma.last.map({ $0 < sigma }) ?? true { return attempt }
            rank *= 2
        }
    }
}
