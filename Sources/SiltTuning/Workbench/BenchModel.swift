internal import SiltPacking
internal import DeltaCodecs
internal import SiltFormat

/// A candidate: what a way of packing makes of every tensor that it takes, in memory.
struct BenchModel: Sendable {
    /// A tensor that the method takes.
    struct Tensor: Sendable {
        /// Its index on the workbench.
        let index: Int
        /// Whether the method chose it, and not a rule for vectors or embeddings.
        let isMethod: Bool
        var components: [ComponentRecord]
        let chunks: ComponentChunks

        /// Its low-rank component; nil without.
        var product: LowRankRecord? {
            for case .lowRank(let product) in components { return product }
            return nil
        }

        /// The tensor with other rescale factors; those of products stay.
        func rescaled(_ factor: RescaleFactor?) -> Tensor {
            var copy = self
            copy.components = components.map { component in
                guard case .sparse = component else { return component }
                return component.changing { $0.coding.q = factor }
            }
            return copy
        }
    }

    /// How it was made.
    let options: LossyOptions
    /// What was known of all tensors that the method takes when the first of them was coded.
    let deltas: DeltaContext
    var tensors: [Tensor]
    /// Bytes of the whole file, within a percent: all that is not lossy counted.
    let bytes: Int
}
