internal import SiltFormat
package import SiltReading
internal import TensorTypes

/// What a lossy method made of a tensor.
package struct LossyTensor: Sendable {
    /// What is added to the base; empty if the base stands for the tensor.
    let components: [ComponentRecord]
    package let chunks: ComponentChunks
    /// Tree digest of the rebuilt tensor.
    let digest: Digest128
    /// How far it is from the fine-tuned one.
    package let sums: ReceiptSums

    /// The same with its chunks in the file.
    func written(to writer: ContainerWriter) throws(SiltError) -> LossyTensor {
        let offset = try chunks.write(to: writer)
        return LossyTensor(
            components: components.map { $0.moved(by: offset) }, chunks: ComponentChunks(), digest: digest, sums: sums)
    }
}
