internal import TensorTypes

/// Puts the layers of a model together: names and shapes of every family.
struct ModelBuilder {
    let configuration: ModelConfiguration
    let reader: WeightReader
    private(set) var linears: [LinearLayer] = []

    init(_ configuration: ModelConfiguration, _ weights: WeightTable) throws(SiltError) {
        self.configuration = configuration
        let probe: String
        switch configuration.family {
        case .bert, .roberta, .xlmRoberta, .camembert, .distilbert: probe = "embeddings.word_embeddings.weight"
        case .llama, .mistral, .qwen2, .qwen3: probe = "embed_tokens.weight"
        case .gpt2: probe = "wte.weight"
        }
        reader = try WeightReader(weights, prefixes: configuration.family.prefixes, probe: probe)
    }

    /// A linear layer of the body.
    mutating func linear(
        _ name: String, _ inputs: Int, _ outputs: Int, hasBias: Bool = true, block: Int, isTransposed: Bool = false
    ) throws(SiltError) -> Linear {
        try whole(
            reader.prefix + name, inputs, outputs, hasBias: hasBias, block: block, isTransposed: isTransposed)
    }

    /// A linear layer by its whole name.
    mutating func whole(
        _ name: String, _ inputs: Int, _ outputs: Int, hasBias: Bool = true, block: Int, isTransposed: Bool = false
    ) throws(SiltError) -> Linear {
        let shape = isTransposed ? [inputs, outputs] : [outputs, inputs]
        let weight = try reader.whole(name + ".weight", shape)
        let bias = hasBias ? try reader.whole(name + ".bias", [outputs]) : nil
        return add(
            weight, bias,
            LinearLayer(
                weight: name + ".weight", bias: hasBias ? name + ".bias" : nil, inputs: inputs, outputs: outputs,
                isTransposed: isTransposed, block: block))
    }

    /// The layer from hidden states to tokens that is the table of embeddings.
    mutating func tied(_ name: String) throws(SiltError) -> Linear {
        let (hidden, vocabulary) = (configuration.hidden, configuration.vocabulary)
        return add(
            try reader.body(name, [vocabulary, hidden]), nil,
            LinearLayer(
                weight: reader.prefix + name, bias: nil, inputs: hidden, outputs: vocabulary, isTransposed: false,
                block: configuration.blocks))
    }

    private mutating func add(_ weight: Parameter, _ bias: Parameter?, _ layer: LinearLayer) -> Linear {
        linears.append(layer)
        return Linear(
            weight: weight, bias: bias, inputs: layer.inputs, outputs: layer.outputs,
            isTransposed: layer.isTransposed, index: linears.count - 1)
    }

    func norm(_ name: String, width: Int? = nil, isRootMeanSquare: Bool = false) throws(SiltError) -> Norm {
        let shape = [width ?? configuration.hidden]
        return Norm(
            gain: try reader.body(name + ".weight", shape),
            bias: isRootMeanSquare ? nil : try reader.body(name + ".bias", shape), epsilon: configuration.epsilon,
            isRootMeanSquare: isRootMeanSquare)
    }

    func embedding() throws(SiltError) -> Embedding {
        let (hidden, rows) = (configuration.hidden, configuration.positionRows)
        switch configuration.family {
        case .bert, .roberta, .xlmRoberta, .camembert, .distilbert:
            return Embedding(
                tokens: try reader.body("embeddings.word_embeddings.weight", [configuration.vocabulary, hidden]),
                positions: try reader.body("embeddings.position_embeddings.weight", [rows, hidden]),
                types: configuration.tokenTypes == 0
                    ? nil
                    : try reader.body(
                        "embeddings.token_type_embeddings.weight", [configuration.tokenTypes, hidden]),
                norm: try norm("embeddings.LayerNorm"))
        case .llama, .mistral, .qwen2, .qwen3:
            return Embedding(
                tokens: try reader.body("embed_tokens.weight", [configuration.vocabulary, hidden]), positions: nil,
                types: nil, norm: nil)
        case .gpt2:
            return Embedding(
                tokens: try reader.body("wte.weight", [configuration.vocabulary, hidden]),
                positions: try reader.body("wpe.weight", [rows, hidden]), types: nil, norm: nil)
        }
    }

    /// What the attention of block `index` is like.
    func attention(_ index: Int) -> Attention {
        let rule = configuration.attention[index]
        return Attention(
            heads: configuration.heads, keyHeads: configuration.keyHeads, width: configuration.headWidth,
            scale: rule.scale, isCausal: configuration.family.isDecoder, window: rule.window)
    }

    mutating func block(_ index: Int) throws(SiltError) -> Block {
        switch configuration.family {
        case .bert, .roberta, .xlmRoberta, .camembert: try bertBlock(index)
        case .distilbert: try distilbertBlock(index)
        case .llama, .mistral, .qwen2, .qwen3: try llamaBlock(index)
        case .gpt2: try gpt2Block(index)
        }
    }
}
