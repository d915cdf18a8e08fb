internal import DeltaCodecs
internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// Writes an update, tensor by tensor.
///
/// Sizes stand in the header, which comes first, and are known last. So room is kept for a header of all tensors with the largest
/// sizes, and what it does not need is filled with spaces, which readers allow.
final class WeightSyncWriter {
    private static let fileName = "model-00000-of-00001.safetensors"
    private static let level = 1

    private let encoding: WeightSync.Encoding
    private let checksum: WeightSync.Checksum
    private let output: StagedOutput
    private let room: Int
    private let zstd = Zstd()
    private var file: SafetensorsAppender?
    private var entries: [(name: String, info: TensorInfo)] = []
    private var checksums: [String: String] = [:]

    /// Changed tensors so far.
    var count: Int { entries.count }

    /// `tensors` are all that may come.
    init(
        _ encoding: WeightSync.Encoding, _ checksum: WeightSync.Checksum, replacing: Bool, to target: String,
        for tensors: [Checkpoint.Tensor]
    ) throws(SiltError) {
        let names = [ShardIndex.fileName, WeightSyncWriter.fileName].map { ByteName($0) }
        output = try StagedOutput(
            at: target, form: .directory, replacing: replacing ? .directory(expected: Set(names)) : .never)
        self.encoding = encoding
        self.checksum = checksum
        // More than any frame takes: five times the bytes, and what zstd adds.
        let largest = tensors.compactMap { tensor -> (name: String, info: TensorInfo)? in
            let (bytes, overflow) = tensor.info.bytes.multipliedReportingOverflow(by: 8)
            return TensorInfo(dtype: .u8, shape: [overflow ? Int.max / 1_024 : bytes + 1_024]).map { (tensor.name, $0) }
        }
        let sums = Dictionary(
            tensors.map { ($0.name, checksum.text(of: [])) }, uniquingKeysWith: { first, _ in first })
        room = try SafetensorsHeaderBuilder.header(for: largest, metadata: sums).text.count
    }

    /// Adds a tensor if it differs from `before`; tensors come ascending by the bytes of their names.
    func add(_ tensor: Checkpoint.Tensor, before: Checkpoint.Tensor) throws(SiltError) {
        let new = try tensor.bytes(0..<tensor.info.bytes)
        let difference: [UInt8]?
        switch encoding {
        case .xor: difference = try xored(new, before)
        case .overwrite: difference = try overwriting(new, before)
        }
        guard let difference else { return }
        let frame = zstd.compress(difference, level: WeightSyncWriter.level)
        guard let info = TensorInfo(dtype: .u8, shape: [frame.count]) else {
            throw SiltError(.limit, "the difference is too large", tensor: tensor.name)
        }
        let file: SafetensorsAppender
        if let known = self.file {
            file = known
        } else {
            file = SafetensorsAppender(try output.create(WeightSyncWriter.fileName), room: room)
            self.file = file
        }
        try file.append(frame)
        entries.append((tensor.name, info))
        checksums[tensor.name] = checksum.text(of: new)
    }

    /// Writes header and index; the update appears.
    func finish(version: Int, baseVersion: Int) throws(SiltError) {
        if let file {
            try file.finish(SafetensorsHeaderBuilder.header(for: entries, metadata: checksums).text)
        }
        let index = WeightSyncIndex.text(
            version: version, baseVersion: baseVersion, encoding, checksum, names: entries.map(\.name),
            file: WeightSyncWriter.fileName)
        try output.create(ShardIndex.fileName).write(index, at: 0)
        try output.commit()
    }

    /// nil if nothing differs.
    private func xored(_ new: [UInt8], _ before: Checkpoint.Tensor) throws(SiltError) -> [UInt8]? {
        var bytes = new
        try ByteDifference.xor(&bytes, with: before)
        return ByteDifference.isZero(bytes) ? nil : bytes
    }

    /// nil if nothing differs.
    private func overwriting(_ new: [UInt8], _ before: Checkpoint.Tensor) throws(SiltError) -> [UInt8]? {
        guard new.count <= Int(UInt32.max) else {
            throw SiltError(
                .limit, "the tensor has \(new.count) bytes, and positions have 32 bits", tensor: before.name,
                advice: "use \(option: .encoding) xor")
        }
        var positions: [UInt8] = []
        var values: [UInt8] = []
        for start in stride(from: 0, to: new.count, by: DirectoryRewrite.piece) {
            let old = try before.bytes(start..<min(new.count, start + DirectoryRewrite.piece))
            for (index, byte) in old.enumerated() where new[start + index] != byte {
                positions.appendLittleEndian(UInt32(start + index))
                values.append(new[start + index])
            }
        }
        guard !values.isEmpty else { return nil }
        var difference: [UInt8] = []
        difference.reserveCapacity(4 + positions.count + values.count)
        difference.appendLittleEndian(UInt32(values.count))
        return difference + positions + values
    }
}
