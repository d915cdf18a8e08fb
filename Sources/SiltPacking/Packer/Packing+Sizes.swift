internal import SiltFormat
package import TensorTypes

extension Packing {
    /// Bytes of each tensor in the exact file, with what its chunks take in the chunk table; tables that tensors share are
    /// left to the rest of the file.
    package var tensorBytes: [ByteName: Int] {
        var users: [Int: Int] = [:]
        for tensor in manifest.tensors {
            for index in Set(tensor.parts.flatMap(\.allTables)) { users[index, default: 0] += 1 }
        }
        var sizes: [ByteName: Int] = [:]
        for tensor in manifest.tensors {
            var bytes = tensor.parts.flatMap(\.dataChunks).reduce(0) { $0 + table.size(of: $1) + 12 * $1.count }
            for index in Set(tensor.parts.flatMap(\.allTables)) where users[index] == 1 {
                bytes += table.size(index) + 12
            }
            sizes[ByteName(tensor.name)] = bytes
        }
        return sizes
    }
}
