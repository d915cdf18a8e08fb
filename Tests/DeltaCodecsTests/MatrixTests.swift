import CSiltKernels
import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

@Suite("Matrices (sections 12.3 and 12.4)")
struct MatrixTests {
    /// Values like those of a delta, with zeros and a few that are large; row 1 is 0.
    static func dense(rows: Int, columns: Int, _ generator: inout SeededGenerator) -> [Float] {
        (0..<rows * columns).map { index in
            if index / columns == 1 || generator.below(20) == 0 { return 0 }
            let value = Float(generator.gaussian()) * 0.01
            return generator.below(500) == 0 ? value * 20 : value
        }
    }

    private func expectEqual(_ found: [Float], _ expected: [Float], _ what: String) {
        let size = 4 * found.count
        let isEqual = unsafe found.withUnsafeBytes { found in
            unsafe expected.withUnsafeBytes { expected in
                guard let found = found.baseAddress, let expected = expected.baseAddress else { return true }
                return unsafe silt_equal(found, expected, size) != 0
            }
        }
        guard !isEqual || found.count != expected.count else { return }
        let index = zip(found, expected).enumerated().first { $0.element.0.bitPattern != $0.element.1.bitPattern }?
            .offset
        let at = index ?? 0
        Issue.record("\(what): element \(at) is \(found[at]) instead of \(expected[at])")
    }

    /// Codes, decodes at every level, and each cell alone, the last one first.
    private func check(_ dense: [Float], _ request: MatrixRequest, _ what: String) throws {
        let coded = CodedMatrix(dense, request)
        #expect(coded.encoded.coding.fault(rows: request.rows) == nil)
        #expect(coded.encoded.chunks.count == coded.grid.cells)
        let expected = try coded.expected(dense)
        for level in KernelLevel.available { expectEqual(try coded.decode(level: level), expected, what) }
        guard coded.grid.cells > 1 else { return }
        let (decoder, workspace) = (try coded.decoder(), MatrixWorkspace())
        for cell in coded.encoded.chunks.indices.reversed() {
            let rows = coded.grid.rows(of: cell)
            expectEqual(
                try coded.cell(cell, decoder, workspace),
                Array(expected[rows.lowerBound * request.columns..<rows.upperBound * request.columns]),
                "\(what), cell \(cell)")
        }
    }

    private func rules(_ type: ValueType, rows: Int) -> [MatrixRequest.ScaleRule] {
        if type.isFloat { return [.automatic] }
        let given = (0..<rows).map { $0 == 2 ? 0 : Float(1 + $0 % 3) / 1_024 }
        return [.automatic, .maximum, .rows, .groups(5), .groups(1 << 40), .fixed(0.003), .givenRows(given)]
    }

    @Test("every type, scale, mask and codec", arguments: ValueType.allCases, MaskKind.allCases)
    func combinations(type: ValueType, kind: MaskKind) throws {
        var generator = SeededGenerator(seed: 21)
        for (rows, columns) in [(1, 1), (300, 1), (43, 7), (5, 130)] {
            let dense = MatrixTests.dense(rows: rows, columns: columns, &generator)
            let masks = kind.masks(rows: rows, columns: columns, &generator)
            let q: [RescaleFactor?] = [nil, .all(0.1), .rows((0..<rows).map { 0.3 + Double($0) })]
            for (turn, rule) in rules(type, rows: rows).enumerated() {
                var request = MatrixRequest(
                    rows: rows, columns: columns, identity: 99, masks: masks, bitWidth: 1 + turn, values: type,
                    scale: rule, q: q[turn % 3])
                for codec in type.codecs {
                    request.valueCodec = codec
                    try check(dense, request, "\(rows) x \(columns), rule \(turn), \(codec)")
                }
            }
            for codec in [StreamCodec.none, .rans, .adaptive] {
                for (maskCodec, width) in [(MatrixRequest.MaskCodec.bits, 8), (.bits, 3), (.gaps, 8)] {
                    try check(
                        dense,
                        MatrixRequest(
                            rows: rows, columns: columns, identity: 99, masks: masks, maskCodec: maskCodec,
                            bitWidth: width, values: type, q: q[2], positionCodec: codec),
                        "\(rows) x \(columns), positions \(codec)")
                }
            }
        }
    }

