internal import CSiltKernels
internal import TensorTypes

/// The first hidden state: rows of tables by token, position and segment.
struct Embedding: Sendable {
    let tokens: Parameter
    let positions: Parameter?
    let types: Parameter?
    let norm: Norm?

    /// Columns of the tables.
    var columns: Int { tokens.tensor.shape[1] }

    /// Fills `output` [tokens, columns]; the sum before the norm is copied to `sums` for the backward pass.
    func run(_ batch: TokenBatch, to output: UnsafeMutablePointer<Float>, keeping sums: FloatBuffer? = nil) {
        unsafe silt_take_rows(tokens.start, columns, batch.ids, batch.tokens, 0, output)
        if let positions {
            unsafe silt_take_rows(positions.start, columns, batch.positions, batch.tokens, 1, output)
        }
        if let types { unsafe silt_take_rows(types.start, columns, batch.types, batch.tokens, 1, output) }
        guard let norm else { return }
        if let sums { unsafe sums.copy(output, count: batch.tokens * columns) }
        unsafe norm.run(output, rows: batch.tokens, to: output)
    }
}
