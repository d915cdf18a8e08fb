internal import Safetensors
package import TensorTypes

/// A tensor of the input whose digests are known: what is read again must be what was read first.
package struct KnownTensor: DeltaSource {
    package let tensor: PackTensor
    /// Of its cells.
    let digests: [Digest128]

    package var name: String { tensor.name }
    package var info: TensorInfo { tensor.info }
    package var knownElements: Int { tensor.knownElements }

    package func delta(_ buffers: DeltaBuffers) throws(SiltError) -> TensorDelta { TensorDelta(self, buffers) }
}
