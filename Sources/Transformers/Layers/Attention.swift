internal import COpenBLAS
internal import CSiltKernels
internal import TensorTypes

/// What tokens take over from others: softmax(q k^T) v for each sequence and head.
struct Attention: Sendable {
    let heads: Int
    let keyHeads: Int
    /// Elements of a head.
    let width: Int
    let scale: Float
    let isCausal: Bool
    /// How many positions back a token sees, itself included; nil: all.
    let window: Int?

    /// Rows of queries that are worked on at once: what bounds the memory of scores.
    static let queryRows = 256

    /// Queries, keys or values: a matrix whose rows are `stride` values apart.
    @safe struct Rows {
        let start: UnsafeMutablePointer<Float>
        let stride: Int
    }

    /// Fills `output` [tokens, heads * width]; `scores` is workspace.
    func run(
        _ batch: TokenBatch, queries: Rows, keys: Rows, values: Rows, scores: FloatBuffer,
        to output: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<batch.sequences {
            let tokens = batch.offsets[index]..<batch.offsets[index + 1]
            var first = tokens.lowerBound
            while first < tokens.upperBound {
                let end = min(first + Attention.queryRows, tokens.upperBound)
                // Keys before the first query's window and past the last query take part in nothing.
                let from = begin(of: first, tokens, batch)
                let to = isCausal ? end : tokens.upperBound
                scores.resize((end - first) * (to - from))
                for head in 0..<heads {
                    unsafe run(
                        batch, head, first..<end, from..<to, queries, keys, values, scores.start, output)
                }
                first = end
            }
        }
    }

    /// The first token that the token `query` sees.
    private func begin(of query: Int, _ tokens: Range<Int>, _ batch: TokenBatch) -> Int {
        guard isCausal, let window else { return tokens.lowerBound }
        let last = Int(batch.positions[query]) - window
        return tokens.first { Int(batch.positions[$0]) > last } ?? query
    }

    private func run(
        _ batch: TokenBatch, _ head: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ queries: Rows, _ keys: Rows,
        _ values: Rows, _ scores: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>
    ) {
        let level = KernelLevel.best.rawValue
        let shared = head / (heads / keyHeads) * width
        let count = Int32(columns.count)
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows.count), count, Int32(width), scale,
            queries.start + rows.lowerBound * queries.stride + head * width, Int32(queries.stride),
            keys.start + columns.lowerBound * keys.stride + shared, Int32(keys.stride), 0, scores, count)
        if isCausal {
            unsafe batch.positions.withUnsafeBufferPointer { positions in
                guard let positions = positions.baseAddress else { return }
                unsafe silt_softmax_causal(
                    level, scores, rows.count, columns.count, rows.lowerBound - columns.lowerBound,
                    positions + columns.lowerBound, Int32(window ?? 0))
            }
        } else {
            unsafe silt_softmax(level, scores, rows.count, columns.count)
        }
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows.count), Int32(width), count, 1, scores, count,
            values.start + columns.lowerBound * values.stride + shared, Int32(values.stride), 0,
            output + rows.lowerBound * heads * width + head * width, Int32(heads * width))
    }
}
