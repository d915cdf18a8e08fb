internal import Workers
internal import Safetensors
internal import TensorTypes
internal import Transformers

/// The gradient of the mean loss over a data set: cross-entropy of classes, squared error of values, next-token loss.
struct MeanGradient {
    /// Tokens of a batch.
    private static let batchTokens = 1_024

    /// The mean loss.
    let loss: Double
    private let table: GradientTable
    /// The names of the model's tensors, in its own order.
    private let names: [String]
    private let weights: WeightTable

    /// Runs the model with these weights over the data.
    ///
    /// - Throws: `usage` if the data are not for the model, have no labels, or the model has no head.
    init(
        _ configuration: ModelConfiguration, _ weights: WeightTable, _ data: TokenData, _ pool: WorkerPool
    ) throws(SiltError) {
        let model = try TransformerModel(configuration, weights)
        let batches = try data.batches(tokens: MeanGradient.batchTokens, for: model)
        let losses = batches.compactMap { Loss.task(model.head, data.labels, $0) }
        guard losses.count == batches.count else {
            throw SiltError(
                .usage, "the data set has no labels, so there is no loss", file: data.file,
                advice: "add a tensor `labels` [examples]")
        }
        let terms = losses.reduce(0) { $0 + $1.terms(columns: model.head.columns) }
        names = model.parameterNames
        let pass = try GradientPass(weights, Set(names), file: data.file, pool)
        let total = GradientTable(for: weights, names: Set(names))
        let (head, labels) = (model.head, data.labels)
        do throws(SiltError) {
            loss = try unsafe pass.run(
                model, batches,
                loss: { (index, logits, gradient) throws(SiltError) in
                    // Made again here: a loss may borrow what cannot go to another thread.
                    guard let loss = Loss.task(head, labels, batches[index]) else { return Mean() }
                    return unsafe loss.measure(logits, scale: 1 / Float(terms), to: gradient)
                }, reduce: { $0 }, commit: { total.add($0) }
            ).value
        } catch {
            throw error.at(file: data.file)
        }
        (table, self.weights) = (total, weights)
    }

    /// Writes the gradients as a safetensors file, F32, whole or not at all.
    func write(to path: String, replacing: Bool) throws(SiltError) {
        let tensors = names.compactMap { name -> (name: String, info: TensorInfo, bytes: [UInt8])? in
            guard let gradient = table[name], let shape = weights[name]?.shape,
                let info = TensorInfo(dtype: .f32, shape: shape)
            else { return nil }
            return (name, info, gradient.values.littleEndianBytes)
        }
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: path, replacing: replacing)
    }
}

extension [Float] {
    /// The values as F32 in a file.
    var littleEndianBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * count)
        for value in self { bytes.appendLittleEndian(value.bitPattern) }
        return bytes
    }
}
