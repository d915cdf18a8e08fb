internal import TensorTypes

/// Writes in a config.json what a new task changes.
struct ConfigurationEditor {
    private let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    /// The standard deviation of new layers: `initializer_range`, or 0.02.
    func deviation(file: String) throws(SiltError) -> Float {
        let fields = try JSONFields(json, of: .file(file))
        let range = try fields.number("initializer_range") ?? 0.02
        guard (0...1).contains(range) else {
            throw SiltError(.header, "\"initializer_range\" is \(range); it must be from 0 to 1", file: file)
        }
        return Float(range)
    }

    /// The members with `architectures` and what the labels are.
    func edited(_ family: ModelFamily, _ task: TrainingTask, _ names: [String]?, keepsLabels: Bool) -> JSONValue {
        var members = JSONMembers(json)
        members["architectures"] = .array([.string(family.architecture(task))])
        guard task != .causal else { return members.value }
        members["problem_type"] = task == .regression ? .string("regression") : nil
        members["num_labels"] = nil
        guard !keepsLabels || names != nil || json["id2label"] == nil else { return members.value }
        let names = names ?? (0..<task.labels).map { "LABEL_\($0)" }
        members["id2label"] = .object(names.enumerated().map { .init(String($0), .string($1)) })
        members["label2id"] = .object(names.enumerated().map { .init($1, .integer($0)) })
        return members.value
    }
}
