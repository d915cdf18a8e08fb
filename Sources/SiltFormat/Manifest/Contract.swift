/// What a Silt file promises.
package enum Contract: String, CaseIterable, Sendable {
    /// The result is the fine-tuned checkpoint, every byte.
    case exact
    /// The result is what the format defines, near the fine-tuned checkpoint.
    case lossy
}
