internal import Workers
internal import DeltaKernels
internal import Safetensors
internal import TensorTypes

/// Whole tensors that PEFT saves beside an update of the same tensor: the base's embeddings, without the update.
enum SavedCopy {
    private static let piece = 1 << 18

    /// Throws `usage` unless the adapter's tensor is the base's, in the less precise of the two dtypes.
    static func check(
        _ saved: SavedTensor, _ tensor: Checkpoint.Tensor, _ cancellation: Cancellation
    ) throws(SiltError) {
        let (ours, theirs) = (saved.entry.info, tensor.info)
        var isSame = ours.shape == theirs.shape
        let coarse = ours.dtype.bits <= theirs.dtype.bits ? ours.dtype : theirs.dtype
        let (first, second) = (ByteBuffer(), ByteBuffer())
        var start = 0
        while isSame, start < ours.elements {
            try cancellation.check()
            let count = min(piece, ours.elements - start)
            try read(saved.file, saved.entry.range, ours.dtype, start, count, as: coarse, into: first)
            try read(tensor.file, tensor.range, theirs.dtype, start, count, as: coarse, into: second)
            isSame = unsafe Bits.areEqual(first.start, second.start, bytes: count * coarse.elementBytes)
            start += count
        }
        guard !isSame else { return }
        throw SiltError(
            .usage, "the adapter both replaces \"\(saved.target)\" and adapts it", file: saved.file.path,
            tensor: saved.entry.name, advice: AdapterVariants.merge)
    }

    private static func read(
        _ file: SafetensorsFile, _ range: Range<Int>, _ dtype: DType, _ start: Int, _ count: Int, as other: DType,
        into buffer: ByteBuffer
    ) throws(SiltError) {
        let width = dtype.elementBytes
        let raw = ByteBuffer(capacity: count * width)
        let from = range.lowerBound + start * width
        try unsafe file.read(from..<from + count * width, into: raw.prefix(count * width))
        buffer.reserve(count * other.elementBytes)
        if dtype == other {
            unsafe buffer.prefix(count * width).copyMemory(from: UnsafeRawBufferPointer(raw.prefix(count * width)))
        } else {
            unsafe FloatConversion.convert(raw.start, dtype, to: buffer.start, other, count: count)
        }
    }
}
