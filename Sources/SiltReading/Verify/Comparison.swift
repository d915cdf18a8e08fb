internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// Compares rebuilt files with those of a fine-tuned checkpoint, byte by byte.
final class Comparison: Sendable {
    private let inputs: [(any ByteSource)?]
    private let found: Mutex<[VerifyReport.Difference]>
    private let reported = Mutex<Set<String>>([])
    private let paths: [String]

    /// Opens the files, and compares their names, sizes and headers.
    init(_ manifest: Manifest, _ path: String) throws(SiltError) {
        let tree = try LocalTree(path)
        let isDirectory = tree.form == .directory
        guard isDirectory == (manifest.form == .directory) || DirectoryListing.kind(of: path) == .missing else {
            throw SiltError(
                .usage, "the Silt file holds a \(manifest.form.rawValue), but \(option: .against) is not one",
                file: path)
        }
        let present = Set(isDirectory ? tree.files.map { ByteName($0) } : [])
        var inputs: [(any ByteSource)?] = []
        var differences: [VerifyReport.Difference] = []
        func differ(_ file: String, _ what: String) {
            differences.append(.init(file: file, tensor: nil, what: what, kind: .against))
        }
        for record in manifest.files {
            guard !isDirectory || present.contains(ByteName(record.path)) else {
                differ(record.path, "the fine-tuned checkpoint does not have this file")
                inputs.append(nil)
                continue
            }
            let input = try tree.open(record.path)
            if input.size != record.bytes {
                differ(record.path, "the fine-tuned checkpoint's file has \(input.size) bytes, not \(record.bytes)")
                inputs.append(nil)
                continue
            }
            if case .safetensors(let header, _) = record.content {
                let start = header.fileStart
                if try input.bytes(0..<start.count) != start { differ(record.path, "the headers differ") }
            }
            inputs.append(input)
        }
        let extra = present.subtracting(manifest.files.map { ByteName($0.path) }).map(\.string)
        for path in extra.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            differ(path, "the Silt file does not have this file")
        }
        self.inputs = inputs
        paths = manifest.files.map(\.path)
        found = Mutex(differences)
    }

    /// What differs, so far.
    var differences: [VerifyReport.Difference] { found.withLock { $0 } }

    /// Compares rebuilt bytes of file `file` that belong at `offset`; one difference for each tensor or file is kept.
    func compare(
        _ bytes: UnsafeRawBufferPointer, file: Int, at offset: Int, tensor: String?, _ worker: DecodeWorker
    ) throws(SiltError) {
        guard let input = inputs[file], let start = bytes.baseAddress else { return }
        worker.comparison.reserve(bytes.count)
        let other = unsafe worker.comparison.prefix(bytes.count)
        try unsafe input.read(into: other, at: offset)
        guard unsafe !Bits.areEqual(start, worker.comparison.start, bytes: bytes.count) else { return }
        let first = unsafe zip(bytes, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
        let isNew = reported.withLock { $0.insert("\(file):\(tensor ?? "")").inserted }
        guard isNew else { return }
        let difference = VerifyReport.Difference(
            file: paths[file], tensor: tensor, what: "the bytes differ, for example at \(offset + first) of the file",
            kind: .against)
        found.withLock { $0.append(difference) }
    }
}
