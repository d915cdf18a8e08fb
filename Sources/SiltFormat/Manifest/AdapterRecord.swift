/// What an adapter needs to come back (Formats/Silt.md, section 12.8).
package struct AdapterRecord: Sendable, Hashable {
    /// A tensor of the adapter.
    package struct Tensor: Sendable, Hashable {
        /// Which factor of a low-rank component it is.
        package enum Factor: String, CaseIterable, Sendable { case left, right }

        package var name: String
        /// The tensor of the result.
        package var of: String
        /// nil: the tensor of the result itself.
        package var factor: Factor?
        /// Whether the adapter's tensor is the transpose of the factor.
        package var transposed: Bool

        package init(name: String, of: String, factor: Factor?, transposed: Bool) {
            self.name = name
            self.of = of
            self.factor = factor
            self.transposed = transposed
        }
    }

    /// The text of adapter_config.json.
    package var config: String
    package var tensors: [Tensor]

    package init(config: String, tensors: [Tensor]) {
        self.config = config
        self.tensors = tensors
    }
}
