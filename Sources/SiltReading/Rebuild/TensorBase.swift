internal import SiltFormat
internal import TensorTypes

/// What predicts a tensor, with the checkpoint's tensors in the places of their records.
struct TensorBase: Sendable {
    /// A tensor that predicts.
    enum Source: Sendable {
        case base(BaseTensor)
        /// A tensor of the result, which is rebuilt as far as it is asked for.
        case result(TensorRebuild)
    }

    let sources: [Source]
    let runs: [BaseRecord.Run]

    /// - Parameter result: the tensor of the result with this place among all of them.
    init(
        _ record: BaseRecord, _ tensors: BaseTensors, result: (Int) throws(SiltError) -> TensorRebuild
    ) throws(SiltError) {
        sources = try record.sources.map { source throws(SiltError) in
            switch source {
            case .base(let base): .base(try tensors.tensor(base))
            case .result(let source): .result(try result(source.index))
            }
        }
        runs = record.runs
    }

    /// The base tensors, those of sources in the result too.
    var baseTensors: [BaseTensor] {
        sources.flatMap { source in
            switch source {
            case .base(let tensor): [tensor]
            case .result(let rebuild): rebuild.base?.baseTensors ?? []
            }
        }
    }

    /// Calls `body` with each source in the base that predicts some of `elements`, and its elements that do.
    func forEachBaseRange(
        _ elements: Range<Int>, _ body: (BaseTensor, Range<Int>) throws(SiltError) -> Void
    ) throws(SiltError) {
        for run in runs[runs.touching(elements)] {
            let places = run.places(of: run.elements.clamped(to: elements))
            switch sources[run.source] {
            case .base(let tensor): try body(tensor, places)
            case .result(let rebuild): try rebuild.base?.forEachBaseRange(places, body)
            }
        }
    }

    /// The patterns that predict `elements`, as `dtype`.
    ///
    /// Those of one run are where they were read, others are gathered. What nothing predicts is left as it is.
    ///
    /// - Parameter buffer: where they go if they need not be gathered or converted; nil: a buffer of the worker.
    func read(
        _ elements: Range<Int>, as dtype: DType, _ reader: PartReader, _ worker: DecodeWorker, into buffer: ByteBuffer?
    ) throws(SiltError) -> UnsafeRawPointer {
        let touched = runs.touching(elements)
        if touched.count == 1, case .base(let tensor) = sources[runs[touched.lowerBound].source],
            runs[touched.lowerBound].elements.clamped(to: elements) == elements
        {
            let places = runs[touched.lowerBound].places(of: elements)
            return try unsafe tensor.read(places, as: dtype, worker.base, into: buffer)
        }
        let width = dtype.elementBytes
        let gathered = worker.gathered
        gathered.reserve(elements.count * width)
        for run in runs[touched] {
            let piece = run.elements.clamped(to: elements)
            let places = run.places(of: piece)
            let target = unsafe gathered.start + (piece.lowerBound - elements.lowerBound) * width
            switch sources[run.source] {
            case .base(let tensor):
                let patterns = try unsafe tensor.read(places, as: dtype, worker.base)
                unsafe target.copyMemory(from: patterns, byteCount: places.count * width)
            case .result(let rebuild):
                try unsafe rebuild.copy(places, to: target, reader, worker.nested)
            }
        }
        return unsafe UnsafeRawPointer(gathered.start)
    }
}
