internal import ByteSources
package import TensorTypes

/// Rescale factors by tensor, as a JSON file has them: an object of numbers, or of arrays with a number for each row.
package enum RescaleFactors {
    /// Bytes that such a file may have.
    private static let limit = 1 << 28

    /// Reads the file `path`.
    ///
    /// - Throws: `usage` if it is no such object; `inputMissing`, `io`.
    package static func read(_ path: String) throws(SiltError) -> [String: [Double]] {
        let advice = "give an object like {\"a.weight\": 0.1, \"b.weight\": [0.1, 0.2]}"
        func refuse(_ message: String) -> SiltError { SiltError(.usage, message, file: path, advice: advice) }
        let json = try JSONFile(path, limit: limit, name: "the file", code: .usage, advice: advice).value
        guard case .object(let members) = json, !members.isEmpty else {
            throw refuse("the file does not contain an object of factors")
        }
        var factors: [String: [Double]] = [:]
        for member in members {
            if case .array(let values) = member.value, !values.isEmpty {
                factors[member.key] = try values.map { value throws(SiltError) in
                    guard let number = value.double else {
                        throw refuse("\(member.key) contains \(value.kind) among its numbers")
                    }
                    return number
                }
            } else if let number = member.value.double {
                factors[member.key] = [number]
            } else {
                throw refuse("\(member.key) is \(member.value.kind), not a number or an array of numbers")
            }
        }
        return factors
    }
}
