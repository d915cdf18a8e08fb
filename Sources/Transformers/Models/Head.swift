internal import CSiltKernels
internal import TensorTypes

/// The layers after the last block.
struct Head: Sendable {
    /// Of decoders: applied to the hidden state of every token.
    let norm: Norm?
    /// Between a sequence's hidden state and the logits, with its activation.
    let dense: (layer: Linear, activation: Activation)?
    /// Gives the logits.
    let output: Linear?
    /// Whether every token has logits; else each sequence, from the token that `TokenBatch.pooled` names.
    let isPerToken: Bool

    /// - Parameter keeps: whether a backward pass follows.
    func run(
        _ batch: TokenBatch, _ workspace: ForwardWorkspace, keeps: Bool = false, _ observer: (any ActivationObserver)?
    ) {
        let hidden = unsafe workspace.hidden.start
        let state = workspace.head
        if let norm {
            if keeps { unsafe state.input.copy(hidden, count: workspace.hidden.count) }
            unsafe norm.run(hidden, rows: batch.tokens, to: hidden)
        }
        guard let output else {
            workspace.logits.resize(0)
            return
        }
        guard !isPerToken else {
            workspace.logits.resize(batch.tokens * output.outputs)
            unsafe output.apply(hidden, rows: batch.tokens, to: workspace.logits.start, observer)
            return
        }
        let rows = batch.sequences
        let columns = (dense?.layer ?? output).inputs
        state.pooled.resize(rows * columns)
        unsafe silt_take_rows(hidden, columns, batch.pooled, rows, 0, state.pooled.start)
        var input = unsafe UnsafePointer(state.pooled.start)
        if let (layer, activation) = dense {
            let count = rows * layer.outputs
            state.inner.resize(count)
            let inner = unsafe state.inner.start
            unsafe layer.apply(input, rows: rows, to: inner, observer)
            if keeps { unsafe state.plainInner.copy(inner, count: count) }
            unsafe silt_activate(KernelLevel.best.rawValue, activation.code, inner, nil, count)
            unsafe input = UnsafePointer(inner)
        }
        workspace.logits.resize(rows * output.outputs)
        unsafe output.apply(input, rows: rows, to: workspace.logits.start, observer)
    }
}
