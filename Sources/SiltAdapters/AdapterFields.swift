internal import TensorTypes

/// The fields of an adapter's configuration, with their types checked.
///
/// `null` counts as absent, as it does in Python.
struct AdapterFields {
    let path: String
    private let root: JSONValue

    /// Throws `header` unless the text is a strict JSON object.
    init(bytes: [UInt8], path: String) throws(SiltError) {
        self.path = path
        do {
            root = try JSONValue(parsing: bytes)
        } catch {
            let place = UInt64(min(error.offset, max(0, bytes.count - 1)))
            throw SiltError(
                .header, "the configuration is not strict JSON: \(error.reason)", file: path, range: place..<place + 1)
        }
        guard case .object = root else { throw refuse("the configuration is \(root.kind), not an object") }
    }

    /// An error of class `header`.
    func refuse(_ message: String) -> SiltError { SiltError(.header, message, file: path) }

    /// The value of a field; nil if it is absent or `null`.
    subscript(field: String) -> JSONValue? {
        guard let value = root[field], value != .null else { return nil }
        return value
    }

    /// Whether a field asks for something: it is neither absent nor `null`, `false`, empty or 0.
    func asks(for field: String) -> Bool {
        switch self[field] {
        case nil, .null, .bool(false), .integer(0), .array([]), .object([]), .string(""): false
        default: true
        }
    }

    func integer(_ field: String) throws(SiltError) -> Int? {
        guard let value = self[field] else { return nil }
        guard case .integer(let integer) = value else { throw wrong(field, value, "an integer") }
        return integer
    }

    func number(_ field: String) throws(SiltError) -> Double? {
        switch self[field] {
        case nil: return nil
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        case .some(let value): throw wrong(field, value, "a number")
        }
    }

    func flag(_ field: String) throws(SiltError) -> Bool {
        guard let value = self[field] else { return false }
        guard case .bool(let flag) = value else { throw wrong(field, value, "a boolean") }
        return flag
    }

    func string(_ field: String) throws(SiltError) -> String? {
        guard let value = self[field] else { return nil }
        guard case .string(let string) = value else { throw wrong(field, value, "a string") }
        return string
    }

    /// The strings of an array, or the one string.
    func strings(_ field: String) throws(SiltError) -> [String] {
        guard let value = self[field] else { return [] }
        if case .string(let string) = value { return [string] }
        guard case .array(let elements) = value else { throw wrong(field, value, "an array") }
        var strings: [String] = []
        for element in elements {
            guard case .string(let string) = element else { throw wrong(field, element, "an array of strings") }
            strings.append(string)
        }
        return strings
    }

    /// The patterns of an object whose keys are patterns, in their order: the first that matches counts.
    func pattern<Value>(
        _ field: String, _ parse: (JSONValue) throws(SiltError) -> Value
    ) throws(SiltError) -> [(pattern: KeyPattern, value: Value)] {
        guard let object = self[field] else { return [] }
        guard case .object(let members) = object else { throw wrong(field, object, "an object") }
        var patterns: [(pattern: KeyPattern, value: Value)] = []
        for member in members {
            do throws(SiltError) {
                patterns.append((try KeyPattern(member.key), try parse(member.value)))
            } catch {
                throw error.at(file: path)
            }
        }
        return patterns
    }

    private func wrong(_ field: String, _ value: JSONValue, _ expected: String) -> SiltError {
        refuse("\"\(field)\" is \(value.kind), not \(expected)")
    }
}
