package import TensorTypes

/// Buffers that one worker uses for matrix after matrix.
package final class MatrixWorkspace {
    /// Which form of the kernels runs.
    package let level: KernelLevel

    /// The bits of the elements that stay, in a cell and in all of a matrix.
    let mask = ByteBuffer(), masks = ByteBuffer()
    /// The bits of one mask.
    let positions = ByteBuffer()
    /// Symbols, planes, folded codes.
    let symbols = ByteBuffer()
    /// Gaps, codes.
    let integers = ByteBuffer()
    /// Patterns of floats.
    let patterns = ByteBuffer()
    /// The values of the elements that stay, in a cell and in all of a matrix.
    let values = ByteBuffer(), allValues = ByteBuffer()
    /// Coded words, backwards.
    let words = ByteBuffer()
    private(set) lazy var zstd = Zstd()

    package init(level: KernelLevel = .best) { self.level = level }
}

extension ByteBuffer {
    /// Room for `count` elements of a trivial type; what was in the buffer may be lost.
    func room<T: BitwiseCopyable>(_: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
        reserve(count * MemoryLayout<T>.stride)
        return unsafe start.assumingMemoryBound(to: T.self)
    }
}

/// Words of 64 bits that hold `count` bits.
func wordCount(_ count: Int) -> Int { (count + 63) / 64 }
