internal import Safetensors
internal import TensorTypes

/// Writes SHiRA adapters as PEFT saves them.
///
/// PEFT makes room for r (rows + columns) values in every module, with one r for all, and loads no other number. So each module
/// is filled up with zeros at free positions, with the smallest r that holds all.
enum SparseAdapterExport {
    /// Writes the directory of an adapter, which appears whole or not at all.
    ///
    /// `saved` are tensors of the model that the adapter has whole, named as in the file, and `modulesToSave` their modules.
    ///
    /// Throws `usage` if a module's values are too many for its matrix or another's r; else like `AdapterExport.write`.
    static func write(
        _ updates: [SparseUpdate], saved: [AdapterExport.Tensor] = [], modulesToSave: [String] = [], baseModel: String?,
        to directory: String, replacing: Bool = false
    ) throws(SiltError) {
        let rank = updates.reduce(1) { rank, update in
            let unit = max(1, update.shape.reduce(0, +))
            return max(rank, (update.positions.count + unit - 1) / unit)
        }
        var tensors = saved
        for update in updates {
            guard update.shape.count == 2, update.scale == 1,
                update.values.count == update.positions.count * update.dtype.elementBytes
            else {
                throw SiltError(.usage, "SHiRA adapts matrices, with scale 1", tensor: update.target)
            }
            let count = rank * update.shape.reduce(0, +)
            guard count <= update.shape[0] * update.shape[1] else {
                throw SiltError(
                    .usage, "r = \(rank) takes \(count) values, but the matrix \(update.shape) has fewer",
                    tensor: update.target,
                    advice: "export the module whole, or as a low-rank adapter")
            }
            guard let values = TensorInfo(dtype: update.dtype, shape: [count]),
                let indices = TensorInfo(dtype: .i32, shape: [2, count]),
                update.shape.allSatisfy({ $0 <= Int(Int32.max) })
            else {
                throw SiltError(.usage, "the matrix \(update.shape) is too large for SHiRA", tensor: update.target)
            }
            let path = AdapterTensorName.prefix + path(of: update)
            tensors.append(
                .init(path + ".shira_weight", values) { () throws(SiltError) in filled(update, count).values })
            tensors.append(
                .init(path + ".shira_indices", indices) { () throws(SiltError) in
                    places(filled(update, count).positions, columns: update.shape[1])
                })
        }
        let modules = updates.map { path(of: $0) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let configuration = JSONValue.members([
            "base_model_name_or_path": baseModel.map { .string($0) } ?? .null,
            "fan_in_fan_out": .bool(false),
            "inference_mode": .bool(true),
            "init_weights": .bool(true),
            "mask_type": .string("random"),
            "modules_to_save": modulesToSave.isEmpty ? .null : .array(modulesToSave.map { .string($0) }),
            "peft_type": .string("SHIRA"),
            "r": .integer(rank),
            "random_seed": .integer(0),
            "target_modules": .array(modules.map { .string($0) }),
            "task_type": .null,
        ])
        let text = String(decoding: configuration.serialized(pretty: true), as: UTF8.self) + "\n"
        try AdapterExport.write(config: text, tensors: tensors, to: directory, replacing: replacing)
    }

    private static func path(of update: SparseUpdate) -> String {
        update.target.hasSuffix(".weight") ? String(update.target.dropLast(".weight".count)) : update.target
    }

    /// The update with zeros at the first free positions, so that it has `count` values.
    private static func filled(_ update: SparseUpdate, _ count: Int) -> (positions: [Int], values: [UInt8]) {
        let width = update.dtype.elementBytes
        var free = count - update.positions.count
        var positions: [Int] = []
        var values: [UInt8] = []
        positions.reserveCapacity(count)
        values.reserveCapacity(count * width)
        var next = 0
        func fill(upTo end: Int) {
            while free > 0, next < end {
                positions.append(next)
                values.append(contentsOf: repeatElement(0, count: width))
                next += 1
                free -= 1
            }
        }
        for (index, position) in update.positions.enumerated() {
            fill(upTo: position)
            positions.append(position)
            values += update.values[index * width..<(index + 1) * width]
            next = position + 1
        }
        fill(upTo: update.shape[0] * update.shape[1])
        return (positions, values)
    }

    private static func places(_ positions: [Int], columns: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 * positions.count)
        for position in positions { bytes.appendLittleEndian(Int32(truncatingIfNeeded: position / columns)) }
        for position in positions { bytes.appendLittleEndian(Int32(truncatingIfNeeded: position % columns)) }
        return bytes
    }
}
