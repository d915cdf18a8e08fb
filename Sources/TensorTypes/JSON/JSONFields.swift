/// The members of one JSON object by name, each with the type that it must have.
///
/// Other types are errors in the words of whose object it is; what may be there and what must be is for the caller to say.
package struct JSONFields: Sendable {
    /// Whose object it is.
    package enum Owner: Sendable, Hashable {
        /// A file's, as programs in Python write them: `null` counts as absent, and errors are of class `header`.
        case file(String)
        /// A format's, at a place like `files[2].tensors["a"]`: `null` is a value like any other.
        case format(SiltError.Code, place: String)
    }

    /// The object.
    package let value: JSONValue
    private let owner: Owner
    private var members: [String: JSONValue]

    /// The members of `value`, which must be an object.
    package init(_ value: JSONValue?, of owner: Owner) throws(SiltError) {
        guard case .object(let list)? = value else { throw JSONFields.noObject(value, owner) }
        self.value = .object(list)
        self.owner = owner
        members = Dictionary(list.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The file, for errors; empty for a format's object.
    package var file: String { if case .file(let file) = owner { file } else { "" } }

    /// The names of the members that have not been removed.
    package var names: some Collection<String> { members.keys }

    /// Whether there is a member of this name, whatever it is.
    package func has(_ key: String) -> Bool { members[key] != nil }

    /// The member; nil if it is absent.
    package subscript(key: String) -> JSONValue? {
        guard let found = members[key] else { return nil }
        if found == .null, case .file = owner { return nil }
        return found
    }

    /// Takes a member out.
    @discardableResult
    package mutating func remove(_ key: String) -> JSONValue? { members.removeValue(forKey: key) }

    package func string(_ key: String) throws(SiltError) -> String? {
        guard let found = self[key] else { return nil }
        guard case .string(let string) = found else { throw wrong(key, "a string", found) }
        return string
    }

    package func flag(_ key: String) throws(SiltError) -> Bool? {
        guard let found = self[key] else { return nil }
        guard case .bool(let flag) = found else { throw wrong(key, "a boolean", found) }
        return flag
    }

    package func integer(_ key: String) throws(SiltError) -> Int? {
        guard let found = self[key] else { return nil }
        guard case .integer(let integer) = found else { throw wrong(key, "an integer", found) }
        return integer
    }

    package func number(_ key: String) throws(SiltError) -> Double? {
        guard let found = self[key] else { return nil }
        guard let number = found.double else { throw wrong(key, "a number", found) }
        return number
    }

    package func array(_ key: String) throws(SiltError) -> [JSONValue]? {
        guard let found = self[key] else { return nil }
        guard case .array(let elements) = found else { throw wrong(key, "an array", found) }
        return elements
    }

    package func strings(_ key: String) throws(SiltError) -> [String]? {
        guard let elements = try array(key) else { return nil }
        var strings: [String] = []
        for element in elements {
            guard case .string(let string) = element else { throw wrong(key, "an array of strings", element) }
            strings.append(string)
        }
        return strings
    }

    package func numbers(_ key: String) throws(SiltError) -> [Double]? {
        guard let elements = try array(key) else { return nil }
        var numbers: [Double] = []
        for element in elements {
            guard let number = element.double else { throw wrong(key, "a number", element) }
            numbers.append(number)
        }
        return numbers
    }

    /// The members of a member that is an object, in their order.
    package func object(_ key: String) throws(SiltError) -> [JSONValue.Member]? {
        guard let found = self[key] else { return nil }
        guard case .object(let members) = found else { throw wrong(key, "an object", found) }
        return members
    }

    /// The error for a member that is not what it must be; nil: it is not there.
    package func wrong(_ key: String, _ expected: String, _ found: JSONValue?) -> SiltError {
        switch owner {
        case .file(let file):
            SiltError(.header, "\"\(key)\" is \(found?.kind ?? "missing"), not \(expected)", file: file)
        case .format(let code, let place): JSONFields.wrong("\(place).\(key)", expected, found, code)
        }
    }

    /// The error for what stands at a place of a format.
    package static func wrong(
        _ place: String, _ expected: String, _ found: JSONValue?, _ code: SiltError.Code
    ) -> SiltError {
        SiltError(code, "\(place) must be \(expected), found \(found?.kind ?? "nothing")")
    }

    private static func noObject(_ value: JSONValue?, _ owner: Owner) -> SiltError {
        switch owner {
        case .file(let file):
            SiltError(.header, "the configuration is \(value?.kind ?? "missing"), not an object", file: file)
        case .format(let code, let place): wrong(place, "an object", value, code)
        }
    }
}

extension JSONValue {
    /// The value of a number of either kind.
    package var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }
}
