internal import DeltaKernels
package import Safetensors
package import TensorTypes

/// Reads runs of elements of a base tensor as the result's dtype.
///
/// One for each worker.
package final class CellReader {
    private let raw = ByteBuffer()
    private let converted = ByteBuffer()
    /// For those who put together what they read in several places.
    let gathered = ByteBuffer()

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

    package init() {}
}
