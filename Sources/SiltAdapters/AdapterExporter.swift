internal import SiltReading
package import Workers
internal import DeltaKernels
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import ByteSources
package import TensorTypes

/// Gives a Silt file's low-rank components back as a PEFT adapter: the one that was packed, or a new one made of a
/// low-rank pack.
package struct AdapterExporter: Sendable {
    /// What was written.
    package struct Report: Sendable {
        /// Modules that the adapter adapts, tensors that it has whole, and tensors of the file that changed and are in neither.
        package let modules: Int, saved: Int, leftOut: [String]
        /// Wall-clock seconds.
        package let seconds: Double
    }

    /// Whether an existing adapter directory may be replaced.
    package var replaceExisting: Bool
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// An exporter.
    package init(_ context: WorkContext, replaceExisting: Bool = false) {
        self.replaceExisting = replaceExisting
        self.context = context
    }

    /// Writes the adapter of `file` as the directory `directory`.
    ///
    /// - Parameter base: the base, for tensors that the adapter has whole and the file stores as differences; nil: these are left
    ///   out, unless the file came from an adapter that needs them.
    /// - Throws: `usage` if the file has no low-rank components, or needs the base.
    package func export(_ file: String, to directory: String, base: String? = nil) throws(SiltError) -> Report {
        let clock = ContinuousClock()
        let begin = clock.now
        let container = try ContainerReader(file)
        let checkpoint = try base.map { path throws(SiltError) in try Checkpoint.asBase(path) }
        let source = ExportSource(container, checkpoint, context)
        let plan: ExportPlan
        if let adapter = container.manifest.adapter {
            plan = try ExportPlan(adapter, source)
        } else {
            plan = try ExportPlan(lowRank: source, family: checkpoint?.modelType, baseModel: base)
        }
        // A file of a sparse adapter has the tensors that the adapter has whole, but not the others.
        let isWhole = container.manifest.packing.contains { $0.name == "adapter" && $0.value == "LORA" }
        guard plan.modules > 0 || isWhole && plan.saved > 0 else {
            throw SiltError(
                .usage, "the file has no low-rank components that an adapter could hold", file: file,
                advice: "pack with \(option: .adapter), or with \(option: .method) lowrank or transform")
        }
        for name in plan.leftOut { context.log.notice("\(name) changed too, but is not in the adapter") }
        try OutputGuard.check(directory, files: [file], checkpoints: checkpoint.map { [$0] } ?? [])
        try AdapterExport.write(
            config: plan.config, tensors: plan.tensors, to: directory, replacing: replaceExisting)
        return Report(
            modules: plan.modules, saved: plan.saved, leftOut: plan.leftOut,
            seconds: begin.duration(to: clock.now).inSeconds)
    }
}
