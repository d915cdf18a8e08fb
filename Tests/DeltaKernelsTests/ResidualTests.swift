import CSiltKernels
import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

/// A chunk of the residual and what it was made from.
struct ResidualChunk {
    let layout: FloatLayout
    let unit: Int
    let base: BitPatterns
    let result: BitPatterns
    let tables: ResidualTables
    let bytes: [UInt8]

    /// Codes `result` with tables that were made for it.
    init(_ layout: FloatLayout, unit: Int, base: BitPatterns, result: BitPatterns) throws {
        (self.layout, self.unit, self.base, self.result) = (layout, unit, base, result)
        let (from, to, count) = (base.buffer, result.buffer, base.values.count)
        let workspaces = KernelLevel.available.map { ResidualEncoder.Workspace(level: $0) }
        var all: [ResidualStatistics] = []
        // Twice: what one chunk leaves in the counters must not count in the next.
        for workspace in workspaces + workspaces {
            var statistics = ResidualStatistics()
            unsafe workspace.measure(layout, base: from.start, result: to.start, count: count, unit: unit) {
                statistics.add($0)
            }
            all.append(statistics)
        }
        for other in all.dropFirst() {
            let isEqual =
                other.histogram == all[0].histogram && other.stillUnits == all[0].stillUnits
                && other.scaleCounts.elementsEqual(all[0].scaleCounts, by: ==)
            #expect(isEqual, "levels differ")
        }
        let plan = ResidualPlan(width: layout.width, for: all[0])
        let encoder = ResidualEncoder(plan)
        let chunks = workspaces.map {
            unsafe encoder.encode(
                layout, base: from.start, result: to.start, count: count, unit: unit, workspace: $0)
        }
        for other in chunks.dropFirst() {
            let isEqual = other == chunks[0]
            #expect(isEqual, "levels differ")
        }
        bytes = chunks[0]
        tables = try ResidualTables(stored: plan.tables.stored, width: layout.width)
    }

    /// What decoding `bytes` (as they are, or altered) gives: the patterns' bytes, or the reason of a refusal.
    ///
    /// - Parameter inPlace: whether the result takes the place of the base.
    func decode(_ bytes: [UInt8], level: KernelLevel, inPlace: Bool = false) -> Result<[UInt8], ChunkError> {
        let count = base.values.count
        let from = base.buffer
        let target = inPlace ? from : ByteBuffer(capacity: count * layout.width / 8)
        do throws(ChunkError) {
            try unsafe GuardedBytes.with(bytes) { (start: UnsafePointer<UInt8>) throws(ChunkError) in
                try unsafe ResidualDecoder(tables).decode(
                    UnsafeRawBufferPointer(start: start, count: bytes.count), layout, base: from.start,
                    result: target.start, count: count, unit: unit, unitCodes: ByteBuffer(), level: level)
            }
            return .success(target.bytes(count * layout.width / 8))
        } catch {
            return .failure(error)
        }
    }

    /// The reason why decoding fails; nil if it does not.
    func refusal(_ bytes: [UInt8], level: KernelLevel) -> String? {
        guard case .failure(let error) = decode(bytes, level: level) else { return nil }
        return error.reason
    }
}

/// A way to make a chunk.
struct ResidualCase: Sendable, CustomTestStringConvertible {
    let dtype: DType
    let kind: BitPatterns.Kind
    let movement: BitPatterns.Movement
    let count: Int
    let unit: Int

    var testDescription: String {
        "\(count) \(dtype.rawValue), \(kind.rawValue), \(movement.rawValue), units of \(unit)"
    }

    func chunk(seed: UInt64 = 1) throws -> ResidualChunk {
        var generator = SeededGenerator(seed: seed)
        let layout = try #require(dtype.floatLayout)
        let base = BitPatterns(kind, layout, count: count, using: &generator)
        return try ResidualChunk(
            layout, unit: unit, base: base, result: base.moved(movement, unit: unit, using: &generator))
    }
}

