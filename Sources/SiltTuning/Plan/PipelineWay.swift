internal import SiltPacking

/// The ways of packing that the pipeline compares, apart from the transform coder's.
enum PipelineWay: String, CaseIterable, Sendable {
    case dare, labelled, unlabelled, kl, perTensor, magnitude, wanda, columns

    var name: String {
        switch self {
        case .dare: "DARE"
        case .labelled: "DAREx-q labelled"
        case .unlabelled: "DAREx-q unlabelled"
        case .kl: "DAREx-q kl"
        case .perTensor: "DAREx-q per tensor"
        case .magnitude: "magnitude, fitted"
        case .wanda: "WANDA, fitted"
        case .columns: "DAREx-q, columns"
        }
    }

    /// Whether it is of use here.
    ///
    /// A q for each tensor takes most runs of the model: it is asked of encoders only, and where the pipeline leads there.
    func applies(hasLabels: Bool, isDecoder: Bool, isLarge: Bool) -> Bool {
        switch self {
        case .labelled: hasLabels
        case .perTensor: !isDecoder && !isLarge
        default: true
        }
    }

    /// How it is made, and how q is found.
    ///
    /// Vectors and embeddings are packed as in a sweep: exact, they would be most of the file.
    func candidate(drop: Double, hasLabels: Bool) -> SweepCandidate {
        var options = PipelineWay.common
        options.drop = drop
        let rule: CalibrationOptions.Rule?
        var scope: CalibrationOptions.Scope?
        var multiplier: Double?
        switch self {
        case .dare: rule = nil
        case .labelled: (rule, scope) = (.labelled, .global)
        case .unlabelled: (rule, scope) = (.unlabelled, .global)
        case .kl: (rule, scope) = (.kl, .global)
        case .perTensor: (rule, scope) = (hasLabels ? .labelled : .unlabelled, .tensor)
        case .magnitude:
            options.method = .magnitude
            (rule, multiplier) = (.leastSquares, 1)
        case .wanda:
            options.method = .wanda
            (rule, multiplier) = (.leastSquares, 1)
        case .columns:
            (options.method, options.choice) = (.columns, .random)
            (rule, scope) = (hasLabels ? .labelled : .unlabelled, .global)
        }
        return SweepCandidate(method: name, options: options, rule: rule, scope: scope, multiplier: multiplier)
    }

    /// Plain DARE as published: no error but that of dropping.
    static func test(seed: Int) -> LossyOptions {
        var options = common
        (options.drop, options.values, options.seed) = (DeltaTest.drop, .bf16, seed)
        return options
    }

    /// The transform coder.
    static func transform(quality: Double) -> SweepCandidate {
        var options = common
        (options.method, options.quality, options.values) = (.transform, quality, nil)
        return SweepCandidate(method: "transform", options: options)
    }

    private static var common: LossyOptions {
        var options = LossyOptions()
        (options.vectors, options.embeddings, options.values) = (.int4, .method, .int4)
        return options
    }
}
