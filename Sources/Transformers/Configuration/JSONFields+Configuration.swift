internal import TensorTypes

/// The members of a config.json.
extension JSONFields {
    /// The largest extent that a configuration may name: anything larger has no tensor that Silt reads.
    static let extentLimit = 1 << 24

    /// An error of class `usage` about this file: what Silt does not run.
    func unsupported(_ message: String) -> SiltError {
        SiltError(.usage, message, file: file, advice: "\(option: .evaluator) CMD runs any model with your own program")
    }

    /// A count or an extent, in one of the spellings `keys`: from 1 to `extentLimit`.
    func extent(_ keys: String...) throws(SiltError) -> Int? {
        for key in keys {
            guard let integer = try integer(key) else { continue }
            guard (1...JSONFields.extentLimit).contains(integer) else {
                throw SiltError(
                    .header, "\"\(key)\" is \(integer); it must be from 1 to \(JSONFields.extentLimit)", file: file)
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

    /// Whether members are objects themselves.
    var hasObjects: Bool {
        guard case .object(let members) = value else { return false }
        return members.contains { member in
            if case .object = member.value { true } else { false }
        }
    }

    /// The fields of a member that is an object.
    func fields(_ key: String) throws(SiltError) -> JSONFields? {
        guard let members = try object(key) else { return nil }
        return try JSONFields(.object(members), of: .file(file))
    }
}