@Suite("The residual: every level gives the same bits (section 7)")
struct ResidualLevelTests {
    static let dtypes: [DType] = [.f32, .f16, .bf16, .f8E4M3, .f8E5M2, .f8E4M3FNUZ, .f8E5M2FNUZ]

    /// Counts around those where the lanes and the vectors change, with units that divide 32 and units that do not.
    static let shapes = [
        (1, 1), (31, 7), (32, 32), (33, 1_024), (8_191, 100), (8_192, 64), (8_192, 1), (8_193, 33), (8_223, 8_223),
        (9_000, 1_000), (8_256, 96),
    ]

    static let cases: [ResidualCase] = dtypes.flatMap { dtype in
        shapes.enumerated().flatMap { index, shape in
            // Every kind and movement comes with every dtype, every shape with some of them.
            (0..<4).map { turn in
                ResidualCase(
                    dtype: dtype, kind: BitPatterns.Kind.allCases[(index + turn) % 5],
                    movement: BitPatterns.Movement.allCases[(index / 2 + 3 * turn) % 4], count: shape.0, unit: shape.1)
            }
        }
    }

    @Test("round trip", arguments: cases)
    func roundTrip(of each: ResidualCase) throws {
        let chunk = try each.chunk()
        #expect(chunk.bytes.isEmpty == (chunk.base == chunk.result))
        for level in KernelLevel.available {
            for inPlace in [false, true] {
                let back = chunk.decode(chunk.bytes, level: level, inPlace: inPlace)
                // Not in the expectation: a failure would print every byte.
                let isEqual = try back.get() == chunk.result.bytes
                #expect(isEqual, "\(level), \(inPlace ? "in place of the base" : "beside the base")")
            }
        }
    }

    @Test(
        "a whole cell",
        arguments: zip(dtypes, [BitPatterns.Movement.mixed, .light, .heavy, .mixed, .light, .heavy, .mixed]))
    func cell(dtype: DType, movement: BitPatterns.Movement) throws {
        try roundTrip(
            of: ResidualCase(
                dtype: dtype, kind: .weights, movement: movement, count: dtype.bits == 8 ? 70_000 : 262_144, unit: 1_000
            ))
    }

    @Test("every pattern of 16 bits as base and as result", arguments: [DType.f16, .bf16])
    func allPatterns(dtype: DType) throws {
        var generator = SeededGenerator(seed: 2)
        let layout = try #require(dtype.floatLayout)
        let base = BitPatterns(.all, layout, count: 65_536, using: &generator)
        let chunk = try ResidualChunk(
            layout, unit: 257, base: base,
            result: BitPatterns(width: 16, values: base.values.map { ($0 &* 40_503 &+ 12_345) & 0xFFFF }))
        for level in KernelLevel.available {
            let isEqual = try chunk.decode(chunk.bytes, level: level).get() == chunk.result.bytes
            #expect(isEqual)
        }
    }

    @Test("altered and shortened chunks: the same bits or the same refusal", arguments: [DType.f32, .f16, .bf16])
    func damage(dtype: DType) throws {
        let chunk = try ResidualCase(dtype: dtype, kind: .weights, movement: .mixed, count: 8_224, unit: 96).chunk()
        var generator = SeededGenerator(seed: 4)
        var refusals: Set<String> = []
        for round in 0..<60 {
            var bytes = chunk.bytes
            switch round % 4 {
            case 0: bytes.removeLast(1 + generator.below(round < 20 ? 8 : bytes.count - 1))
            case 1: bytes[generator.below(bytes.count)] ^= UInt8(1 << generator.below(8))
            // The raw bits are at the end, states and unit codes at the beginning.
            case 2: bytes[bytes.count - 1 - generator.below(min(400, bytes.count))] = UInt8(generator.below(256))
            default: bytes[generator.below(300)] = UInt8(generator.below(256))
            }
            let scalar = chunk.decode(bytes, level: .scalar)
            for level in KernelLevel.available.dropFirst() {
                switch (scalar, chunk.decode(bytes, level: level)) {
                case (.success(let first), .success(let second)):
                    let isEqual = first == second
                    #expect(isEqual)
                case (.failure(let first), .failure(let second)): #expect(first.reason == second.reason)
                default: Issue.record("one level refuses what the other takes")
                }
            }
            if case .failure(let error) = scalar { refusals.insert(error.reason) }
        }
        #expect(refusals.count >= 3, "the damage is of one kind: \(refusals)")
    }

