internal import CSiltKernels
internal import TensorTypes

extension Head {
    /// From the gradient of the logits to that of the last block's hidden state, which it writes to `workspace.gradient`.
    ///
    /// - Precondition: `run` kept what it needs, and the head has an output.
    func backward(_ batch: TokenBatch, _ workspace: BackwardWorkspace, _ sink: GradientSink) {
        guard let output else { return }
        let forward = workspace.forward
        let state = forward.head
        let logits = unsafe UnsafePointer(workspace.logits.start)
        workspace.gradient.clear(forward.hidden.count)
        let gradient = unsafe workspace.gradient.start
        if isPerToken {
            unsafe output.backward(forward.hidden.start, logits, rows: batch.tokens, sink, to: gradient)
        } else {
            let rows = batch.sequences
            let columns = (dense?.layer ?? output).inputs
            workspace.normed.resize(rows * columns)
            let pooled = unsafe workspace.normed.start
            if let (layer, activation) = dense {
                workspace.inner.resize(rows * layer.outputs)
                let inner = unsafe workspace.inner.start
                unsafe output.backward(state.inner.start, logits, rows: rows, sink, to: inner)
                unsafe silt_activate_backward(
                    KernelLevel.best.rawValue, activation.code, state.plainInner.start, nil, inner, nil,
                    rows * layer.outputs)
                unsafe layer.backward(state.pooled.start, inner, rows: rows, sink, to: pooled)
            } else {
                unsafe output.backward(state.pooled.start, logits, rows: rows, sink, to: pooled)
            }
            unsafe silt_give_rows(KernelLevel.best.rawValue, pooled, columns, batch.pooled, rows, gradient)
        }
        if let norm { unsafe norm.backward(state.input.start, gradient, rows: batch.tokens, sink, to: gradient) }
    }
}
