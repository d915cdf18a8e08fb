internal import SiltPacking
internal import SiltEvaluation
internal import SiltPacking
internal import SiltReading
internal import SiltPacking
internal import Workers
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// Has a command measure candidates, each written as a checkpoint for as long as the command runs.
///
/// A run may take hours, so candidates that are coded alike are measured once.
final class CandidateEvaluator: Sendable {
    /// What makes two candidates the same model.
    private struct Code: Hashable {
        let tensors: [Int]
        let components: [[ComponentRecord]]
        let chunks: String

        init(_ model: BenchModel) {
            tensors = model.tensors.map(\.index)
            components = model.tensors.map(\.components)
            let hash = SHA256()
            for chunk in model.tensors.lazy.flatMap(\.chunks.chunks) {
                // With lengths: bytes may not move from one chunk to the next unseen.
                var length: [UInt8] = []
                length.appendLittleEndian(UInt64(chunk.count))
                hash.add(length)
                hash.add(chunk)
            }
            chunks = hash.finish()
        }
    }

    /// What the command calls its number, and which way is better.
    let metric: TaskMetric
    /// The fine-tuned model's number.
    let fineTuned: Double

    private let command: ExternalEvaluator
    private let files: CandidateFiles
    private let output: String
    private let context: WorkContext
    private let known = Mutex<[Code: Double]>([:])

    /// Measures the fine-tuned model.
    ///
    /// - Parameter output: the Silt file that is to be: candidates are written beside it.
    /// - Throws: `usage` if the command fails or prints no number; `interrupted`.
    init(
        _ command: ExternalEvaluator, lowerIsBetter: Bool, _ fineTuned: Checkpoint, beside output: String,
        _ context: WorkContext
    ) throws(SiltError) {
        let outcome = try command.evaluate(fineTuned.path, context.cancellation)
        context.log.debug("the evaluator on the fine-tuned model: \(outcome.metric) \(outcome.value)")
        self.command = command
        self.output = output
        self.context = context
        metric = TaskMetric(name: outcome.metric, higherIsBetter: !lowerIsBetter)
        self.fineTuned = outcome.value
        files = CandidateFiles(fineTuned: fineTuned)
    }

    /// The candidate's number.
    ///
    /// - Throws: as `init`, also if the command calls its number otherwise than before.
    func measure(_ model: BenchModel, _ bench: Workbench) throws(SiltError) -> Double {
        let code = Code(model)
        if let value = known.withLock({ $0[code] }) { return value }
        let place = try StagedPlace(beside: output)
        defer { withExtendedLifetime(place) {} }
        let outcome = try command.evaluate(try files.write(model, bench, into: place), context.cancellation)
        guard outcome.metric == metric.name else {
            throw SiltError(
                .usage, "the evaluator first called its number \(metric.name), and now \(outcome.metric)",
                advice: "it must measure the same thing for every model")
        }
        known.withLock { $0[code] = outcome.value }
        return outcome.value
    }

    /// Whether a number is worse than the fine-tuned model's by at most `bound`.
    ///
    /// One number has no standard error, so this is the bare bound.
    func keeps(_ value: Double, within bound: Double) -> Bool {
        // 0.79 - 0.78 is a little more than 0.01.
        metric.loss(of: value, from: fineTuned) <= bound + 1e-12 * max(1, abs(fineTuned))
    }

    /// The base's number; nil if it cannot be measured: it may lack the head.
    func measure(base path: String) throws(SiltError) -> Double? {
        do throws(SiltError) {
            let outcome = try command.evaluate(path, context.cancellation)
            return outcome.metric == metric.name ? outcome.value : nil
        } catch  where error.code == .usage {
            // The command may have complained on standard error.
            context.log.notice("the evaluator cannot measure the base: its number is left out")
            context.log.debug("\(error.text)")
            return nil
        }
    }

    /// What the file tells people of a candidate with this number, and of the base.
    ///
    /// Evaluations of a Silt file name their data, which an evaluator does not (Formats/Silt.md, section 12.9).
    func notes(_ rebuilt: Double, base: Double?) -> [(name: String, value: String)] {
        var notes = [(EvaluatorNote.metric, metric.name)]
        if let base { notes.append((EvaluatorNote.prefix + "base", "\(base)")) }
        notes.append((EvaluatorNote.prefix + "finetuned", "\(fineTuned)"))
        notes.append((EvaluatorNote.prefix + "rebuilt", "\(rebuilt)"))
        return notes.map { (name: $0.0, value: $0.1) }
    }
}
