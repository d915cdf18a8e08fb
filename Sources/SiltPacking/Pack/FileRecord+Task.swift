internal import SiltReading
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
package import TensorTypes

extension FileRecord {
    /// The record of a file whose chunks are written.
    package init(of task: FileTask) throws(SiltError) {
        let content: Content
        switch task.content {
        case .safetensors(let header, let tensors):
            var records: [TensorRecord] = []
            for tensor in tensors { records.append(try TensorRecord(of: tensor)) }
            content = .safetensors(header: header, tensors: records)
        case .other(let input, _):
            guard let digest = task.digests.tree else { throw FileRecord.unfinished(task.path) }
            if task.equalsBase.withLock({ $0 }) {
                content = .base(digest: digest, from: task.path)
            } else {
                let first = task.firstChunk.withLock { $0 } ?? 0
                content = .stored(
                    digest: digest, codec: task.codec.withLock { $0 },
                    chunks: first..<first + FileRecord.pieces(input.size))
            }
        }
        self.init(
            path: task.path, bytes: task.input.size, sha256: task.sha256.withLock { $0.isEmpty ? nil : $0 },
            content: content)
    }

    /// An error that only a fault of this program can cause; better an error than a wrong file.
    fileprivate static func unfinished(_ name: String) -> SiltError {
        SiltError(.fault, "not everything was packed; this is a bug in silt, please report it", file: name)
    }
}

extension TensorRecord {
    /// The record of a tensor whose chunks are written.
    fileprivate init(of task: TensorTask) throws(SiltError) {
        let lossy = task.lossy.withLock { $0 }
        guard let digest = lossy?.digest ?? task.digests.tree else { throw FileRecord.unfinished(task.entry.name) }
        var parts: [PartRecord] = []
        for segment in task.segments {
            guard let coding = segment.finalCoding else { throw FileRecord.unfinished(task.entry.name) }
            if case .lossy = coding {
                guard let lossy else { throw FileRecord.unfinished(task.entry.name) }
                parts.append(
                    PartRecord(kind: .copy, elements: segment.elements, components: lossy.components))
                continue
            }
            var part = PartRecord(kind: coding.kind, elements: segment.elements, codec: coding.codec)
            if let prediction = segment.prediction.withLock({ $0 }) {
                guard let components = prediction.records else { throw FileRecord.unfinished(task.entry.name) }
                part.components = components
            }
            if coding.codec != nil {
                guard let first = segment.firstChunk.withLock({ $0 }) else {
                    throw FileRecord.unfinished(task.entry.name)
                }
                part.chunks = first..<first + segment.cells.count
                part.tables = coding.tables?.index.withLock { $0 }
                if coding.kind == .exact { part.unit = segment.unit }
            }
            parts.append(part)
        }
        var base: BaseTensorRecord?
        if parts.contains(where: { $0.kind != .whole }), let match = task.base {
            guard let digest = match.digests.tree else { throw FileRecord.unfinished(match.tensor.name) }
            base = BaseTensorRecord(name: match.tensor.name, info: match.tensor.info, digest: digest)
        }
        self.init(
            name: task.entry.name, info: task.info, range: task.entry.range, digest: digest, base: base, parts: parts,
            receipt: lossy?.sums.receipt)
    }
}
