package import TensorTypes

extension TransformerModel {
    /// Runs the model forward, then backward: gradients of a loss of the logits, with respect to weights.
    ///
    /// - Parameters:
    ///   - gradients: are added to, for the tensors that it has; nil: none are wanted.
    ///   - observer: told the gradient at the output of every linear layer, from the last one to the first.
    ///   - loss: called once with the logits, [sequences, labels] or [tokens, vocabulary]; it fills their gradient, of the same
    ///     shape, and gives the loss.
    /// - Returns: what `loss` gave.
    /// - Throws: what `loss` throws; `usage` for a model without a head, or logits that are not finite.
    /// - Precondition: the batch was made for a model of the same configuration.
    package func backward(
        _ batch: TokenBatch, _ workspace: BackwardWorkspace, into gradients: GradientTable?,
        observer: (any GradientObserver)? = nil,
        loss: (_ logits: LogitRows, _ gradient: UnsafeMutablePointer<Float>) throws(SiltError) -> Double
    ) throws(SiltError) -> Double {
        guard head != .none else {
            throw SiltError(
                .usage, "the model has no head, so there is no loss", file: configuration.file,
                advice: "give a model for classification, or a causal one")
        }
        let forward = workspace.forward
        let repeated = workspace.prepare(body, tokens: batch.tokens)
        forward.hidden.resize(batch.tokens * hidden)
        unsafe embedding.run(batch, to: forward.hidden.start, keeping: workspace.embedded)
        for (index, block) in body.enumerated() {
            if index < repeated {
                unsafe workspace.input(index).copy(forward.hidden.start, count: forward.hidden.count)
                block.run(batch, forward, forward.block, .forward, nil)
            } else {
                block.run(batch, forward, workspace.activations(fromEnd: body.count - 1 - index), .keeping, nil)
            }
        }
        last.run(batch, forward, keeps: true, nil)
        workspace.logits.resize(forward.logits.count)
        let value = try unsafe loss(LogitRows(forward.logits, columns: head.columns), workspace.logits.start)

        let sink = GradientSink(table: gradients, observer: observer)
        last.backward(batch, workspace, sink)
        for (index, block) in body.enumerated().reversed() {
            var state = forward.block
            if index < repeated {
                unsafe forward.hidden.copy(workspace.input(index).start, count: batch.tokens * hidden)
                block.run(batch, forward, state, .repeating, nil)
            } else {
                state = workspace.activations(fromEnd: body.count - 1 - index)
            }
            block.backward(batch, state, workspace, sink)
        }
        unsafe embedding.backward(batch, sums: workspace.embedded, workspace.gradient.start, sink)
        return value
    }
}
