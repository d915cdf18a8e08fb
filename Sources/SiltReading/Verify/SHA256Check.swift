internal import Workers
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// Recomputes the SHA-256 of rebuilt files.
///
/// SHA-256 takes a file from its first byte to its last, so this is a pass of one thread; tensors stand in their file's
/// order.
struct SHA256Check {
    private let container: ContainerReader
    private let binding: BaseBinding
    private let cancellation: Cancellation

    init(_ container: ContainerReader, _ binding: BaseBinding, _ cancellation: Cancellation) {
        self.container = container
        self.binding = binding
        self.cancellation = cancellation
    }

    /// The files whose SHA-256 is not the recorded one.
    func differences() throws(SiltError) -> [VerifyReport.Difference] {
        let hashes = Mutex<[Int: SHA256]>([:])
        let files = container.manifest.files
        for (index, record) in files.enumerated() {
            let hash = SHA256()
            if case .safetensors(let header, _) = record.content { hash.add(header.fileStart) }
            hashes.withLock { $0[index] = hash }
        }
        let rebuilder = Rebuilder(container, binding, WorkerPool(threads: 1, cancellation: cancellation))
        try unsafe rebuilder.run(
            rebuilder.plan(Rebuilder.refuse), "hashing", nil,
            sink: { (_, index, _, _, bytes) throws(SiltError) in
                hashes.withLock { unsafe $0[index]?.add(bytes) }
            }, verdict: Rebuilder.refuse)
        return hashes.withLock { hashes in
            files.enumerated().compactMap { index, record in
                // Lossy files record none for what q changes.
                guard let hash = hashes[index], let recorded = record.sha256 else { return nil }
                let found = hash.finish()
                guard found != recorded else { return nil }
                return .init(
                    file: record.path, tensor: nil, what: "SHA-256 is \(found), recorded \(recorded)",
                    kind: .error(.result))
            }
        }
    }
}
