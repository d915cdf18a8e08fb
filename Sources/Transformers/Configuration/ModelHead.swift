/// What the model's last layer gives.
package enum ModelHead: Sendable, Hashable {
    /// A logit for each label.
    case classifier(labels: Int)
    /// One number.
    case regression
    /// For each token, a logit for each token that may come next.
    case causal(vocabulary: Int)
    /// Hidden states only.
    case none

    /// Whether tokens have logits, not whole sequences.
    package var isCausal: Bool { if case .causal = self { true } else { false } }

    /// Columns of the logits; 0 without a head.
    package var columns: Int {
        switch self {
        case .classifier(let labels): labels
        case .regression: 1
        case .causal(let vocabulary): vocabulary
        case .none: 0
        }
    }
}
