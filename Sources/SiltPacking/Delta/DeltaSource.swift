package import SiltReading
package import TensorTypes

/// A tensor whose delta a lossy method takes: in files, which the packer reads, or in memory, where a search tries many methods.
package protocol DeltaSource: Sendable {
    /// The tensor's name.
    var name: String { get }
    /// Its dtype and shape.
    var info: TensorInfo { get }
    /// Elements that the base has too.
    var knownElements: Int { get }

    /// Fine-tuned minus base.
    ///
    /// The caller may not change what it gets, unless it copies it.
    func delta(_ buffers: DeltaBuffers) throws(SiltError) -> TensorDelta
}

/// Buffers in which a worker reads tensors and their deltas.
package final class DeltaBuffers {
    /// Elements of the fine-tuned tensor, and of the base.
    package let result = ByteBuffer()
    package let base = CellReader()
    /// A band of a delta, and the base's elements as Float.
    let band = ByteBuffer(), baseFloats = ByteBuffer()

    package init() {}
}
