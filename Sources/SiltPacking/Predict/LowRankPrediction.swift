internal import SiltFormat

/// A low-rank product that stands for the base of a tensor's first segment, and how the residual over it is coded.
struct LowRankPrediction: Sendable {
    let components: [ComponentRecord]
    let chunks: ComponentChunks
    /// Tables of the residual.
    let tables: TablesChunk
    /// The bits of factors and residual together.
    let bits: Double
}
