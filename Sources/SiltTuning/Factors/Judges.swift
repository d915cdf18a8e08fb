internal import SiltEvaluation
internal import Workers
internal import TensorTypes
internal import Transformers

/// The data sets of a calibration, each with the fine-tuned model's answers.
struct Judges {
    let calibration: ModelJudge
    let calibrationDigest: String
    /// nil: no data have labels.
    let validation: ModelJudge?
    let validationDigest: String

    /// Reads the data, and runs the fine-tuned model on them.
    ///
    /// Without calibration data, the validation data serve for both.
    init(
        _ options: CalibrationOptions, _ configuration: ModelConfiguration, _ fineTuned: WeightTable,
        _ pool: WorkerPool
    ) throws(SiltError) {
        func judge(_ path: String) throws(SiltError) -> ModelJudge {
            let judge = try ModelJudge(
                configuration, fineTuned, try ModelEvaluator.read(path, options.examples), pool)
            try judge.remember(fineTuned)
            return judge
        }
        guard let path = options.calibration ?? options.validation else {
            throw SiltError(.usage, "no data are given", advice: "give \(option: .calibration) DATA")
        }
        calibration = try judge(path)
        calibrationDigest = try ModelEvaluator.digest(of: path, pool.cancellation)
        let labelled: ModelJudge?
        if let other = options.validation {
            labelled = other == path ? calibration : try judge(other)
            guard labelled?.metric != nil else {
                throw SiltError(
                    .usage, "the validation data have no labels", file: other,
                    advice: "add a tensor `labels` [examples], or give the data as \(option: .calibration)")
            }
            validationDigest = try ModelEvaluator.digest(of: other, pool.cancellation)
        } else {
            // An evaluator is asked in place of labels.
            labelled = calibration.metric == nil || options.evaluator != nil ? nil : calibration
            validationDigest = calibrationDigest
        }
        if options.rule == .labelled, labelled == nil {
            throw SiltError(
                .usage, "the rule labelled needs labels, and the data have none", file: path,
                advice: "give \(option: .validation) DATA with labels, or use \(option: .rule) kl")
        }
        validation = labelled
    }
}
