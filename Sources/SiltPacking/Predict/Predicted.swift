internal import Synchronization
internal import TensorTypes
internal import Workers

/// What the search for predictions has found for a batch of tensors.
///
/// Decoded factors are kept for the tensors that were asked for last; all that is left ends with the batch.
struct Predicted: Sendable {
    /// What was found for a tensor.
    enum Finding: Sendable {
        case prediction(LowRankPrediction)
        /// The residual alone is smaller.
        case nothing
        /// What an earlier encoding of the same plan found, and has written.
        case sameAsEarlier
    }

    /// How the search for a tensor went: from the same start, another one ends in the same way.
    struct Trace: Sendable {
        /// The number of the step that it began with; nil for the usual one.
        let start: Int?
        /// The number of the step that it ended with, where tensors alike may begin; nil if none pays.
        let step: Int?
    }

    /// A model has many predictions, and few at a time are in use.
    private final class Factors: Sendable {
        private let known = Mutex(RecentlyUsed<Int, RebuiltTensor>(limit: 3))

        func rebuilt(_ tensor: PackTensor, _ prediction: LowRankPrediction) -> RebuiltTensor {
            known.withLock { known in
                if let found = known[tensor.index] { return found }
                let made = RebuiltTensor(
                    tensor.name, tensor.info, known: tensor.knownElements, prediction.components, prediction.chunks)
                known.insert(made, for: tensor.index)
                return made
            }
        }
    }

    private let findings: [Int: Finding]
    /// By tensor, of all that were looked at.
    let traces: [Int: Trace]
    private let factors = Factors()

    init(findings: [Int: Finding], traces: [Int: Trace]) { (self.findings, self.traces) = (findings, traces) }

    /// Nothing was looked for.
    init() { self.init(findings: [:], traces: [:]) }

    /// What was found for a segment of a tensor; nil if it was not looked at.
    subscript(tensor: PackTensor, segment: Segment) -> Finding? {
        // Predictions stand for the base, which first segments have.
        segment.index == tensor.segments[0].index ? findings[tensor.index] : nil
    }

    /// The tensor's elements as a prediction of this batch gives them.
    func rebuilt(_ tensor: PackTensor, _ prediction: LowRankPrediction) -> RebuiltTensor {
        factors.rebuilt(tensor, prediction)
    }
}
