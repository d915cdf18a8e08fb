internal import TensorTypes

extension LossyOption {
    /// All of them, in the order in which files and reports have them.
    package static let all: [LossyOption] = [
        LossyOption(
            "method", isForAdapters: true, isAlwaysTold: true, value: { .string(methods($0)) }, note: { methods($0) }),
        LossyOption(
            "drop", isForAdapters: true, isAlwaysTold: true, use: { $0.sparse.drops }, value: { .number($0.drop) },
            note: { "\($0.drop)" }),
        LossyOption(
            "rank", use: { $0.method == .lowrank }, value: { $0.rank.map { .integer($0) } },
            note: { $0.rank.map { "\($0)" } }),
        LossyOption(
            "energy", use: { $0.method == .lowrank }, value: { $0.rank == nil ? .number($0.energy) : nil },
            note: { $0.rank == nil ? "\($0.energy)" : nil }),
        LossyOption(
            "quality", use: { $0.method == .transform }, value: { .number($0.quality) }, note: { "\($0.quality)" }),
        LossyOption(
            "deadZone", word: "dead-zone", use: { $0.method == .transform }, value: { .number($0.deadZone) },
            note: { $0.deadZone == LossyOptions().deadZone ? nil : "\($0.deadZone)" }),
        LossyOption(
            "curvature", use: { $0.method == .transform }, value: { .bool($0.curvature) },
            note: { $0.curvature ? "input and gradient" : nil }),
        LossyOption(
            "pattern", use: { $0.sparse == .nm }, value: { .string("\($0.n):\($0.m)") }, note: { "\($0.n):\($0.m)" }),
        LossyOption(
            "scope", use: { $0.sparse == .magnitude }, value: { .string($0.scope.rawValue) },
            note: { $0.scope.rawValue }),
        LossyOption(
            "choice", word: "choose", use: { $0.sparse == .columns || $0.sparse == .rows },
            value: { .string($0.choice.rawValue) }, note: { $0.choice.rawValue }),
        LossyOption(
            "seed", isForAdapters: true, use: { $0.isRandom }, value: { .integer($0.seed) }, note: { "\($0.seed)" }),
        LossyOption(
            "values", isForAdapters: true,
            value: { options in options.method == .sign ? nil : options.values.map { .string($0.rawValue) } },
            note: { $0.method != .transform || $0.residual != nil ? $0.valueType.rawValue : nil }),
        LossyOption(
            "group", isForAdapters: true, value: { .integer($0.group) }, note: { $0.group > 0 ? "\($0.group)" : nil }),
        // Found factors are not told, but the rule that found them.
        LossyOption(
            "rescale", word: "q", isForAdapters: true,
            value: { if case .value(let q) = $0.rescale { .number(q) } else { nil } }, note: { $0.q.map { "\($0)" } }),
        LossyOption(
            "mask", use: { $0.sparse.drops || $0.sparse == .nm }, value: { .string($0.mask.rawValue) }),
        LossyOption("vectors", value: { .string($0.vectors.rawValue) }, note: { $0.vectors.rawValue }),
        LossyOption("embeddings", value: { .string($0.embeddings.rawValue) }, note: { $0.embeddings.rawValue }),
        LossyOption(
            "heads", value: { .string($0.heads.rawValue) }, note: { $0.heads == .exact ? nil : $0.heads.rawValue }),
        LossyOption("only", value: { $0.only.map { .string($0) } }, note: { $0.only }),
        LossyOption("except", value: { $0.except.map { .string($0) } }, note: { $0.except }),
    ]

    /// Like `random`, or `lowrank+random`.
    private static func methods(_ options: LossyOptions) -> String {
        options.method.rawValue + (options.residual.map { "+\($0.rawValue)" } ?? "")
    }
}
