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

    func run(_ batch: TokenBatch, _ workspace: ForwardWorkspace, _ observer: (any ActivationObserver)?) {
        let hidden = unsafe workspace.hidden.start
        if let norm { unsafe norm.run(hidden, rows: batch.tokens, to: hidden) }
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
        workspace.pooled.resize(rows * columns)
        unsafe silt_take_rows(hidden, columns, batch.pooled, rows, 0, workspace.pooled.start)
        var input = unsafe UnsafePointer(workspace.pooled.start)
        if let (layer, activation) = dense {
            workspace.inner.resize(rows * layer.outputs)
            unsafe layer.apply(input, rows: rows, to: workspace.inner.start, observer)
            unsafe silt_activate(
                KernelLevel.best.rawValue, activation.code, workspace.inner.start, nil, rows * layer.outputs)
            unsafe input = UnsafePointer(workspace.inner.start)
        }
        workspace.logits.resize(rows * output.outputs)
        unsafe output.apply(input, rows: rows, to: workspace.logits.start, observer)
    }
}
