internal import DeltaCodecs
internal import SiltFormat
internal import SiltReading
internal import TensorTypes
internal import TestSupport

extension FuzzTarget {
    private static let kinds: [PartKind] = [.exact, .xor, .whole]
    private static let units = [1, 2, 8, 16, 64, 128, 256, 1_024]

    /// A chunk of a part, with the tables of its part; every form of the kernels says the same of it.
    static let chunk = FuzzTarget("chunk") {
        VectorParts.all("valid", limit: 40_000).flatMap { FuzzTarget.chunks(of: $0) }
    } body: { bytes in
        var input = FuzzInput(bytes)
        let codec = input.choice(Codec.allCases)
        let kind = input.choice(FuzzTarget.kinds)
        let dtype = input.choice(DType.allCases)
        let unit = input.choice(FuzzTarget.units)
        let count = 1 + input.short()
        let tables = input.run()
        let stored = input.rest()
        // The rules that a manifest has kept to before any chunk is read.
        guard kind != .exact || (codec == .rans && dtype.floatLayout != nil), !stored.isEmpty else { return }
        let width = dtype.elementBytes
        guard stored.count <= 2 * count * width + 65_536 else { return }
        let decoder = codec == .rans ? try PartDecoder(stored: tables, kind: kind, dtype: dtype) : nil
        var generator = SeededGenerator(seed: UInt64(count))
        let base = kind == .whole ? nil : generator.bytes(count * width)
        try FuzzTarget.compare(KernelLevel.available) { level in
            let target = ByteBuffer(base ?? [UInt8](repeating: 0, count: count * width))
            try unsafe GuardedBytes.with(stored) { start in
                try unsafe ChunkDecoder(level: level).decode(
                    UnsafeRawBufferPointer(start: start, count: stored.count), codec, decoder, dtype,
                    unit: kind == .exact ? unit : nil, base: base == nil ? nil : UnsafeRawPointer(target.start),
                    into: target.start, count: count)
            }
            return target.bytes(count * width)
        }
    }

    private static func chunks(of vector: VectorParts) -> [[UInt8]] {
        guard let reader = vector.reader else { return [] }
        return reader.parts.filter { $0.1.kind != .copy }.flatMap { tensor, part -> [[UInt8]] in
            let grid = tensor.info.grid
            return zip(grid.cells(touching: part.elements), part.chunks).compactMap { cell, chunk in
                let count = grid.range(cell).clamped(to: part.elements).count
                guard (1...65_536).contains(count), reader.chunks.size(chunk) > 0 else { return nil }
                var output = FuzzOutput()
                output.choice(part.codec, of: Codec.allCases.map(Optional.some))
                output.choice(part.kind, of: kinds)
                output.choice(tensor.info.dtype, of: DType.allCases)
                output.choice(part.unit ?? 1, of: units)
                output.short(count - 1)
                output.run(part.tables.map(vector.chunk) ?? [])
                output.rest(vector.chunk(chunk))
                return output.bytes
            }
        }
    }

    /// What every level makes of an input is the same, and an error where it is for one.
    static func compare(_ levels: [KernelLevel], _ body: (KernelLevel) throws -> [UInt8]) throws {
        var first: Result<[UInt8], any Error>?
        for level in levels {
            let result = Result { try body(level) }
            switch (first, result) {
            case (nil, _): first = result
            case (.success(let one), .success(let other)):
                guard one == other else { throw FuzzFailure(reason: "level \(level) gives other bytes") }
            case (.failure, .failure): break
            default: throw FuzzFailure(reason: "level \(level) disagrees on whether the input is good")
            }
        }
        _ = try first?.get()
    }
}
