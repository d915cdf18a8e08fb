import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

@Suite("Matrices that break section 12")
struct MatrixHostileTests {
    /// A matrix of one cell with everything in its chunk.
    private func matrix(_ kind: MaskKind, _ type: ValueType, _ codec: StreamCodec, _ rule: MatrixRequest.ScaleRule)
        -> CodedMatrix
    {
        var generator = SeededGenerator(seed: 41)
        let dense = MatrixTests.dense(rows: 30, columns: 45, &generator)
        return CodedMatrix(
            dense,
            MatrixRequest(
                rows: 30, columns: 45, identity: 3, masks: kind.masks(rows: 30, columns: 45, &generator), values: type,
                scale: rule, positionCodec: codec, valueCodec: type.codecs.contains(codec) ? codec : nil))
    }

    private func altered(_ matrix: CodedMatrix, _ change: (inout EncodedMatrix) -> Void) -> CodedMatrix {
        var encoded = matrix.encoded
        change(&encoded)
        return CodedMatrix(matrix.request, encoded)
    }

    @Test(
        "altered, cut and random bytes never crash", arguments: [MaskKind.none, .elements, .all, .mixed],
        [StreamCodec.none, .rans, .adaptive, .zstd])
    func noise(kind: MaskKind, codec: StreamCodec) {
        var generator = SeededGenerator(seed: 42)
        func damaged(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            switch generator.below(4) {
            case 0 where !bytes.isEmpty: bytes.removeLast(1 + generator.below(bytes.count))
            case 1 where !bytes.isEmpty: bytes[generator.below(bytes.count)] ^= 1 << UInt8(generator.below(8))
            case 2 where !bytes.isEmpty: bytes[generator.below(min(bytes.count, 12))] = UInt8(generator.below(256))
            case 3: bytes = generator.bytes(generator.below(80))
            default: bytes.append(UInt8(generator.below(256)))
            }
            return bytes
        }
        var refused = 0
        for type in ValueType.allCases {
            let whole = matrix(kind, type, codec, type.isFloat || type == .int ? .fixed(0.01) : .groups(7))
            #expect(!whole.isRefused)
            for round in 0..<40 {
                let victim = altered(whole) { encoded in
                    let first = encoded.maskTables.first ?? nil
                    if round % 4 == 0, let chunk = encoded.columnChunk {
                        encoded.columnChunk = damaged(chunk)
                    } else if round % 4 == 1, let tables = encoded.valueTables {
                        encoded.valueTables = damaged(tables)
                    } else if round % 4 == 2, let tables = first {
                        encoded.maskTables[0] = damaged(tables)
                    } else {
                        encoded.chunks[0] = damaged(encoded.chunks[0])
                    }
                }
                if victim.isRefused { refused += 1 }
            }
        }
        #expect(refused > 100)
    }

    @Test("a byte too many or too few is refused", arguments: MaskKind.allCases, [StreamCodec.none, .rans, .adaptive])
    func ends(kind: MaskKind, codec: StreamCodec) {
        for type in ValueType.allCases {
            let whole = matrix(kind, type, codec, type.isFloat ? .automatic : .rows)
            #expect(altered(whole) { $0.chunks[0].append(0) }.isRefused, "\(type)")
            #expect(altered(whole) { $0.chunks[0] += [1, 1, 1, 1, 1] }.isRefused, "\(type)")
            // An adaptive stream may have other bytes at its end, as long as all are read.
            guard whole.encoded.coding.values.codec != .adaptive else { continue }
            #expect(altered(whole) { $0.chunks[0].append(1) }.isRefused, "\(type)")
            #expect(altered(whole) { $0.chunks[0].removeLast() }.isRefused, "\(type)")
            if whole.encoded.columnChunk != nil {
                #expect(altered(whole) { $0.columnChunk = [] }.isRefused)
                #expect(altered(whole) { $0.columnChunk = nil }.isRefused)
                let longer = (whole.encoded.columnChunk ?? []) + [0]
                #expect(altered(whole) { $0.columnChunk = longer }.isRefused)
            }
        }
    }

    @Test("codes outside their type")
    func codes() {
        func refuses(_ type: ValueType, _ codec: StreamCodec, _ chunk: [UInt8], count: Int = 1) -> Bool {
            let coding = MatrixCoding(values: ValueCoding(type: type, codec: codec, scale: .step(1)))
            let encoded = EncodedMatrix(
                coding: coding, chunks: [chunk], maskTables: [], valueTables: codec == .rans ? [2, 1, 0] : nil)
            return CodedMatrix(MatrixRequest(rows: 1, columns: count, identity: 0, values: type), encoded).isRefused
        }
        #expect(!refuses(.int8, .none, [254]) && refuses(.int8, .none, [255]))
        #expect(!refuses(.int4, .none, [14]) && refuses(.int4, .none, [15]))
        #expect(!refuses(.int2, .none, [2]) && refuses(.int2, .none, [3]))
        #expect(refuses(.int4, .none, [16]) && refuses(.int2, .none, [4]) && refuses(.sign, .none, [2]))
        #expect(!refuses(.int4, .rans, [14]) && refuses(.int4, .rans, [15]))
        #expect(!refuses(.sign, .rans, [1]) && refuses(.sign, .rans, [2]))
        for (type, largest) in [(ValueType.int8, Int32(127)), (.int4, 7), (.int2, 1)] {
            #expect(!refuses(type, .adaptive, AdaptiveStream.encode([-largest], isSigned: true)))
            #expect(refuses(type, .adaptive, AdaptiveStream.encode([largest + 1], isSigned: true)))
        }
    }

