internal import DeltaCodecs
internal import TensorTypes

extension ComponentRecord {
    /// The component as JSON (Formats/Silt.md, section 12.2).
    var json: JSONValue {
        switch self {
        case .sparse(let matrix):
            return .members(["kind": .string("sparse"), "matrix": matrix.json])
        case .lowRank(let product):
            var members: [JSONValue.Member] = [
                .init("kind", .string("low-rank")), .init("rank", .integer(product.rank)),
                .init("left", product.left.json), .init("right", product.right.json),
            ]
            if let scale = product.scale { members.append(.init("scale", .number(scale))) }
            return .object(members)
        }
    }
}

extension MatrixRecord {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = []
        if !coding.masks.isEmpty {
            let masks = zip(coding.masks, maskTables).map { mask, tables in
                mask.json(tables: tables, chunk: columnChunk)
            }
            members.append(.init("masks", .array(masks)))
        }
        members.append(.init("values", coding.values.json(tables: valueTables)))
        switch coding.q {
        case .all(let q): members.append(.init("q", .number(q)))
        case .rows(let q): members.append(.init("q", .array(q.map { .number($0) })))
        case nil: break
        }
        members.append(.init("chunk", .integer(chunks.lowerBound)))
        return .object(members)
    }
}

extension MaskCoding {
    fileprivate func json(tables: Int?, chunk: Int?) -> JSONValue {
        var members: [JSONValue.Member] = [.init("over", .string(over.rawValue))]
        switch positions {
        case .seeded(let seed, let threshold):
            // Seeds are below 2^63.
            members += [
                .init("by", .string("seeded")), .init("seed", .integer(Int(truncatingIfNeeded: seed))),
                .init("threshold", .integer(Int(threshold))),
            ]
            return .object(members)
        case .bits(let codec, let width):
            members += [.init("by", .string("bits")), .init("codec", .string(codec.rawValue))]
            if codec == .rans { members.append(.init("width", .integer(width))) }
        case .gaps(let codec):
            members += [.init("by", .string("gaps")), .init("codec", .string(codec.rawValue))]
        }
        if let tables { members.append(.init("tables", .integer(tables))) }
        if over == .columns, let chunk { members.append(.init("chunk", .integer(chunk))) }
        return .object(members)
    }
}

extension ValueCoding {
    fileprivate func json(tables: Int?) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", .string(type.rawValue)), .init("codec", .string(codec.rawValue)),
        ]
        if let tables { members.append(.init("tables", .integer(tables))) }
        switch scale {
        case .none: break
        case .step(let step): members.append(.init("step", .number(Double("\(step)") ?? Double(step))))
        case .rows: members.append(.init("scales", .string("rows")))
        case .groups(let group):
            members += [.init("scales", .string("groups")), .init("group", .integer(group))]
        }
        return .object(members)
    }
}

extension Receipt {
    /// The receipt as JSON (Formats/Silt.md, section 12.7).
    var json: JSONValue {
        .members(["l2": .number(l2), "max": .number(max), "cosine": .number(cosine), "changed": .number(changed)])
    }
}

extension EvaluationRecord {
    /// The evaluation as JSON (Formats/Silt.md, section 12.9).
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("data", .string(data)), .init("use", .string(use.rawValue)), .init("metric", .string(metric)),
            .init("examples", .integer(examples)),
        ]
        if let base { members.append(.init("base", .number(base))) }
        members += [.init("finetuned", .number(fineTuned)), .init("rebuilt", .number(rebuilt))]
        return .object(members)
    }
}
