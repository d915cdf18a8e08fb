package import SiltPacking
internal import Synchronization
internal import SiltReading
package import Workers
internal import DeltaPruning
internal import Safetensors
internal import SiltFormat
package import TensorTypes

/// Says what packing a pair would take, method by method, without writing anything.
///
/// The exact delta is packed into nowhere, lossy methods run on the deltas themselves (of large models, on a sample of
/// layers): sizes are those that `Packer` would write, not estimates by formula.
package struct Planner: Sendable {
    /// From so many values on, a few layers stand for the others of their kind.
    static let sampleFrom = 1 << 26
    /// Tensors of a group that are looked at then.
    static let sampled = 3

    /// Drop rates that are tried.
    package var drops = [0.5, 0.9, 0.95, 0.99]
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A planner.
    package init(_ context: WorkContext) { self.context = context }

    /// Plans.
    ///
    /// - Parameter pipeline: the data with which the paper's pipeline is walked; nil: it is not, and no model is run.
    /// - Throws: as `Packer.pack`; `usage` if the data are not for the model.
    package func plan(
        base: String, fineTuned: String, pipeline options: PipelineOptions? = nil
    ) throws(SiltError) -> PlanReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let (exact, walked) = try exact(base, fineTuned, options)
        let exactReport = exact.report(bytes: try exact.bytes(), seconds: 0)
        let policy = try TensorPolicy(LossyOptions())
        let all = exact.tensors.filter { policy.fate($0.known.name, $0.known.info) == .method && Planner.moves($0) }
            .map(\.known)
        let groups = try statistics(exact.tensors)
        let total = all.reduce(0) { $0 + $1.info.parameters }
        let (sample, weights) = Planner.sample(all, isLarge: total >= Planner.sampleFrom)
        let sizes = exact.tensorBytes
        var candidates = [
            PlanReport.Candidate(
                choice: nil, bytes: exactReport.bytes, bitsPerParameter: exactReport.bitsPerParameter, relativeL2: 0)
        ]
        // What is left of the file when a method takes these tensors: all but their exact bytes.
        let rest = exactReport.bytes - all.reduce(0) { $0 + (sizes[ByteName($1.name)] ?? 0) }
        for lossy in Planner.methods(drops) where !all.isEmpty {
            let outcome = try measure(sample, weights, lossy, "trying \(lossy.words)")
            let bytes = rest + outcome.bytes
            candidates.append(
                PlanReport.Candidate(
                    choice: PackingChoice(lossy), bytes: bytes,
                    bitsPerParameter: 8 * Double(bytes) / Double(max(1, exactReport.parameters)),
                    relativeL2: outcome.l2))
        }
        return PlanReport(
            groups: groups, candidates: candidates,
            // What was measured on the model itself beats what is said of the deltas.
            advice: walked?.advice
                ?? PlanAdvice.all(candidates, groups, fineTunedBytes: exactReport.fineTunedBytes),
            fineTunedBytes: exactReport.fineTunedBytes, parameters: exactReport.parameters,
            lossyParameters: total, isSampled: sample.count < all.count, pipeline: walked,
            seconds: begin.duration(to: clock.now).inSeconds)
    }

    /// The pair packed exactly into nowhere, once; and what the pipeline's walk found, if one is wanted.
    private func exact(
        _ base: String, _ fineTuned: String, _ options: PipelineOptions?
    ) throws(SiltError) -> (Packing, PipelineReport?) {
        guard let options else {
            let packer = Packer(context)
            let plan = try packer.plan(PackPair(base: base, fineTuned: fineTuned))
            return (try packer.write(plan, nil, into: ContainerWriter()), nil)
        }
        let walker = try PipelineWalker(base: base, fineTuned: fineTuned, options, context)
        return (walker.exact, try walker.walk())
    }

    /// The ways to pack that are tried.
    package static func methods(_ drops: [Double]) -> [LossyOptions] {
        func with(_ method: LossyOptions.Method, _ change: (inout LossyOptions) -> Void = { _ in }) -> LossyOptions {
            var options = LossyOptions()
            options.method = method
            change(&options)
            return options
        }
        var list: [LossyOptions] = []
        for values in [LossyOptions.Values?.none, .bf16] {
            list += drops.map { drop in with(.random) { ($0.drop, $0.values) = (drop, values) } }
        }
        list += drops.map { drop in with(.magnitude) { $0.drop = drop } }
        list += drops.map { drop in with(.columns) { $0.drop = drop } }
        list += [with(.nm), with(.sign), with(.dense), with(.lowrank), with(.transform)]
        return list + [with(.transform) { $0.quality = 4 }]
    }

    private static func moves(_ tensor: Packing.Tensor) -> Bool {
        tensor.known.knownElements > 0 && tensor.isFinite && !tensor.isStill
    }

    /// The tensors that stand for all, and how many each stands for.
    private static func sample(_ tensors: [KnownTensor], isLarge: Bool) -> ([KnownTensor], [Double]) {
        guard isLarge else { return (tensors, tensors.map { _ in 1 }) }
        var sample: [KnownTensor] = []
        var weights: [Double] = []
        let groups = Dictionary(grouping: tensors) { "\(groupName($0.name)) \($0.info.shape)" }
        for (_, members) in groups.sorted(by: { $0.key < $1.key }) {
            let count = min(sampled, members.count)
            for index in 0..<count {
                sample.append(members[(2 * index + 1) * members.count / (2 * count)])
                weights.append(Double(members.count) / Double(count))
            }
        }
        return (sample, weights)
    }

    /// What the tensors take by a method, with the chunk table, and how far they are from the fine-tuned ones.
    private func measure(
        _ tensors: [KnownTensor], _ weights: [Double], _ options: LossyOptions, _ phase: String
    ) throws(SiltError) -> (bytes: Int, l2: Double) {
        let encoder = try LossyEncoder(LossyDecision(options), tensors, context.pool, nil)
        let meter = ProgressMeter(phase, total: tensors.reduce(0) { $0 + $1.info.bytes }, context.progress)
        let results = try context.pool.map(
            count: tensors.count, makeWorker: { LossyEncoder.Workspace() },
            work: { (workspace, index) throws(SiltError) in
                let outcome = try encoder.encode(tensors[index], as: .method, workspace)
                meter.add(tensors[index].info.bytes, tensors[index].name)
                return (bytes: outcome.chunks.bytes, sums: outcome.sums)
            })
        var bytes = 0.0
        var sums = ReceiptSums()
        for (result, weight) in zip(results, weights) {
            // Digests, q and receipt of a lossy tensor take some 40 bytes of manifest more than an exact one's.
            bytes += weight * Double(result.bytes + 40)
            sums.add(result.sums)
        }
        return (Int(bytes), sums.receipt.l2)
    }
}
