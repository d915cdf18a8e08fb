internal import TensorTypes

/// How tensors lose what they lose: the options, and what calibration found beside them.
package struct LossyDecision: Sendable {
    package let options: LossyOptions
    package let tuning: LossyTuning

    package init(_ options: LossyOptions, _ tuning: LossyTuning = LossyTuning()) {
        (self.options, self.tuning) = (options, tuning)
    }

    /// Throws `usage` if the options contradict each other or need data that nobody gave.
    func check() throws(SiltError) {
        try options.check()
        if options.elementMethod == .wanda, tuning.norms.isEmpty {
            throw SiltError(
                .usage, "method wanda needs data: it weighs elements by the inputs of their layers",
                advice: "give \(option: .calibration) DATA, or use \(option: .method) magnitude")
        }
        if options.curvature, tuning.curvature == nil {
            throw SiltError(
                .usage, "curvature needs data: it measures how errors affect the model's outputs",
                advice: "give \(option: .calibration) DATA, or leave \(option: .curvature) out")
        }
    }
}
