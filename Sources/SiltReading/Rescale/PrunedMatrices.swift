internal import DeltaCodecs
internal import SiltFormat
internal import TensorTypes

/// Which matrices of a file are pruned, and so divided by q (Formats/Silt.md, section 12.3).
struct PrunedMatrices: Sendable {
    /// Names that `method` of `packing` may consist of.
    static let methods: Set<String> = [
        "random", "magnitude", "wanda", "columns", "rows", "nm", "sign", "dense", "lowrank", "transform",
    ]

    /// Whether masks that store rows leave out those that were pruned, not those that never moved; nil if the file does not say.
    private let prunesRows: Bool?

    init(_ manifest: Manifest) {
        let names = manifest.packing.first { $0.name == "method" }?.value.split(separator: "+").map(String.init) ?? []
        prunesRows = names.isEmpty || !PrunedMatrices.methods.isSuperset(of: names) ? nil : names.contains("rows")
    }

    /// Throws `usage` if the file does not say.
    func contains(_ matrix: MatrixRecord) throws(SiltError) -> Bool {
        let coding = matrix.coding
        if coding.q != nil || coding.masks.contains(where: { $0.over != .rows || $0.isSeeded }) { return true }
        if coding.masks.isEmpty { return false }
        guard let prunesRows else {
            throw SiltError(
                .usage, "the file does not say whether the rows that this matrix leaves out were pruned",
                advice: "its packing.method is missing or unknown: pack again")
        }
        return prunesRows
    }

    /// Whether a matrix of the tensor is pruned; what a part codes over a prediction needs the one that it was coded over.
    func contains(_ tensor: TensorRecord) throws(SiltError) -> Bool {
        for part in tensor.parts where part.kind == .copy {
            for matrix in part.components.flatMap(\.matrices) {
                do throws(SiltError) {
                    if try contains(matrix) { return true }
                } catch {
                    throw error.at(tensor: tensor.name)
                }
            }
        }
        return false
    }
}

extension MaskCoding {
    /// Whether positions are made again from a seed.
    var isSeeded: Bool {
        if case .seeded = positions { true } else { false }
    }
}
