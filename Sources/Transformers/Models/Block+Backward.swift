internal import CSiltKernels
internal import TensorTypes

extension Block {
    /// Takes `workspace.gradient` from the hidden state after the block to that before it.
    ///
    /// - Parameter state: what `run` kept.
    func backward(
        _ batch: TokenBatch, _ state: BlockActivations, _ workspace: BackwardWorkspace, _ sink: GradientSink
    ) {
        let rows = batch.tokens
        let gradient = unsafe workspace.gradient.start
        // Behind a norm, gradients of the layers' inputs are summed up apart; else they join the sum's at once.
        let inputs: UnsafeMutablePointer<Float>
        if isPreNorm {
            workspace.normed.resize(workspace.gradient.count)
            unsafe inputs = workspace.normed.start
        } else {
            unsafe inputs = gradient
            unsafe feedForwardNorm.backward(state.sum.start, gradient, rows: rows, sink, to: gradient)
        }
        unsafe feedForwardBackward(rows, state, workspace, sink, gradient, to: inputs)
        if isPreNorm {
            unsafe feedForwardNorm.backward(state.middle.start, inputs, rows: rows, sink, isSum: true, to: gradient)
        } else {
            unsafe attentionNorm.backward(state.middle.start, gradient, rows: rows, sink, to: gradient)
        }
        unsafe attendBackward(batch, state, workspace, sink, gradient, to: inputs)
        if isPreNorm {
            unsafe attentionNorm.backward(state.input.start, inputs, rows: rows, sink, isSum: true, to: gradient)
        }
    }

    private func feedForwardBackward(
        _ rows: Int, _ state: BlockActivations, _ workspace: BackwardWorkspace, _ sink: GradientSink,
        _ gradient: UnsafePointer<Float>, to inputs: UnsafeMutablePointer<Float>
    ) {
        let level = KernelLevel.best.rawValue
        let count = rows * up.outputs
        let networkInput = unsafe state.networkInput.start
        workspace.inner.resize(count)
        let inner = unsafe workspace.inner.start
        unsafe down.backward(state.inner.start, gradient, rows: rows, sink, to: inner)
        guard let gate else {
            unsafe silt_activate_backward(level, activation.code, state.plainInner.start, nil, inner, nil, count)
            unsafe up.backward(networkInput, inner, rows: rows, sink, isSum: !isPreNorm, to: inputs)
            return
        }
        workspace.up.resize(count)
        unsafe silt_activate_backward(
            level, activation.code, state.plainInner.start, state.up.start, inner, workspace.up.start, count)
        unsafe gate.backward(networkInput, inner, rows: rows, sink, isSum: !isPreNorm, to: inputs)
        unsafe up.backward(networkInput, workspace.up.start, rows: rows, sink, isSum: true, to: inputs)
    }

    private func attendBackward(
        _ batch: TokenBatch, _ state: BlockActivations, _ workspace: BackwardWorkspace, _ sink: GradientSink,
        _ gradient: UnsafePointer<Float>, to inputs: UnsafeMutablePointer<Float>
    ) {
        let rows = batch.tokens
        let input = unsafe isPreNorm ? state.attentionInput.start : state.input.start
        workspace.context.resize(state.context.count)
        unsafe attentionOutput.backward(state.context.start, gradient, rows: rows, sink, to: workspace.context.start)
        workspace.queries.clear(state.queries.count)
        workspace.keys.clear(state.keys.count)
        workspace.values.clear(state.values.count)
        let (queries, keys, values) = attentionRows(state.queries, state.keys, state.values)
        let gradients = attentionRows(workspace.queries, workspace.keys, workspace.values)
        unsafe attention.backward(
            batch, queries: queries, keys: keys, values: values, gradient: workspace.context.start,
            scores: workspace.forward.scores, scoreGradients: workspace.scores, to: gradients.queries, gradients.keys,
            gradients.values)
        switch projections {
        case .fused(let linear):
            unsafe linear.backward(input, workspace.queries.start, rows: rows, sink, isSum: !isPreNorm, to: inputs)
        case .separate(let queryLayer, let keyLayer, let valueLayer):
            turnBackward(batch, state, workspace, sink)
            unsafe queryLayer.backward(
                input, workspace.queries.start, rows: rows, sink, isSum: !isPreNorm, to: inputs)
            unsafe keyLayer.backward(input, workspace.keys.start, rows: rows, sink, isSum: true, to: inputs)
            unsafe valueLayer.backward(input, workspace.values.start, rows: rows, sink, isSum: true, to: inputs)
        }
    }

    /// Of head norms and rotary embeddings, in place.
    private func turnBackward(
        _ batch: TokenBatch, _ state: BlockActivations, _ workspace: BackwardWorkspace, _ sink: GradientSink
    ) {
        let (queries, keys) = unsafe (workspace.queries.start, workspace.keys.start)
        if rotary != nil {
            let (heads, width) = (attention.heads, attention.width)
            unsafe workspace.forward.rotary.rotateBackward(queries, batch, heads: heads, width: width)
            unsafe workspace.forward.rotary.rotateBackward(keys, batch, heads: attention.keyHeads, width: width)
        }
        guard let headNorms else { return }
        let rows = batch.tokens
        unsafe headNorms.queries.backward(
            state.plainQueries.start, queries, rows: rows * attention.heads, sink, to: queries)
        unsafe headNorms.keys.backward(state.plainKeys.start, keys, rows: rows * attention.keyHeads, sink, to: keys)
    }
}
