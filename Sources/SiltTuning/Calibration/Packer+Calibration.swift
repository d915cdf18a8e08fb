internal import SiltFormat
internal import Workers
package import SiltPacking
internal import SiltReading
internal import Safetensors
package import TensorTypes

extension Packer {
    /// Packs as calibration data say: finds q, the mask, biases, or with a goal the whole way of packing, then packs.
    ///
    /// Every candidate is told as a `Trial`.
    ///
    /// - Parameter calibration: what is to be decided, and on which data.
    /// - Throws: as `pack`; `usage` if the data are not for the model or the options contradict each other.
    package func pack(
        base: String, fineTuned: String, to output: String, calibration: CalibrationOptions
    ) throws(SiltError) -> PackReport {
        let watch = Stopwatch()
        let (packing, bytes) = try chosen(base: base, fineTuned: fineTuned, to: output, calibration)
        let report = packing.report(bytes: bytes, seconds: watch.seconds)
        report.findings.tell(context.log)
        return report
    }

    /// The finished file, and its bytes.
    private func chosen(
        base: String, fineTuned: String, to output: String, _ calibration: CalibrationOptions
    ) throws(SiltError) -> (Packing, Int) {
        try StagedPlace.check(output, options.replaceExisting)
        let checkpoint = try Checkpoint.asResult(fineTuned)
        // Candidates are written beside the output, which must be no place whose files are packed.
        try OutputGuard.check(output, outside: checkpoint)
        let tuner = Tuner(
            context: context, calibration: calibration, lossy: options.lossy, output: output)
        let preparation = try tuner.prepare(checkpoint)
        let pair = try PackPair(base: base, checkpoint)
        try pair.check(output: output)
        pair.note(context.log)
        // The exact file comes first: its sizes are those of all that lossy methods leave alone, and it is the output if nothing
        // lossy is.
        var exact = self
        exact.options.lossy = nil
        let exactWriter = try ContainerWriter(at: output, replacing: options.replaceExisting)
        defer { withExtendedLifetime(exactWriter) {} }
        let plan = try exact.plan(pair)
        try Workbench.check(plan, file: fineTuned)
        let exactPacking = try exact.write(plan, nil, into: exactWriter)
        guard let decision = try tuner.decide(pair, exactPacking, preparation) else {
            return (exactPacking, try exactWriter.finish(exactPacking.manifest))
        }
        var lossy = self
        lossy.options.lossy = decision.options
        let writer = try ContainerWriter(at: output, replacing: options.replaceExisting)
        let packing = try lossy.write(exactPacking, decision, from: exactWriter.written(), into: writer)
        return (packing, try writer.finish(packing.manifest))
    }
}
