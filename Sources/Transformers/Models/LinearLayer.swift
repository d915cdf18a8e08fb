/// A linear layer of a model, as those need it who look at its input or change its weight.
package struct LinearLayer: Sendable, Hashable {
    /// The name of the weight's tensor.
    package let weight: String
    /// The name of the bias's tensor.
    package let bias: String?
    package let inputs: Int
    package let outputs: Int
    /// Whether the weight is stored as [inputs, outputs], as GPT-2 does; else it is [outputs, inputs].
    package let isTransposed: Bool
    /// The block that the layer is in; the number of blocks for layers after them.
    package let block: Int
}
