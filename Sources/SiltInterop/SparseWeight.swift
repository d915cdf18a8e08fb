internal import Safetensors
internal import TensorTypes

/// A weight in compressed-tensors' sparse layout: its parts, checked, and what it is when dense.
struct SparseWeight {
    /// The name of the dense tensor.
    let name: String
    /// Dtype and shape of the dense tensor.
    let info: TensorInfo
    /// The values that are stored, row by row.
    let values: Checkpoint.Tensor
    /// A bit for each element, the lowest first; every row begins a byte.
    let mask: Checkpoint.Tensor
    let rows: Int
    let columns: Int
    var maskBytes: Int { (columns + 7) / 8 }

    /// The weights of `checkpoint` that are in a sparse layout, and the names of all of their parts.
    ///
    /// Throws `header` if the parts of one do not fit together.
    static func all(in checkpoint: Checkpoint) throws(SiltError) -> (weights: [SparseWeight], parts: Set<ByteName>) {
        var weights: [SparseWeight] = []
        var parts: Set<ByteName> = []
        for tensor in checkpoint.tensors where tensor.name.hasSuffix(".bitmask") {
            let module = String(tensor.name.dropLast(".bitmask".count))
            weights.append(try SparseWeight(module, mask: tensor, checkpoint))
            for part in SparseLayout.bitmask.parts { parts.insert(ByteName("\(module).\(part)")) }
        }
        return (weights, parts)
    }

    /// - Parameter module: what stands before the parts' names: the module's name or the weight's.
    private init(_ module: String, mask: Checkpoint.Tensor, _ checkpoint: Checkpoint) throws(SiltError) {
        // Releases up to 0.8 put the parts' names behind the weight's, later ones behind the module's.
        name = module == "weight" || module.hasSuffix(".weight") ? module : module + ".weight"
        func refuse(_ message: String, _ tensor: Checkpoint.Tensor) -> SiltError {
            SiltError(.header, message, file: tensor.file.path, tensor: tensor.name)
        }
        guard let values = checkpoint[module + ".compressed"], let shapes = checkpoint[module + ".shape"] else {
            throw refuse("the mask has no partners \"\(module).compressed\" and \"\(module).shape\"", mask)
        }
        guard shapes.info.dtype == .i64, (1...16).contains(shapes.info.parameters) else {
            throw refuse("expected 1 to 16 extents as I64, found \(shapes.info.description)", shapes)
        }
        guard values.info.dtype.bits >= 8 else { throw refuse("values below 8 bits are not supported", values) }
        var cursor = ByteCursor(try shapes.file.bytes(of: shapes.name))
        var shape: [Int] = []
        while let extent = cursor.integer(Int64.self) { shape.append(Int(extent)) }
        // An empty tensor may have any extents, which would overflow below.
        guard let info = TensorInfo(dtype: values.info.dtype, shape: shape), let columns = shape.last, columns < 1 << 48
        else {
            throw refuse("\(shape) is not a shape", shapes)
        }
        let expected = Array(shape.dropLast()) + [(columns + 7) / 8]
        guard mask.info.dtype == .u8, mask.info.shape == expected else {
            throw refuse("expected a mask U8 \(expected), found \(mask.info.description)", mask)
        }
        guard values.info.parameters <= info.parameters else {
            throw refuse("there are \(values.info.parameters) values for a tensor \(shape)", values)
        }
        self.info = info
        self.values = values
        self.mask = mask
        self.columns = columns
        rows = columns == 0 ? 0 : info.parameters / columns
    }

    /// Hands the dense bytes to `sink`, some rows at a time.
    ///
    /// Throws `header` if the mask asks for more or fewer values than there are.
    func decompress(_ sink: (_ bytes: [UInt8], _ offset: Int) throws(SiltError) -> Void) throws(SiltError) {
        let width = info.dtype.elementBytes
        let batch = max(1, DirectoryRewrite.piece / max(1, columns * width))
        var used = 0
        for first in stride(from: 0, to: rows, by: batch) {
            let count = min(batch, rows - first)
            let bits = try read(mask, first * maskBytes, count * maskBytes)
            var places: [Int] = []
            for row in 0..<count {
                for column in 0..<columns where bits[row * maskBytes + column >> 3] >> UInt8(column & 7) & 1 == 1 {
                    places.append(row * columns + column)
                }
            }
            guard places.count <= values.info.parameters - used else { throw wrongCount() }
            let stored = try read(values, used * width, places.count * width)
            var dense = [UInt8](repeating: 0, count: count * columns * width)
            for (index, place) in places.enumerated() {
                for byte in 0..<width { dense[place * width + byte] = stored[index * width + byte] }
            }
            used += places.count
            try sink(dense, first * columns * width)
        }
        guard used == values.info.parameters else { throw wrongCount() }
    }

    private func read(_ tensor: Checkpoint.Tensor, _ offset: Int, _ count: Int) throws(SiltError) -> [UInt8] {
        try tensor.bytes(offset..<offset + count)
    }

    private func wrongCount() -> SiltError {
        SiltError(
            .header, "the mask does not match the \(values.info.parameters) values",
            file: mask.file.path,
            tensor: mask.name)
    }
}
