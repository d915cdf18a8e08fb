internal import CSiltKernels
internal import TensorTypes

extension Embedding {
    /// Adds the gradient of the first hidden state, `gradient` [tokens, columns], to the rows of the tables that the batch took;
    /// it changes `gradient`.
    ///
    /// - Parameter sums: what `run` kept.
    func backward(
        _ batch: TokenBatch, sums: FloatBuffer, _ gradient: UnsafeMutablePointer<Float>, _ sink: GradientSink
    ) {
        if let norm { unsafe norm.backward(sums.start, gradient, rows: batch.tokens, sink, to: gradient) }
        unsafe give(gradient, batch.ids, tokens, sink)
        if let positions { unsafe give(gradient, batch.positions, positions, sink) }
        if let types { unsafe give(gradient, batch.types, types, sink) }
    }

    private func give(
        _ gradient: UnsafePointer<Float>, _ ids: [Int32], _ table: Parameter, _ sink: GradientSink
    ) {
        guard let target = unsafe sink.start(table) else { return }
        unsafe silt_give_rows(KernelLevel.best.rawValue, gradient, columns, ids, ids.count, target)
    }
}
