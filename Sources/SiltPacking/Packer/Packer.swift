internal import DeltaKernels
internal import Logging
internal import Safetensors
package import SiltFormat
internal import SiltReading
package import TensorTypes
package import Workers

/// Packs a fine-tuned checkpoint as its difference from a base, exactly or as lossy options say.
///
/// The way is always the same: read, measure and plan; encode the plan, with predictions found between; say in the manifest what
/// was encoded; finish the file. Every step gives a value that the next one takes.
package struct Packer: Sendable {
    /// How to code.
    package var options: PackOptions
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A packer.
    package init(_ context: WorkContext, _ options: PackOptions = PackOptions()) {
        self.options = options
        self.context = context
    }

    /// Packs `fineTuned` against `base` into the file `output`, which appears whole or not at all.
    ///
    /// - Parameters:
    ///   - base: a directory in Hub layout or a `.safetensors` file.
    ///   - fineTuned: the same. Every file of a directory is packed, whatever it is.
    ///   - output: path of the Silt file.
    /// - Returns: sizes and shares.
    /// - Throws: `SiltError`: `inputMissing`, `header` or `truncated` for the inputs, `cannotCreate` or `io` for the output,
    ///   `changed` if an input changes meanwhile, `interrupted`.
    package func pack(base: String, fineTuned: String, to output: String) throws(SiltError) -> PackReport {
        try pack(PackPair(base: base, fineTuned: fineTuned), to: output)
    }

    /// Packs checkpoints that are open, wherever they are, likewise.
    package func pack(_ pair: PackPair, to output: String) throws(SiltError) -> PackReport {
        let watch = Stopwatch()
        try pair.check(output: output)
        pair.note(context.log)
        let decision = try decision()
        // Early: nobody wants to hear after an hour that the output exists.
        let writer = try ContainerWriter(at: output, replacing: options.replaceExisting)
        let packing = try write(try plan(pair), decision, into: writer)
        let bytes = try writer.finish(packing.manifest)
        let report = packing.report(bytes: bytes, seconds: watch.seconds)
        report.findings.tell(context.log)
        return report
    }

    /// Packs without writing: the report that `pack` would give.
    package func measure(base: String, fineTuned: String) throws(SiltError) -> PackReport {
        let watch = Stopwatch()
        let pair = try PackPair(base: base, fineTuned: fineTuned)
        let decision = try decision()
        let packing = try write(try plan(pair), decision, into: ContainerWriter())
        return packing.report(bytes: try packing.bytes(), seconds: watch.seconds)
    }

    private func decision() throws(SiltError) -> LossyDecision? {
        guard let lossy = options.lossy else { return nil }
        let decision = LossyDecision(lossy)
        try decision.check()
        return decision
    }

    /// Reads the pair and decides how every segment is coded.
    ///
    /// The plan serves all ways of packing with these options, whatever they lose; but one from a sample, which exact packing at
    /// level 1 makes, serves that alone.
    package func plan(_ pair: PackPair) throws(SiltError) -> PackPlan {
        try plan(PackInput(base: pair.base, result: pair.fineTuned, name: options.name, context))
    }

    private func plan(_ input: PackInput) throws(SiltError) -> PackPlan {
        PackPlan(input, try MeasurePass(input, options, context).run())
    }

    /// Encodes a plan; the file is not finished yet.
    ///
    /// - Parameter decision: what is lost; nil: nothing.
    package func write(
        _ plan: PackPlan, _ decision: LossyDecision?, into writer: ContainerWriter
    ) throws(SiltError) -> Packing {
        try write(plan, decision, nil, into: writer)
    }

    /// Encodes the plan of an exact packing anew; what stays exact is copied from it.
    ///
    /// - Parameter chunks: what the exact packing has written.
    package func write(
        _ exact: Packing, _ decision: LossyDecision, from chunks: WrittenChunks, into writer: ContainerWriter
    ) throws(SiltError) -> Packing {
        // Tables from a sample are for those who read everything once.
        guard !exact.plan.measured.isSample else {
            return try write(try plan(exact.plan.input), decision, nil, into: writer)
        }
        return try write(exact.plan, decision, EarlierChunks(exact.encoded, chunks), into: writer)
    }

    private func write(
        _ plan: PackPlan, _ decision: LossyDecision?, _ earlier: EarlierChunks?, into writer: ContainerWriter
    ) throws(SiltError) -> Packing {
        try decision?.check()
        var lossy: EncodePass.Lossy?
        if let decision {
            let selection = try LossySelection(plan, decision, context.log)
            lossy = EncodePass.Lossy(
                selection: selection,
                encoder: try LossyEncoder(decision, selection.methodTensors, context.pool, context.progress))
        }
        let encoded = try EncodePass(
            plan: plan, options: options, lossy: lossy, earlier: earlier, context: context
        ).run(into: writer)
        return Packing(
            plan: plan, encoded: encoded, manifest: try Manifest(plan, encoded, decision), table: writer.table)
    }
}

/// Wall-clock time since it was made.
package struct Stopwatch {
    private let begin = ContinuousClock.now

    package init() {}

    package var seconds: Double { begin.duration(to: ContinuousClock.now).inSeconds }
}
