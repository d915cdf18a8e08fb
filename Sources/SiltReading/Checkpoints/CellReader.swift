internal import DeltaKernels
package import Safetensors
package import TensorTypes

/// Reads runs of elements of a base tensor as the result's dtype.
///
/// One for each worker.
package final class CellReader {
    private let raw = ByteBuffer()
    private let converted = ByteBuffer()
    private let gathered = ByteBuffer()

    /// Reads `elements` of `tensor`, converts them to `dtype` if they have another, and gives their digest as stored.
    ///
    /// - Parameter buffer: where they go if they need no conversion; nil: a buffer of this reader.
    /// - Returns: the patterns, valid until the next call, and the digest if `hashing`.
    package func read(
        _ tensor: Checkpoint.Tensor, _ elements: Range<Int>, as dtype: DType, hashing: Bool,
        into buffer: ByteBuffer? = nil
    ) throws(SiltError) -> (patterns: UnsafeRawPointer, digest: Digest128?) {
        let width = tensor.info.dtype.elementBytes
        let bytes = elements.count * width
        let raw = tensor.info.dtype == dtype ? buffer ?? self.raw : self.raw
        raw.reserve(bytes)
        let start = tensor.range.lowerBound + elements.lowerBound * width
        let target = unsafe raw.prefix(bytes)
        do throws(SiltError) {
            try unsafe tensor.file.read(start..<start + bytes, into: target)
        } catch {
            throw error.at(tensor: tensor.name)
        }
        let digest = unsafe hashing ? Digest128(of: UnsafeRawBufferPointer(target)) : nil
        guard tensor.info.dtype != dtype else { return unsafe (UnsafeRawPointer(raw.start), digest) }
        converted.reserve(elements.count * dtype.elementBytes)
        unsafe FloatConversion.convert(raw.start, tensor.info.dtype, to: converted.start, dtype, count: elements.count)
        return unsafe (UnsafeRawPointer(converted.start), digest)
    }

    /// Reads what predicts `elements`, as `dtype`: from one place where it is, else gathered from several; what nothing predicts is
    /// whatever was there.
    ///
    /// - Returns: the patterns, valid until the next call.
    package func read(
        _ base: BaseRuns, _ elements: Range<Int>, as dtype: DType
    ) throws(SiltError) -> UnsafeRawPointer {
        let touched = base.touching(elements)
        if touched.count == 1 {
            let run = base.runs[touched.lowerBound]
            if run.elements.clamped(to: elements) == elements {
                return try unsafe read(run.tensor, run.places(of: elements), as: dtype, hashing: false).patterns
            }
        }
        let width = dtype.elementBytes
        gathered.reserve(elements.count * width)
        for run in base.runs[touched] {
            let piece = run.elements.clamped(to: elements)
            let patterns = try unsafe read(run.tensor, run.places(of: piece), as: dtype, hashing: false).patterns
            unsafe (gathered.start + (piece.lowerBound - elements.lowerBound) * width)
                .copyMemory(from: patterns, byteCount: piece.count * width)
        }
        return unsafe UnsafeRawPointer(gathered.start)
    }

    package init() {}
}
