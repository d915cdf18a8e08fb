internal import DeltaKernels
package import Safetensors
package import TensorTypes

extension WeightTable {
    /// The floating-point tensors of a checkpoint, as F32; tensors of other types are left out.
    ///
    /// Throws what reading the files may throw, and `usage` for floats of 8 bits or 64.
    package init(reading checkpoint: Checkpoint) throws(SiltError) {
        self.init()
        for tensor in checkpoint.tensors where !WeightTable.isInteger(tensor.info.dtype) {
            self[tensor.name] = try FloatTensor(reading: tensor)
        }
    }

    private static func isInteger(_ dtype: DType) -> Bool {
        switch dtype {
        case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64: true
        default: false
        }
    }
}

extension FloatTensor {
    /// The values of a tensor of the type F32, F16 or BF16.
    package convenience init(reading tensor: Checkpoint.Tensor) throws(SiltError) {
        guard tensor.info.dtype.isPredictable else {
            throw SiltError(
                .usage, "weights of the type \(tensor.info.dtype.rawValue) are not supported, only F32, F16 and BF16",
                tensor: tensor.name, advice: "\(option: .evaluator) CMD runs any model with your own program")
        }
        let width = tensor.info.dtype.elementBytes
        let buffer = ByteBuffer(capacity: min(tensor.info.bytes, FloatTensor.chunk * width))
        try unsafe self.init(shape: tensor.info.shape) { (values) throws(SiltError) in
            var first = 0
            while first < tensor.info.parameters {
                let count = min(FloatTensor.chunk, tensor.info.parameters - first)
                let start = tensor.range.lowerBound + first * width
                try unsafe tensor.file.read(start..<start + count * width, into: buffer.prefix(count * width))
                unsafe FloatConversion.convert(
                    buffer.start, tensor.info.dtype, to: values + first, .f32, count: count)
                first += count
            }
        }
    }

    /// Elements that are read at once.
    private static let chunk = 1 << 20
}
