internal import CSiltKernels
internal import TensorTypes

/// The first hidden state: rows of tables by token, position and segment.
struct Embedding: Sendable {
    let tokens: FloatTensor
    let positions: FloatTensor?
    let types: FloatTensor?
    let norm: Norm?

    func run(_ batch: TokenBatch, to output: UnsafeMutablePointer<Float>) {
        let columns = tokens.shape[1]
        unsafe silt_take_rows(tokens.start, columns, batch.ids, batch.tokens, 0, output)
        if let positions {
            unsafe silt_take_rows(positions.start, columns, batch.positions, batch.tokens, 1, output)
        }
        if let types { unsafe silt_take_rows(types.start, columns, batch.types, batch.tokens, 1, output) }
        if let norm { unsafe norm.run(output, rows: batch.tokens, to: output) }
    }
}
