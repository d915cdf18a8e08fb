internal import Safetensors
package import TensorTypes

extension TokenData {
    /// The most tokens that a data set may have, padding included.
    private static let limit = 1 << 30

    /// Reads a safetensors file: `input_ids` [n, t], and if they are there `attention_mask` and `token_type_ids` of the
    /// same shape and `labels` [n], whole numbers for classes, floating-point ones for values.
    ///
    /// Throws what reading the file may throw, and `usage` for tensors of other types and shapes.
    package init(reading path: String) throws(SiltError) {
        let file = try SafetensorsFile(path)
        guard let ids = file.header["input_ids"]?.info else {
            throw SiltError(
                .usage, "the data set has no tensor \"input_ids\"", file: path,
                advice: "it needs input_ids [examples, tokens], and may have attention_mask, token_type_ids and labels")
        }
        guard ids.shape.count == 2, ids.parameters <= TokenData.limit else {
            throw SiltError(.usage, "expected [examples, tokens], found \(ids)", file: path, tensor: "input_ids")
        }
        func optional(_ name: String) throws(SiltError) -> [Int]? {
            guard let info = file.header[name]?.info else { return nil }
            guard info.shape == ids.shape else {
                throw SiltError(.usage, "expected the shape of input_ids, found \(info)", file: path, tensor: name)
            }
            return try TokenData.integers(file, name)
        }
        func narrow(_ values: [Int], _ name: String) throws(SiltError) -> [Int32] {
            if let wide = values.first(where: { Int32(exactly: $0) == nil }) {
                throw SiltError(.usage, "the value \(wide) is not a token id or token type", file: path, tensor: name)
            }
            return values.map { Int32(truncatingIfNeeded: $0) }
        }
        try self.init(
            ids: narrow(TokenData.integers(file, "input_ids"), "input_ids"),
            mask: optional("attention_mask")?.map { $0 != 0 } ?? [],
            types: narrow(optional("token_type_ids") ?? [], "token_type_ids"), length: ids.shape[1],
            labels: TokenData.labels(file, count: ids.shape[0]), file: path)
    }

    private static func labels(_ file: SafetensorsFile, count: Int) throws(SiltError) -> Labels? {
        guard let info = file.header["labels"]?.info else { return nil }
        guard info.shape == [count] || info.shape == [count, 1] else {
            throw SiltError(
                .usage, "expected a label for each of \(count) examples, found \(info)", file: file.path,
                tensor: "labels")
        }
        switch info.dtype {
        case .f32: return .values(try file.bytes(of: "labels").words(UInt32.self).map { Float(bitPattern: $0) })
        case .f64:
            return .values(try file.bytes(of: "labels").words(UInt64.self).map { Float(Double(bitPattern: $0)) })
        default: return .classes(try integers(file, "labels"))
        }
    }

    /// The values of a tensor of an integer type or of booleans.
    private static func integers(_ file: SafetensorsFile, _ name: String) throws(SiltError) -> [Int] {
        let bytes = try file.bytes(of: name)
        switch file.header[name]?.info.dtype {
        case .bool, .u8: return bytes.map { Int($0) }
        case .i8: return bytes.map { Int(Int8(bitPattern: $0)) }
        case .i16: return bytes.words(UInt16.self).map { Int(Int16(bitPattern: $0)) }
        case .u16: return bytes.words(UInt16.self).map { Int($0) }
        case .i32: return bytes.words(UInt32.self).map { Int(Int32(bitPattern: $0)) }
        case .u32: return bytes.words(UInt32.self).map { Int($0) }
        case .i64: return bytes.words(UInt64.self).map { Int(Int64(bitPattern: $0)) }
        case let other:
            throw SiltError(
                .usage, "expected whole numbers, found \(other?.rawValue ?? "nothing")", file: file.path, tensor: name)
        }
    }
}

extension [UInt8] {
    /// The bytes as little-endian words.
    fileprivate func words<Word: FixedWidthInteger>(_ type: Word.Type) -> [Word] {
        let size = MemoryLayout<Word>.size
        return unsafe withUnsafeBytes { bytes in
            (0..<count / size).map { index in
                unsafe Word(littleEndian: bytes.loadUnaligned(fromByteOffset: index * size, as: type))
            }
        }
    }
}
