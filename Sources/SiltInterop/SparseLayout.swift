/// The two layouts of compressed-tensors' sparse checkpoints.
package enum SparseLayout: String, Sendable, CaseIterable {
    /// Any pattern of zeros: values one after the other, and a mask with a bit for each element.
    case bitmask = "sparse-bitmask"
    /// At most two values in every four: the same with as many values in every row.
    case twoOfFour = "sparse-24-bitmask"

    /// What `sparsity_structure` says.
    var structure: String { self == .bitmask ? "unstructured" : "2:4" }
    /// The endings of the tensors that stand for one weight.
    package var parts: [String] {
        self == .bitmask ? ["shape", "compressed", "bitmask", "row_offsets"] : ["shape", "compressed", "bitmask"]
    }
}
