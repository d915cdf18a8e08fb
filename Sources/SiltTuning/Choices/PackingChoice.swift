package import SiltPacking
package import TensorTypes

/// A lossy way of packing, told so that it can be had again: what is kept, and how its q is found.
package struct PackingChoice: Sendable, Hashable {
    /// What is kept, and how it is stored.
    package var lossy: LossyOptions
    /// How q is found; nil: as `lossy` says.
    package var rule: CalibrationOptions.Rule?
    /// What has a q of its own; nil: as the rule has it.
    package var scope: CalibrationOptions.Scope?
    /// What q is multiplied by; nil: what divergence says is best.
    package var multiplier: Double?
    /// Whether biases take the mean error of their layer in.
    package var correctsBias = false

    /// A choice.
    package init(
        _ lossy: LossyOptions, rule: CalibrationOptions.Rule? = nil, scope: CalibrationOptions.Scope? = nil,
        multiplier: Double? = nil, correctsBias: Bool = false
    ) {
        (self.lossy, self.rule, self.scope, self.multiplier) = (lossy, rule, scope, multiplier)
        self.correctsBias = correctsBias
    }

    /// Whether its making needs the model to be run on data.
    package var needsData: Bool { rule != nil || lossy.method == .wanda || lossy.curvature }

    /// The choice in words, like `random, drop 0.9, rule kl`.
    package var words: String {
        var words = [lossy.words]
        if let rule { words.append("rule \(rule.rawValue)") }
        if let scope { words.append("per \(scope.rawValue)") }
        if let multiplier { words.append("multiplier \(LossyOption.plain(multiplier))") }
        if correctsBias { words.append("biases corrected") }
        return words.joined(separator: ", ")
    }

    /// The choice for programs; what is the default is left out.
    package var json: JSONValue {
        var members: [JSONValue.Member] = []
        if case .object(let own) = lossy.json { members = own }
        if let rule { members.append(.init("rule", .string(rule.rawValue))) }
        if let scope { members.append(.init("per", .string(scope.rawValue))) }
        if let multiplier { members.append(.init("multiplier", .number(multiplier))) }
        if correctsBias { members.append(.init("correct_bias", .bool(true))) }
        return .object(members)
    }
}
