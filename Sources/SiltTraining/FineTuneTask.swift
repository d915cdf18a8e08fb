internal import TensorTypes
internal import Transformers

/// What the data and the options say the model is trained for.
enum FineTuneTask {
    /// Throws `usage` if the data have no labels for the task, or classes without an example.
    static func task(_ options: FineTuneOptions, _ data: TokenData, baseLabels: Int?) throws(SiltError) -> TrainingTask
    {
        func wrong(_ message: String, _ advice: String? = nil) -> SiltError {
            SiltError(.usage, message, file: data.file, advice: advice)
        }
        switch (options.task, data.labels) {
        case (.causal, _), (.auto, nil): return .causal
        case (.regression, .some), (.auto, .values): return .regression
        case (.classification, .classes(let classes)), (.auto, .classes(let classes)):
            return .classification(labels: try labels(options, classes, baseLabels: baseLabels, wrong))
        case (_, nil):
            throw wrong(
                "the task \(options.task.rawValue) needs labels, and the training data have none",
                "add a tensor `labels` [examples]")
        case (.classification, .values):
            throw wrong("the labels are floating-point numbers, not classes", "write them as integers")
        }
    }

    private static func labels(
        _ options: FineTuneOptions, _ classes: [Int], baseLabels: Int?, _ wrong: (String, String?) -> SiltError
    ) throws(SiltError) -> Int {
        if let index = classes.firstIndex(where: { $0 < 0 }) {
            throw wrong("example \(index) has the label \(classes[index]); labels start at 0", nil)
        }
        let names = options.labelNames.isEmpty ? nil : options.labelNames.count
        let known = options.labels ?? names ?? baseLabels
        let count = known ?? (classes.max() ?? 0) + 1
        if let index = classes.firstIndex(where: { $0 >= count }) {
            let source = options.labels != nil || names != nil ? "there are" : "the base's head has"
            throw wrong(
                "example \(index) has the label \(classes[index]); \(source) \(count) labels", "labels start at 0")
        }
        let seen = Set(classes)
        guard seen.count >= 2 else {
            throw wrong("all examples have the label \(classes.first ?? 0): there is nothing to learn", nil)
        }
        if known == nil, let missing = (0..<count).first(where: { !seen.contains($0) }) {
            throw wrong(
                "no example has the label \(missing), though labels go up to \(count - 1)",
                "if that is intended, give \(option: .labels) \(count)")
        }
        return count
    }
}
