internal import SiltAdapters
internal import Safetensors
internal import TensorTypes

/// Turns a dense matrix into the parts of a sparse layout: counts first, because sizes stand in the header, then writes.
struct BitmaskEncoder {
    /// The path of the tensor's module.
    let module: String
    /// Values that are stored.
    let count: Int
    /// Elements that are -0 and not stored.
    let negativeZeros: Int
    private let tensor: Checkpoint.Tensor
    private let layout: SparseLayout
    private let zero: ZeroTest
    private let rows: Int
    private let columns: Int

    /// Looks at all of the tensor; nil if it is not to be converted.
    init?(
        _ tensor: Checkpoint.Tensor, _ layout: SparseLayout, keepsNegativeZeros: Bool
    ) throws(SiltError) {
        let shape = tensor.info.shape
        guard shape.count == 2, tensor.info.parameters > 0, tensor.info.dtype.bits >= 8,
            AdapterModuleStyle(of: tensor.name, shape: shape, family: nil) == .linear
        else { return nil }
        if layout == .twoOfFour, shape[1] % 4 != 0 { return nil }
        module = String(tensor.name.dropLast(".weight".count))
        self.tensor = tensor
        self.layout = layout
        let zero = ZeroTest(tensor.info.dtype, keepsNegativeZeros: keepsNegativeZeros)
        self.zero = zero
        (rows, columns) = (shape[0], shape[1])
        var count = 0
        var negativeZeros = 0
        var fits = true
        let width = tensor.info.dtype.elementBytes
        try BitmaskEncoder.batches(tensor, rows, columns) { (_, bytes) throws(SiltError) in
            guard fits else { return }
            for group in stride(from: 0, to: bytes.count / width, by: layout == .twoOfFour ? 4 : 1) {
                switch layout {
                case .bitmask: count += zero.isZero(bytes, group) ? 0 : 1
                case .twoOfFour:
                    let values = (group..<group + 4).count { !zero.isZero(bytes, $0) }
                    fits = fits && values <= 2
                    count += 2
                }
            }
            negativeZeros += zero.negativeZeros(bytes)
        }
        self.count = count
        self.negativeZeros = negativeZeros
        guard fits, parts.reduce(0, { $0 + $1.info.bytes }) < tensor.info.bytes else { return nil }
    }

    /// The tensors that stand for the weight.
    var parts: [(name: String, info: TensorInfo)] {
        let shapes: [(String, DType, [Int])] = [
            ("shape", .i64, layout == .bitmask ? [2] : [2, 1]),
            ("compressed", tensor.info.dtype, layout == .bitmask ? [count] : [rows, columns / 2]),
            ("bitmask", .u8, [rows, (columns + 7) / 8]), ("row_offsets", .i64, [rows]),
        ]
        return shapes.filter { layout.parts.contains($0.0) }.compactMap { part, dtype, shape in
            TensorInfo(dtype: dtype, shape: shape).map { ("\(module).\(part)", $0) }
        }
    }

    /// Writes the parts.
    ///
    /// Throws `changed` if the tensor is no longer what was counted.
    func write(to shard: SafetensorsWriter) throws(SiltError) {
        var shape: [UInt8] = []
        for extent in [rows, columns] { shape.appendLittleEndian(Int64(extent)) }
        try shard.write(shape, to: module + ".shape")
        let width = tensor.info.dtype.elementBytes
        let maskBytes = (columns + 7) / 8
        var used = 0
        try BitmaskEncoder.batches(tensor, rows, columns) { (first, bytes) throws(SiltError) in
            let batch = bytes.count / (columns * width)
            var mask = [UInt8](repeating: 0, count: batch * maskBytes)
            var values: [UInt8] = []
            var offsets: [UInt8] = []
            for row in 0..<batch {
                offsets.appendLittleEndian(Int64(used + values.count / width))
                for column in kept(bytes, row) {
                    mask[row * maskBytes + column >> 3] |= 1 << UInt8(column & 7)
                    let start = (row * columns + column) * width
                    values += bytes[start..<start + width]
                }
            }
            guard values.count / width <= count - used else { throw changed() }
            try shard.write(values, to: module + ".compressed", at: used * width)
            try shard.write(mask, to: module + ".bitmask", at: first * maskBytes)
            if layout == .bitmask { try shard.write(offsets, to: module + ".row_offsets", at: 8 * first) }
            used += values.count / width
        }
        guard used == count else { throw changed() }
    }

    /// The columns of a row whose values are stored.
    private func kept(_ bytes: [UInt8], _ row: Int) -> [Int] {
        let start = row * columns
        let present = (0..<columns).filter { !zero.isZero(bytes, start + $0) }
        guard layout == .twoOfFour else { return present }
        // Exactly two of four: zeros fill up, the first ones first.
        var chosen: [Int] = []
        var next = 0
        for group in stride(from: 0, to: columns, by: 4) {
            var two: [Int] = []
            while next < present.count, present[next] < group + 4 {
                two.append(present[next])
                next += 1
            }
            for column in group..<group + 4 where two.count < 2 && !two.contains(column) { two.append(column) }
            chosen += two.sorted()
        }
        return chosen
    }

    private func changed() -> SiltError {
        SiltError(.changed, "the tensor changed while it was being read", file: tensor.file.path, tensor: tensor.name)
    }

    private static func batches(
        _ tensor: Checkpoint.Tensor, _ rows: Int, _ columns: Int,
        _ body: (_ firstRow: Int, _ bytes: [UInt8]) throws(SiltError) -> Void
    ) throws(SiltError) {
        let row = columns * tensor.info.dtype.elementBytes
        let batch = max(1, DirectoryRewrite.piece / max(1, row))
        for first in stride(from: 0, to: rows, by: batch) {
            try body(first, try tensor.bytes(first * row..<min(rows, first + batch) * row))
        }
    }
}
