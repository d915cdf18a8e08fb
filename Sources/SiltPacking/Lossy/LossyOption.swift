package import TensorTypes

/// One of `LossyOptions`, for all that goes over them: reports, what a file says of itself, front ends.
///
/// A new option is a property of `LossyOptions`, an entry of `LossyOption.all`, and a line in each front end.
package struct LossyOption: Sendable {
    /// The property's name, by which messages and front ends know it.
    package let name: String
    /// What reports and files call it, words joined by hyphens.
    package let word: String
    /// Whether the factors of an adapter can be packed with it.
    package let isForAdapters: Bool
    /// Whether the methods of a choice have a use for it.
    package let isOfUse: @Sendable (LossyOptions) -> Bool
    /// Whether it is told where it is the default too.
    private let isAlwaysTold: Bool
    private let value: @Sendable (LossyOptions) -> JSONValue?
    private let note: @Sendable (LossyOptions) -> String?

    /// - Parameters:
    ///   - word: as `name`, unless it is said.
    ///   - value: what it is; nil for nothing.
    ///   - note: what a file tells people of it; nil for nothing.
    init(
        _ name: String, word: String? = nil, isForAdapters: Bool = false, isAlwaysTold: Bool = false,
        use isOfUse: @escaping @Sendable (LossyOptions) -> Bool = { _ in true },
        value: @escaping @Sendable (LossyOptions) -> JSONValue?,
        note: @escaping @Sendable (LossyOptions) -> String? = { _ in nil }
    ) {
        (self.name, self.word, self.isForAdapters, self.isOfUse) = (name, word ?? name, isForAdapters, isOfUse)
        (self.isAlwaysTold, self.value, self.note) = (isAlwaysTold, value, note)
    }

    /// What must be told so that others make the same choice; nil where it is of no use, or the default.
    package func told(_ options: LossyOptions) -> JSONValue? {
        guard isOfUse(options), let value = value(options) else { return nil }
        return isAlwaysTold || value != self.value(LossyOptions()) ? value : nil
    }

    /// What a file tells people of it; nil for nothing.
    func noted(_ options: LossyOptions) -> String? { isOfUse(options) ? note(options) : nil }
}

extension LossyOptions {
    /// The method that stores elements: of a low-rank method that of its residual, where there is one.
    package var sparse: Method { residual ?? method }

    /// What the file tells people of how it was made.
    package var summary: [(name: String, value: String)] {
        LossyOption.all.compactMap { option in option.noted(self).map { (name: option.word, value: $0) } }
    }

    /// What reports say of them: what is the default is left out.
    package var json: JSONValue {
        .object(
            LossyOption.all.compactMap { option in
                option.told(self).map { .init(option.word.replacing("-", with: "_"), $0) }
            })
    }

    /// The same in words, like `random, drop 0.9`.
    package var words: String {
        LossyOption.all.compactMap { option -> String? in
            switch option.told(self) {
            case nil: nil
            case .bool: option.word
            case .string(let text): option.name == "method" ? text : "\(option.word) \(text)"
            case .integer(let number): "\(option.word) \(number)"
            case .number(let number): "\(option.word) \(LossyOption.plain(number))"
            default: nil
            }
        }.joined(separator: ", ")
    }
}

extension LossyOption {
    /// A number without a fraction that is 0.
    package static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
    }
}
