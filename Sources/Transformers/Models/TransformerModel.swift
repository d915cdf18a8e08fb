internal import DeltaPruning
package import TensorTypes

/// A model that can run: the layers of a configuration with the weights of a table.
///
/// It refers to the table's tensors and owns none, so a candidate with other tensors is cheap to make.
package struct TransformerModel: Sendable {
    /// What the logits mean.
    package let head: ModelHead
    /// Every linear layer, in the order in which they run.
    ///
    /// The last one of a causal model may be the table of embeddings.
    package let linears: [LinearLayer]
    /// Whether tokens see those before them only.
    package let isDecoder: Bool
    /// Token ids are below this.
    package let vocabulary: Int
    /// The longest sequence.
    package let positions: Int
    /// Columns of the hidden state.
    package let hidden: Int

    let configuration: ModelConfiguration
    let embedding: Embedding
    let body: [Block]
    let last: Head

    /// Finds the tensors that the configuration asks for and compares their shapes.
    ///
    /// Throws `noMatch` for a tensor that is missing or has another shape, `usage` for a head that Silt does not run.
    package init(_ configuration: ModelConfiguration, _ weights: WeightTable) throws(SiltError) {
        BLASThreads.settle()
        var builder = try ModelBuilder(configuration, weights)
        embedding = try builder.embedding()
        var blocks: [Block] = []
        for index in 0..<configuration.blocks { blocks.append(try builder.block(index)) }
        (last, head) = try builder.head()
        body = blocks
        linears = builder.linears
        self.configuration = configuration
        isDecoder = configuration.family.isDecoder
        vocabulary = configuration.vocabulary
        positions = configuration.positions
        hidden = configuration.hidden
        guard positions > 0 else {
            throw SiltError(.header, "the model has no positions", file: configuration.file)
        }
    }

    /// How many blocks there are.
    package var blocks: Int { body.count }

    /// Writes the first hidden state.
    ///
    /// - Precondition: the batch was made for a model of the same configuration.
    package func embed(_ batch: TokenBatch, _ workspace: ForwardWorkspace) {
        workspace.hidden.resize(batch.tokens * hidden)
        unsafe embedding.run(batch, to: workspace.hidden.start)
    }

    /// Takes the hidden state through block `index`.
    package func runBlock(
        _ index: Int, _ batch: TokenBatch, _ workspace: ForwardWorkspace, _ observer: (any ActivationObserver)? = nil
    ) {
        body[index].run(batch, workspace, workspace.block, .forward, observer)
    }

    /// From the last block's hidden state to the logits.
    package func finish(
        _ batch: TokenBatch, _ workspace: ForwardWorkspace, _ observer: (any ActivationObserver)? = nil
    ) {
        last.run(batch, workspace, observer)
    }

    /// The whole model.
    package func forward(
        _ batch: TokenBatch, _ workspace: ForwardWorkspace, _ observer: (any ActivationObserver)? = nil
    ) {
        embed(batch, workspace)
        for index in body.indices { runBlock(index, batch, workspace, observer) }
        finish(batch, workspace, observer)
    }
}
