internal import TensorTypes

/// Where the paper's pipeline (DAREx, figure 4) leads for a pair, and what its branches give.
package struct PipelineReport: Sendable {
    /// A question of the pipeline.
    package enum Node: String, CaseIterable, Sendable {
        /// Can the model be trained again?
        case training
        /// Is it an adapter?
        case adapter
        /// Is the delta too large for random drop?
        case delta
        /// By what are elements chosen, if it is?
        case importance
        /// Are there labels to find q with?
        case labels
        /// What has a q of its own?
        case architecture
        /// Does hardware need whole columns?
        case hardware
    }

    /// A node that was passed.
    package struct Step: Sendable {
        /// The node.
        package let node: Node
        /// What it asks, and what was found.
        package let question: String, answer: String
        /// Why, in words, and where the answer leads: the next node, or a way of packing; with options as tokens.
        package let words: (evidence: String, leadsTo: String)
        /// The numbers of the evidence, by name.
        package let numbers: [(name: String, value: Double)]

        /// Why, in words.
        package var evidence: String { OptionName.rendered(words.evidence) }
        /// Where the answer leads: the next node, or a way of packing.
        package var leadsTo: String { OptionName.rendered(words.leadsTo) }
    }

    /// A way of packing, measured.
    package struct Way: Sendable, Hashable {
        /// What it is called.
        package let name: String
        /// How it is made; nil: exact.
        package let choice: PackingChoice?
        /// Bytes of the whole file, within a percent.
        package let bytes: Int
        /// Mean divergence from the fine-tuned model on the calibration data, in nats.
        package let divergence: Double
        /// The metric on the labelled data; nil without labels.
        package let metric: Double?
    }

    /// What is recommended in the end.
    package enum Recommendation: String, Sendable {
        /// Where the pipeline led.
        case choice
        /// Another way, which is nearer in no more bytes.
        case alternative
        /// The exact delta, which is no larger.
        case exact
    }

    /// The nodes that were passed, in order.
    package let steps: [Step]
    /// All ways that were measured, exact first.
    package let ways: [Way]
    /// Where the pipeline led.
    package let choice: Way
    /// The nearest of the other ways that take no more bytes; nil: there is none.
    package let alternative: Way?
    /// What is recommended.
    package let recommended: Recommendation
    /// What follows from it all, the most important first.
    package let advice: [PlanAdvice]
    /// The metric's name; nil without labels.
    package let metric: String?
    /// The metric of the fine-tuned model, and of the model without its delta.
    package let fineTunedMetric: Double?, metricWithoutDelta: Double?
    /// The divergence of the model without its delta.
    package let divergenceWithoutDelta: Double
    /// Examples of the calibration data.
    package let examples: Int

    /// The way that is recommended.
    package var best: Way {
        switch recommended {
        case .exact: ways.first ?? choice
        case .choice: choice
        case .alternative: alternative ?? choice
        }
    }
}
