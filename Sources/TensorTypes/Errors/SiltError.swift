/// What went wrong: the class, the place, what was expected and found, and what to do.
public struct SiltError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The class.
    public let code: Code
    /// One sentence: what was expected and what was found.
    public var message: String { OptionName.rendered(sentence) }
    /// The file, where one is to blame.
    public var file: String?
    /// The tensor, where one is to blame.
    public var tensor: String?
    /// The bytes of `file` that are to blame.
    public var range: Range<UInt64>?
    /// What the user can do about it, the commonest cause first.
    public var advice: String? { remedy.map { OptionName.rendered($0) } }
    /// The failure of the system call behind it.
    public let cause: Errno?
    private let sentence: String
    private let remedy: String?

    /// An error of class `code`; the places are optional.
    public init(
        _ code: Code, _ message: String, file: String? = nil, tensor: String? = nil, range: Range<UInt64>? = nil,
        advice: String? = nil, cause: Errno? = nil
    ) {
        self.code = code
        sentence = message
        self.file = file
        self.tensor = tensor
        self.range = range
        remedy = advice
        self.cause = cause
    }

    /// The same error with a place that only the caller knew; places that are set stay.
    package func at(file: String? = nil, tensor: String? = nil) -> SiltError {
        var copy = self
        copy.file = self.file ?? file
        copy.tensor = self.tensor ?? tensor
        return copy
    }

    /// `class: file: tensor "name": bytes a..<b: message (advice)`, on one line.
    public var description: String { description(\.rawValue) }

    /// The description with options as tokens, for a log that a front end shows.
    package var text: String { description(\.token) }

    /// The description as a front end shows it.
    ///
    /// - Parameter word: what its users type for an option.
    package func description(_ word: (OptionName) -> String) -> String {
        var text = code.name + ": "
        if let file { text += "\(file): " }
        if let tensor { text += "tensor \"\(tensor)\": " }
        if let range { text += "bytes \(range.lowerBound)..<\(range.upperBound): " }
        text += OptionName.rendered(sentence, word)
        if let remedy { text += " (\(OptionName.rendered(remedy, word)))" }
        return text
    }
}
