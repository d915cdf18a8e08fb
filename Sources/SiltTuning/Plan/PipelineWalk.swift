internal import TensorTypes

/// The paper's pipeline as a decision: from what was measured to the nodes passed and the branch taken.
///
/// It measures nothing itself.
struct PipelineWalk: Sendable {
    /// The branches that end in a file.
    enum Branch: Hashable, Sendable { case exact, magnitude, wanda, labelled, unlabelled }

    /// What a way of packing gave.
    struct Outcome: Sendable {
        let divergence: Double
        let metric: Double?
    }

    var isTrainable = false
    /// nil: nothing moved.
    var test: DeltaTest?
    /// Name of the metric, and examples that have labels; nil without labels.
    var labels: (metric: String, examples: Int, isValidation: Bool)?
    var isDecoder = false
    /// Tensors of the fine-tuned checkpoint.
    var tensors = 0
    /// What the ways of packing gave at `drop`.
    var outcomes: [PipelineWay: Outcome] = [:]

    /// Drop rate of the branches: where random drop fails at 0.9, all are asked there.
    var drop: Double { PipelineWalk.drop(isLarge: test?.isLarge == true) }

    static func drop(isLarge: Bool) -> Double { isLarge ? DeltaTest.drop : 0.99 }

    /// Where the pipeline leads.
    var branch: Branch {
        guard let test else { return .exact }
        guard !test.isLarge else {
            let (wanda, magnitude) = (outcomes[.wanda]?.divergence, outcomes[.magnitude]?.divergence)
            return (magnitude ?? .infinity) < (wanda ?? .infinity) ? .magnitude : .wanda
        }
        return labels == nil ? .unlabelled : .labelled
    }

    /// The way of packing at the end of the branch; nil: the exact delta.
    var way: PipelineWay? {
        switch branch {
        case .exact: nil
        case .magnitude: .magnitude
        case .wanda: .wanda
        case .labelled: isDecoder ? .labelled : .perTensor
        case .unlabelled: isDecoder ? .unlabelled : .perTensor
        }
    }

    /// The nodes that are passed.
    var steps: [PipelineReport.Step] {
        var steps = [
            step(
                .training, "Can the model be trained again?", isTrainable ? "yes" : "no",
                isTrainable ? "\(option: .isTrainable) was given" : "\(option: .isTrainable) was not given",
                isTrainable
                    ? "training with a pull towards the base, then plain DARE (DAREx-L2); for the model as it is, on to adapter"
                    : "adapter"),
            step(
                .adapter, "Is it an adapter?", "no", "a whole checkpoint", "delta",
                [("tensors", Double(tensors))]),
        ]
        guard let test else {
            steps.append(
                step(
                    .delta, deltaQuestion, "nothing changed",
                    "no tensor that a lossy method takes differs from the base's",
                    "the exact delta"))
            return steps
        }
        steps.append(
            step(
                .delta, deltaQuestion, test.isLarge ? "yes" : "no", test.evidence,
                test.isLarge ? "importance" : "labels", test.numbers))
        steps += test.isLarge ? [importance] : [labelled, architecture]
        steps.append(hardware)
        return steps
    }

    private let deltaQuestion = "Is the delta large: does plain DARE hurt at a moderate drop rate?"

    private var importance: PipelineReport.Step {
        step(
            .importance, "What shows which elements matter?",
            branch == .wanda ? "magnitude and inputs (WANDA)" : "magnitude",
            "at p \(drop), scales fitted: WANDA \(words(.wanda)); magnitude \(words(.magnitude))",
            "\(branch == .wanda ? PipelineWay.wanda.name : PipelineWay.magnitude.name), at p \(drop)",
            numbers([("wanda", .wanda), ("magnitude", .magnitude), ("dare", .dare)]))
    }

    private var labelled: PipelineReport.Step {
        let evidence: String
        if let labels {
            let data = labels.isValidation ? "validation" : "calibration"
            evidence = "\(labels.examples) examples of the \(data) data can be judged by \(labels.metric)"
        } else {
            evidence = "the data have no labels"
        }
        var beside = labels == nil ? "" : "by label \(words(.labelled)); "
        beside += "by output change \(words(.unlabelled)); by kl, Silt's rule, \(words(.kl)); 1 - p \(words(.dare))"
        return step(
            .labels, "Are there labels to find q with?", labels == nil ? "no" : "yes",
            "\(evidence). One q for all at p \(drop): \(beside)",
            labels == nil
                ? "architecture, with q by output change (1/q_e)" : "architecture, with q by label (1/q_v)",
            numbers([("labelled", .labelled), ("unlabelled", .unlabelled), ("kl_rule", .kl), ("dare", .dare)]))
    }

    private var architecture: PipelineReport.Step {
        let oneForAll = branch == .labelled ? PipelineWay.labelled : .unlabelled
        let evidence =
            isDecoder
            ? "tokens see only those before them; one q for all: \(words(oneForAll))"
            : "tokens see all others; a q for each tensor: \(words(.perTensor)); one for all: \(words(oneForAll))"
        return step(
            .architecture, "Encoder or decoder?", isDecoder ? "decoder" : "encoder", evidence,
            "\(oneForAll.name), \(isDecoder ? "one q" : "a q for each tensor"), at p \(drop)",
            numbers([("per_tensor", .perTensor), ("global", oneForAll)]))
    }

    private var hardware: PipelineReport.Step {
        step(
            .hardware, "Does hardware need whole columns?", "not known",
            "columns at p \(drop) would cost: \(words(.columns)); elements \(way.map { words($0) } ?? "")",
            "elements; \(option: .method) columns if it does", numbers([("columns", .columns)]))
    }

    private func step(
        _ node: PipelineReport.Node, _ question: String, _ answer: String, _ evidence: String, _ leadsTo: String,
        _ numbers: [(name: String, value: Double)] = []
    ) -> PipelineReport.Step {
        PipelineReport.Step(
            node: node, question: question, answer: answer, words: (evidence, leadsTo), numbers: numbers)
    }

    private func words(_ way: PipelineWay) -> String {
        guard let outcome = outcomes[way] else { return "not measured" }
        let metric = outcome.metric.flatMap { value in labels.map { ", \($0.metric) \(Figure.short(value))" } } ?? ""
        return "KL \(Figure.short(outcome.divergence))\(metric)"
    }

    private func numbers(_ ways: [(name: String, way: PipelineWay)]) -> [(name: String, value: Double)] {
        ways.flatMap { (name, way) -> [(name: String, value: Double)] in
            guard let outcome = outcomes[way] else { return [] }
            return [("kl_\(name)", outcome.divergence)] + (outcome.metric.map { [("metric_\(name)", $0)] } ?? [])
        } + [("drop", drop)]
    }
}
