/// What went wrong: the class, the place, what was expected and found, and what to do.
public struct SiltError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The class of the error.
    ///
    /// Those of the format have the names of Formats/Silt.md section 9.
    public enum Code: String, Sendable, CaseIterable {
        // Formats/Silt.md, section 9.
        case truncated
        case header
        case notSilt = "not-silt"
        case version
        case unknownExtension = "extension"
        case checksum
        case manifest
        case path
        case coverage
        case limit
        case tables
        case chunk
        case baseMissing = "base-missing"
        case baseDType = "base-dtype"
        case baseShape = "base-shape"
        case baseContent = "base-content"
        case result
        // The world around the format.
        case usage
        case inputMissing = "input-missing"
        case cannotCreate = "cannot-create"
        case io
        case changed = "changed-while-reading"
        case interrupted
        case noMatch = "no-match"
        /// A training whose loss grows beyond measure, or is no number.
        case diverged
        /// A check that only an error in this program can fail.
        case fault
    }

    /// The class.
    public let code: Code
    /// One sentence: what was expected and what was found.
    public let message: String
    /// The file, where one is to blame.
    public var file: String?
    /// The tensor, where one is to blame.
    public var tensor: String?
    /// The bytes of `file` that are to blame.
    public var range: Range<UInt64>?
    /// What the user can do about it.
    public var advice: String?

    /// An error of class `code`; the places are optional.
    public init(
        _ code: Code, _ message: String, file: String? = nil, tensor: String? = nil, range: Range<UInt64>? = nil,
        advice: String? = nil
    ) {
        self.code = code
        self.message = message
        self.file = file
        self.tensor = tensor
        self.range = range
        self.advice = advice
    }

    /// The same error with a place that only the caller knew; places that are set stay.
    package func at(file: String? = nil, tensor: String? = nil) -> SiltError {
        var copy = self
        copy.file = self.file ?? file
        copy.tensor = self.tensor ?? tensor
        return copy
    }

    /// `class: file: tensor "name": bytes a..<b: message (advice)`, on one line.
    public var description: String {
        var text = code.rawValue + ": "
        if let file { text += "\(file): " }
        if let tensor { text += "tensor \"\(tensor)\": " }
        if let range { text += "bytes \(range.lowerBound)..<\(range.upperBound): " }
        text += message
        if let advice { text += " (\(advice))" }
        return text
    }
}
