internal import Safetensors
internal import TensorTypes

/// Checks one part of a tensor (Formats/Silt.md, section 4.3).
struct PartParser {
    let entry: SafetensorsHeader.Entry
    let base: BaseRecord?
    let place: String

    private func fault(_ code: SiltError.Code, _ message: String) -> SiltError {
        SiltError(code, "\(place) \(message)", tensor: entry.name)
    }

    func parse(
        _ value: JSONValue, from start: Int, isLast: Bool, ledger: inout ChunkLedger
    ) throws(SiltError) -> PartRecord {
        var fields = try Fields(value, at: place)
        let kind = try fields.choice("kind", PartKind.self)
        let elements = try range(&fields, from: start, isLast: isLast)
        if kind != .whole {
            guard let base else { throw fault(.manifest, "refers to the base, but its tensor has no sources") }
            guard base.predicts(elements) else {
                throw fault(.coverage, "refers to elements among \(elements) that no source predicts")
            }
        }
        var part = PartRecord(kind: kind, elements: elements)
        if kind != .whole, fields.has("components") {
            part.components = try ComponentParser.parse(
                try fields.array("components"), part, entry.info, tensor: entry.name, at: place, ledger: &ledger)
        }
        if kind != .copy { try coding(&part, &fields, &ledger) }
        try fields.finish()
        return part
    }

    private func range(_ fields: inout Fields, from start: Int, isLast: Bool) throws(SiltError) -> Range<Int> {
        let rest = entry.info.elements - start
        guard fields.has("elements") else {
            guard isLast, rest > 0 else {
                throw fault(.coverage, "has no \"elements\", which only the last part of a tensor may lack")
            }
            return start..<entry.info.elements
        }
        let count = try fields.integer("elements", atLeast: 1)
        guard !isLast else { throw fault(.manifest, "is the last and must not have \"elements\"") }
        guard count <= rest else { throw fault(.coverage, "has \(count) elements where \(rest) are left") }
        return start..<start + count
    }

    private func coding(
        _ part: inout PartRecord, _ fields: inout Fields, _ ledger: inout ChunkLedger
    ) throws(SiltError) {
        let grid = entry.info.grid
        let codec = try fields.choice("codec", Codec.self)
        part.codec = codec
        if part.kind == .exact {
            guard codec == .rans else {
                throw fault(.manifest, "is exact and must have codec rans, not \(codec.rawValue)")
            }
            guard entry.info.dtype.floatLayout != nil else {
                throw fault(.manifest, "is exact, which \(entry.info.dtype.rawValue) does not have")
            }
            let unit = try fields.integer("unit", atLeast: 1)
            guard grid.cell % unit == 0 else {
                throw fault(.manifest, "has unit \(unit), which does not divide the grid's \(grid.cell)")
            }
            part.unit = unit
        }
        if codec == .rans {
            let tables = try fields.integer("tables")
            try ledger.claimTables(tables, at: place)
            part.tables = tables
        }
        let cells = grid.cells(touching: part.elements)
        part.chunks = try ledger.claim(try fields.integer("chunk"), cells.count, at: place)
        for (cell, chunk) in zip(cells, part.chunks) {
            let count = grid.range(cell).clamped(to: part.elements).count
            try ledger.check(chunk, decoded: count * entry.info.dtype.elementBytes, mayBeEmpty: true, at: place)
        }
    }
}
