internal import Safetensors
internal import TensorTypes

/// What is to be packed, and how each of its segments is coded best: made once, and encoded as often as there are ways to pack.
package struct PackPlan: Sendable {
    package let input: PackInput
    package let measured: Measured

    package init(_ input: PackInput, _ measured: Measured) { (self.input, self.measured) = (input, measured) }

    /// A tensor with its digests.
    ///
    /// - Throws: `fault` if a sample was measured, which has none.
    func known(_ tensor: PackTensor) throws(SiltError) -> KnownTensor {
        guard case .known(let digests) = measured.tensors[tensor.index].digests else {
            throw tensor.fault("a tensor is read again whose digests are not known")
        }
        return KnownTensor(tensor: tensor, digests: digests)
    }
}
