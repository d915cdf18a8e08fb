internal import DeltaCodecs
internal import TensorTypes

/// Checks the components of a part (Formats/Silt.md, section 12).
struct ComponentParser {
    /// Rows and columns of the part as a matrix.
    let rows: Int
    let columns: Int
    let tensor: String

    /// The components of `part`, which the tensor's dtype and grid must allow.
    static func parse(
        _ values: [JSONValue], _ part: PartRecord, _ info: TensorInfo, tensor: String, at place: String,
        ledger: inout ChunkLedger
    ) throws(SiltError) -> [ComponentRecord] {
        func fault(_ code: SiltError.Code, _ message: String) -> SiltError {
            SiltError(code, "\(place) \(message)", tensor: tensor)
        }
        guard !values.isEmpty else { throw fault(.manifest, "has an empty array of components") }
        guard values.count <= ComponentRecord.limit else {
            throw fault(.limit, "has \(values.count) components; at most \(ComponentRecord.limit) are allowed")
        }
        guard info.dtype.isPredictable else {
            throw fault(.manifest, "has components, which \(info.dtype.rawValue) does not have")
        }
        let columns = info.matrixColumns
        guard (1...Grid.limit).contains(columns) else {
            throw fault(.manifest, "has components and \(columns) columns; at most \(Grid.limit) are allowed")
        }
        guard part.elements.lowerBound % info.grid.cell == 0, part.elements.count % columns == 0 else {
            throw fault(.manifest, "has components and must have whole rows, from the start of a cell on")
        }
        let parser = ComponentParser(rows: part.elements.count / columns, columns: columns, tensor: tensor)
        var components: [ComponentRecord] = []
        for (index, value) in values.enumerated() {
            components.append(try parser.component(value, at: "\(place).components[\(index)]", &ledger))
        }
        return components
    }

    private func component(
        _ value: JSONValue, at place: String, _ ledger: inout ChunkLedger
    ) throws(SiltError) -> ComponentRecord {
        var fields = try Fields(value, at: place)
        let kind = try fields.string("kind")
        let component: ComponentRecord
        switch kind {
        case "sparse":
            component = .sparse(try matrix(&fields, "matrix", rows: rows, columns: columns, &ledger))
        case "low-rank":
            let rank = try fields.integer("rank", atLeast: 1)
            // Rows and columns are at most 2^63 / 8 and 2^18: rank is bounded before it is multiplied.
            guard rows <= Grid.limit, rank <= ComponentRecord.rankLimit,
                rank <= Grid.factorLimit / max(rows, columns)
            else {
                throw SiltError(
                    .limit,
                    "\(place) has rank \(rank) for \(rows) x \(columns); at most \(ComponentRecord.rankLimit) are allowed, "
                        + "and factors of \(Grid.factorLimit) elements and \(Grid.limit) columns",
                    tensor: tensor)
            }
            let left = try matrix(&fields, "left", rows: rank, columns: rows, &ledger)
            let right = try matrix(&fields, "right", rows: rank, columns: columns, &ledger)
            var scale: Double?
            if fields.has("scale") {
                let number = try fields.single("scale")
                guard Float(number) != 0 else {
                    throw SiltError(.manifest, "\(place).scale must not be 0", tensor: tensor)
                }
                scale = number
            }
            component = .lowRank(LowRankRecord(rank: rank, left: left, right: right, scale: scale))
        default:
            throw SiltError(
                .manifest, "\(place).kind must be one of sparse, low-rank, found \"\(kind)\"", tensor: tensor)
        }
        try fields.finish()
        return component
    }

    private func matrix(
        _ parent: inout Fields, _ key: String, rows: Int, columns: Int, _ ledger: inout ChunkLedger
    ) throws(SiltError) -> MatrixRecord {
        let place = "\(parent.place).\(key)"
        var fields = try Fields(parent.value(key), at: place)
        var record = MatrixRecord(
            coding: MatrixCoding(
                masks: [], values: ValueCoding(type: .f32, codec: .none, scale: .none), q: nil),
            chunks: 0..<0, maskTables: [])
        if fields.has("masks") {
            let masks = try fields.array("masks")
            guard (1...3).contains(masks.count) else {
                throw SiltError(
                    .manifest, "\(place).masks must have 1 to 3 masks, found \(masks.count)", tensor: tensor)
            }
            for (index, value) in masks.enumerated() {
                let mask = try self.mask(value, at: "\(place).masks[\(index)]", columns: columns, &record, &ledger)
                guard !record.coding.masks.contains(where: { $0.over == mask.over }) else {
                    throw SiltError(
                        .manifest, "\(place) has two masks over \(mask.over.rawValue)", tensor: tensor)
                }
                record.coding.masks.append(mask)
            }
        }
        var values = try Fields(fields.value("values"), at: "\(place).values")
        record.coding.values = try self.values(&values, &record, &ledger)
        try values.finish()
        record.coding.q = try rescale(&fields, rows: rows)
        let perCell = max(1, Grid.limit / columns)
        let cells = (rows + perCell - 1) / perCell
        record.chunks = try ledger.claim(try fields.integer("chunk"), cells, at: place)
        for (cell, chunk) in record.chunks.enumerated() {
            let count = min(perCell, rows - cell * perCell) * columns
            try ledger.check(chunk, decoded: 4 * count, mayBeEmpty: true, at: place)
        }
        try fields.finish()
        return record
    }

