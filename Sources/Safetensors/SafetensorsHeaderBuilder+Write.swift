internal import ByteSources
public import TensorTypes

extension SafetensorsHeaderBuilder {
    /// Writes a small set of tensors that are in memory to a file at `path`, which appears whole or not at all.
    ///
    /// With `replacing`, a file that has the path gives way. Throws `usage` if the bytes of a tensor are not as many as its
    /// shape says, `header` like `header(for:metadata:)`, `cannotCreate` if the path is taken or its directory missing, and
    /// `io` if the device fails.
    public static func write(
        _ tensors: [(name: String, info: TensorInfo, bytes: [UInt8])], metadata: [String: String]? = nil,
        to path: String, replacing: Bool = false
    ) throws(SiltError) {
        for (name, info, bytes) in tensors where bytes.count != info.bytes {
            throw SiltError(
                .usage, "\(info.description) takes \(info.bytes) bytes, but \(bytes.count) are given", tensor: name)
        }
        let (text, offsets) = try header(for: tensors.map { ($0.name, $0.info) }, metadata: metadata)
        let output = try StagedOutput(at: path, form: .file, replacing: replacing ? .file : .never)
        var start: [UInt8] = []
        start.appendLittleEndian(UInt64(text.count))
        try output.file.write(start + text, at: 0)
        for (name, _, bytes) in tensors {
            try output.file.write(bytes, at: start.count + text.count + (offsets[name]?.lowerBound ?? 0))
        }
        try output.commit()
    }
}
