internal import TensorTypes

/// The members of a config.json, read with checks.
///
/// A member that is null counts as absent, as it does in the libraries that write these files.
struct ConfigurationFields {
    let value: JSONValue
    let file: String

    /// The largest extent that a configuration may name: anything larger has no tensor that Silt reads.
    static let extentLimit = 1 << 24

    init(_ value: JSONValue, file: String) throws(SiltError) {
        guard case .object = value else {
            throw SiltError(.header, "the configuration is \(value.kind), not an object", file: file)
        }
        self.value = value
        self.file = file
    }

    /// An error of class `usage` about this file: what Silt does not run.
    func unsupported(_ message: String) -> SiltError {
        SiltError(.usage, message, file: file, advice: "\(option: .evaluator) CMD runs any model with your own program")
    }

    private func wrong(_ key: String, _ found: JSONValue, _ expected: String) -> SiltError {
        SiltError(.header, "\"\(key)\" is \(found.kind), not \(expected)", file: file)
    }

    /// The member, unless it is absent or null.
    func present(_ key: String) -> JSONValue? {
        guard let found = value[key], found != .null else { return nil }
        return found
    }

    func string(_ key: String) throws(SiltError) -> String? {
        guard let found = present(key) else { return nil }
        guard case .string(let string) = found else { throw wrong(key, found, "a string") }
        return string
    }

    func flag(_ key: String) throws(SiltError) -> Bool? {
        guard let found = present(key) else { return nil }
        guard case .bool(let flag) = found else { throw wrong(key, found, "a boolean") }
        return flag
    }

    func number(_ key: String) throws(SiltError) -> Double? {
        switch present(key) {
        case nil: return nil
        case .integer(let integer): return Double(integer)
        case .number(let number) where number.isFinite: return number
        case let found?: throw wrong(key, found, "a finite number")
        }
    }

    func integer(_ key: String) throws(SiltError) -> Int? {
        guard let found = present(key) else { return nil }
        guard case .integer(let integer) = found else { throw wrong(key, found, "an integer") }
        return integer
    }

    /// A count or an extent, in one of the spellings `keys`: from 1 to `extentLimit`.
    func extent(_ keys: String...) throws(SiltError) -> Int? {
        for key in keys {
            guard let integer = try integer(key) else { continue }
            guard (1...ConfigurationFields.extentLimit).contains(integer) else {
                throw SiltError(
                    .header, "\"\(key)\" is \(integer); it must be from 1 to \(ConfigurationFields.extentLimit)",
                    file: file)
            }
            return integer
        }
        return nil
    }

    /// An extent that must be there.
    func needed(_ key: String, or other: String? = nil) throws(SiltError) -> Int {
        if let found = try extent(key) { return found }
        if let other, let found = try extent(other) { return found }
        throw SiltError(.header, "\"\(key)\" is missing", file: file, advice: "is this the config.json of a model?")
    }

    func strings(_ key: String) throws(SiltError) -> [String]? {
        guard let found = present(key) else { return nil }
        guard case .array(let values) = found else { throw wrong(key, found, "an array") }
        var strings: [String] = []
        for value in values {
            guard case .string(let string) = value else { throw wrong(key, value, "an array of strings") }
            strings.append(string)
        }
        return strings
    }

    /// Whether members are objects themselves.
    var hasObjects: Bool {
        guard case .object(let members) = value else { return false }
        return members.contains { member in
            if case .object = member.value { true } else { false }
        }
    }

    /// The fields of a member that is an object.
    func object(_ key: String) throws(SiltError) -> ConfigurationFields? {
        guard let found = present(key) else { return nil }
        guard case .object = found else { throw wrong(key, found, "an object") }
        return try ConfigurationFields(found, file: file)
    }
}
