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
        try pipeline.run(
            count: tensors.count, makeWorker: { PackWorker() },
            work: { (worker, index) throws(SiltError) in
                let tensor = tensors[index]
                let segment = tensor.segments[0]
                if let found = try PredictionSearch.search(tensor, bits: segment.bits.withLock { $0 }, worker) {
                    segment.coding.withLock { $0 = .exact(found.tables) }
                    segment.prediction.withLock { $0 = found.prediction }
                }
                meter.add(tensor.info.bytes, tensor.entry.name)
            })
    }
}
