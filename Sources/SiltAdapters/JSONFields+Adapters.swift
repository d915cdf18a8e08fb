internal import TensorTypes

/// The fields of an adapter's configuration.
extension JSONFields {
    /// An error of class `header`.
    func refuse(_ message: String) -> SiltError { SiltError(.header, message, file: file) }

    /// Whether a field asks for something: it is neither absent nor `null`, `false`, empty or 0.
    func asks(for field: String) -> Bool {
        switch self[field] {
        case nil, .null, .bool(false), .integer(0), .array([]), .object([]), .string(""): false
        default: true
        }
    }

    /// The strings of an array, or the one string.
    func names(_ field: String) throws(SiltError) -> [String] {
        if case .string(let string)? = self[field] { return [string] }
        return try strings(field) ?? []
    }

    /// The patterns of an object whose keys are patterns, in their order: the first that matches counts.
    func pattern<Value>(
        _ field: String, _ parse: (JSONValue) throws(SiltError) -> Value
    ) throws(SiltError) -> [(pattern: KeyPattern, value: Value)] {
        var patterns: [(pattern: KeyPattern, value: Value)] = []
        for member in try object(field) ?? [] {
            do throws(SiltError) {
                patterns.append((try KeyPattern(member.key), try parse(member.value)))
            } catch {
                throw error.at(file: file)
            }
        }
        return patterns
    }
}
