package import SiltReading
package import Safetensors
package import Synchronization
package import TensorTypes

/// A tensor of the result on its way into the file.
package final class TensorTask: Sendable {
    package let entry: SafetensorsHeader.Entry
    package let source: SafetensorsFile
    /// The base tensor that predicts it.
    package let base: BaseTask?
    /// Whether this task is the one that hashes the base tensor's cells.
    let hashesBase: Bool
    package let segments: [Segment]
    /// Digests of its cells, as they are in the fine-tuned checkpoint.
    package let digests: DigestSlots
    /// What a lossy method makes of the elements that the base has.
    package let fate: TensorPolicy.Fate
    /// Whether the delta has infinities or NaNs, from the first pass: then the tensor stays exact.
    package let hasNonFinite = Atomic<Bool>(false)
    /// What the lossy method made of it, from the second pass.
    package let lossy = Mutex<LossyTensor?>(nil)

    package var info: TensorInfo { entry.info }
    package var grid: Grid { entry.info.grid }

    init(
        _ entry: SafetensorsHeader.Entry, in source: SafetensorsFile, base: BaseTask?,
        fate: TensorPolicy.Fate = .exact, isSampled: Bool = false
    ) {
        self.entry = entry
        self.fate = base == nil ? .exact : fate
        self.source = source
        self.base = base
        hashesBase = base?.claim() ?? false
        let elements = entry.info.elements
        let known = base.map { min(elements, $0.tensor.info.elements) } ?? 0
        segments = [(0..<known, true), (known..<elements, false)].filter { !$0.0.isEmpty }.map {
            Segment(elements: $0.0, hasBase: $0.1, info: entry.info, isSampled: isSampled)
        }
        digests = DigestSlots(entry.info.grid.count)
        if hashesBase, let base {
            // Cells of the base that this task reads whole; the others are hashed by jobs of their own.
            for cell in 0..<min(base.grid.count, grid.count)
            where base.grid.range(cell) == grid.range(cell).clamped(to: 0..<known) { base.cover(cell) }
        }
    }

    /// Reads `elements` of the tensor.
    package func read(_ elements: Range<Int>, into buffer: ByteBuffer) throws(SiltError) -> UnsafeRawBufferPointer {
        let width = info.dtype.elementBytes
        let start = entry.range.lowerBound + elements.lowerBound * width
        buffer.reserve(elements.count * width)
        let bytes = unsafe buffer.prefix(elements.count * width)
        do throws(SiltError) {
            try unsafe source.read(start..<start + bytes.count, into: bytes)
        } catch {
            throw error.at(tensor: entry.name)
        }
        return UnsafeRawBufferPointer(bytes)
    }
}

/// A tensor of the base, whose digest identifies it.
package final class BaseTask: Sendable {
    package let tensor: Checkpoint.Tensor
    let digests: DigestSlots
    private let claimed = Atomic<Bool>(false)
    private let covered = Mutex<Set<Int>>([])

    var grid: Grid { tensor.info.grid }

    init(_ tensor: Checkpoint.Tensor) {
        self.tensor = tensor
        digests = DigestSlots(tensor.info.grid.count)
    }

    /// Takes the digest of a cell that no task of the result reads whole.
    func hash(_ cell: Int, _ worker: PackWorker) throws(SiltError) {
        let read = try unsafe worker.base.read(tensor, grid.range(cell), as: tensor.info.dtype, hashing: true)
        if let digest = unsafe read.digest { digests.set(cell, digest) }
    }

    /// True for the first task that asks.
    func claim() -> Bool { !claimed.exchange(true, ordering: .relaxed) }

    func cover(_ cell: Int) { _ = covered.withLock { $0.insert(cell) } }

    /// Cells that no task of the result reads whole.
    var uncovered: [Int] { covered.withLock { covered in (0..<grid.count).filter { !covered.contains($0) } } }
}
