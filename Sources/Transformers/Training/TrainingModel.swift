internal import CSiltKernels
package import TensorTypes

/// What is to be trained: a base with the head of the task, under the names that transformers gives to its tensors.
package struct TrainingModel: Sendable {
    /// config.json of the result, but for the dtype.
    package let json: JSONValue
    package let configuration: ModelConfiguration
    /// Every tensor that the model is made of, and no other.
    package let weights: WeightTable
    /// Their names, sorted by their bytes.
    package let names: [String]
    /// The tensors that the base lacks: the layers of a new head.
    package let new: Set<String>
    /// The name in the base of every other tensor.
    package let sources: [String: String]

    /// - Parameters:
    ///   - base: config.json and tensors of the base.
    ///   - labelNames: of classes, as many as there are; nil: those of the base's config.json, or LABEL_0 and so on.
    ///   - makesNewHead: whether a head for whole examples is made even if the base has one.
    ///   - seed: of the new layers' normal numbers.
    /// - Throws: `usage` for a task that the family does not have, or a head of the base that is not for it; `noMatch` for
    ///   tensors that are missing.
    package init(
        base: (json: JSONValue, weights: WeightTable, file: String), task: TrainingTask, labelNames: [String]?,
        makesNewHead: Bool, seed: UInt64
    ) throws(SiltError) {
        let family = try ModelConfiguration.family(JSONFields(base.json, of: .file(base.file)))
        guard task != .causal || family.isDecoder else {
            throw SiltError(
                .usage, "an encoder (\"\(family.rawValue)\") cannot predict next tokens: the training data need labels",
                file: base.file)
        }
        var table = WeightTable()
        var sources: [String: String] = [:]
        for name in base.weights.names {
            let standard = TrainingModel.standardName(name, family)
            table[standard] = base.weights[name]
            sources[standard] = name
        }
        let editor = ConfigurationEditor(base.json)
        let hadHead = family.headLayers(hidden: 1, labels: 1).contains { $0.isOutput && table[$0.name] != nil }
        json = editor.edited(family, task, labelNames, keepsLabels: hadHead && !makesNewHead)
        configuration = try ModelConfiguration(json, file: base.file)
        var new: Set<String> = []
        if task != .causal {
            let deviation = try editor.deviation(file: base.file)
            let layers = family.headLayers(hidden: configuration.hidden, labels: task.labels)
            for (index, layer) in layers.enumerated() {
                if let own = table[layer.name], !(makesNewHead && layer.isOutput) {
                    guard own.shape != layer.shape, layer.isOutput else { continue }
                    throw SiltError(
                        .usage, "the base's head has the shape \(own.shape), the task needs \(layer.shape)",
                        file: base.file, tensor: layer.name, advice: "\(option: .makesNewHead) starts with a new head")
                }
                table[layer.name] = FloatTensor(
                    shape: layer.shape, seed: seed, stream: UInt64(index),
                    deviation: layer.shape.count > 1 ? deviation : 0)
                new.insert(layer.name)
            }
        }
        self.new = new
        let model = try TransformerModel(configuration, table)
        names = model.parameterNames.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var weights = WeightTable()
        for name in names { weights[name] = table[name] }
        self.weights = weights
        self.sources = sources.filter { weights[$0.key] != nil && !new.contains($0.key) }
    }

    /// The name of a tensor with the prefix that the family's models with a head have.
    private static func standardName(_ name: String, _ family: ModelFamily) -> String {
        let prefix = family.prefixes[0]
        let first = String(name.prefix { $0 != "." })
        return name.hasPrefix(prefix) || ModelFamily.headComponents.contains(first) ? name : prefix + name
    }
}

extension FloatTensor {
    /// Normal numbers of mean 0.
    fileprivate convenience init(shape: [Int], seed: UInt64, stream: UInt64, deviation: Float) {
        let count = shape.reduce(1, *)
        unsafe self.init(shape: shape) { unsafe silt_normal(seed, stream, 0, deviation, $0, count) }
    }
}

extension TrainingModel {
    /// How many classes the head of a base tells apart; nil without a head, or for a regressor's.
    package static func labels(of weights: WeightTable) -> Int? {
        for name in ["classifier.weight", "classifier.out_proj.weight", "score.weight"] {
            if let shape = weights[name]?.shape, shape.count == 2, shape[0] > 1 { return shape[0] }
        }
        return nil
    }
}
