internal import Logging
internal import Safetensors
internal import TensorTypes

/// Which tensors a lossy method takes, once the first pass has seen them all.
///
/// What equals the base stays a copy, what is not finite stays exact.
struct LossySelection: Sendable {
    /// What becomes of each tensor of the input.
    private let fates: [TensorPolicy.Fate]
    /// Those of the method itself, which some methods look at together before they code one.
    let methodTensors: [KnownTensor]

    init(_ plan: PackPlan, _ decision: LossyDecision, _ log: Logger) throws(SiltError) {
        let corrections = decision.tuning.corrections
        let policy = try TensorPolicy(decision.options, corrected: Set(corrections.keys))
        var fates: [TensorPolicy.Fate] = []
        var methodTensors: [KnownTensor] = []
        for (tensor, measured) in zip(plan.input.tensors, plan.measured.tensors) {
            let fate = tensor.knownElements > 0 ? policy.fate(tensor.name, tensor.info) : .exact
            let isStill = measured.segments.first?.coding.isCopy == true && corrections[tensor.name] == nil
            if fate != .exact, !measured.isFinite {
                log.notice("\(tensor.name) has infinities, NaNs or values of 2^127 and more, and stays exact")
            }
            guard fate != .exact, measured.isFinite, !isStill else {
                fates.append(.exact)
                continue
            }
            fates.append(fate)
            if fate == .method { methodTensors.append(try plan.known(tensor)) }
        }
        // A tensor that has a copy is exact if one of the two is to be.
        for (tensor, fate) in zip(plan.input.tensors, fates) where fate == .exact {
            guard let twin = tensor.twin, fates[twin.index] != .exact,
                policy.fate(tensor.name, tensor.info) == .exact
            else { continue }
            fates[twin.index] = .exact
            methodTensors.removeAll { $0.tensor === twin }
        }
        if fates.allSatisfy({ $0 == .exact }) {
            log.notice(
                "no tensor is lossy: all tensors that changed are kept exact by default, or by \(option: .only) and \(option: .except)"
            )
        }
        self.fates = fates
        self.methodTensors = methodTensors
    }

    /// What the method makes of a tensor's elements that the base has too.
    subscript(tensor: PackTensor) -> TensorPolicy.Fate { fates[tensor.index] }
}
