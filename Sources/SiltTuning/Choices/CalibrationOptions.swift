internal import SiltEvaluation
package import SiltPacking
package import TensorTypes

/// What calibration data decides: q, the mask's seed, biases; or, with a goal, the whole way of packing.
package struct CalibrationOptions: Sendable, Hashable {
    /// How the rescale factor q is found (Docs/Accuracy.md has the formulas).
    package enum Rule: String, CaseIterable, Sendable {
        /// The one with the best metric on labelled data: DAREx-q, 1/q_v.
        case labelled
        /// The one with the least change of the last layer's output: DAREx-q, 1/q_e.
        case unlabelled
        /// The one with the least Kullback-Leibler divergence from the fine-tuned model.
        case kl
        /// Tensor by tensor, the ones with the least squared error of the fine-tuned model's five largest logits, down its
        /// gradient: DAREx-q, per layer. Of method transform, component by component.
        case gradient
        /// The same with the divergence from the fine-tuned model in place of the squared error.
        case gradientKL = "gradient-kl"
        /// From a tail bound of theorem 3.1, layer by layer, in binary64.
        case analytic
        /// As the paper's program computes it, with the roundings of binary16.
        case published
        /// (1 - p) + p R: the least mean square error of each layer's output over all masks.
        case closedForm = "closed-form"
        /// The least squared error of each layer's output with this mask.
        case leastSquares = "least-squares"

        /// Whether q itself is searched for, by what the whole model answers.
        var isSearch: Bool { [.labelled, .unlabelled, .kl, .gradient, .gradientKL].contains(self) }
    }

    /// What has a q of its own.
    package enum Scope: String, CaseIterable, Sendable { case global, tensor, row }

    /// What the smallest file must keep to.
    package enum Goal: Sendable, Hashable {
        /// The metric on the validation data is worse than the fine-tuned model's by at most this: a share, 0.01 for 1 %
        /// points, of metrics between 0 and 1; as many nats of a loss. With an evaluator, in units of its number.
        case metricWithin(Double)
        /// The mean divergence from the fine-tuned model on the calibration data, in nats, is at most this.
        case divergenceWithin(Double)
        /// The file has at most so many bytes, and the least divergence of those.
        case sizeAtMost(Int)
    }

    /// How q is found; nil: as the lossy options say.
    package var rule: Rule?
    /// What has a q of its own; nil: each tensor for rules by layer and gradient ones, else all together.
    package var scope: Scope?
    /// What q is multiplied by (for the analytic rules: eta); nil: what divergence says is best.
    package var multiplier: Double?
    /// A data set, with or without labels.
    package var calibration: String?
    /// A data set with labels, on which choices are confirmed.
    package var validation: String?
    /// Examples that are read of either at most; nil for all.
    package var examples: Int?
    /// Masks that are tried; the one with the least divergence is taken.
    package var seeds = 1
    /// Whether biases take the mean error of their layer in.
    package var correctsBias = false
    /// What the smallest file must keep to; then method, p, values and all else are found.
    package var goal: Goal?

    /// A command that measures the metric in place of Silt, on directories {model}.
    ///
    /// Its last line is a number, or JSON with one.
    package var evaluator: String?
    /// Whether less of the evaluator's number is better.
    package var evaluatorLowerIsBetter = false

    /// Nothing to be decided.
    package init() {}

    /// Whether there is anything to be decided.
    package var isUsed: Bool { self != CalibrationOptions() }

    /// A way of packing with these choices.
    func choice(_ lossy: LossyOptions) -> PackingChoice {
        PackingChoice(lossy, rule: rule, scope: scope, multiplier: multiplier, correctsBias: correctsBias)
    }

    private var needsData: Bool { calibration != nil || validation != nil }

    /// Throws `usage` if the options contradict each other, or `lossy`.
    package func check(_ lossy: LossyOptions?) throws(SiltError) {
        func refuse(_ message: String, _ advice: String? = nil) -> SiltError {
            SiltError(.usage, message, advice: advice)
        }
        guard (1...1_000).contains(seeds) else { throw refuse("1 to 1000 seeds can be tried, found \(seeds)") }
        if let multiplier, !(1e-6...1e6).contains(multiplier) {
            throw refuse("the multiplier must be between 1e-6 and 1e6, found \(multiplier)")
        }
        if let examples, examples < 1 { throw refuse("at least one example is needed, found \(examples)") }
        if evaluator != nil || evaluatorLowerIsBetter { try checkEvaluator(refuse) }
        if let goal {
            guard lossy == nil, rule == nil, scope == nil, multiplier == nil, !correctsBias else {
                throw refuse(
                    "a goal chooses method and q itself",
                    "leave \(option: .method) and its options, \(option: .ruleScope), \(option: .multiplier) and \(option: .correctsBias) out"
                )
            }
            switch goal {
            case .metricWithin(let loss):
                guard loss >= 0, loss.isFinite else { throw refuse("the bound must be at least 0, found \(loss)") }
                guard validation != nil || evaluator != nil else {
                    throw refuse(
                        "\(option: .metricWithin) needs \(option: .validation) DATA or \(option: .evaluator) CMD")
                }
            case .divergenceWithin(let bound):
                guard bound > 0, bound.isFinite else { throw refuse("the bound must be above 0, found \(bound)") }
                guard needsData else { throw refuse("\(option: .divergenceWithin) needs \(option: .calibration) DATA") }
            case .sizeAtMost(let bytes):
                guard bytes > 0 else { throw refuse("the size must be above 0, found \(bytes)") }
                guard needsData else { throw refuse("\(option: .sizeAtMost) needs \(option: .calibration) DATA") }
            }
            return
        }
        guard let lossy else {
            throw refuse(
                "calibration is for lossy packing", "give \(option: .method), or a goal like \(option: .metricWithin)")
        }
        try lossy.check()
        guard lossy.seed <= Int.max - seeds else { throw refuse("\(seeds) seeds from \(lossy.seed) on would overflow") }
        guard needsData else {
            throw refuse("\(need(lossy)) needs data to run the model on", "give \(option: .calibration) DATA")
        }
        if rule == nil, scope != nil || multiplier != nil {
            throw refuse(
                "\(option: .ruleScope) and \(option: .multiplier) require a rule for q",
                "give \(option: .rule) with the name of a rule")
        }
        try check(rule: lossy, refuse)
    }

    private func checkEvaluator(_ refuse: (String, String?) -> SiltError) throws(SiltError) {
        guard let evaluator else {
            throw refuse(
                "\(option: .evaluatorLowerIsBetter) requires \(option: .evaluator)", "give \(option: .evaluator) CMD")
        }
        _ = try ExternalEvaluator(evaluator)
        guard case .metricWithin = goal else {
            throw refuse("\(option: .evaluator) requires \(option: .metricWithin)", "give \(option: .metricWithin)")
        }
        guard validation == nil else {
            throw refuse(
                "\(option: .validation) and \(option: .evaluator) both measure the metric",
                "leave one out; give data for ranking candidates as \(option: .calibration)")
        }
        guard examples == nil || calibration != nil else {
            throw refuse("\(option: .examples) requires \(option: .calibration) or \(option: .validation)", nil)
        }
    }

    private func need(_ lossy: LossyOptions) -> String {
        if let rule { return "q by the rule \(rule.rawValue)" }
        return correctsBias ? "the mean error of a layer" : lossy.curvature ? "curvature" : "the best mask"
    }

    private func check(
        rule lossy: LossyOptions, _ refuse: (String, String?) -> SiltError
    ) throws(SiltError) {
        if seeds > 1, !lossy.isRandom || lossy.drop == 0 {
            throw refuse(
                "only random masks have seeds", "leave \(option: .seeds) out, or use \(option: .method) random")
        }
        guard let rule else { return }
        if rule.isSearch, multiplier != nil {
            throw refuse("the rule \(rule.rawValue) takes no multiplier", "leave \(option: .multiplier) out")
        }
        let sparse = lossy.elementMethod
        if lossy.rescalesComponents {
            guard rule == .gradient || rule == .gradientKL else {
                throw refuse(
                    "the rule \(rule.rawValue) does not work with method transform, which needs a gradient rule",
                    "use \(option: .rule) gradient-kl or gradient")
            }
            guard scope == nil else {
                throw refuse("with method transform, each component has its own q", "leave \(option: .ruleScope) out")
            }
            return
        }
        guard sparse.isSparse else {
            throw refuse("\(lossy.method.rawValue) has no q", "leave \(option: .rescale) out")
        }
        switch rule {
        case .analytic, .published, .closedForm:
            guard sparse == .random, lossy.residual == nil, lossy.drop > 0 else {
                throw refuse("the rule \(rule.rawValue) works only with random drop", "use least-squares or kl")
            }
        case .labelled, .unlabelled, .kl, .leastSquares, .gradient, .gradientKL: break
        }
        guard scope != .row || ![.labelled, .unlabelled, .kl, .analytic, .published].contains(rule) else {
            throw refuse(
                "the rule \(rule.rawValue) cannot find q per row", "use \(option: .ruleScope) tensor or global")
        }
        if rule == .analytic || rule == .published, scope == .global {
            throw refuse("the rule \(rule.rawValue) gives each tensor its own q", "use \(option: .ruleScope) tensor")
        }
    }
}
