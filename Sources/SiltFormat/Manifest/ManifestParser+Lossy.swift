internal import TensorTypes

/// What only lossy files have, and what is for people (Formats/Silt.md, sections 4.1, 12.7 and 12.8).
extension ManifestParser {
    static func receipt(_ parent: inout Fields, _ contract: Manifest.Contract) throws(SiltError) -> Receipt? {
        guard parent.has("receipt") else { return nil }
        guard contract == .lossy else {
            throw SiltError(.manifest, "\(parent.place).receipt must not be there in an exact file")
        }
        var fields = try Fields(parent.value("receipt"), at: "\(parent.place).receipt")
        let receipt = Receipt(
            l2: try fields.number("l2"), max: try fields.number("max"), cosine: try fields.number("cosine"),
            changed: try fields.number("changed"))
        try fields.finish()
        return receipt
    }

    static func packing(_ fields: inout Fields) throws(SiltError) -> [(name: String, value: String)] {
        guard fields.has("packing") else { return [] }
        let place = "\(fields.place).packing"
        guard case .object(let members) = fields.value("packing") else {
            throw SiltError(.manifest, "\(place) must be an object")
        }
        var packing: [(name: String, value: String)] = []
        for member in members {
            guard case .string(let text) = member.value else {
                throw Fields.wrong("\(place).\(member.key)", expected: "a string", found: member.value)
            }
            packing.append((member.key, text))
        }
        return packing
    }

    /// The adapter, whose tensors must be there.
    static func adapter(_ parent: inout Fields, _ files: [FileRecord]) throws(SiltError) -> AdapterRecord? {
        guard parent.has("adapter") else { return nil }
        let place = "\(parent.place).adapter"
        var fields = try Fields(parent.value("adapter"), at: place)
        var products: [ByteName: Int] = [:]
        for case .safetensors(_, let tensors) in files.map(\.content) {
            for tensor in tensors {
                products[ByteName(tensor.name)] = tensor.parts.flatMap(\.components).reduce(0) { count, component in
                    if case .lowRank = component { count + 1 } else { count }
                }
            }
        }
        var adapter = AdapterRecord(config: try fields.string("config"), tensors: [])
        for (index, value) in try fields.array("tensors").enumerated() {
            var entry = try Fields(value, at: "\(place).tensors[\(index)]")
            let name = try entry.string("name")
            let of = try entry.string("of")
            let factor = entry.has("factor") ? try entry.choice("factor", AdapterRecord.Tensor.Factor.self) : nil
            let transposed = try entry.flag("transposed")
            try entry.finish()
            guard let count = products[ByteName(of)], factor == nil || count == 1 else {
                throw SiltError(
                    .manifest, "\(entry.place) names a tensor that the result lacks, or that has no one product",
                    tensor: of)
            }
            adapter.tensors.append(.init(name: name, of: of, factor: factor, transposed: transposed))
        }
        try fields.finish()
        return adapter
    }
}