    private func mask(
        _ value: JSONValue, at place: String, columns: Int, _ record: inout MatrixRecord, _ ledger: inout ChunkLedger
    ) throws(SiltError) -> MaskCoding {
        var fields = try Fields(value, at: place)
        let over = try fields.choice("over", MaskCoding.Over.self)
        let by = try fields.string("by")
        let positions: MaskCoding.Positions
        var tables: Int?
        switch by {
        case "seeded":
            let seed = try fields.integer("seed")
            let threshold = try fields.integer("threshold", atLeast: 1)
            guard let threshold = UInt32(exactly: threshold) else {
                throw SiltError(
                    .manifest, "\(place).threshold must be below 4,294,967,296, found \(threshold)", tensor: tensor)
            }
            positions = .seeded(seed: UInt64(seed), threshold: threshold)
        case "bits":
            let codec = try codec(&fields, [.none, .rans])
            var width = 8
            if codec == .rans {
                width = try fields.integer("width", atLeast: 1)
                guard width <= 8 else {
                    throw SiltError(.manifest, "\(place).width must be 1 to 8, found \(width)", tensor: tensor)
                }
                tables = try self.tables(&fields, &ledger)
            }
            positions = .bits(codec, width: width)
        case "gaps":
            let codec = try codec(&fields, [.none, .rans, .adaptive])
            if codec == .rans { tables = try self.tables(&fields, &ledger) }
            positions = .gaps(codec)
        default:
            throw SiltError(
                .manifest, "\(place).by must be one of seeded, bits, gaps, found \"\(by)\"", tensor: tensor)
        }
        record.maskTables.append(tables)
        if over == .columns, by != "seeded" {
            let chunk = try ledger.claim(try fields.integer("chunk"), 1, at: place)
            try ledger.check(chunk.lowerBound, decoded: 4 * columns, mayBeEmpty: false, at: place)
            record.columnChunk = chunk.lowerBound
        }
        try fields.finish()
        return MaskCoding(over: over, positions: positions)
    }

    private func values(
        _ fields: inout Fields, _ record: inout MatrixRecord, _ ledger: inout ChunkLedger
    ) throws(SiltError) -> ValueCoding {
        let type = try fields.choice("type", ValueType.self)
        let allowed: [StreamCodec]
        switch type {
        case .f32, .f16, .bf16: allowed = [.none, .zstd, .rans]
        case .int8, .int4, .int2: allowed = [.none, .rans, .adaptive]
        case .int: allowed = [.adaptive]
        case .sign: allowed = [.none, .rans]
        }
        let codec = try codec(&fields, allowed)
        if codec == .rans { record.valueTables = try tables(&fields, &ledger) }
        return ValueCoding(type: type, codec: codec, scale: try scale(&fields, type))
    }

    private func scale(_ fields: inout Fields, _ type: ValueType) throws(SiltError) -> ValueCoding.Scale {
        guard !type.isFloat else { return .none }
        guard !fields.has("scales") || !fields.has("step") else {
            throw SiltError(.manifest, "\(fields.place) has both step and scales", tensor: tensor)
        }
        guard fields.has("scales") else {
            let step = try fields.single("step")
            guard Float(step) > 0 else {
                throw SiltError(.manifest, "\(fields.place).step must be above 0, found \(step)", tensor: tensor)
            }
            return .step(Float(step))
        }
        switch try fields.string("scales") {
        case "rows": return .rows
        case "groups": return .groups(try fields.integer("group", atLeast: 1))
        case let other:
            throw SiltError(
                .manifest, "\(fields.place).scales must be one of rows, groups, found \"\(other)\"", tensor: tensor)
        }
    }

    private func rescale(_ fields: inout Fields, rows: Int) throws(SiltError) -> RescaleFactor? {
        guard fields.has("q") else { return nil }
        let place = "\(fields.place).q"
        let q: RescaleFactor
        let numbers: [Double]
        if fields.isArray("q") {
            numbers = try fields.singles("q")
            guard numbers.count == rows else {
                throw SiltError(
                    .manifest, "\(place) has \(numbers.count) numbers for \(rows) rows", tensor: tensor)
            }
            q = .rows(numbers)
        } else {
            let number = try fields.single("q")
            numbers = [number]
            q = .all(number)
        }
        guard numbers.allSatisfy({ Float($0) > 0 }) else {
            throw SiltError(.manifest, "\(place) must be above 0", tensor: tensor)
        }
        return q
    }

    private func codec(_ fields: inout Fields, _ allowed: [StreamCodec]) throws(SiltError) -> StreamCodec {
        let codec = try fields.choice("codec", StreamCodec.self)
        guard allowed.contains(codec) else {
            throw SiltError(
                .manifest,
                "\(fields.place).codec must be one of \(allowed.map(\.rawValue).joined(separator: ", ")), found "
                    + "\"\(codec.rawValue)\"", tensor: tensor)
        }
        return codec
    }

    private func tables(_ fields: inout Fields, _ ledger: inout ChunkLedger) throws(SiltError) -> Int {
        let index = try fields.integer("tables")
        try ledger.claimTables(index, at: fields.place)
        return index
    }
}
