import TensorTypes
import Testing
import Transformers

@Suite("Forward passes")
struct ForwardTests {
    private let foods = "Tests/Data/small-foods"

    @Test("a BERT classifier gives the logits that transformers gives", arguments: [1, 50, 1_024])
    func bert(tokens: Int) throws {
        let model = try Models.load(foods)
        #expect(model.head == .classifier(labels: 2))
        let (logits, _) = try Models.run(model, Models.data(Models.reviews), tokens: tokens)
        #expect(Models.distance(logits, Models.logits) < 1e-5)
    }

    @Test("Llama gives the logits and the loss that transformers gives")
    func llama() throws {
        let model = try Models.load("Tests/Data/peers/llama-embeddings/base")
        #expect(model.head == .causal(vocabulary: 48) && model.isDecoder)
        let logits = try Models.run(model, Models.data([Models.twelve])).logits
        let first: [Float] = [-0.0692543089, 0.143865258, 0.0324358158, 0.00680256030]
        let last: [Float] = [-0.0520090871, 0.0548053049, -0.000114659051, -0.0555628724]
        #expect(Models.distance(Array(logits[0..<4]), first) < 1e-6)
        #expect(Models.distance(Array(logits[11 * 48..<11 * 48 + 4]), last) < 1e-6)
    }

    @Test("GPT-2 gives the logits that transformers gives")
    func gpt2() throws {
        let model = try Models.load("Tests/Data/peers/gpt2/base")
        let logits = try Models.run(model, Models.data([Models.twelve])).logits
        let first: [Float] = [0.253540963, 0.0139217069, -0.0661059543, 0.0552046522]
        let last: [Float] = [0.0108868331, 0.00562222721, 0.00653006090, 0.0925513133]
        #expect(Models.distance(Array(logits[0..<4]), first) < 1e-6)
        #expect(Models.distance(Array(logits[11 * 48..<11 * 48 + 4]), last) < 1e-6)
        #expect(model.linears[0].isTransposed && model.linears[0].outputs == 48)
    }

    @Test("a model without a head, whose names have no prefix, gives hidden states")
    func headless() throws {
        let model = try Models.load("Tests/Data/peers/bert-headless/base")
        #expect(model.head == .none)
        let (logits, hidden) = try Models.run(model, Models.data([Models.twelve]))
        #expect(logits.isEmpty)
        let first: [Float] = [-0.135165125, 1.11557674, 0.114069313, -1.79209399]
        let last: [Float] = [-1.23637390, 0.984646618, 0.617384970, -0.254971892]
        #expect(Models.distance(Array(hidden[0..<4]), first) < 1e-5)
        #expect(Models.distance(Array(hidden[11 * 16..<11 * 16 + 4]), last) < 1e-5)
    }

    @Test("a decoder's tokens do not depend on what comes after them")
    func causality() throws {
        let model = try Models.load("Tests/Data/peers/llama-embeddings/base")
        let whole = try Models.run(model, Models.data([Models.twelve])).logits
        let part = try Models.run(model, Models.data([Array(Models.twelve.prefix(5))])).logits
        #expect(Models.distance(Array(whole.prefix(5 * 48)), part) < 1e-6)
    }

    @Test("a sequence longer than the queries of a step attends as a short one does")
    func longSequences() throws {
        // One token again and again: every position sees equal values, so all hidden states of a model without positions in
        // its values are equal. Queries 0 to 255 and 256 to 299 are worked on apart.
        let text = """
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 48, "hidden_size": 16,
             "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
             "max_position_embeddings": 400, "rms_norm_eps": 1e-6}
            """
        let model = try TransformerModel(
            Models.configuration(text: text), Models.weights("Tests/Data/peers/llama-embeddings/base"))
        let logits = try Models.run(model, Models.data([Array(repeating: 7, count: 300)])).logits
        for token in 1..<300 {
            #expect(Models.distance(Array(logits[token * 48..<(token + 1) * 48]), Array(logits[0..<48])) < 1e-5)
        }
    }

    @Test("a pass that starts at a saved hidden state is the whole pass")
    func restart() throws {
        let model = try Models.load(foods)
        let data = try Models.data(Models.reviews)
        let batch = try #require(data.batches(tokens: 1_024, for: model).first)
        let workspace = ForwardWorkspace()
        model.embed(batch, workspace)
        model.runBlock(0, batch, workspace)
        let saved = workspace.hidden.values
        model.runBlock(1, batch, workspace)
        model.finish(batch, workspace)
        let logits = workspace.logits.values
        // Another batch in between, then from the saved state on.
        model.forward(try #require(data.prefix(2).batches(tokens: 64, for: model).first), workspace)
        workspace.hidden.values = saved
        model.runBlock(1, batch, workspace)
        model.finish(batch, workspace)
        #expect(workspace.logits.values == logits)
    }

    @Test("a candidate is a copy of the table with other tensors")
    func candidates() throws {
        let configuration = try Models.configuration(foods)
        let table = try Models.weights(foods)
        let name = "classifier.bias"
        var candidate = table
        candidate[name] = unsafe FloatTensor(shape: [2]) { unsafe ($0[0], $0[1]) = (5, 7) }
        let data = try Models.data(Models.reviews)
        let before = try Models.run(TransformerModel(configuration, table), data).logits
        let after = try Models.run(TransformerModel(configuration, candidate), data).logits
        let old = try #require(table[name]).values
        for index in before.indices {
            #expect(abs(after[index] - before[index] - ([5, 7][index % 2] - old[index % 2])) < 1e-5)
        }
    }

    /// Remembers what it was told.
    private final class Witness: ActivationObserver {
        var seen: [Int: (rows: Int, columns: Int)] = [:]
        var first: [Int: Float] = [:]

        func observe(layer: Int, _ input: UnsafePointer<Float>, rows: Int, columns: Int) {
            seen[layer] = (rows, columns)
            unsafe first[layer] = input[0]
        }
    }

    @Test("an observer sees the input of every linear layer, without padding")
    func observation() throws {
        let model = try Models.load(foods)
        let batch = try #require(Models.data(Models.reviews).batches(tokens: 1_024, for: model).first)
        let workspace = ForwardWorkspace()
        let witness = Witness()
        model.forward(batch, workspace, witness)
        #expect(witness.seen.count == model.linears.count)
        #expect(model.linears.count == 2 * 6 + 2)
        for (index, layer) in model.linears.enumerated() {
            let seen = try #require(witness.seen[index])
            #expect(seen.columns == layer.inputs)
            #expect(seen.rows == (layer.block < model.blocks ? batch.tokens : batch.sequences))
        }
        // Queries, keys and values read the same.
        #expect(witness.first[0] == witness.first[1] && witness.first[1] == witness.first[2])
        #expect(model.linears[0].weight == "bert.encoder.layer.0.attention.self.query.weight")
        #expect(model.linears[13].weight == "classifier.weight")
    }
}
