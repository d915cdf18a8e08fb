internal import SiltReading
internal import SiltEvaluation
internal import SiltPacking
internal import Workers
internal import DeltaCodecs
internal import DeltaPruning
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes
internal import Transformers

/// A pair in memory, read once, on which many ways of packing are tried.
///
/// What a candidate rebuilds here is, bit for bit, what a reader rebuilds from the file that the packer writes with the same
/// options: both take the same path. It needs about 20 bytes for each value of the model.
final class Workbench: Sendable {
    /// Tensors that the base predicts and that a lossy method can take.
    let tensors: [BenchTensor]
    /// The fine-tuned weights: all of them, or none if no model is to be run.
    let fineTuned: WeightTable
    /// The pair packed exactly: what lossy methods leave alone is stored like that.
    let exact: Packing
    /// Bytes of the exact file, and of the fine-tuned files.
    let exactBytes: Int
    let fineTunedBytes: Int
    let parameters: Int
    let context: WorkContext
    private let size: CandidateSize
    /// Evaluations that a file would record: the divergence, and the metric.
    private let evaluations: Int
    private let decompositions = DecompositionStore(keeping: true)

    /// Throws `usage` if a pair has no room in memory.
    static func check(_ plan: PackPlan, file: String) throws(SiltError) {
        let (values, isTooLarge) = plan.input.parameters.multipliedReportingOverflow(by: 5)
        try ModelMemory.check(
            values: isTooLarge ? .max : values, "the pair and a candidate", file: file,
            advice: "pack without data: that needs no model in memory")
    }

    /// Reads a pair, and packs it exactly into nowhere.
    convenience init(_ pair: PackPair, _ context: WorkContext) throws(SiltError) {
        let packer = Packer(context)
        let plan = try packer.plan(pair)
        try Workbench.check(plan, file: pair.fineTuned.path)
        try self.init(try packer.write(plan, nil, into: ContainerWriter()), pair.fineTuned, context)
    }

    /// Reads a pair that is packed exactly.
    ///
    /// - Parameter runsModels: whether Silt itself runs candidates, so that all weights are wanted.
    init(
        _ exact: Packing, _ fineTuned: Checkpoint, _ context: WorkContext, runsModels: Bool = true
    ) throws(SiltError) {
        self.context = context
        self.exact = exact
        let found = exact.tensors.filter { tensor in
            tensor.known.knownElements > 0 && tensor.known.info.dtype.isPredictable
                && (1...Grid.limit).contains(tensor.known.info.matrixColumns) && tensor.isFinite
        }
        let meter = ProgressMeter("reading", total: found.reduce(0) { $0 + $1.known.info.bytes }, context.progress)
        tensors = try context.pool.map(
            count: found.count, makeWorker: { DeltaBuffers() },
            work: { (buffers, index) throws(SiltError) in
                let tensor = try BenchTensor(found[index], buffers)
                meter.add(tensor.info.bytes, tensor.name)
                return tensor
            })
        self.fineTuned = runsModels ? try WeightTable(reading: fineTuned) : WeightTable()
        exactBytes = try exact.bytes()
        fineTunedBytes = exact.manifest.bytes
        parameters = exact.manifest.result.parameters
        size = CandidateSize(exact: exact)
        evaluations = runsModels ? 2 : 0
    }

    /// The smaller extent of the smallest matrix that a method takes; 1 without any.
    func smallestExtent(_ options: LossyOptions) throws(SiltError) -> Int {
        let policy = try TensorPolicy(options)
        return tensors.filter { !$0.isStill && policy.fate($0.name, $0.info) == .method }
            .map { min($0.delta.rows, $0.delta.columns) }.min() ?? 1
    }

    /// Names of the matrices that a method takes and that have fewer than `rank` rows or columns.
    func tensors(below rank: Int, _ options: LossyOptions) throws(SiltError) -> [String] {
        let policy = try TensorPolicy(options)
        return tensors.filter { tensor in
            !tensor.isStill && policy.fate(tensor.name, tensor.info) == .method
                && min(tensor.delta.rows, tensor.delta.columns) < rank
        }.map(\.name)
    }

    /// The tensor of this name; nil if no lossy method can take it.
    subscript(name: String) -> BenchTensor? { tensors.first { $0.name == name } }

    /// Codes every tensor as `options` say.
    ///
    /// - Parameter earlier: a candidate of the same options; what it made of matrices is taken from it.
    /// - Throws: as packing with these options.
    func code(
        _ options: LossyOptions, _ tuning: LossyTuning? = nil, reusing earlier: BenchModel? = nil
    ) throws(SiltError) -> BenchModel {
        try options.check()
        let corrections = tuning?.corrections ?? [:]
        let policy = try TensorPolicy(options, corrected: Set(corrections.keys))
        let fates = tensors.map { tensor -> TensorPolicy.Fate in
            tensor.isStill && corrections[tensor.name] == nil ? .exact : policy.fate(tensor.name, tensor.info)
        }
        let known = Dictionary(
            uniqueKeysWithValues: (earlier?.tensors ?? []).filter(\.isMethod).map { ($0.index, $0) })
        let deltas: DeltaContext
        if let earlier {
            // Steps and thresholds are those of all matrices, of those that are taken over too.
            deltas = earlier.deltas
        } else {
            deltas = try DeltaContext(
                options, tensors.indices.filter { fates[$0] == .method }.map { tensors[$0] as any DeltaSource },
                context.pool, nil, decompositions: decompositions,
                curvature: options.curvature ? tuning?.curvature : nil)
        }
        let builder = ComponentBuilder(options: options, context: deltas, tuning: tuning)
        let taken = tensors.indices.filter { fates[$0] != .exact }
        let coded = try context.pool.map(
            count: taken.count, makeWorker: { MatrixWorkspace() },
            work: { [tensors] (workspace, position) throws(SiltError) in
                let index = taken[position]
                if let known = known[index] { return known }
                let tensor = tensors[index]
                var delta = tensor.delta
                if let correction = corrections[tensor.name] {
                    delta = try delta.copy()
                    try delta.add(correction)
                }
                let coded = try builder.code(delta, tensor.name, fates[index], workspace)
                return BenchModel.Tensor(
                    index: index, isMethod: fates[index] == .method, components: coded.components,
                    chunks: coded.chunks)
            })
        let bytes = try size.bytes(
            coded.map { tensor in
                CandidateSize.Coded(
                    name: tensors[tensor.index].name, known: tensors[tensor.index].knownElements,
                    components: tensor.components, chunks: tensor.chunks,
                    receipt: tensor.components.isEmpty ? tensors[tensor.index].receiptOfBase : nil)
            },
            options.summary + (tuning?.notes ?? []), evaluations: evaluations)
        return BenchModel(options: options, deltas: deltas, tensors: coded, bytes: bytes)
    }

    /// The weights that a reader rebuilds.
    func weights(_ model: BenchModel) throws(SiltError) -> WeightTable {
        try weights(model.tensors, in: fineTuned)
    }

    /// `table` with some tensors rebuilt.
    func weights(_ coded: [BenchModel.Tensor], in table: WeightTable) throws(SiltError) -> WeightTable {
        let tensors = tensors
        let rebuilt = try context.pool.map(
            count: coded.count, makeWorker: { BenchWorker() },
            work: { (worker, position) throws(SiltError) in
                let tensor = coded[position]
                return try tensors[tensor.index].rebuild(tensor.components, tensor.chunks, worker)
            })
        var table = table
        for (tensor, values) in zip(coded, rebuilt) { table[tensors[tensor.index].name] = values }
        return table
    }
}
