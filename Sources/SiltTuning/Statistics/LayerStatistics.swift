internal import SiltPacking
internal import Workers
internal import DeltaPruning
internal import Synchronization
internal import TensorTypes
internal import Transformers

/// What calibration data say of the inputs of every linear layer of the fine-tuned model.
struct LayerStatistics: Sendable {
    /// Layers up to this many inputs have a Gram matrix.
    private static let gramLimit = 4_096
    /// Bytes that all Gram matrices together may take in a worker.
    private static let memoryLimit = 4 << 30
    /// Batches are dealt out to so many groups, whatever the number of threads, so that sums do not depend on it.
    private static let groups = 4

    let layers: [LinearLayer]
    let inputs: [InputStatistics]
    private let positions: [String: Int]

    /// Collects what the layers' inputs are, as the model runs.
    private final class Collector: ActivationObserver {
        var statistics: [InputStatistics]

        init(_ layers: [LinearLayer], gramLimit: Int) {
            statistics = layers.map { InputStatistics(columns: $0.inputs, gramLimit: gramLimit) }
        }

        func observe(layer: Int, _ input: UnsafePointer<Float>, rows: Int, columns: Int) {
            unsafe statistics[layer].add(input, rows: rows, columns: columns)
        }
    }

    /// Runs the model with these weights over the data.
    ///
    /// - Parameter wantsGram: whether correlations are needed; they take 4 K^2 bytes for a layer of K inputs.
    init(
        _ configuration: ModelConfiguration, _ weights: WeightTable, _ data: TokenData, wantsGram: Bool,
        _ pool: WorkerPool
    ) throws(SiltError) {
        let model = try TransformerModel(configuration, weights)
        let batches = try data.batches(tokens: 512, for: model)
        let layers = model.linears
        var limit = wantsGram ? LayerStatistics.gramLimit : 0
        func bytes(_ limit: Int) -> Int {
            layers.reduce(0) { $0 + InputStatistics.bytes(columns: $1.inputs, gramLimit: limit) }
        }
        while limit > 0, bytes(limit) > LayerStatistics.memoryLimit { limit /= 2 }
        let gramLimit = limit
        let groups = min(LayerStatistics.groups, batches.count)
        let total = Mutex<[InputStatistics]>(layers.map { InputStatistics(columns: $0.inputs, gramLimit: gramLimit) })
        try pool.run(
            count: groups, makeWorker: { ForwardWorkspace() },
            work: { (workspace, group) throws(SiltError) -> [InputStatistics] in
                let collector = Collector(layers, gramLimit: gramLimit)
                for index in stride(from: group, to: batches.count, by: groups) {
                    model.forward(batches[index], workspace, collector)
                }
                return collector.statistics
            },
            commit: { (_, statistics) throws(SiltError) in
                total.withLock { total in
                    for index in total.indices { total[index].add(statistics[index]) }
                }
            })
        self.layers = layers
        inputs = total.withLock { $0 }
        for (layer, statistics) in zip(layers, inputs) where !statistics.isFinite {
            throw SiltError(
                .usage, "the inputs of this layer are infinite or NaN on the calibration data", file: data.file,
                tensor: layer.weight)
        }
        positions = Dictionary(layers.enumerated().map { ($1.weight, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The layer whose weight has this name, and what is known of its inputs; nil if the tensor is no linear layer's.
    subscript(weight: String) -> (layer: LinearLayer, inputs: InputStatistics)? {
        positions[weight].map { (layers[$0], inputs[$0]) }
    }

    /// Norms for WANDA.
    var norms: [String: LossyTuning.InputNorms] {
        Dictionary(
            zip(layers, inputs).map { ($0.weight, .init(values: $1.norms, isTransposed: $0.isTransposed)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// What each bias must take in so that the mean output of its layer is the fine-tuned model's.
    func corrections(_ weights: WeightTable, _ bench: Workbench) throws(SiltError) -> [String: [Float]] {
        var corrections: [String: [Float]] = [:]
        for (layer, inputs) in zip(layers, inputs) {
            guard let bias = layer.bias, bench[bias] != nil, let rebuilt = weights[layer.weight],
                let fineTuned = bench.fineTuned[layer.weight], rebuilt !== fineTuned
            else { continue }
            let correction = BiasCorrection.correction(
                delta: LayerStatistics.rows(fineTuned, layer).span, rebuilt: LayerStatistics.rows(rebuilt, layer).span,
                rows: layer.outputs, means: inputs.means)
            if correction.contains(where: { $0 != 0 }) { corrections[bias] = correction }
        }
        return corrections
    }

    /// A weight with a row for each output, however it is stored.
    static func rows(_ tensor: FloatTensor, _ layer: LinearLayer) -> [Float] { turned(tensor.values, layer) }

    /// Values of a matrix as [outputs, inputs].
    static func turned(_ values: [Float], _ layer: LinearLayer) -> [Float] {
        guard layer.isTransposed else { return values }
        var turned = [Float](repeating: 0, count: values.count)
        for input in 0..<layer.inputs {
            for output in 0..<layer.outputs {
                turned[output * layer.inputs + input] = values[input * layer.outputs + output]
            }
        }
        return turned
    }
}