    @Test("each end is checked, at every level", arguments: [DType.f32, .bf16])
    func ends(dtype: DType) throws {
        let chunk = try ResidualCase(dtype: dtype, kind: .weights, movement: .heavy, count: 8_224, unit: 96).chunk()
        for level in KernelLevel.available {
            #expect(chunk.refusal(chunk.bytes, level: level) == nil)
            #expect(chunk.refusal(chunk.bytes + [0], level: level) == "raw bits are left over")
            #expect(chunk.refusal(Array(chunk.bytes.dropLast(40)), level: level) == "its raw bits end early")
            let lengths = "the lengths of its streams do not fit into it"
            #expect(chunk.refusal(Array(chunk.bytes.prefix(20)), level: level) == lengths)
            #expect(chunk.refusal([0x80], level: level) == lengths)
        }
    }
}

/// Sections 7.1 and 7.2 read literally, with integers of unbounded room.
private struct SlowResidual {
    let layout: FloatLayout

    private func ordered(_ u: UInt32) -> Int {
        let width = layout.width
        let flipped = Int(u) >> (width - 1) == 0 ? Int(u) : Int(u) ^ (1 << (width - 1) - 1)
        return flipped >= 1 << (width - 1) ? flipped - 1 << width : flipped
    }

    private func folded(_ base: UInt32, _ result: UInt32) -> Int {
        let width = layout.width
        var d = (ordered(result) - ordered(base)) % (1 << width)
        if d >= 1 << (width - 1) { d -= 1 << width }
        if d < -(1 << (width - 1)) { d += 1 << width }
        return d >= 0 ? 2 * d : -2 * d - 1
    }

    /// The symbol of an element, and its raw bits, lowest first.
    func symbol(_ base: UInt32, _ result: UInt32) -> (symbol: Int, raw: [Int]) {
        let z = folded(base, result)
        let g = layout.width == 8 ? 8 : layout.width == 16 ? 6 : 4
        guard z >= 1 << g else { return (z, []) }
        var e = g
        while z >> (e + 1) > 0 { e += 1 }
        return (1 << g + 8 * (e - g) + (z >> (e - 3)) & 7, (0..<e - 3).map { z >> $0 & 1 })
    }

    /// The class of an element of a unit with scale R.
    func residualClass(_ base: UInt32, scale: Int) -> Int {
        let e = Int(base >> UInt32(layout.mantissaBits)) & (1 << layout.exponentBits - 1)
        return 1 + min(30, max(0, scale - 2 * e))
    }
}

@Suite("The residual: symbols, classes and raw bits (section 7)")
struct ResidualSymbolTests {
    /// Symbols, rows and raw bytes as the kernel gives them; row = class.
    private func symbols(
        _ base: BitPatterns, _ result: BitPatterns, _ layout: FloatLayout, unit: Int, codes: [UInt8], origin: Int
    ) -> (symbols: [UInt8], rows: [UInt8], raw: [UInt8]) {
        let found = KernelLevel.available.map {
            symbols(base, result, layout, unit: unit, codes: codes, origin: origin, level: $0)
        }
        for other in found.dropFirst() {
            let isEqual = other == found[0]
            #expect(isEqual, "levels differ")
        }
        return found[0]
    }