    @Test("positions that do not fit")
    func positions() {
        /// A matrix of 2 rows of 5 columns whose elements have a mask with these bytes, and signs.
        func refuses(_ positions: MaskCoding.Positions, _ bytes: [UInt8], values: [UInt8]) -> Bool {
            let coding = MatrixCoding(
                masks: [MaskCoding(over: .elements, positions: positions)],
                values: ValueCoding(type: .sign, codec: .none, scale: .step(1)))
            let encoded = EncodedMatrix(
                coding: coding, chunks: [[UInt8(bytes.count)] + bytes + values],
                maskTables: [coding.masks[0].hasTables ? [2, 1, 0] : nil])
            return CodedMatrix(MatrixRequest(rows: 2, columns: 5, identity: 0, values: .sign), encoded).isRefused
        }
        let bits = MaskCoding.Positions.bits(.none, width: 8)
        #expect(!refuses(bits, [1, 2], values: [3]) && refuses(bits, [1, 4], values: [3]))
        #expect(refuses(bits, [1], values: [1]) && refuses(bits, [1, 2, 0], values: [3]))
        let symbols = MaskCoding.Positions.bits(.rans, width: 4)
        // Every row begins a new symbol, and the second symbol of a row has one position.
        #expect(!refuses(symbols, [1, 1, 1, 0], values: [7]) && refuses(symbols, [1, 2, 1, 0], values: [7]))
        #expect(refuses(symbols, [1, 1, 17, 0], values: [7]))
        #expect(!refuses(.gaps(.none), [2, 0, 8], values: [3]) && refuses(.gaps(.none), [2, 0, 9], values: [3]))
        #expect(refuses(.gaps(.none), [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], values: [0, 0]))
        #expect(refuses(.gaps(.none), [1, 0x80, 0], values: [1]) && refuses(.gaps(.none), [1, 0, 0], values: [1]))
        #expect(refuses(.gaps(.none), [], values: []) && refuses(.gaps(.none), [0x80], values: []))
        #expect(!refuses(.gaps(.rans), [2, 0, 8], values: [3]) && refuses(.gaps(.rans), [2, 0, 255], values: [1]))
        #expect(refuses(.gaps(.rans), [11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], values: [0, 0]))
        // Nothing stays, so nothing follows.
        #expect(!refuses(.gaps(.none), [0], values: []) && refuses(.gaps(.none), [0], values: [0]))
        #expect(!refuses(.gaps(.rans), [0], values: []) && refuses(.gaps(.rans), [0, 0], values: []))
    }

    @Test("scales below 0 or not finite")
    func scales() {
        func refuses(_ steps: [Int32]) -> Bool {
            let stream = AdaptiveStream.encode(steps, isSigned: true)
            let coding = MatrixCoding(values: ValueCoding(type: .sign, codec: .none, scale: .rows))
            let encoded = EncodedMatrix(
                coding: coding, chunks: [[UInt8(stream.count)] + stream + [0]], maskTables: [])
            return CodedMatrix(MatrixRequest(rows: 2, columns: 1, identity: 0, values: .sign), encoded).isRefused
        }
        #expect(!refuses([0x7F7F, -0x7F7F]) && !refuses([0, 0]))
        #expect(refuses([0x7F80, 0]) && refuses([-1, 1]) && refuses([5, -6]) && refuses([1, 0x7FFF]))
    }

    @Test("codings that the text does not have")
    func codings() {
        func fault(_ masks: [MaskCoding] = [], _ values: ValueCoding? = nil, q: RescaleFactor? = nil) -> String? {
            MatrixCoding(masks: masks, values: values ?? ValueCoding(type: .f32, codec: .none), q: q).fault(rows: 2)
        }
        #expect(fault() == nil)
        for type in ValueType.allCases {
            for codec in StreamCodec.allCases {
                let scale = type.isFloat ? ValueCoding.Scale.none : .step(1)
                let isAllowed = type.codecs.contains(codec)
                #expect((fault([], ValueCoding(type: type, codec: codec, scale: scale)) == nil) == isAllowed)
            }
        }
        for scale in [ValueCoding.Scale.none, .step(0), .step(-1), .step(.infinity), .step(.nan), .groups(0)] {
            #expect(fault([], ValueCoding(type: .int4, codec: .rans, scale: scale)) != nil)
        }
        for scale in [ValueCoding.Scale.step(1), .rows, .groups(4)] {
            #expect(fault([], ValueCoding(type: .bf16, codec: .rans, scale: scale)) != nil)
        }
        let rows = MaskCoding(over: .rows, positions: .gaps(.none))
        #expect(fault([rows]) == nil && fault([rows, rows]) != nil)
        for positions in [
            MaskCoding.Positions.seeded(seed: 0, threshold: 0), .bits(.rans, width: 0), .bits(.rans, width: 9),
            .bits(.adaptive, width: 8), .bits(.zstd, width: 8), .gaps(.zstd),
        ] {
            #expect(fault([MaskCoding(over: .rows, positions: positions)]) != nil)
        }
        #expect(fault(q: .all(0.1)) == nil && fault(q: .rows([1, 2])) == nil && fault(q: .rows([1])) != nil)
        for q in [0, -1, 1e-50, 1e39, Double.infinity, .nan] {
            #expect(fault(q: .all(q)) != nil && fault(q: .rows([1, q])) != nil)
        }
    }
}
