internal import Safetensors
package import TensorTypes

/// A tensor whose delta a lossy method takes: in files, which the packer reads, or in memory, where a search tries many methods.
package protocol DeltaSource: Sendable {
    /// The tensor's name.
    var name: String { get }
    /// Its dtype and shape.
    var info: TensorInfo { get }
    /// Elements that the base has too.
    var knownElements: Int { get }

    /// Fine-tuned minus base.
    ///
    /// The caller may not change what it gets, unless it copies it.
    func delta(_ worker: PackWorker) throws(SiltError) -> TensorDelta
}

extension TensorTask: DeltaSource {
    package var name: String { entry.name }
    package var knownElements: Int { segments.first.map { $0.hasBase ? $0.elements.count : 0 } ?? 0 }

    package func delta(_ worker: PackWorker) throws(SiltError) -> TensorDelta { TensorDelta(self, worker) }
}