    private func symbols(
        _ base: BitPatterns, _ result: BitPatterns, _ layout: FloatLayout, unit: Int, codes: [UInt8], origin: Int,
        level: KernelLevel
    ) -> (symbols: [UInt8], rows: [UInt8], raw: [UInt8]) {
        let count = base.values.count
        let type = silt_float(
            width: UInt32(layout.width), mantissa_bits: UInt32(layout.mantissaBits),
            exponent_mask: UInt32(1) << UInt32(layout.exponentBits) - 1)
        let (from, to) = (base.buffer, result.buffer)
        var (symbols, rows) = ([UInt8](repeating: 99, count: count), [UInt8](repeating: 99, count: count))
        var raw = [UInt8](repeating: 0, count: 4 * count + 8)
        let size = unsafe silt_residual_symbols(
            level.rawValue, type, from.start, to.start, count, unit, codes, Int32(origin), (0..<32).map { UInt8($0) },
            &symbols, &rows, &raw)
        return (symbols, rows, Array(raw.prefix(size)))
    }

    @Test("as the text says", arguments: ResidualLevelTests.dtypes, [BitPatterns.Kind.random, .special, .all])
    func oracle(dtype: DType, kind: BitPatterns.Kind) throws {
        var generator = SeededGenerator(seed: 9)
        let layout = try #require(dtype.floatLayout)
        let (count, unit, origin) = (2_000, 37, -20)
        let base = BitPatterns(kind, layout, count: count, using: &generator)
        let result = BitPatterns(.random, layout, count: count, using: &generator).moved(
            .light, unit: unit, using: &generator)
        let codes = (0..<(count + unit - 1) / unit).map { _ in UInt8(generator.below(256)) }
            .map { $0 % 5 == 0 ? 0 : $0 }
        // A unit with code 0 equals the base.
        let equal = BitPatterns(
            width: layout.width,
            values: result.values.indices.map { codes[$0 / unit] == 0 ? base.values[$0] : result.values[$0] })
        let found = symbols(base, equal, layout, unit: unit, codes: codes, origin: origin)
        let slow = SlowResidual(layout: layout)
        var raw: [Int] = []
        for index in 0..<count {
            let code = Int(codes[index / unit])
            let (symbol, bits) = slow.symbol(base.values[index], equal.values[index])
            let residualClass = code == 0 ? 0 : slow.residualClass(base.values[index], scale: origin + code)
            if Int(found.symbols[index]) != symbol || Int(found.rows[index]) != residualClass {
                Issue.record(
                    "element \(index): \(found.symbols[index]) in class \(found.rows[index]), not \(symbol) in \(residualClass)"
                )
            }
            raw += bits
        }
        let bytes = stride(from: 0, to: raw.count, by: 8).map { start in
            raw[start..<min(start + 8, raw.count)].enumerated().reduce(UInt8(0)) {
                $0 | UInt8($1.element) << UInt8($1.offset)
            }
        }
        #expect(found.raw == bytes)
    }

    @Test("the example of the text: z = 1000 is symbol 95 and 40 in 6 bits")
    func example() throws {
        let layout = try #require(DType.bf16.floatLayout)
        let found = symbols(
            BitPatterns(width: 16, values: [0]), BitPatterns(width: 16, values: [500]), layout, unit: 1, codes: [1],
            origin: 0)
        #expect(found.symbols == [95] && found.raw == [40])
    }

    @Test("the largest difference fits the alphabet", arguments: ResidualLevelTests.dtypes)
    func largest(dtype: DType) throws {
        let layout = try #require(dtype.floatLayout)
        // o(r) - o(b) = -2^(W-1), which is folded to 2^W - 1.
        let lowest = UInt32.max >> UInt32(32 - layout.width)
        let found = symbols(
            BitPatterns(width: layout.width, values: [0]), BitPatterns(width: layout.width, values: [lowest]), layout,
            unit: 1, codes: [1], origin: 0)
        #expect(Int(found.symbols[0]) == ResidualTables.alphabet(width: layout.width) - 1)
    }
}
