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
        forEachPart(of: batch) { part in
            scores.resize(part.queries.count * part.keys.count)
            for head in 0..<heads {
                let weights = unsafe scores.start
                unsafe score(batch, part, head, queries, keys, weights)
                let (rows, count) = (Int32(part.queries.count), Int32(part.keys.count))
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, Int32(width), count, 1, weights, count,
                    place(values, part.keys.lowerBound, keyHead(head)), Int32(values.stride), 0,
                    output + (part.queries.lowerBound * heads + head) * width, Int32(heads * width))
            }
        }
    }

    /// Queries that are worked on at once, and the keys that any of them sees; tokens of a batch.
    struct Part {
        let queries: Range<Int>
        let keys: Range<Int>
    }

    /// Calls `body` for every part of every sequence, in order.
    func forEachPart(of batch: TokenBatch, _ body: (Part) -> Void) {
        for index in 0..<batch.sequences {
            let tokens = batch.offsets[index]..<batch.offsets[index + 1]
            var first = tokens.lowerBound
            while first < tokens.upperBound {
                let end = min(first + Attention.queryRows, tokens.upperBound)
                // Keys before the first query's window and past the last query take part in nothing.
                body(
                    Part(
                        queries: first..<end,
                        keys: begin(of: first, tokens, batch)..<(isCausal ? end : tokens.upperBound)))
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

    /// The head of keys and values that `head` of the queries shares.
    func keyHead(_ head: Int) -> Int { head / (heads / keyHeads) }

    /// Where a head of a token's row begins.
    func place(_ rows: Rows, _ token: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
        unsafe rows.start + token * rows.stride + head * width
    }

    /// The weights of one head, softmax(q k^T), a row for each query.
    func score(
        _ batch: TokenBatch, _ part: Part, _ head: Int, _ queries: Rows, _ keys: Rows,
        _ weights: UnsafeMutablePointer<Float>
    ) {
        let level = KernelLevel.best.rawValue
        let (rows, columns) = (part.queries.count, part.keys.count)
        unsafe cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(columns), Int32(width), scale,
            place(queries, part.queries.lowerBound, head), Int32(queries.stride),
            place(keys, part.keys.lowerBound, keyHead(head)), Int32(keys.stride), 0, weights, Int32(columns))
        guard isCausal else {
            unsafe silt_softmax(level, weights, rows, columns)
            return
        }
        unsafe batch.positions.withUnsafeBufferPointer { positions in
            guard let positions = positions.baseAddress else { return }
            unsafe silt_softmax_causal(
                level, weights, rows, columns, part.queries.lowerBound - part.keys.lowerBound,
                positions + part.keys.lowerBound, Int32(window ?? 0))
        }
    }
}