    @Test("several cells", arguments: [MaskKind.seeded, .all, .mixed, .none])
    func cells(kind: MaskKind) throws {
        var generator = SeededGenerator(seed: 22)
        for (rows, columns) in [(2_000, 300), (2, 262_144), (270_000, 1)] {
            let dense = MatrixTests.dense(rows: rows, columns: columns, &generator)
            let masks = kind.masks(rows: rows, columns: columns, &generator)
            // With one column every row would be a scale.
            let rule: MatrixRequest.ScaleRule = columns == 1 ? .groups(64) : .rows
            for (type, rule) in [(ValueType.bf16, MatrixRequest.ScaleRule.automatic), (.int4, rule)] {
                try check(
                    dense,
                    MatrixRequest(
                        rows: rows, columns: columns, identity: 5, masks: masks, values: type, scale: rule, q: .all(0.5)
                    ), "\(rows) x \(columns), \(type)")
            }
        }
    }

    @Test("codes that are given come back, times their scale")
    func codes() throws {
        var generator = SeededGenerator(seed: 23)
        let codes = (0..<700).map { _ in Int32(truncatingIfNeeded: generator.next() >> 40) >> Int32(generator.below(24))
        }
        .map { $0 % 2 == 0 ? $0 : -$0 }
        let scales = (0..<70).map { Float($0 % 5) / 8 }
        for rule in [MatrixRequest.ScaleRule.fixed(0.37), .givenRows(scales)] {
            let request = MatrixRequest(rows: 70, columns: 10, identity: 0, values: .int, scale: rule)
            let found = try CodedMatrix(codes: codes, request).decode()
            let expected = codes.enumerated().map { index, code in
                if case .givenRows = rule { return Float(code) * scales[index / 10] }
                return Float(code) * 0.37
            }
            expectEqual(found, expected, "\(rule)")
        }
    }

    @Test("a cell of zeros is empty; one of signs is not")
    func zeros() throws {
        for type in ValueType.allCases {
            let zeros = [Float](repeating: 0, count: 100)
            for masks in [[], [MaskRequest(over: .elements, source: .seeded(seed: 1, threshold: 1 << 31))]] {
                let request = MatrixRequest(
                    rows: 10, columns: 10, identity: 0, masks: masks, values: type, scale: .automatic)
                let coded = CodedMatrix(zeros, request)
                #expect(coded.encoded.chunks == [[]] || type == .sign)
                #expect(!coded.encoded.chunks[0].isEmpty || type != .sign)
                #expect(try coded.decode().allSatisfy { abs($0) <= .leastNormalMagnitude })
            }
        }
        // A zero with a sign is no zero.
        let negative = CodedMatrix([-0.0, 0], MatrixRequest(rows: 1, columns: 2, identity: 0, values: .f16))
        #expect(try negative.decode().map(\.bitPattern) == [0x8000_0000, 0])
    }

    @Test("masks that drop everything")
    func nothing() throws {
        for over in MaskCoding.Over.allCases {
            let count = over == .elements ? 100 : 10
            for codec in [MatrixRequest.MaskCodec.auto, .bits, .gaps] {
                let request = MatrixRequest(
                    rows: 10, columns: 10, identity: 0,
                    masks: [MaskRequest(over: over, source: .positions(Bitset(count: count)))], maskCodec: codec,
                    values: .int4)
                let coded = CodedMatrix([Float](repeating: 1, count: 100), request)
                #expect(try coded.decode() == [Float](repeating: 0, count: 100))
                #expect(coded.encoded.columnChunk?.isEmpty != true)
            }
        }
    }

    @Test("the step that is chosen has a smaller error than the largest value's")
    func search() throws {
        var generator = SeededGenerator(seed: 24)
        let dense = (0..<20_000).map { _ in Float(generator.gaussian()) }
        func error(_ rule: MatrixRequest.ScaleRule, _ type: ValueType) throws -> Float {
            let request = MatrixRequest(rows: 20, columns: 1_000, identity: 0, values: type, scale: rule)
            let found = try CodedMatrix(dense, request).decode()
            return zip(found, dense).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        for type in [ValueType.int4, .int2] {
            let widest = try error(.maximum, type)
            for rule in [MatrixRequest.ScaleRule.automatic, .rows, .groups(100)] {
                #expect(try error(rule, type) < 0.8 * widest, "\(type), \(rule)")
            }
        }
        // The best step of 3 levels for a Gaussian leaves 19 % of its energy.
        #expect(try error(.automatic, .int2) < 0.2 * 20_000)
        #expect(try error(.automatic, .sign) < 0.37 * 20_000)
    }
}
