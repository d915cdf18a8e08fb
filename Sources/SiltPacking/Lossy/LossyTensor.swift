package import SiltReading
internal import SiltFormat
internal import TensorTypes

/// What a lossy method made of a tensor.
package struct LossyTensor: Sendable {
    /// What is added to the base; empty if the base stands for the tensor.
    var components: [ComponentRecord]
    /// Their chunks, until they are written.
    package var chunks: ComponentChunks
    /// Tree digest of the rebuilt tensor.
    let digest: Digest128
    /// How far it is from the fine-tuned one.
    package let sums: ReceiptSums

    /// Appends the chunks to the file; the components then name them by their numbers there.
    mutating func write(to writer: ContainerWriter) throws(SiltError) {
        let offset = writer.table.count
        for chunk in chunks.chunks { _ = try writer.append(chunk) }
        components = components.map { $0.moved(by: offset) }
        chunks = ComponentChunks()
    }
}
