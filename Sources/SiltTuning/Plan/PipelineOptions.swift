package import TensorTypes

/// What the paper's pipeline is walked with.
package struct PipelineOptions: Sendable, Hashable {
    /// Data on which models are run, with or without labels.
    package var calibration: String
    /// Data with labels, on which the metric is measured; nil: the calibration data, if they have labels.
    package var validation: String?
    /// Examples that are read of either at most; nil for all.
    package var examples: Int?
    /// Whether the model can be trained again.
    package var isTrainable = false

    /// All of the data, and a model that is what it is.
    package init(calibration: String) { self.calibration = calibration }

    package func check() throws(SiltError) {
        if let examples, examples < 1 {
            throw SiltError(.usage, "at least one example is needed, found \(examples)")
        }
    }

    /// What data `Judges` and the searches for q get.
    package var data: CalibrationOptions {
        var data = CalibrationOptions()
        (data.calibration, data.validation, data.examples) = (calibration, validation, examples)
        return data
    }
}
