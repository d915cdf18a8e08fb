internal import SiltFormat
package import TensorTypes

extension VerifyReport {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "contract": .string(contract.rawValue),
            "identical": .bool(identical),
            "receipt": receipt?.json ?? .null,
            "unknown_digests": .integer(unknownDigests),
            "tensors": .integer(tensors),
            "files": .integer(files),
            "bytes": .integer(bytes),
            "seconds": .number(seconds),
            "compared": .bool(compared),
            "sha256_checked": .bool(sha256Checked),
            "tensor_receipts": .object(tensorReceipts.map { .init($0.name, $0.receipt.json) }),
            "base": .string(baseRoot),
            "result": resultRoot.map { .string($0) } ?? .null,
            "differences": .array(
                differences.map { difference in
                    var members: [JSONValue.Member] = []
                    if let file = difference.file { members.append(.init("file", .string(file))) }
                    if let tensor = difference.tensor { members.append(.init("tensor", .string(tensor))) }
                    members.append(.init("class", .string(difference.kind.name)))
                    members.append(.init("what", .string(difference.what)))
                    return .object(members)
                }),
        ])
    }
}
