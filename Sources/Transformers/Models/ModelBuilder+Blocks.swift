internal import TensorTypes

/// The blocks of each family.
extension ModelBuilder {
    mutating func bertBlock(_ index: Int) throws(SiltError) -> Block {
        let path = "encoder.layer.\(index)."
        let (hidden, inner) = (configuration.hidden, configuration.intermediate)
        let queries = try linear(path + "attention.self.query", hidden, hidden, block: index)
        let keys = try linear(path + "attention.self.key", hidden, hidden, block: index)
        let values = try linear(path + "attention.self.value", hidden, hidden, block: index)
        let output = try linear(path + "attention.output.dense", hidden, hidden, block: index)
        let up = try linear(path + "intermediate.dense", hidden, inner, block: index)
        let down = try linear(path + "output.dense", inner, hidden, block: index)
        return Block(
            projections: .separate(queries: queries, keys: keys, values: values), attention: attention(index),
            rotary: nil, headNorms: nil, attentionOutput: output, gate: nil, up: up, down: down,
            activation: configuration.activation, attentionNorm: try norm(path + "attention.output.LayerNorm"),
            feedForwardNorm: try norm(path + "output.LayerNorm"), isPreNorm: false)
    }

    mutating func distilbertBlock(_ index: Int) throws(SiltError) -> Block {
        let path = "transformer.layer.\(index)."
        let (hidden, inner) = (configuration.hidden, configuration.intermediate)
        let queries = try linear(path + "attention.q_lin", hidden, hidden, block: index)
        let keys = try linear(path + "attention.k_lin", hidden, hidden, block: index)
        let values = try linear(path + "attention.v_lin", hidden, hidden, block: index)
        let output = try linear(path + "attention.out_lin", hidden, hidden, block: index)
        let up = try linear(path + "ffn.lin1", hidden, inner, block: index)
        let down = try linear(path + "ffn.lin2", inner, hidden, block: index)
        return Block(
            projections: .separate(queries: queries, keys: keys, values: values), attention: attention(index),
            rotary: nil, headNorms: nil, attentionOutput: output, gate: nil, up: up, down: down,
            activation: configuration.activation, attentionNorm: try norm(path + "sa_layer_norm"),
            feedForwardNorm: try norm(path + "output_layer_norm"), isPreNorm: false)
    }

    mutating func llamaBlock(_ index: Int) throws(SiltError) -> Block {
        let path = "layers.\(index)."
        let (hidden, inner, width) = (configuration.hidden, configuration.intermediate, configuration.headWidth)
        let (all, shared) = (configuration.heads * width, configuration.keyHeads * width)
        let biases = configuration.biases
        let queries = try linear(path + "self_attn.q_proj", hidden, all, hasBias: biases.queries, block: index)
        let keys = try linear(path + "self_attn.k_proj", hidden, shared, hasBias: biases.queries, block: index)
        let values = try linear(path + "self_attn.v_proj", hidden, shared, hasBias: biases.queries, block: index)
        let output = try linear(path + "self_attn.o_proj", all, hidden, hasBias: biases.output, block: index)
        let gate = try linear(path + "mlp.gate_proj", hidden, inner, hasBias: biases.feedForward, block: index)
        let up = try linear(path + "mlp.up_proj", hidden, inner, hasBias: biases.feedForward, block: index)
        let down = try linear(path + "mlp.down_proj", inner, hidden, hasBias: biases.feedForward, block: index)
        var headNorms: (queries: Norm, keys: Norm)?
        if configuration.family == .qwen3 {
            headNorms = (
                try norm(path + "self_attn.q_norm", width: width, isRootMeanSquare: true),
                try norm(path + "self_attn.k_norm", width: width, isRootMeanSquare: true)
            )
        }
        return Block(
            projections: .separate(queries: queries, keys: keys, values: values), attention: attention(index),
            rotary: configuration.rotary, headNorms: headNorms, attentionOutput: output, gate: gate, up: up,
            down: down, activation: configuration.activation,
            attentionNorm: try norm(path + "input_layernorm", isRootMeanSquare: true),
            feedForwardNorm: try norm(path + "post_attention_layernorm", isRootMeanSquare: true), isPreNorm: true)
    }

    mutating func gpt2Block(_ index: Int) throws(SiltError) -> Block {
        let path = "h.\(index)."
        let (hidden, inner) = (configuration.hidden, configuration.intermediate)
        let fused = try linear(path + "attn.c_attn", hidden, 3 * hidden, block: index, isTransposed: true)
        let output = try linear(path + "attn.c_proj", hidden, hidden, block: index, isTransposed: true)
        let up = try linear(path + "mlp.c_fc", hidden, inner, block: index, isTransposed: true)
        let down = try linear(path + "mlp.c_proj", inner, hidden, block: index, isTransposed: true)
        return Block(
            projections: .fused(fused), attention: attention(index), rotary: nil, headNorms: nil,
            attentionOutput: output, gate: nil, up: up, down: down, activation: configuration.activation,
            attentionNorm: try norm(path + "ln_1"), feedForwardNorm: try norm(path + "ln_2"), isPreNorm: true)
    }
}
