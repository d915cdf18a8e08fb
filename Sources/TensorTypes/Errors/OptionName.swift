/// An option of the library that a message is about, by the name that the library has for it.
///
/// Messages hold it as a token, `"give \(option: .calibration) DATA"`, and each front end puts in what its users type: `calibration=`
/// in Python, a flag on the command line. Where nobody does, the name itself stands.
package enum OptionName: String, CaseIterable, Sendable {
    /// A PEFT adapter in place of a fine-tuned checkpoint.
    case adapter
    /// The checkpoint to compare with.
    case against
    /// The base.
    case base
    /// Data on which models are run.
    case calibration
    /// How columns and rows are chosen.
    case choice
    /// Whether biases take the mean error of their layer in.
    case correctsBias
    /// Whether errors are weighed by what they cost.
    case curvature
    /// A goal: the largest divergence.
    case divergenceWithin
    /// How an update is written.
    case encoding
    /// A command that measures models.
    case evaluator
    /// Which way its number is better.
    case evaluatorLowerIsBetter
    /// How many examples are read.
    case examples
    /// Tensors that stay exact.
    case except
    /// Whether the model can be trained again.
    case isTrainable
    /// How many classes there are.
    case labels
    /// Where notes go, and how many.
    case log
    /// Where outputs are written.
    case logits
    /// Whether a head is replaced by a new one.
    case makesNewHead
    /// How positions are stored.
    case mask
    /// What is kept.
    case method
    /// A goal: the largest loss of a metric.
    case metricWithin
    /// What a found q is multiplied by.
    case multiplier
    /// The learning rate of new layers.
    case newRate
    /// Tensors that are taken.
    case only
    /// The learning rate.
    case rate
    /// Whether an output gives way.
    case replaceExisting
    /// The factor q.
    case rescale
    /// Whether a training goes on.
    case resumes
    /// How q is found.
    case rule
    /// What has a q of its own.
    case ruleScope
    /// Over what the largest elements are chosen.
    case scope
    /// How many masks are tried.
    case seeds
    /// A goal: the largest file.
    case sizeAtMost
    /// The type of written weights.
    case stored
    /// How many threads work.
    case threads
    /// Data with labels.
    case validation
    /// The type of values.
    case values
    /// What becomes of vectors.
    case vectors
    /// How long the learning rate rises.
    case warmUp

    /// Begin and end of a token in a text: no text of a person or file has these private characters.
    private static let (opening, closing) = (Character("\u{F0000}"), Character("\u{F0001}"))

    /// The option as a token in a text.
    package var token: String { "\(OptionName.opening)\(rawValue)\(OptionName.closing)" }

    /// `text` with what `word` says in place of each option.
    package static func rendered(_ text: String, _ word: (OptionName) -> String = \.rawValue) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: opening), let end = rest[start...].firstIndex(of: closing) {
            let name = String(rest[rest.index(after: start)..<end])
            result += rest[..<start] + (OptionName(rawValue: name).map(word) ?? name)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}

extension DefaultStringInterpolation {
    /// Puts in an option of the library.
    package mutating func appendInterpolation(option: OptionName) {
        appendInterpolation(option.token)
    }
}
