public import SiltPacking
internal import SiltReading
internal import Safetensors
public import TensorTypes

extension Packer {
    /// Packs as calibration data say: finds q, the mask, biases, or with a goal the whole way of packing, then packs.
    ///
    /// Every candidate is told as a `Trial`.
    ///
    /// - Parameter calibration: what is to be decided, and on which data.
    /// - Throws: as `pack`; `usage` if the data are not for the model or the options contradict each other.
    public func pack(
        base: String, fineTuned: String, to output: String, calibration: CalibrationOptions
    ) throws(SiltError) -> PackReport {
        try StagedPlace.check(output, options.replaceExisting)
        // Candidates are written beside the output, which must be no place whose files are packed.
        try OutputGuard.check(output, outside: try Checkpoint.asResult(fineTuned))
        let tuner = Tuner(context: context, calibration: calibration, packing: options, output: output)
        let decision = try tuner.decide(base: base, fineTuned: fineTuned)
        var packer = self
        packer.options.lossy = decision.lossy
        packer.options.tuning = decision.tuning
        return try packer.pack(base: base, fineTuned: fineTuned, to: output)
    }
}
