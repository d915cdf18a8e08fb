internal import TensorTypes

/// The fields of one object of the manifest, taken one by one; what is left over at the end is refused unless it begins
/// with `x-`.
///
/// Errors name the place.
struct Fields {
    /// Where the object stands, like `files[2].tensors["a"]`.
    let place: String
    private var fields: JSONFields

    init(_ value: JSONValue?, at place: String) throws(SiltError) {
        self.place = place
        fields = try JSONFields(value, of: .format(.manifest, place: place))
    }

    /// Throws if a field was not taken.
    func finish() throws(SiltError) {
        guard let unknown = fields.names.filter({ !$0.hasPrefix("x-") }).min() else { return }
        throw SiltError(
            .unknownExtension, "\(place) has the unknown field \"\(unknown)\"",
            advice: "a newer silt may read this file")
    }

    static func wrong(_ place: String, expected: String, found: JSONValue?) -> SiltError {
        JSONFields.wrong(place, expected, found, .manifest)
    }

    func has(_ key: String) -> Bool { fields.has(key) }

    mutating func value(_ key: String) -> JSONValue? { fields.remove(key) }

    /// Takes a field that must be there.
    private mutating func taken<Value>(_ key: String, _ expected: String, _ value: Value?) throws(SiltError) -> Value {
        guard let value else { throw fields.wrong(key, expected, nil) }
        fields.remove(key)
        return value
    }

    mutating func string(_ key: String) throws(SiltError) -> String {
        try taken(key, "a string", fields.string(key))
    }

    mutating func optionalString(_ key: String) throws(SiltError) -> String? {
        has(key) ? try string(key) : nil
    }

    /// An integer of at least `minimum`.
    mutating func integer(_ key: String, atLeast minimum: Int = 0) throws(SiltError) -> Int {
        let integer = try taken(key, "an integer", fields.integer(key))
        guard integer >= minimum else {
            throw SiltError(.manifest, "\(place).\(key) must be at least \(minimum), found \(integer)")
        }
        return integer
    }

    mutating func optionalInteger(_ key: String, atLeast minimum: Int = 0) throws(SiltError) -> Int? {
        has(key) ? try integer(key, atLeast: minimum) : nil
    }

    mutating func array(_ key: String) throws(SiltError) -> [JSONValue] {
        try taken(key, "an array", fields.array(key))
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
        if case .array? = fields[key] { true } else { false }
    }

    /// A number.
    mutating func number(_ key: String) throws(SiltError) -> Double {
        try taken(key, "a number", fields.number(key))
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
        let numbers = try taken(key, "an array", fields.numbers(key))
        if let number = numbers.first(where: { !Float($0).isFinite }) {
            throw SiltError(.manifest, "\(place).\(key) has a number that does not fit binary32: \(number)")
        }
        return numbers
    }

    /// A boolean; false if it is not there.
    mutating func flag(_ key: String) throws(SiltError) -> Bool {
        has(key) ? try taken(key, "a boolean", fields.flag(key)) : false
    }

    /// An array of integers: the extents of a shape, which `TensorInfo` checks.
    mutating func extents(_ key: String) throws(SiltError) -> [Int] {
        var extents: [Int] = []
        for value in try array(key) {
            guard case .integer(let extent) = value else {
                throw Fields.wrong("\(place).\(key)", expected: "an array of integers", found: value)
            }
            extents.append(extent)
        }
        return extents
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
