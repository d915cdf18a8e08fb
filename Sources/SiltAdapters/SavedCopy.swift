internal import Workers
internal import DeltaKernels
internal import Safetensors
internal import TensorTypes

/// Whether a tensor that an adapter has whole is a copy of another.
enum SavedCopy {
    /// Where a tensor's bytes are.
    struct Place {
        let file: SafetensorsFile
        let info: TensorInfo
        let range: Range<Int>

        init(_ saved: SavedTensor) {
            (file, info, range) = (saved.file, saved.entry.info, saved.entry.range)
        }

        init(_ tensor: Checkpoint.Tensor) { (file, info, range) = (tensor.file, tensor.info, tensor.range) }
    }

    private static let piece = 1 << 18

    /// Whether two tensors have the same shape, and the same values in the less precise of their dtypes.
    static func areEqual(_ one: Place, _ other: Place, _ cancellation: Cancellation) throws(SiltError) -> Bool {
        let (ours, theirs) = (one.info, other.info)
        guard ours.shape == theirs.shape, ours.dtype.converts(to: theirs.dtype) else { return false }
        let coarse = ours.dtype.bits <= theirs.dtype.bits ? ours.dtype : theirs.dtype
        let (first, second) = (ByteBuffer(), ByteBuffer())
        var start = 0
        while start < ours.elements {
            try cancellation.check()
            let count = min(piece, ours.elements - start)
            try read(one, start, count, as: coarse, into: first)
            try read(other, start, count, as: coarse, into: second)
            guard unsafe Bits.areEqual(first.start, second.start, bytes: count * coarse.elementBytes) else {
                return false
            }
            start += count
        }
        return true
    }

    private static func read(
        _ place: Place, _ start: Int, _ count: Int, as other: DType, into buffer: ByteBuffer
    ) throws(SiltError) {
        let dtype = place.info.dtype
        let width = dtype.elementBytes
        let raw = ByteBuffer(capacity: count * width)
        let from = place.range.lowerBound + start * width
        try unsafe place.file.read(from..<from + count * width, into: raw.prefix(count * width))
        buffer.reserve(count * other.elementBytes)
        if dtype == other {
            unsafe buffer.prefix(count * width).copyMemory(from: UnsafeRawBufferPointer(raw.prefix(count * width)))
        } else {
            unsafe FloatConversion.convert(raw.start, dtype, to: buffer.start, other, count: count)
        }
    }
}
