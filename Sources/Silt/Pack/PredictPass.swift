internal import Safetensors
internal import Synchronization
internal import TensorTypes

/// Between the packer's two passes: tries low-rank predictions for tensors that stay exact.
struct PredictPass: Sendable {
    private let tensors: [TensorTask]
    private let pipeline: Pipeline

    init(files: [FileTask], pipeline: Pipeline) {
        tensors = files.flatMap { file -> [TensorTask] in
            guard case .safetensors(_, let tensors) = file.content else { return [] }
            return tensors.filter(PredictionSearch.isCandidate)
        }
        self.pipeline = pipeline
    }

    func run(_ progress: Progress.Handler?) throws(SiltError) {
        let meter = ProgressMeter("predicting", total: tensors.reduce(0) { $0 + $1.info.bytes }, progress)
        let tensors = tensors
        // Deltas of large matrices are in memory as a whole: only one at a time.
        let large = Mutex(())
        try pipeline.run(
            count: tensors.count, makeWorker: { PackWorker() },
            work: { (worker, index) throws(SiltError) in
                let tensor = tensors[index]
                let segment = tensor.segments[0]
                let bits = segment.bits.withLock { $0 }
                let isLarge = segment.elements.count >= PredictionSearch.largeElements
                let result = Result { () throws(SiltError) in
                    guard isLarge else { return try PredictionSearch.search(tensor, bits: bits, worker) }
                    return try large.withLock { _ in
                        Result { () throws(SiltError) in try PredictionSearch.search(tensor, bits: bits, worker) }
                    }.get()
                }
                if let found = try result.get() {
                    segment.coding.withLock { $0 = .exact(found.tables) }
                    segment.prediction.withLock { $0 = found.prediction }
                }
                meter.add(tensor.info.bytes, tensor.entry.name)
            })
    }
}
