internal import CSiltKernels
internal import TensorTypes

/// A block of a transformer: attention, then a feed-forward network, each added to the hidden state.
struct Block: Sendable {
    /// How queries, keys and values are made.
    enum Projections: Sendable {
        case separate(queries: Linear, keys: Linear, values: Linear)
        /// One layer whose outputs are queries, keys and values, one after the other.
        case fused(Linear)
    }

    let projections: Projections
    let attention: Attention
    let rotary: RotaryConfiguration?
    /// Norms of each head's queries and keys, before they are rotated.
    let headNorms: (queries: Norm, keys: Norm)?
    let attentionOutput: Linear
    /// Multiplied with the activated `up` where there is a gate; then the gate is what is activated.
    let gate: Linear?
    let up: Linear
    let down: Linear
    let activation: Activation
    let attentionNorm: Norm
    let feedForwardNorm: Norm
    /// Whether the norms stand before attention and network (decoders) or after each sum (encoders).
    let isPreNorm: Bool

    func run(_ batch: TokenBatch, _ workspace: ForwardWorkspace, _ observer: (any ActivationObserver)?) {
        let hidden = unsafe workspace.hidden.start
        let rows = batch.tokens
        let width = attentionOutput.outputs
        var input = unsafe UnsafePointer(hidden)
        if isPreNorm {
            workspace.normed.resize(rows * width)
            unsafe input = UnsafePointer(workspace.normed.start)
            unsafe attentionNorm.run(hidden, rows: rows, to: workspace.normed.start)
        }
        unsafe attend(batch, input, workspace, observer)
        unsafe attentionOutput.apply(workspace.context.start, rows: rows, adding: true, to: hidden, observer)
        if isPreNorm {
            unsafe feedForwardNorm.run(hidden, rows: rows, to: workspace.normed.start)
        } else {
            unsafe attentionNorm.run(hidden, rows: rows, to: hidden)
        }
        unsafe feedForward(rows, input, workspace, observer)
        unsafe down.apply(workspace.inner.start, rows: rows, adding: true, to: hidden, observer)
        if !isPreNorm { unsafe feedForwardNorm.run(hidden, rows: rows, to: hidden) }
    }

    /// What attention gives, in `workspace.context`.
    private func attend(
        _ batch: TokenBatch, _ input: UnsafePointer<Float>, _ workspace: ForwardWorkspace,
        _ observer: (any ActivationObserver)?
    ) {
        let rows = batch.tokens
        workspace.context.resize(rows * attentionOutput.inputs)
        let queries: Attention.Rows
        let keys: Attention.Rows
        let values: Attention.Rows
        switch projections {
        case .fused(let linear):
            workspace.queries.resize(rows * linear.outputs)
            let start = unsafe workspace.queries.start
            unsafe linear.apply(input, rows: rows, to: start, observer)
            let third = linear.outputs / 3
            unsafe queries = Attention.Rows(start: start, stride: linear.outputs)
            unsafe keys = Attention.Rows(start: start + third, stride: linear.outputs)
            unsafe values = Attention.Rows(start: start + 2 * third, stride: linear.outputs)
        case .separate(let queryLayer, let keyLayer, let valueLayer):
            unsafe queries = project(queryLayer, input, rows, workspace.queries, observer)
            unsafe keys = project(keyLayer, input, rows, workspace.keys, observer)
            unsafe values = project(valueLayer, input, rows, workspace.values, observer)
            turn(batch, queries, keys, workspace)
        }
        unsafe attention.run(
            batch, queries: queries, keys: keys, values: values, scores: workspace.scores, to: workspace.context.start)
    }

    private func project(
        _ linear: Linear, _ input: UnsafePointer<Float>, _ rows: Int, _ buffer: FloatBuffer,
        _ observer: (any ActivationObserver)?
    ) -> Attention.Rows {
        buffer.resize(rows * linear.outputs)
        unsafe linear.apply(input, rows: rows, to: buffer.start, observer)
        return unsafe Attention.Rows(start: buffer.start, stride: linear.outputs)
    }

    /// Head norms and rotary embeddings, in place.
    private func turn(
        _ batch: TokenBatch, _ queries: Attention.Rows, _ keys: Attention.Rows, _ workspace: ForwardWorkspace
    ) {
        if let headNorms {
            let rows = batch.tokens
            unsafe headNorms.queries.run(queries.start, rows: rows * attention.heads, to: queries.start)
            unsafe headNorms.keys.run(keys.start, rows: rows * attention.keyHeads, to: keys.start)
        }
        guard let rotary else { return }
        workspace.rotary.prepare(rotary, positions: batch.positionEnd)
        let (heads, width) = (attention.heads, attention.width)
        unsafe workspace.rotary.rotate(queries.start, batch, heads: heads, width: width)
        unsafe workspace.rotary.rotate(keys.start, batch, heads: attention.keyHeads, width: width)
    }

    /// The inner state of the network, in `workspace.inner`.
    private func feedForward(
        _ rows: Int, _ input: UnsafePointer<Float>, _ workspace: ForwardWorkspace,
        _ observer: (any ActivationObserver)?
    ) {
        let level = KernelLevel.best.rawValue
        let count = rows * up.outputs
        workspace.inner.resize(count)
        guard let gate else {
            unsafe up.apply(input, rows: rows, to: workspace.inner.start, observer)
            unsafe silt_activate(level, activation.code, workspace.inner.start, nil, count)
            return
        }
        workspace.gate.resize(count)
        unsafe gate.apply(input, rows: rows, to: workspace.inner.start, observer)
        unsafe up.apply(input, rows: rows, to: workspace.gate.start, observer)
        unsafe silt_activate(level, activation.code, workspace.inner.start, workspace.gate.start, count)
    }
}

extension Linear {
    /// `run`, after the observer saw the input.
    func apply(
        _ input: UnsafePointer<Float>, rows: Int, adding: Bool = false, to output: UnsafeMutablePointer<Float>,
        _ observer: (any ActivationObserver)?
    ) {
        if let observer { unsafe observer.observe(layer: index, input, rows: rows, columns: inputs) }
        unsafe run(input, rows: rows, adding: adding, to: output)
    }
}
