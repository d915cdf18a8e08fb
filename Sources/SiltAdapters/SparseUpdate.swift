internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// What a SHiRA adapter adds to a matrix: values at positions.
struct SparseUpdate: Sendable {
    /// The adapted tensor in the adapter's words.
    let target: String
    /// Rows and columns of the matrix.
    let shape: [Int]
    /// Positions in the matrix (row times columns plus column), ascending, each once.
    let positions: [Int]
    /// The values' dtype: F32, F16 or BF16.
    let dtype: DType
    /// The values' patterns, in the order of `positions`.
    let values: [UInt8]
    let scale: Float
}

extension SparsePair {
    /// Reads the values and where they go in a matrix of `shape`.
    ///
    /// Throws `header` if a position is outside the matrix or comes twice, or a value is not finite; `io` or `changed`.
    func update(shape: [Int]) throws(SiltError) -> SparseUpdate {
        precondition(shape.count == 2, "AdapterMatcher has checked that it is a matrix")
        let stored = try bytes(values)
        let width = values.info.dtype.elementBytes
        if let index = FloatPatterns.firstNotFinite(stored, values.info.dtype) {
            throw refuse("value \(index) is infinite or NaN", values)
        }
        let places = try coordinates()
        let count = places.count / 2
        var positions: [(place: Int, source: Int)] = []
        positions.reserveCapacity(count)
        for index in 0..<count {
            let (row, column) = (places[index], places[count + index])
            guard (0..<shape[0]).contains(row), (0..<shape[1]).contains(column) else {
                throw refuse("position \(index), (\(row), \(column)), is outside the matrix \(shape)", indices)
            }
            positions.append((row * shape[1] + column, index))
        }
        positions.sort { $0.place < $1.place }
        for (first, second) in zip(positions, positions.dropFirst()) where first.place == second.place {
            throw refuse("positions \(first.source) and \(second.source) are the same", indices)
        }
        var ordered: [UInt8] = []
        ordered.reserveCapacity(stored.count)
        for (_, source) in positions { ordered += stored[source * width..<(source + 1) * width] }
        return SparseUpdate(
            target: target, shape: shape, positions: positions.map(\.place), dtype: values.info.dtype, values: ordered,
            scale: scale)
    }

    /// Rows, then columns; Windows writes them as floats.
    private func coordinates() throws(SiltError) -> [Int] {
        let stored = try bytes(indices)
        var cursor = ByteCursor(stored)
        var coordinates: [Int] = []
        coordinates.reserveCapacity(stored.count / 4)
        while let bits = cursor.integer(UInt32.self) {
            if indices.info.dtype == .i32 {
                coordinates.append(Int(Int32(bitPattern: bits)))
            } else {
                let value = Float(bitPattern: bits)
                guard let integer = Int(exactly: value), abs(value) <= Float(1 << (Float.significandBitCount + 1))
                else {
                    throw refuse("the position \(value) is not an integer that F32 represents exactly", indices)
                }
                coordinates.append(integer)
            }
        }
        return coordinates
    }

    private func bytes(_ entry: SafetensorsHeader.Entry) throws(SiltError) -> [UInt8] {
        do throws(SiltError) {
            let start = file.header.dataStart
            return try file.input.bytes(start + entry.range.lowerBound..<start + entry.range.upperBound)
        } catch {
            throw error.at(tensor: entry.name)
        }
    }

    private func refuse(_ message: String, _ entry: SafetensorsHeader.Entry) -> SiltError {
        SiltError(.header, message, file: file.path, tensor: entry.name)
    }
}
