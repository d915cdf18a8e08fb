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

    /// What a pass does besides taking the hidden state through the block.
    enum Purpose {
        case forward
        /// Keeps what a backward pass needs.
        case keeping
        /// Keeps it too; the hidden state afterwards is not wanted.
        case repeating
    }

    /// Takes `workspace.hidden` through the block; `state` is where it computes.
    func run(
        _ batch: TokenBatch, _ workspace: ForwardWorkspace, _ state: BlockActivations, _ purpose: Purpose,
        _ observer: (any ActivationObserver)?
    ) {
        let hidden = unsafe workspace.hidden.start
        let rows = batch.tokens
        let count = rows * attentionOutput.outputs
        let keeps = purpose != .forward
        if keeps { unsafe state.input.copy(hidden, count: count) }
        var input = unsafe UnsafePointer(hidden)
        if isPreNorm {
            state.attentionInput.resize(count)
            unsafe attentionNorm.run(hidden, rows: rows, to: state.attentionInput.start)
            unsafe input = UnsafePointer(state.attentionInput.start)
        }
        unsafe attend(batch, input, workspace, state, keeps: keeps, observer)
        unsafe attentionOutput.apply(state.context.start, rows: rows, adding: true, to: hidden, observer)
        if keeps { unsafe state.middle.copy(hidden, count: count) }
        if isPreNorm {
            state.networkInput.resize(count)
            unsafe feedForwardNorm.run(hidden, rows: rows, to: state.networkInput.start)
            unsafe input = UnsafePointer(state.networkInput.start)
        } else {
            unsafe attentionNorm.run(hidden, rows: rows, to: hidden)
            if keeps { unsafe state.networkInput.copy(hidden, count: count) }
        }
        unsafe feedForward(rows, input, state, keeps: keeps, observer)
        if isPreNorm, purpose == .repeating { return }
        unsafe down.apply(state.inner.start, rows: rows, adding: true, to: hidden, observer)
        guard !isPreNorm else { return }
        if keeps { unsafe state.sum.copy(hidden, count: count) }
        if purpose != .repeating { unsafe feedForwardNorm.run(hidden, rows: rows, to: hidden) }
    }

    /// What attention gives, in `state.context`.
    private func attend(
        _ batch: TokenBatch, _ input: UnsafePointer<Float>, _ workspace: ForwardWorkspace, _ state: BlockActivations,
        keeps: Bool, _ observer: (any ActivationObserver)?
    ) {
        let rows = batch.tokens
        state.context.resize(rows * attentionOutput.inputs)
        switch projections {
        case .fused(let linear): unsafe project(linear, input, rows, state.queries, observer)
        case .separate(let queryLayer, let keyLayer, let valueLayer):
            unsafe project(queryLayer, input, rows, state.queries, observer)
            unsafe project(keyLayer, input, rows, state.keys, observer)
            unsafe project(valueLayer, input, rows, state.values, observer)
            turn(batch, workspace, state, keeps: keeps)
        }
        let (queries, keys, values) = attentionRows(state.queries, state.keys, state.values)
        unsafe attention.run(
            batch, queries: queries, keys: keys, values: values, scores: workspace.scores, to: state.context.start)
    }

    /// Queries, keys and values, or their gradients, as rows; of a fused layer, all are in the first buffer.
    func attentionRows(
        _ queries: FloatBuffer, _ keys: FloatBuffer, _ values: FloatBuffer
    ) -> (queries: Attention.Rows, keys: Attention.Rows, values: Attention.Rows) {
        switch projections {
        case .fused(let linear):
            let third = linear.outputs / 3
            func rows(_ index: Int) -> Attention.Rows {
                unsafe Attention.Rows(start: queries.start + index * third, stride: linear.outputs)
            }
            return (rows(0), rows(1), rows(2))
        case .separate(let queryLayer, let keyLayer, let valueLayer):
            return unsafe (
                Attention.Rows(start: queries.start, stride: queryLayer.outputs),
                Attention.Rows(start: keys.start, stride: keyLayer.outputs),
                Attention.Rows(start: values.start, stride: valueLayer.outputs)
            )
        }
    }

    private func project(
        _ linear: Linear, _ input: UnsafePointer<Float>, _ rows: Int, _ buffer: FloatBuffer,
        _ observer: (any ActivationObserver)?
    ) {
        buffer.resize(rows * linear.outputs)
        unsafe linear.apply(input, rows: rows, to: buffer.start, observer)
    }

    /// Head norms and rotary embeddings, in place.
    private func turn(_ batch: TokenBatch, _ workspace: ForwardWorkspace, _ state: BlockActivations, keeps: Bool) {
        let (queries, keys) = unsafe (state.queries.start, state.keys.start)
        if let headNorms {
            if keeps {
                unsafe state.plainQueries.copy(queries, count: state.queries.count)
                unsafe state.plainKeys.copy(keys, count: state.keys.count)
            }
            let rows = batch.tokens
            unsafe headNorms.queries.run(queries, rows: rows * attention.heads, to: queries)
            unsafe headNorms.keys.run(keys, rows: rows * attention.keyHeads, to: keys)
        }
        guard let rotary else { return }
        workspace.rotary.prepare(rotary, positions: batch.positionEnd)
        let (heads, width) = (attention.heads, attention.width)
        unsafe workspace.rotary.rotate(queries, batch, heads: heads, width: width)
        unsafe workspace.rotary.rotate(keys, batch, heads: attention.keyHeads, width: width)
    }

    /// The inner state of the network, in `state.inner`.
    private func feedForward(
        _ rows: Int, _ input: UnsafePointer<Float>, _ state: BlockActivations, keeps: Bool,
        _ observer: (any ActivationObserver)?
    ) {
        let level = KernelLevel.best.rawValue
        let count = rows * up.outputs
        state.inner.resize(count)
        let inner = unsafe state.inner.start
        guard let gate else {
            unsafe up.apply(input, rows: rows, to: inner, observer)
            if keeps { unsafe state.plainInner.copy(inner, count: count) }
            unsafe silt_activate(level, activation.code, inner, nil, count)
            return
        }
        state.up.resize(count)
        unsafe gate.apply(input, rows: rows, to: inner, observer)
        unsafe up.apply(input, rows: rows, to: state.up.start, observer)
        if keeps { unsafe state.plainInner.copy(inner, count: count) }
        unsafe silt_activate(level, activation.code, inner, state.up.start, count)
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
