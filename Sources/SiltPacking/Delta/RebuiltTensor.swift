package import SiltFormat
package import SiltReading
package import TensorTypes

/// A tensor as a reader rebuilds it from components that are in memory: decoded factors live as long as this value.
package struct RebuiltTensor: Sendable {
    private let record: TensorRecord
    private let part: PartRecord
    private let predictor: Predictor

    /// The elements `0..<known` of a tensor, which components change.
    package init(
        _ name: String, _ info: TensorInfo, known: Int, _ components: [ComponentRecord], _ chunks: ComponentChunks
    ) {
        part = PartRecord(kind: .copy, elements: 0..<known, components: components)
        record = TensorRecord(name: name, info: info, range: 0..<info.bytes, digest: nil, base: nil, parts: [part])
        predictor = Predictor(MemoryChunks(chunks: chunks.chunks))
    }

    /// Rebuilds the first `count` elements of a cell from those of the base; `target` may be `base`.
    package func rebuild(
        _ cell: Int, base: UnsafeRawPointer, into target: UnsafeMutableRawPointer, count: Int,
        _ workspace: Predictor.Workspace
    ) throws(SiltError) {
        if part.components.isEmpty {
            guard unsafe target != base else { return }
            unsafe target.copyMemory(from: base, byteCount: count * record.info.dtype.elementBytes)
        } else {
            try unsafe predictor.predict(
                record, part, cell: cell, base: base, into: target, count: count, workspace)
        }
    }

    /// The rebuilt elements of a cell, valid until the workspace is used again.
    func rebuilt(
        _ cell: Int, base: UnsafeRawPointer, count: Int, _ workspace: Predictor.Workspace
    ) throws(SiltError) -> UnsafeRawPointer {
        workspace.prediction.reserve(count * record.info.dtype.elementBytes)
        try unsafe rebuild(cell, base: base, into: workspace.prediction.start, count: count, workspace)
        return unsafe UnsafeRawPointer(workspace.prediction.start)
    }
}
