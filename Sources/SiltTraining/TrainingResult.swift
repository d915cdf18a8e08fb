internal import SiltEvaluation
internal import Workers
internal import DeltaKernels
internal import Safetensors
internal import TensorTypes
internal import Transformers

/// The model that a training leaves, as it is stored.
struct TrainingResult {
    private let trained: TrainingModel
    /// In the order of the model's names.
    private let tensors: [(name: String, dtype: DType, values: FloatTensor)]
    /// The root of the mean squared difference from the base, over the values that the base has.
    let distance: Double

    init(_ loop: TrainingLoop, _ trained: TrainingModel, _ base: Checkpoint, _ options: FineTuneOptions) {
        self.trained = trained
        let best = options.kept == .best ? loop.best : nil
        let common = TrainingResult.commonType(trained, base)
        var (squares, count) = (0.0, 0)
        tensors = loop.parameters.enumerated().map { index, parameter in
            let dtype: DType =
                switch options.stored {
                case .base: trained.sources[parameter.name].flatMap { base[$0]?.info.dtype } ?? common
                case .f32: .f32
                case .bf16: .bf16
                case .f16: .f16
                }
            let values = FloatTensor(best?[index] ?? parameter.values.tensor, roundedTo: dtype)
            if let start = parameter.base {
                squares += values.squaredDistance(to: start)
                count += values.count
            }
            return (parameter.name, dtype, values)
        }
        distance = (squares / Double(max(1, count))).squareRoot()
    }

    /// Measures the model on the validation data and writes it.
    ///
    /// Returns the metric. Nothing interrupts it.
    func write(
        to directory: ModelDirectory, validation: TokenData, threads: Int
    ) throws(SiltError) -> Double {
        var weights = WeightTable()
        for (name, dtype, values) in tensors {
            guard values.isFinite else {
                throw SiltError(
                    .diverged, "the trained values overflow \(dtype.rawValue)", tensor: name,
                    advice: "use \(option: .stored) bf16 or f32")
            }
            weights[name] = values
        }
        let judge = try ModelJudge(
            trained.configuration, weights, validation, WorkerPool(threads: threads, cancellation: Cancellation()))
        let value = try judge.judge(weights).value
        try directory.write(trained.json, tensors)
        return value
    }

    /// The dtype that most values of the base have.
    private static func commonType(_ trained: TrainingModel, _ base: Checkpoint) -> DType {
        var counts: [DType: Int] = [:]
        for source in trained.sources.values {
            guard let info = base[source]?.info else { continue }
            counts[info.dtype, default: 0] += info.parameters
        }
        return counts.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key ?? .f32
    }
}

extension FloatTensor {
    /// The values as a tensor of type F32, F16 or BF16 holds them.
    fileprivate convenience init(_ other: FloatTensor, roundedTo dtype: DType) {
        let bytes = ByteBuffer(capacity: other.count * dtype.elementBytes)
        unsafe FloatConversion.convert(other.start, .f32, to: bytes.start, dtype, count: other.count)
        unsafe self.init(shape: other.shape) { values in
            unsafe FloatConversion.convert(bytes.start, dtype, to: values, .f32, count: other.count)
        }
    }
}
