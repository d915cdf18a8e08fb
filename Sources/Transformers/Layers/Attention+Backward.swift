internal import COpenBLAS
internal import CSiltKernels
internal import TensorTypes

extension Attention {
    /// Gradients of queries, keys and values from those of the output, `gradient` [tokens, heads * width].
    ///
    /// The weights are computed again, part by part, so that no more of them is in memory than in a forward pass.
    /// `keyGradients` and `valueGradients` must be 0 before: queries and heads that share them add to them.
    func backward(
        _ batch: TokenBatch, queries: Rows, keys: Rows, values: Rows, gradient: UnsafePointer<Float>,
        scores: FloatBuffer, scoreGradients: FloatBuffer, to queryGradients: Rows, _ keyGradients: Rows,
        _ valueGradients: Rows
    ) {
        let level = KernelLevel.best.rawValue
        let (columns, stride) = (Int32(width), Int32(heads * width))
        forEachPart(of: batch) { part in
            let (rows, count) = (Int32(part.queries.count), Int32(part.keys.count))
            let (first, firstKey) = (part.queries.lowerBound, part.keys.lowerBound)
            scores.resize(part.queries.count * part.keys.count)
            scoreGradients.resize(scores.count)
            let (weights, slopes) = unsafe (scores.start, scoreGradients.start)
            for head in 0..<heads {
                let shared = keyHead(head)
                let output = unsafe gradient + (first * heads + head) * width
                unsafe score(batch, part, head, queries, keys, weights)
                // dV = P^T dO, dP = dO V^T, dS = P (dP - sum of P dP), dQ = dS K, dK = dS^T Q.
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, count, columns, rows, 1, weights, count, output, stride, 1,
                    place(valueGradients, firstKey, shared), Int32(valueGradients.stride))
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, rows, count, columns, 1, output, stride,
                    place(values, firstKey, shared), Int32(values.stride), 0, slopes, count)
                unsafe silt_softmax_backward(level, weights, slopes, part.queries.count, part.keys.count)
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, count, scale, slopes, count,
                    place(keys, firstKey, shared), Int32(keys.stride), 0, place(queryGradients, first, head),
                    Int32(queryGradients.stride))
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, count, columns, rows, scale, slopes, count,
                    place(queries, first, head), Int32(queries.stride), 1, place(keyGradients, firstKey, shared),
                    Int32(keyGradients.stride))
            }
        }
    }
}
