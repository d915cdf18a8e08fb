internal import TensorTypes

/// The fields of one object of the manifest, taken one by one; what is left over at the end is refused unless it begins
/// with `x-`.
///
/// Errors name the place.
struct Fields {
    /// Where the object stands, like `files[2].tensors["a"]`.
    let place: String
    private var members: [String: JSONValue]

    init(_ value: JSONValue?, at place: String) throws(SiltError) {
        self.place = place
        guard case .object(let list) = value else {
            throw Fields.wrong(place, expected: "an object", found: value)
        }
        members = Dictionary(list.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// Throws if a field was not taken.
    func finish() throws(SiltError) {
        guard let unknown = members.keys.filter({ !$0.hasPrefix("x-") }).min() else { return }
        throw SiltError(
            .unknownExtension, "\(place) has the unknown field \"\(unknown)\"",
            advice: "a newer silt may read this file")
    }

    static func wrong(_ place: String, expected: String, found: JSONValue?) -> SiltError {
        SiltError(.manifest, "\(place) must be \(expected), found \(found?.kind ?? "nothing")")
    }

    func has(_ key: String) -> Bool { members[key] != nil }

    mutating func value(_ key: String) -> JSONValue? { members.removeValue(forKey: key) }

    mutating func string(_ key: String) throws(SiltError) -> String {
        let value = value(key)
        guard case .string(let text) = value else {
            throw Fields.wrong("\(place).\(key)", expected: "a string", found: value)
        }
        return text
    }

    mutating func optionalString(_ key: String) throws(SiltError) -> String? {
        has(key) ? try string(key) : nil
    }

    /// An integer of at least `minimum`.
    mutating func integer(_ key: String, atLeast minimum: Int = 0) throws(SiltError) -> Int {
        let value = value(key)
        guard case .integer(let integer) = value else {
            throw Fields.wrong("\(place).\(key)", expected: "an integer", found: value)
        }
        guard integer >= minimum else {
            throw SiltError(.manifest, "\(place).\(key) must be at least \(minimum), found \(integer)")
        }
        return integer
    }

    mutating func optionalInteger(_ key: String, atLeast minimum: Int = 0) throws(SiltError) -> Int? {
        has(key) ? try integer(key, atLeast: minimum) : nil
    }

    mutating func array(_ key: String) throws(SiltError) -> [JSONValue] {
        let value = value(key)
        guard case .array(let elements) = value else {
            throw Fields.wrong("\(place).\(key)", expected: "an array", found: value)
        }
        return elements
    }

    mutating func choice<T: RawRepresentable & CaseIterable>(
        _ key: String, _: T.Type
    ) throws(SiltError) -> T where T.RawValue == String {
        let text = try string(key)
        guard let choice = T(rawValue: text) else {
            let known = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw SiltError(.manifest, "\(place).\(key) must be one of \(known), found \"\(text)\"")
        }
        return choice
    }

    func isArray(_ key: String) -> Bool {
        if case .array = members[key] { true } else { false }
    }

    private static func number(_ value: JSONValue?, _ place: String) throws(SiltError) -> Double {
        switch value {
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        default: throw Fields.wrong(place, expected: "a number", found: value)
        }
    }

    /// A number.
    mutating func number(_ key: String) throws(SiltError) -> Double {
        try Fields.number(value(key), "\(place).\(key)")
    }

    /// A number that binary32 can hold.
    mutating func single(_ key: String) throws(SiltError) -> Double {
        let number = try number(key)
        guard Float(number).isFinite else {
            throw SiltError(.manifest, "\(place).\(key) does not fit binary32: \(number)")
        }
        return number
    }

    /// An array of numbers that binary32 can hold.
    mutating func singles(_ key: String) throws(SiltError) -> [Double] {
        var numbers: [Double] = []
        for value in try array(key) {
            let number = try Fields.number(value, "\(place).\(key)")
            guard Float(number).isFinite else {
                throw SiltError(.manifest, "\(place).\(key) has a number that does not fit binary32: \(number)")
            }
            numbers.append(number)
        }
        return numbers
    }

    /// A boolean; false if it is not there.
    mutating func flag(_ key: String) throws(SiltError) -> Bool {
        guard has(key) else { return false }
        let value = value(key)
        guard case .bool(let flag) = value else {
            throw Fields.wrong("\(place).\(key)", expected: "a boolean", found: value)
        }
        return flag
    }

    mutating func digest(_ key: String) throws(SiltError) -> Digest128 {
        let text = try string(key)
        guard let digest = Digest128(hex: text) else {
            throw SiltError(.manifest, "\(place).\(key) must be 32 lower-case hexadecimal digits, found \"\(text)\"")
        }
        return digest
    }

    mutating func sha256(_ key: String) throws(SiltError) -> String {
        let text = try string(key)
        guard text.utf8.count == 64, Hex.bytes(text) != nil else {
            throw SiltError(.manifest, "\(place).\(key) must be 64 lower-case hexadecimal digits, found \"\(text)\"")
        }
        return text
    }
}
